"""A team's server under load: mixed calls over MCP, and writes straight to the REST API, of two commits in one run.

    python benchmarks/under_load.py [--old CHECKOUT] [--workers N] [--clients 32 256] [--databases sqlite postgresql]
                                    [--check]

70 % reads and 30 % writes go through `serve --transport http --auth key`, and writes alone to `backend serve`, both
without a rate limit. `--old` names a checkout of an earlier commit with a `.venv` of its own: then both are started,
and driven in turns. Each write makes an action item with a text of its own; at the end the benchmark reads them all:
each write is there once, and nothing else is.

This commit's server over MCP has `--workers` processes, by default as many as there are cores; the old one has no such
flag, and `backend serve` is one process. CPU time is that of a server's process and its children together.

The history of changes is where a server over HTTP keeps it by default, in memory. Everything stays on this computer.
PostgreSQL is a server of the benchmark's own (scripts/postgresql.py).

`--check` exits 1 where a bound is missed: 3 x the mixed calls and 2 x the writes of `--old`, p99 of writes at most
10 x that of reads, on PostgreSQL with 256 clients p99 under 2 seconds. A lost or doubled row always exits 1.
"""

import argparse
import asyncio
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final, NamedTuple

import uvloop
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

REPOSITORY: Final = Path(__file__).resolve().parents[1]
TEAMS: Final = 8
"""API keys, each with a trip of its own; the clients share them."""
WRITES: Final = 0.3
ROUNDS: Final = 5
PATIENCE: Final = 120.0
"""Seconds that a request may take."""
SCOPES: Final = ("trips:read", "trips:write", "messages:read", "messages:write")
SETTINGS: Final = ("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_")
ENVELOPE: Final[dict[str, Any]] = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
MIXED_BOUND: Final = 3.0
WRITES_BOUND: Final = 2.0
FAIRNESS_BOUND: Final = 10.0
POSTGRESQL_BOUND: Final = 2000.0
"""Milliseconds."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Team:
    key: str
    trip: str = ""
    written: list[str] = field(default_factory=list[str])
    """The texts of all writes, each of which was answered with success."""


@dataclass
class Commit:
    """One commit's servers over one database."""

    name: str
    mcp: int
    """A port, as the next one."""
    rest: int
    processes: dict[int, int]
    """Port → process."""
    teams: list[Team]

    def call(self, team: Team, tool: str, arguments: dict[str, Any]) -> bytes:
        params = {"name": tool, "arguments": arguments, "_meta": ENVELOPE}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        headers = ("MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/call", f"Mcp-Name: {tool}")
        return request("POST /mcp", self.mcp, team, body, headers)

    def read(self, team: Team, dice: random.Random) -> bytes:
        tool = dice.choice(("get_me", "get_trip", "list_legs"))
        return self.call(team, tool, {} if tool == "get_me" else {"tripId": team.trip})

    def write(self, team: Team, text: str) -> bytes:
        return self.call(team, "create_action_item", {"tripId": team.trip, "text": text, "urgency": "now"})

    def write_straight(self, team: Team, text: str) -> bytes:
        path, body = f"POST /api/v1/trips/{team.trip}/action-items", {"text": text, "urgency": "now"}
        return request(path, self.rest, team, body, [f"Idempotency-Key: {text}"])


class Measured(NamedTuple):
    per_second: float
    cpu: float
    """Milliseconds of the server's processes for each."""
    reads: list[float]
    writes: list[float]
    """Milliseconds that each took."""


def request(line: str, port: int, team: Team, body: object = None, headers: Sequence[str] = ()) -> bytes:
    sent = b"" if body is None else json.dumps(body).encode()
    lines = (
        f"{line} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Authorization: Bearer {team.key}",
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        f"Content-Length: {len(sent)}",
        *headers,
    )
    return "\r\n".join([*lines, "", ""]).encode() + sent


async def ask(streams: Streams, sent: bytes) -> bytes:
    """The body of a successful answer."""
    reader, writer = streams
    writer.write(sent)
    async with asyncio.timeout(PATIENCE):
        head = await reader.readuntil(b"\r\n\r\n")
        size = re.search(rb"(?i)content-length: (\d+)", head)
        assert size, head
        body = await reader.readexactly(int(size[1]))
    assert head.startswith(b"HTTP/1.1 20"), head + body
    assert b'"isError":true' not in body, body
    return body


