// How long the page takes to draw a trip, in headless Chromium; the first drawing of a new tab.
//
//     node benchmarks/page.mjs [--check]      after `make views`; --check exits 1 where a median is past its bound
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "../views/node_modules/playwright-core/index.mjs";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const PYTHON = process.env.VIEWS_PYTHON ?? join(ROOT, ".venv/bin/python");
const RUNS = 7;
const BOUNDS = { kyoto: 200, busy: 200, "many-pins": Infinity }; // milliseconds
const NAMES = { kyoto: "the demo's trip", busy: "200 pins, 60 days, 180 plans", "many-pins": "5,000 pins" };

const folder = mkdtempSync(join(tmpdir(), "trips-mcp-pages-"));
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
let isLate = false;
try {
  execFileSync(PYTHON, [join(ROOT, "scripts/browser_pages.py"), folder]);
  for (const [name, bound] of Object.entries(BOUNDS)) {
    const taken = [];
    for (let run = 0; run < RUNS; run += 1) {
      const tab = await browser.newPage({ viewport: { width: 1440, height: 900 } });
      await tab.goto(`file://${folder}/${name}.html`);
      taken.push(await tab.evaluate(() => performance.getEntriesByName("trip-drawn")[0].duration));
      await tab.close();
    }
    const median = taken.sort((one, other) => one - other)[Math.floor(RUNS / 2)];
    isLate ||= median > bound;
    const limit = bound === Infinity ? "" : ` (at most ${bound})`;
    console.log(`${NAMES[name].padEnd(30)} ${median.toFixed(0).padStart(5)} ms, median of ${RUNS}${limit}`);
  }
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
if (isLate && process.argv.includes("--check")) process.exitCode = 1;
