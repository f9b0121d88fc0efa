// Builds the page: one HTML file that asks the network for nothing.
//
//     npm run build [-- FILE]     default: src/trips_mcp/formats/data/trip.html of the package
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const LARGEST = 45_000; // bytes, gzipped

const target = process.argv[2] ?? join(HERE, "../src/trips_mcp/formats/data/trip.html");
const [program, styles] = await Promise.all([bundled("src/main.ts", "iife"), bundled("styles.css")]);
const parts = { script: `'${digest(program)}'`, style: `'${digest(styles)}'`, styles, program };
const page = readFileSync(join(HERE, "index.html"), "utf8").replace(/\{(\w+)\}/g, (_, name) => parts[name]);

mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, page);
const size = gzipSync(page, { level: 9 }).length;
console.log(`${target}: ${page.length} bytes, ${size} gzipped`);
if (size > LARGEST) {
  console.error(`The page is larger than ${LARGEST} bytes gzipped.`);
  process.exit(1);
}

async function bundled(file, format) {
  const made = await build({
    entryPoints: [join(HERE, file)],
    bundle: true,
    minify: true,
    charset: "utf8",
    target: "es2022",
    write: false,
    legalComments: "none",
    ...(format && { format }),
  });
  return made.outputFiles[0].text.trim();
}

function digest(text) {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
