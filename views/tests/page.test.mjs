// The page as a file, in a real browser: how it looks, what it answers to, and what it asks of the network.
//
//     node --test views/tests/page.test.mjs      CHROMIUM=/usr/bin/chromium, SCREENSHOTS=folder
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
const PYTHON = process.env.VIEWS_PYTHON ?? join(ROOT, ".venv/bin/python");
const AXE = readFileSync(join(ROOT, "views/node_modules/axe-core/axe.min.js"), "utf8");
const SCREENSHOTS = process.env.SCREENSHOTS;
const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 320, height: 640 };
const WAIT_MS = 20_000;

let browser, folder, tab;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "trips-mcp-pages-"));
  execFileSync(PYTHON, [join(ROOT, "scripts/browser_pages.py"), folder]);
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(async () => {
  await tab?.close();
  tab = undefined;
});

async function opened(name, size = WIDE, more = {}) {
  tab = await browser.newPage({ viewport: size, ...more });
  tab.setDefaultTimeout(WAIT_MS);
  tab.asked = [];
  tab.complaints = [];
  tab.on("request", (request) => tab.asked.push(request.url()));
  tab.on("pageerror", (error) => tab.complaints.push(error.message));
  tab.on("console", (line) => ["error", "warning"].includes(line.type()) && tab.complaints.push(line.text()));
  await tab.goto(`file://${folder}/${name}.html`);
  await tab.locator(".map-canvas").waitFor();
  return tab;
}

async function pictured(name, options = {}) {
  if (!SCREENSHOTS) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await tab.screenshot({ path: join(SCREENSHOTS, `${name}.png`), ...options });
}

/** What axe-core finds. The page's policy forbids scripts, so it is run past it. */
async function violations() {
  await tab.evaluate(AXE);
  const found = await tab.evaluate(() => axe.run());
  return found.violations.map((one) => `${one.id}: ${one.nodes[0].html.slice(0, 200)} ${one.nodes[0].failureSummary}`);
}

async function isQuiet() {
  assert.deepEqual(tab.asked.filter((url) => !url.startsWith("file:")), []);
  assert.deepEqual(tab.complaints, []);
}

const hasNoSideways = () => tab.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);
const selectedIn = (pane) => tab.locator(`${pane} .is-selected`);

for (const [name, size, colorScheme] of [["light", WIDE, "light"], ["dark", WIDE, "dark"], ["medium", { width: 900, height: 700 }, "light"], ["narrow", NARROW, "light"], ["narrow-dark", NARROW, "dark"]]) {
  test(`a trip is drawn without a fault: ${name}`, async () => {
    await opened("kyoto", size, { colorScheme });

    assert.deepEqual(await violations(), []);
    if (size.width < 1180) await tab.getByRole("button", { name: "List" }).click();
    assert.deepEqual(await violations(), []);
    if (size.width < 1180) await tab.getByRole("button", { name: "Timeline" }).click();
    assert.ok(await hasNoSideways());
    await isQuiet();
    await pictured(`page-${name}`);
  });
}

for (const name of ["plan", "around-the-world", "hostile", "right-to-left", "odd-places", "busy", "one-place", "nothing"]) {
  for (const size of [WIDE, NARROW]) {
    test(`${name} is drawn at ${size.width} pixels`, async () => {
      await opened(name, size);

      if (name !== "busy") assert.deepEqual(await violations(), []);
      assert.ok(await hasNoSideways());
      assert.equal(await tab.locator("img, iframe, [onerror]").count(), 0);
      await isQuiet();
      await pictured(`page-${name}-${size.width}`);
    });
  }
}

