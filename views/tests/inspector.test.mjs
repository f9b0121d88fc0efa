// The page in a real host: MCP Inspector's web page, which connects to a server of these tests' own.
//
//     INSPECTOR=folder of node_modules  node --test views/tests/inspector.test.mjs     CHROMIUM, SCREENSHOTS: see chat.test.mjs
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { freePort, isReachable, makeTrip, startServer } from "./server.mjs";

const LAUNCHER = join(process.env.INSPECTOR ?? "node_modules", "@modelcontextprotocol/inspector/clients/launcher/build/index.js");
const SCREENSHOTS = process.env.SCREENSHOTS;
const WAIT_MS = 30_000;

let browser, server, tripId, inspector, port;
const token = randomBytes(16).toString("hex");

before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
  [port, server] = [await freePort(), await startServer()];
  tripId = await makeTrip(server, "Tea ceremony");
  const env = {
    ...process.env,
    HOST: "127.0.0.1",
    CLIENT_PORT: String(port),
    MCP_SANDBOX_PORT: String(await freePort()),
    MCP_AUTO_OPEN_ENABLED: "false",
    MCP_INSPECTOR_API_TOKEN: token,
  };
  inspector = spawn(process.execPath, [LAUNCHER, "--web"], { env, stdio: "ignore" });
  assert.ok(await isReachable(`http://127.0.0.1:${port}/`, inspector), "MCP Inspector did not start");
});
after(async () => {
  await browser?.close();
  inspector?.kill();
  server?.stop();
});

/** The page that Inspector draws for a call of show_trip. */
async function drawn(args, { theme = "light", size = { width: 1280, height: 900 } } = {}) {
  const tab = await browser.newPage({ viewport: size, colorScheme: theme, reducedMotion: "reduce" });
  tab.setDefaultTimeout(WAIT_MS);
  const asked = new URLSearchParams({
    serverUrl: server.url,
    transport: "http",
    autoConnect: token,
    openApp: "show_trip",
    appArgs: Buffer.from(JSON.stringify({ tripId, ...args })).toString("base64url"),
    autoOpen: token,
  });
  await tab.goto(`http://127.0.0.1:${port}/?${asked}`);
  await tab.locator('[data-testid="connection-status"][data-status="connected"]').waitFor();
  await tab.locator('[data-app-status="ready"]').waitFor();
  const frame = tab.frameLocator("iframe").frameLocator("iframe"); // the page is in the host's sandbox
  await frame.locator(".map-canvas").waitFor();
  return { tab, frame };
}

/** In the whole window, as the host does on the page's request. */
async function enlarge(frame) {
  await frame.getByRole("button", { name: "Larger" }).click();
  await frame.getByRole("button", { name: "Smaller" }).waitFor();
}

async function picture(tab, name) {
  if (!SCREENSHOTS) return;
  for (const frame of tab.frames()) {
    await frame.evaluate(() => new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted))));
  }
  mkdirSync(SCREENSHOTS, { recursive: true });
  await tab.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
}

test("MCP Inspector draws a trip, and a click on a day calls get_day through it", async () => {
  const { tab, frame } = await drawn({}, { size: { width: 1680, height: 940 } });
  await frame.getByRole("heading", { name: "Japan in spring" }).waitFor();
  await enlarge(frame);
  await frame.locator(".date", { hasText: "29 Mar" }).first().click();
  await frame.getByRole("region", { name: "Day", exact: true }).getByText("Kaiseki dinner").waitFor();
  await frame.locator(".map-buttons button").last().click(); // the whole trip
  await picture(tab, "inspector");
  await tab.close();
});

test("a plan is applied through MCP Inspector", async () => {
  const change = { tool: "create_commitment", arguments: { title: "Kabuki", startDate: "2027-03-26", startTime: "18:00", timezone: "Asia/Tokyo", category: "activity" } };
  const { planId } = await server.do("plan_changes", { tripId, changes: [change] });
  const { tab, frame } = await drawn({ planId }, { theme: "dark" });
  await frame.getByText("Kabuki").first().waitFor();
  await picture(tab, "inspector-plan");
  await frame.getByRole("button", { name: "Apply" }).click();
  await frame.getByText(/^Applied: 1 of 1 change made/).waitFor();
  const { items } = await server.do("list_commitments", { tripId });
  assert.equal(items.filter((item) => item.title === "Kabuki").length, 1);
  await tab.close();
});
