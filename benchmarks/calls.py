"""The cost of a tool call compared with the bare HTTP request that it makes.

    python benchmarks/calls.py [--check]

Two pairs, measured in turns: a tool call over stdio on `trips-mcp backend serve` beside the same request made to it
with httpx; and one on the embedded backend beside the same request made with httpx to the backend's app in-process.
`--check` exits 1 where the first ratio is over 2. The other ratio has no bound: its request takes a third of a
millisecond, because nothing is sent, so a faster backend makes the ratio larger.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from trips_mcp.backend import open_backend

ROUNDS = 7
CALLS = 150
BOUND = 2.0
SERVED = "backend serve, beside httpx to it"
SETTINGS = ("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_")


class Server:
    """The MCP server as a process, spoken to in raw lines."""

    def __init__(self, env: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "trips_mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env
        )
        self._next = 0
        self.ask("initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "b", "version": "0"})
        self._write({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        assert self._process.stdout is not None
        self._next += 1
        self._write({"jsonrpc": "2.0", "id": self._next, "method": method, "params": params})
        answer = json.loads(self._process.stdout.readline())
        assert "result" in answer, answer
        return answer["result"]

    def get_me(self) -> None:
        assert "isError" not in (result := self.ask("tools/call", name="get_me", arguments={})) or not result["isError"]

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def _write(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()


def environment(**more: str) -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(SETTINGS)} | more


@contextmanager
def served(folder: Path, rate_limit: str = "off") -> Generator[tuple[str, str]]:
    """`backend serve` as a process: its address, and a key to it."""
    database = str(folder / "served.db")
    command = [sys.executable, "-m", "trips_mcp", "backend"]
    scopes = ["trips:read", "trips:write", "messages:read", "messages:write"]
    made = subprocess.run(
        [*command, "create-key", "--database", database, *scopes], capture_output=True, check=True, env=environment()
    )
    process = subprocess.Popen(
        [*command, "serve", "--database", database, "--port", "0", "--rate-limit", rate_limit],
        stderr=subprocess.PIPE,
        env=environment(),
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline().decode()
        yield line.split("Serving ")[1].split("/api/v1")[0], made.stdout.decode().split()[-1]
    finally:
        process.terminate()
        process.wait(10)


def tool_calls(server: Server) -> float:
    times: list[float] = []
    for _ in range(CALLS):
        started = time.perf_counter()
        server.get_me()
        times.append(time.perf_counter() - started)
    return median(times)


async def requests(get: Callable[[], Awaitable[httpx.Response]]) -> float:
    times: list[float] = []
    for _ in range(CALLS):
        started = time.perf_counter()
        response = await get()
        times.append(time.perf_counter() - started)
        assert response.status_code == 200
    return median(times)


async def in_turns(server: Server, get: Callable[[], Awaitable[httpx.Response]]) -> tuple[float, float, float]:
    """Median tool call, median request, median of the rounds' ratios."""
    tool_calls(server)
    await requests(get)
    pairs = [(tool_calls(server), await requests(get)) for _ in range(ROUNDS)]
    tools, bare = zip(*pairs, strict=True)
    return median(tools), median(bare), median(tool / request for tool, request in pairs)


async def embedded(folder: Path) -> tuple[float, float, float]:
    server = Server(
        environment(
            TRIPS_MCP_DATABASE=str(folder / "tools.db"),
            TRIPS_MCP_JOURNAL=str(folder / "journal.db"),
            TRIPS_MCP_HISTORY=str(folder / "history.db"),
        )
    )
    try:
        async with (
            open_backend(str(folder / "bare.db"), require_keys=False) as app,
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://embedded") as http,
        ):
            return await in_turns(server, lambda: http.get("/api/v1/me"))
    finally:
        server.close()


async def over_network(folder: Path) -> tuple[float, float, float]:
    with served(folder) as (address, key):
        server = Server(
            environment(
                OSOTO_API_KEY=key, OSOTO_BASE_URL=f"{address}/api/v1", TRIPS_MCP_JOURNAL="off", TRIPS_MCP_HISTORY="off"
            )
        )
        try:
            async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as http:
                return await in_turns(server, lambda: http.get(f"{address}/api/v1/me"))
        finally:
            server.close()


async def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        rows = {
            SERVED: await over_network(Path(folder)),
            "embedded, beside the app in-process": await embedded(Path(folder)),
        }
    print(f"get_me, one at a time (median of {ROUNDS} x {CALLS} calls, microseconds)")
    print(f"  {'':38} {'tool call':>9} {'httpx':>7} {'ratio':>6}")
    for what, (tool, bare, ratio) in rows.items():
        print(f"  {what:38} {tool * 1e6:9.0f} {bare * 1e6:7.0f} {ratio:6.2f}")
    late = rows[SERVED][2] > BOUND
    return 1 if late and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