async def drive(commit: Commit, clients: int, seconds: float, *, straight: bool = False) -> Measured:
    """So many clients, each with one request at a time, for so long."""
    reads: list[float] = []
    writes: list[float] = []
    port = commit.rest if straight else commit.mcp
    write = commit.write_straight if straight else commit.write
    cpu, began = cpu_seconds(commit.processes[port]), time.perf_counter()
    run, numbers = time.time_ns(), count()

    async def client(number: int) -> None:
        dice = random.Random(number)  # noqa: S311
        team = commit.teams[number % TEAMS]
        streams = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < began + seconds:
            text = f"{run:x}-{next(numbers)}" if straight or dice.random() < WRITES else None
            sent = commit.read(team, dice) if text is None else write(team, text)
            asked = time.perf_counter()
            await ask(streams, sent)
            (reads if text is None else writes).append((time.perf_counter() - asked) * 1000)
            if text is not None:
                team.written.append(text)
        streams[1].close()

    await asyncio.gather(*map(client, range(clients)))
    took, calls = time.perf_counter() - began, len(reads) + len(writes)
    return Measured(calls / took, (cpu_seconds(commit.processes[port]) - cpu) / calls * 1000, reads, writes)


def cpu_seconds(process: int) -> float:
    """Of the process and its children, as Linux tells it."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_seconds(int(child)) for child in children)


async def prepare(commit: Commit) -> None:
    streams = await asyncio.open_connection("127.0.0.1", commit.rest)
    for team in commit.teams:
        me = json.loads(await ask(streams, request("GET /api/v1/me", commit.rest, team)))
        trip = {"groupId": me["defaultGroupId"], "title": "Load", "startDate": "2027-05-01", "endDate": "2027-05-09"}
        team.trip = json.loads(await ask(streams, request("POST /api/v1/trips", commit.rest, team, trip)))["_id"]
    streams[1].close()


async def wrong_rows(commit: Commit) -> int:
    """How many are lost, doubled or of nobody's writing."""
    wrong = 0
    streams = await asyncio.open_connection("127.0.0.1", commit.rest, limit=2**26)
    for team in commit.teams:
        path = f"GET /api/v1/trips/{team.trip}/action-items"
        stored = json.loads(await ask(streams, request(path, commit.rest, team)))["items"]
        there, expected = Counter(item["text"] for item in stored), Counter(team.written)
        wrong += ((there - expected) | (expected - there)).total()
    streams[1].close()
    return wrong


@contextmanager
def started(name: str, checkout: Path, database: str, workers: int) -> Generator[Commit]:
    python = str(checkout / ".venv/bin/python")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        env = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
        env |= {
            "TRIPS_MCP_DATABASE": database or f"{folder}/trips.db",
            "TRIPS_MCP_JOURNAL": f"{folder}/journal.db",
        }

        def run(*words: str) -> str:
            command = [python, "-m", "trips_mcp", *words]
            done = subprocess.run(command, env=env, cwd=folder, stdout=-1, stderr=-1, check=True)
            return done.stdout.decode().strip()

        processes: dict[int, int] = {}

        def serve(log: str, *words: str) -> int:
            command = [python, "-m", "trips_mcp", *words, "--port", "0", "--rate-limit", "off"]
            with Path(folder, log).open("wb") as sink:
                process = subprocess.Popen(command, env=env, cwd=folder, stderr=sink)
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)
            port = port_in(Path(folder, log))
            processes[port] = process.pid
            return port

        run("backend", "migrate")
        teams = [Team(run("backend", "create-key", "--user", f"user {number}", *SCOPES)) for number in range(TEAMS)]
        rest = serve("rest.log", "backend", "serve")
        most = ("--max-calls", "1000", "--max-calls-per-caller", "1000")
        several = ("--workers", str(workers)) if workers > 1 else ()
        mcp = serve("mcp.log", "serve", "--transport", "http", "--auth", "key", *most, *several)
        commit = Commit(name, mcp, rest, processes, teams)
        asyncio.run(prepare(commit))
        yield commit


def port_in(log: Path) -> int:
    last = time.monotonic() + 60
    while time.monotonic() < last:
        if found := re.search(r"Serving http://127.0.0.1:(\d+)", log.read_text()):
            return int(found[1])
        time.sleep(0.05)
    raise TimeoutError(log.read_text())


