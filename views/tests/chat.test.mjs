// The page in a host, held against the reference library's bridge: a real browser, a real server, real tool calls.
//
//     node --test views/tests/chat.test.mjs      CHROMIUM=/usr/bin/chromium, SCREENSHOTS=folder
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { makeTrip, startServer } from "./server.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const SCREENSHOTS = process.env.SCREENSHOTS;
const PAGE = "ui://trips-mcp/trip.html";
const WAIT_MS = 20_000;

let browser, server, tripId, html, program, tab;

before(async () => {
  const made = await build({ entryPoints: [join(HERE, "reference_host.ts")], bundle: true, format: "iife", write: false, logLevel: "error" });
  program = made.outputFiles[0].text;
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
  server = await startServer();
  tripId = await makeTrip(server, "Tea ceremony <script>");
  const [content] = (await server.ask("resources/read", { uri: PAGE })).contents;
  assert.equal(content.mimeType, "text/html;profile=mcp-app");
  html = content.text;
});
after(async () => {
  await browser?.close();
  server?.stop();
});
afterEach(async () => {
  await tab?.close();
  tab = undefined;
});

/** The page, drawn in the host. `args` are those of show_trip. */
async function shown(args = {}, options = {}, size = { width: 1000, height: 700 }) {
  const input = { tripId, ...args };
  const result = await server.call("show_trip", input);
  assert.equal(result.isError, false, result.content[0].text);
  const view = await opened(input, result, options, size);
  await view.locator(".map-canvas").waitFor({ timeout: WAIT_MS });
  return view;
}

async function opened(input, result, options = {}, size = { width: 1000, height: 700 }) {
  tab = await browser.newPage({ viewport: size, reducedMotion: "reduce" });
  tab.setDefaultTimeout(WAIT_MS);
  if (options.hasClock) await tab.clock.install();
  tab.requests = [];
  tab.on("request", (request) => tab.requests.push(request.url()));
  await tab.route("http://host.test/", (route) =>
    route.fulfill({ contentType: "text/html", body: "<!doctype html><meta name=color-scheme content='light dark'><body style='margin:0'>" }),
  );
  await tab.exposeFunction("callServer", (name, given) => server.call(name, given));
  await tab.goto("http://host.test/");
  await tab.addScriptTag({ content: program });
  await tab.evaluate(([page, given, told, more]) => window.open_page(page, given, told, more), [html, input, result, options]);
  return tab.frameLocator("iframe").first();
}

async function choosePlace(view) {
  await view.getByRole("button", { name: "List" }).click();
  await view.locator(".places .entry-head", { hasText: "Diamond Head" }).click();
}

/** What get_day told of the chosen day. */
const answerIn = (view) => view.getByRole("region", { name: "Day", exact: true });
const told = () => tab.evaluate(() => window.told);
const picture = async (name) => {
  if (!SCREENSHOTS) return;
  for (const frame of tab.frames()) {
    await frame.evaluate(() => new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted))));
  }
  mkdirSync(SCREENSHOTS, { recursive: true });
  await tab.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
};
/** Waits until what the host was told is so. */
const until = (condition, argument) => tab.waitForFunction(condition, argument, { timeout: WAIT_MS });

test("a trip is drawn from the result of show_trip, at the size that the host is told", async () => {
  const view = await shown();
  await view.getByRole("heading", { name: "Japan in spring" }).waitFor();
  await view.getByText("Tea ceremony <script>").first().waitFor();
  await until(() => window.told.sizes.at(-1)?.height === 500);
  await picture("chat-light");
  assert.deepEqual((await told()).errors, []);
  assert.deepEqual(tab.requests, ["http://host.test/"], "the page asks the network for nothing");
  assert.doesNotMatch(await view.locator("body").innerText(), /4711/);
});