test("what is chosen in the list is chosen in timeline and map, and the other way round", async () => {
  await opened("kyoto");

  await tab.locator(".list .entry-head", { hasText: "Kaiseki dinner" }).click();
  assert.equal(await selectedIn(".timeline").count(), 1);
  assert.match(await selectedIn(".timeline").innerText(), /Kaiseki dinner/);
  assert.match(await tab.locator(".card").innerText(), /Tue 30 Mar 18:30 – 21:00/);
  await tab.locator(".timeline .line", { hasText: "Yamabuki Machiya" }).click();
  assert.match(await tab.locator(".list .is-selected").innerText(), /Yamabuki Machiya/);
  await tab.locator(".timeline .line.is-selected").click();
  assert.equal(await tab.locator(".is-selected").count(), 0);
  await tab.getByRole("button", { name: "Show the whole trip" }).click();
  await tab.locator(".map .stop", { hasText: "London" }).first().click();
  assert.match(await selectedIn(".timeline").first().innerText(), /London/);
  assert.match(await selectedIn(".legs").innerText(), /London/);
});

test("a place that is chosen in the list is seen on the map", async () => {
  await opened("kyoto");

  await tab.locator(".places .entry-head").first().click();
  await tab.waitForFunction(() => {
    const [pin, card, stage] = [".map .mark.is-selected:not(.cluster)", ".card", ".map-stage"].map((one) =>
      document.querySelector(one)?.getBoundingClientRect(),
    );
    const isInside = pin && pin.left > stage.left && pin.right < stage.right && pin.top > stage.top;
    return isInside && pin.bottom < card.top; // the card does not cover it
  });
});

test("a day is chosen with all that is on it", async () => {
  await opened("kyoto");

  await tab.locator(".timeline .date", { hasText: "30 Mar" }).click();
  assert.match(await tab.locator(".list .day-head.is-selected").innerText(), /Tuesday 30 Mar 2027/);
  assert.equal(await tab.locator(".list .day-head[aria-current]").count(), 1);
});

test("a mark leads to what check_trip found, and the finding to both plans", async () => {
  await opened("kyoto");

  await tab.locator(".finding-mark").first().click();
  assert.match(await tab.locator(".entry-head.is-selected").innerText(), /Kaiseki dinner/);
  await tab.locator(".findings .link", { hasText: "Night walk" }).click();
  assert.match(await selectedIn(".timeline").innerText(), /Night walk/);
});

test("the map is moved by keys, wheel and mouse, and by two fingers", async () => {
  await opened("around-the-world");
  const where = () => tab.locator(".world").getAttribute("transform");
  const changes = async (act) => {
    const before = await where();
    await act();
    await tab.waitForFunction((old) => document.querySelector(".world").getAttribute("transform") !== old, before);
  };
  const stage = tab.locator(".map-stage");
  const box = await stage.boundingBox();
  const [x, y] = [box.x + box.width / 3, box.y + box.height / 2];

  await stage.focus();
  for (const key of ["+", "+", "+", "ArrowLeft", "ArrowDown", "-", "0"]) await changes(() => tab.keyboard.press(key));
  await tab.mouse.move(x, y);
  await changes(() => tab.mouse.wheel(0, -300));
  await tab.mouse.down();
  await changes(() => tab.mouse.move(x + 60, y + 40, { steps: 4 }));
  await tab.mouse.up();
  await changes(() => stage.evaluate((element, [left, top]) => {
    const finger = (type, pointerId, clientX) =>
      element.dispatchEvent(new PointerEvent(type, { pointerId, clientX, clientY: top, button: 0, bubbles: true }));
    element.setPointerCapture = () => undefined; // of fingers that are not there
    finger("pointerdown", 11, left);
    finger("pointerdown", 12, left + 60);
    finger("pointermove", 12, left + 160);
    finger("pointerup", 11, left);
    finger("pointerup", 12, left + 160);
  }, [x, y]));
  await isQuiet();
});

test("no arc is torn at 180 degrees", async () => {
  await opened("around-the-world");

  const longest = await tab.locator(".way").evaluateAll((ways) =>
    Math.max(...ways.flatMap((way) => {
      const spots = way.getAttribute("d").slice(1).split("L").map((one) => one.split(" ").map(Number));
      return spots.slice(1).map(([x, y], at) => Math.hypot(x - spots[at][0], y - spots[at][1]));
    })),
  );
  assert.ok(longest < 20, `${longest} degrees in one step`);
});