def compare(what: str, commits: Sequence[Commit], clients: int, seconds: float, *, straight: bool) -> list[Measured]:
    """Prints a line for each commit: its median round. The commits take turns."""
    rounds = [
        [uvloop.run(drive(commit, clients, seconds, straight=straight)) for commit in commits] for _ in range(ROUNDS)
    ]
    medians: list[Measured] = []
    for commit, of_commit in zip(commits, zip(*rounds, strict=True), strict=True):
        reads = [took for measured in of_commit for took in measured.reads]
        writes = [took for measured in of_commit for took in measured.writes]
        per_second, cpu = (median(measured[column] for measured in of_commit) for column in (0, 1))
        medians.append(Measured(per_second, cpu, reads, writes))
        print(f"  {what:26} {clients:7} {commit.name:4} {per_second:8.0f} {cpu:8.2f}", end="")
        print("".join(f" {percentile(times, p):8.1f}" for times in (reads, writes) for p in (50, 99)), flush=True)
    return medians


def percentile(times: Sequence[float], which: int) -> float:
    return quantiles(times, n=100)[which - 1] if len(times) > 1 else sum(times)


def measure(kind: str, commits: Sequence[Commit], arguments: argparse.Namespace) -> list[str]:
    """The bounds that were missed."""
    missed: list[str] = []

    def bound(what: str, value: float, holds: bool) -> None:
        print(f"    {what}: {value:.2f}{'' if holds else '  MISSED'}", flush=True)
        if not holds:
            missed.append(what)

    for clients in arguments.clients:
        what = f"{kind}, mixed"
        *old, new = compare(what, commits, clients, arguments.seconds, straight=False)
        if old:
            ratio = new.per_second / old[0].per_second
            bound(f"{what}, {clients} clients, new / old", ratio, ratio >= MIXED_BOUND)
        slowest = percentile(new.writes, 99)
        unfair = slowest / percentile(new.reads, 99)
        bound(f"{what}, {clients} clients, p99 of writes / reads", unfair, unfair <= FAIRNESS_BOUND)
        if kind == "postgresql" and clients >= 256:
            bound(f"{what}, {clients} clients, p99 in ms", slowest, slowest < POSTGRESQL_BOUND)
    for clients in (1, 32):
        what = f"{kind}, backend serve"
        *old, new = compare(what, commits, clients, arguments.seconds, straight=True)
        if old:
            ratio = new.per_second / old[0].per_second
            bound(f"{what}, {clients} clients, new / old", ratio, ratio >= WRITES_BOUND)
    return missed


@contextmanager
def postgresql() -> Generator[str]:
    """The URL of its administrator."""
    script = str(REPOSITORY / "scripts/postgresql.py")
    with subprocess.Popen([sys.executable, script], stdin=-1, stdout=-1, encoding="utf-8") as server:
        assert server.stdin is not None
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        if not url:
            raise SystemExit("PostgreSQL is not installed here; leave it out with --databases sqlite.")
        yield url
        server.stdin.close()


async def make_database(administrator: str, name: str) -> str:
    engine = create_async_engine(administrator, isolation_level="AUTOCOMMIT")
    async with engine.connect() as db:
        await db.execute(text(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"))
    await engine.dispose()
    return make_url(administrator).set(database=name).render_as_string(hide_password=False)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--old", type=Path, help="a checkout of an earlier commit, with its .venv")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="of this commit (default: %(default)s)"
    )
    parser.add_argument("--clients", type=int, nargs="+", default=[32, 256], help="of mixed calls")
    parser.add_argument("--databases", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    parser.add_argument("--seconds", type=float, default=3.0, help=f"each of {ROUNDS} rounds (default: %(default)s)")
    parser.add_argument("--check", action="store_true", help="exit 1 where a bound is missed")
    arguments = parser.parse_args()
    checkouts = {"old": arguments.old} if arguments.old else {}
    missed: list[str] = []
    wrong = 0
    head = " ".join(f"{name:>8}" for name in ("calls/s", "CPU ms", "read p50", "p99 ms", "wr. p50", "p99 ms"))
    print(f"  {'':26} {'clients':>7} {'':4} {head}")
    for kind in arguments.databases:
        with ExitStack() as stack:
            administrator = stack.enter_context(postgresql()) if kind == "postgresql" else ""
            commits: list[Commit] = []
            for name, checkout in (checkouts | {"new": REPOSITORY}).items():
                url = asyncio.run(make_database(administrator, name)) if administrator else ""
                commits.append(
                    stack.enter_context(started(name, checkout, url, 1 if name == "old" else arguments.workers))
                )
            missed += measure(kind, commits, arguments)
            for commit in commits:
                found = asyncio.run(wrong_rows(commit))
                written = sum(len(team.written) for team in commit.teams)
                print(f"  {kind}, {commit.name}: {written} rows written, {found} of them lost or doubled", flush=True)
                wrong += found
    return 1 if wrong or (arguments.check and missed) else 0


if __name__ == "__main__":
    sys.exit(main())