test("a click on a day asks the host for get_day, and shows its answer", async () => {
  const view = await shown();
  await view.locator(".date", { hasText: "29 Mar" }).first().click();
  const answer = answerIn(view);
  await answer.getByText("Kaiseki dinner").waitFor();
  await picture("chat-day");
  assert.deepEqual((await told()).calls, [{ name: "get_day", arguments: { tripId, date: "2027-03-29" } }]);
  assert.match(await answer.innerText(), /Tea ceremony <script>/);
  await answer.getByRole("button", { name: "Close" }).click();
  await answer.waitFor({ state: "hidden" });
});

test("the day that show_trip was asked for is chosen", async () => {
  const view = await shown({ date: "29 March" });
  await answerIn(view).getByText("Kaiseki dinner").waitFor();
});

test("what is asked about goes to the conversation, and links through the host", async () => {
  const view = await shown();
  await view.getByRole("button", { name: "Tell me about this trip" }).click();
  await until(() => window.told.messages.length === 1);
  await choosePlace(view);
  await view.getByRole("button", { name: "Tell me about this", exact: true }).click();
  await until(() => window.told.messages.length === 2);
  await view.locator(".card:visible a").first().click();
  await until(() => window.told.links.length === 1);
  await view.locator(".list .entry-head", { hasText: "Ryokan Sawanoya" }).first().click();
  await view.getByRole("button", { name: "Tell me about this", exact: true }).click();
  await until(() => window.told.messages.length === 3);
  const { messages, links } = await told();
  assert.equal(messages[0], `Tell me about my trip, tripId ${tripId}.`);
  assert.match(messages[1], new RegExp(`^Tell me about pinId pin_\\w+ of my trip, tripId ${tripId}\\.$`), "no words of the trip");
  assert.match(messages[2], /^Tell me about the stay of legId leg_\w+ of my trip, /);
  assert.match(links[0], /^(https|geo):/);
});

test("the page follows the host's theme, insets and mode", async () => {
  const view = await shown({}, { context: { theme: "dark" } });
  const theme = () => view.locator("html").getAttribute("data-theme");
  assert.equal(await theme(), "dark");
  const background = await view.locator(".panes").evaluate((element) => getComputedStyle(element).backgroundColor);
  await picture("chat-dark");
  await tab.evaluate(() => window.change({ theme: "light", safeAreaInsets: { top: 10, right: 0, bottom: 20, left: 0 } }));
  await view.locator("html[data-theme=light]").waitFor();
  const light = await view.locator(".panes").evaluate((element) => getComputedStyle(element).backgroundColor);
  assert.notEqual(light, background);
  assert.equal(await view.locator("body").evaluate((body) => body.style.padding), "10px 0px 20px");
  await view.getByRole("button", { name: "Larger" }).click();
  await view.getByRole("button", { name: "Smaller" }).waitFor();
  await until(() => window.told.sizes.at(-1).height > 500);
});

test("it is readable at 320 pixels", async () => {
  const view = await shown({}, {}, { width: 320, height: 700 });
  await picture("chat-320");
  const page = view.locator("html");
  assert.ok((await page.evaluate((element) => element.scrollWidth)) <= 320, "no sideways scrolling");
});

test("a plan is shown before and after, and Apply applies it", async () => {
  const change = { tool: "create_commitment", arguments: { title: "Sumo", startDate: "2027-03-26", startTime: "15:00", timezone: "Asia/Tokyo", category: "activity" } };
  const { planId } = await server.do("plan_changes", { tripId, changes: [change] });
  const view = await shown({ planId });
  await view.getByText("Sumo").first().waitFor();
  await view.getByRole("button", { name: "Before" }).click();
  assert.equal(await view.getByText("Sumo").count(), 0);
  await view.getByRole("button", { name: "After" }).click();
  await picture("chat-plan");
  await view.getByRole("button", { name: "Apply" }).click();
  await view.getByText(/^Applied: 1 of 1 change made/).waitFor();
  await view.getByText("Sumo").first().waitFor();
  assert.equal(await view.getByRole("button", { name: "Apply" }).count(), 0);
  const names = (await told()).calls.map((call) => call.name);
  assert.deepEqual(names, ["apply_plan", "show_trip"]);
  const { items } = await server.do("list_commitments", { tripId });
  assert.equal(items.filter((item) => item.title === "Sumo").length, 1);
});

