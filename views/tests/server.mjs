// A trips-mcp of these tests' own, spoken to as a host with MCP Apps does.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
const PYTHON = process.env.VIEWS_PYTHON ?? join(ROOT, ".venv/bin/python");
const START_MS = 60_000;
const CAPABILITIES = { extensions: { "io.modelcontextprotocol/ui": { mimeTypes: ["text/html;profile=mcp-app"] } } };
const ENVELOPE = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": CAPABILITIES,
};

/** With `isTeam`, one that keeps the trips of callers with keys, and has the pages of share links. */
export async function startServer({ isTeam = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "trips-mcp-views-"));
  const port = await freePort();
  const files = Object.fromEntries(["DATABASE", "JOURNAL", "HISTORY"].map((name) => [`TRIPS_MCP_${name}`, join(folder, `${name}.db`)]));
  const env = { ...process.env, ...files };
  const words = ["-m", "trips_mcp", "serve", "--transport", "http", "--port", String(port), ...(isTeam ? ["--auth", "key"] : [])];
  const key = isTeam && createKey(env);
  const server = spawn(PYTHON, words, { env, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  server.stderr.on("data", (piece) => (log = (log + piece).slice(-4000)));
  const url = `http://127.0.0.1:${port}`;
  if (!(await isReachable(`${url}/healthz`, server))) {
    server.kill();
    throw new Error(`trips-mcp did not start: ${log}`);
  }
  return {
    url: `${url}/mcp`,
    ask,
    async call(name, args) {
      return ask("tools/call", { name, arguments: args });
    },
    async do(name, args) {
      const result = await ask("tools/call", { name, arguments: args });
      if (result.isError) throw new Error(`${name}: ${result.content[0].text}`);
      return result.structuredContent;
    },
    stop() {
      server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };

  async function ask(method, params = {}) {
    const name = params.name ?? params.uri;
    const headers = {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...(name && { "mcp-name": name }),
      ...(key && { authorization: `Bearer ${key}` }),
    };
    const body = { jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: ENVELOPE } };
    const answer = await fetch(`${url}/mcp`, { method: "POST", headers, body: JSON.stringify(body) });
    const message = await answer.json();
    if (message.error) throw new Error(`${method}: ${message.error.message}`);
    return message.result;
  }
}

function createKey(env) {
  const words = ["-m", "trips_mcp", "backend", "create-key", "trips:read", "trips:write"];
  return execFileSync(PYTHON, words, { env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim().split("\n").at(-1);
}

/** A trip to three cities, the last one over the date line, with what a page can draw. `tea` is the title of a plan on 29 March. */
export async function makeTrip(server, tea) {
  const { defaultGroupId } = await server.do("get_me", {});
  const { _id: tripId } = await server.do("create_trip", {
    groupId: defaultGroupId,
    title: "Japan in spring",
    startDate: "2027-03-24",
    endDate: "2027-04-02",
  });
  const flight = (number, from, to, departure, arrival) => ({ airline: "Japan Airlines", flightNumber: number, from, to, departure, arrival });
  await server.do("sync_trip", {
    tripId,
    legs: [
      { clientRef: "a", order: 1, title: "Tokyo", destination: "Tokyo, Japan", startDate: "2027-03-24", endDate: "2027-03-28", timezone: "Asia/Tokyo",
        accommodation: { name: "Park Hotel", address: "Shiodome, Tokyo", checkIn: "2027-03-24T15:00", checkOut: "2027-03-28T11:00", doorCode: "4711" },
        flights: [flight("JL 44", "LHR", "HND", "2027-03-23T19:00", "2027-03-24T16:50")] },
      { clientRef: "b", order: 2, title: "Kyoto", destination: "Kyoto, Japan", startDate: "2027-03-28", endDate: "2027-03-31", timezone: "Asia/Tokyo",
        accommodation: { name: "Ryokan Sawanoya", checkIn: "2027-03-28T15:00", checkOut: "2027-03-31T10:00" } },
      { clientRef: "c", order: 3, title: "Honolulu", destination: "Honolulu", startDate: "2027-03-31", endDate: "2027-04-02", timezone: "Pacific/Honolulu",
        accommodation: { name: "Beach House", checkIn: "2027-03-31T15:00", checkOut: "2027-04-02T11:00" },
        flights: [flight("JL 74", "KIX", "HNL", "2027-03-31T20:00", "2027-03-31T09:00")] },
    ],
    mapPins: [
      { clientRef: "p", name: "Fushimi Inari", lat: 34.967, lng: 135.773, category: "sight" },
      { clientRef: "q", name: "Nishiki market", lat: 35.005, lng: 135.765, category: "food" },
      { clientRef: "r", name: "Diamond Head", lat: 21.262, lng: -157.806, category: "nature" },
    ],
    actionItems: [{ clientRef: "t", text: "Buy rail pass", urgency: "before_trip" }],
  });
  const plan = { timezone: "Asia/Tokyo", startDate: "2027-03-29" };
  await server.do("create_commitment", { tripId, title: tea, startTime: "10:00", endTime: "11:30", category: "activity", ...plan });
  await server.do("create_commitment", { tripId, title: "Kaiseki dinner", startTime: "19:00", endTime: "21:00", category: "dinner", ...plan });
  return tripId;
}

export async function freePort() {
  const listener = createServer();
  await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

export async function isReachable(url, process) {
  const until = Date.now() + START_MS;
  while (Date.now() < until && process.exitCode === null) {
    try {
      if ((await fetch(url)).ok) return true;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return false;
}
