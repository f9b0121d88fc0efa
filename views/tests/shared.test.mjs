// The page of a share link, as a browser gets it from a team's server, with its Content-Security-Policy.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { makeTrip, startServer } from "./server.mjs";

const SCREENSHOTS = process.env.SCREENSHOTS;
const WAIT_MS = 20_000;

let browser, server, tripId;

before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
  server = await startServer({ isTeam: true });
  tripId = await makeTrip(server, "Tea </script><img src=x onerror=alert(1)>");
});
after(async () => {
  await browser?.close();
  server?.stop();
});

test("a share link's page draws the trip, runs its own script alone, and is gone when it is revoked", async () => {
  const { url } = await server.do("create_share_token", { tripId });
  const tab = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" });
  tab.setDefaultTimeout(WAIT_MS);
  const [complaints, requests] = [[], []];
  tab.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  tab.on("pageerror", (error) => complaints.push(String(error)));
  tab.on("dialog", (dialog) => complaints.push(dialog.message()) && dialog.dismiss());
  tab.on("request", (request) => requests.push(request.url()));

  await tab.goto(url);
  await tab.locator(".map-canvas").waitFor();
  await tab.getByRole("heading", { name: "Japan in spring" }).waitFor();
  await tab.locator(".date", { hasText: "29 Mar" }).first().click();
  await tab.locator(".day.is-selected").waitFor();
  await tab.getByText("Tea </script><img src=x onerror=alert(1)>").first().waitFor();
  if (SCREENSHOTS) {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await tab.screenshot({ path: join(SCREENSHOTS, "shared.png") });
  }
  assert.deepEqual(complaints.filter((text) => !text.includes("favicon")), []);
  assert.deepEqual(requests.filter((one) => !one.endsWith("/favicon.ico")), [url], "it asks for nothing else");
  assert.equal(await tab.evaluate(() => window.origin), "null", "it runs in a sandbox");
  assert.doesNotMatch(await tab.content(), /4711/);

  await server.do("revoke_share_token", { tripId });
  await tab.locator(".date", { hasText: "30 Mar" }).first().click(); // what is open stays usable
  const answer = await tab.reload();
  assert.equal(answer.status(), 404);
  await tab.getByText("Nothing is shared at this address.").waitFor();
  await tab.close();
});