test("a host that refuses leaves the page usable", async () => {
  const change = { tool: "create_map_pin", arguments: { name: "Umi", lat: 34, lng: 135 } };
  const { planId } = await server.do("plan_changes", { tripId, changes: [change] });
  const view = await shown({ planId }, { refuses: true });
  await view.getByRole("button", { name: "Apply" }).click();
  await view.getByText("The plan was not applied from here: The user said no.").waitFor();
  assert.equal(await view.getByRole("button", { name: "Apply" }).isEnabled(), true);
  await view.locator(".date").nth(2).click();
  await view.getByText("Not more than the list has: The user said no.").waitFor();
  await view.getByRole("button", { name: "Tell me about this trip" }).click();
  await view.getByText("The chat did not take the message.").waitFor();
  await view.getByRole("button", { name: "List" }).click();
  await view.locator(".pane-list").waitFor();
});

test("a host that can do less is asked for less", async () => {
  const view = await shown({}, { capabilities: {}, context: { availableDisplayModes: ["inline"] } });
  await view.locator(".date").nth(2).click();
  assert.equal(await answerIn(view).count(), 0);
  assert.deepEqual(await view.locator(".actions button").allInnerTexts(), []);
  assert.deepEqual((await told()).calls, []);
});

test("while a host does not answer, and after it has left, the page goes on", async () => {
  const view = await shown({}, { isDeaf: true });
  await view.locator(".date").nth(2).click();
  await view.getByText("Reading the day…").waitFor();
  await choosePlace(view);
  await view.getByText("Reading the day…").waitFor({ state: "hidden" });
  await view.getByRole("button", { name: "Timeline" }).click();
  await view.locator(".date").nth(3).click();
  await view.getByText("Reading the day…").waitFor();
  await tab.evaluate(() => window.teardown());
  await view.getByText("Not more than the list has: The chat has closed this page.").waitFor();
  await view.getByRole("button", { name: "List" }).click();
  await view.locator(".pane-list").waitFor();
});

test("a host that takes too long is waited for no longer, and can be asked again", async () => {
  const view = await shown({}, { isDeaf: true, hasClock: true });
  await view.getByRole("button", { name: "Tell me about this trip" }).click();
  await view.locator(".date").nth(2).click();
  await view.getByText("Reading the day…").waitFor();
  await tab.clock.fastForward(61_000);
  await view.getByText("Not more than the list has: The chat does not answer.").waitFor();
  await view.locator(".message", { hasText: "The chat does not answer." }).waitFor();
  await view.getByRole("button", { name: "Tell me about this trip" }).click();
  await until(() => window.told.messages.length === 2);
});

test("the bridge answers a ping, and messages of other frames change nothing", async () => {
  const view = await shown();
  assert.deepEqual(await tab.evaluate(() => window.ping()), {});
  await tab.evaluate(() => {
    const forged = { trip: { title: "Forged", days: [], legs: [], items: [], pins: [], toDos: [], findings: [] } };
    window.forge({ jsonrpc: "2.0", method: "ui/notifications/tool-result", params: { structuredContent: forged, content: [] } });
  });
  await tab.evaluate(() => window.ping()); // what came before has been handled
  assert.equal(await view.getByRole("heading", { level: 1 }).innerText(), "Japan in spring");
});

test("a call that fails, is cancelled or brings no trip is told in words", async () => {
  const failed = await server.call("show_trip", { tripId: "trip_unheard" });
  let view = await opened({ tripId }, failed);
  await view.getByText(failed.content[0].text.split("\n")[0]).waitFor();
  await tab.close();
  view = await opened({ tripId }, { content: [{ type: "text", text: "Only words." }] });
  await view.getByText("Only words.").waitFor();
});