test("five thousand pins are counted together, and a cluster opens", async () => {
  await opened("many-pins", { width: 900, height: 700 });
  const counted = await tab.locator(".cluster text").allTextContents();
  const single = await tab.locator(".mark:not(.cluster)").count();

  assert.equal(counted.reduce((sum, text) => sum + Number(text), single), 5_000);
  assert.ok(counted.length < 300);
  const before = await tab.locator(".world").getAttribute("transform");
  await tab.locator(".cluster").first().click();
  await tab.waitForFunction((old) => document.querySelector(".world").getAttribute("transform") !== old, before);
  await isQuiet();
});

test("hostile words are words", async () => {
  await opened("hostile");

  assert.match(await tab.locator("h1").innerText(), /^<\/script><img src=x onerror=alert\(1\)>/);
  assert.match(await tab.title(), /^<\/script><img/);
  assert.equal(await tab.locator("script").count(), 2);
  assert.ok(await tab.locator("h1 bdi[dir=auto]").count());
});

test("a plan is shown before and after, with what it changes", async () => {
  await opened("plan");

  assert.ok(await tab.locator(".badge.changed").count());
  assert.equal(await tab.locator(".entry.removed").innerText().then((text) => /Night walk/.test(text)), true);
  assert.match(await tab.locator(".states").innerText(), /4 changes/);
  await tab.getByRole("button", { name: "Before", exact: true }).click();
  assert.equal(await tab.locator(".badge").count(), 0);
  assert.ok(await tab.locator(".timeline .line", { hasText: "Night walk" }).count());
  await pictured("page-plan-before");
});

test("it prints day by day, with boxes to tick and without the map", async () => {
  await opened("kyoto");
  await tab.emulateMedia({ media: "print" });

  assert.equal(await tab.locator(".map-pane").isVisible(), false);
  assert.equal(await tab.locator(".pane-timeline").isVisible(), false);
  assert.ok(await tab.locator(".list-day").first().isVisible());
  assert.ok(await tab.locator(".to-do .box").first().isVisible());
  const trip = await tab.locator("#trip").evaluate((one) => JSON.parse(one.textContent).trip);
  assert.equal(await tab.locator(".to-do").count(), trip.toDos.length);
  for (const item of trip.items) assert.ok(await tab.locator(".entry", { hasText: item.title }).count(), item.title);
  await tab.setViewportSize({ width: 794, height: 1123 });
  await pictured("page-printed");
  for (const format of ["A4", "Letter"]) {
    const paper = await tab.pdf({ format, ...(SCREENSHOTS && { path: join(SCREENSHOTS, `page-${format}.pdf`) }) });
    assert.equal(paper.subarray(0, 5).toString(), "%PDF-");
  }
});

test("without JavaScript it says so", async () => {
  tab = await browser.newPage({ javaScriptEnabled: false });
  await tab.goto(`file://${folder}/kyoto.html`);

  assert.match(await tab.locator("body").innerText(), /JavaScript/);
});

test("without motion the map does not glide", async () => {
  await opened("around-the-world", WIDE, { reducedMotion: "reduce" });

  const start = await tab.locator(".world").getAttribute("transform");
  await tab.getByRole("button", { name: "Zoom in" }).click();
  await tab.waitForFunction((old) => document.querySelector(".world").getAttribute("transform") !== old, start);
  const frames = await tab.evaluate(async () => {
    const seen = new Set();
    const world = document.querySelector(".world");
    const watch = new MutationObserver(() => seen.add(world.getAttribute("transform")));
    watch.observe(world, { attributes: true });
    document.querySelector("[aria-label='Show the whole trip']").click();
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    return seen.size;
  });
  assert.equal(frames, 1);
});
