"""The cost of a call over HTTP compared with the SDK's bare server and one echo tool.

    python benchmarks/over_http.py [--calls 100000] [--check]

First the same tool is put in the place of ours, so that what is compared is how they serve. Then a real call, get_me on
the embedded backend (a request to the REST API, a read in SQLite), beside the same echo: so much more the work itself
costs. Both are driven in turns by the same client, in both eras of the protocol. Then what the process holds after its
first calls, and after so many more.

`--check` exits 1 where p50 of the echo at 32 clients is over 2 x the bare server's, or memory has grown by more than
5 %.
(Not `http.py`: beside other scripts that name would hide the standard library's.)
"""

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final, NamedTuple

import mcp_types as types

ERAS: Final = ("2026-07-28", "2025-11-25")
CLIENTS: Final = (1, 32, 256)
ROUNDS: Final = 3
CALLS: Final = 1500
"""In each round."""
WARM_UP: Final = 3000
BOUND: Final = 2.0
GROWTH: Final = 5.0
SETTINGS: Final = ("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_")
ECHO: Final[dict[str, Any]] = {
    "name": "echo",
    "description": "Echo.",
    "inputSchema": {"type": "object", "properties": {}},
}
ENVELOPE: Final[dict[str, Any]] = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Measured(NamedTuple):
    per_second: float
    p50: float
    p99: float


class Server:
    """A server process, and one tool of it."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, tool: str) -> None:
        self.pid = process.pid
        self.port = port
        self.tool = tool

    @property
    def memory(self) -> float:
        """MiB, from Linux."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))

    def request(self, era: str) -> bytes:
        params: dict[str, Any] = {"name": self.tool, "arguments": {}}
        headers = ["MCP-Protocol-Version: 2025-11-25"]
        if era == "2026-07-28":
            params["_meta"] = ENVELOPE
            headers = [f"MCP-Protocol-Version: {era}", "Mcp-Method: tools/call", f"Mcp-Name: {self.tool}"]
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
        headers += [
            f"Host: 127.0.0.1:{self.port}",
            "Content-Type: application/json",
            "Accept: application/json, text/event-stream",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join(["POST /mcp HTTP/1.1", *headers, "", body]).encode()


async def answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert head.startswith(b"http/1.1 200 "), head
    if found := re.search(rb"content-length: (\d+)", head):
        return await reader.readexactly(int(found[1]))
    body = b""
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return body


async def drive(server: Server, era: str, clients: int, calls: int) -> Measured:
    request = server.request(era)
    took: list[float] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for _ in range(max(1, calls // clients)):
            began = time.perf_counter()
            writer.write(request)
            body = await answer(reader)
            took.append(time.perf_counter() - began)
            assert b'"isError":false' in body, body
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    elapsed = time.perf_counter() - began
    return Measured(len(took) / elapsed, median(took) * 1000, quantiles(took, n=100)[98] * 1000)


@contextmanager
def started(tool: str, *command: str) -> Generator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        env = {name: text for name, text in os.environ.items() if not name.startswith(SETTINGS)}
        env |= {
            "TRIPS_MCP_DATABASE": f"{folder}/trips.db",
            "TRIPS_MCP_JOURNAL": f"{folder}/journal.db",
            "TRIPS_MCP_HISTORY": f"{folder}/history.db",
        }
        log = Path(folder) / "log"
        with log.open("wb") as sink, subprocess.Popen([sys.executable, *command], env=env, stderr=sink) as process:
            try:
                yield Server(process, port_in(log), tool)
            finally:
                process.terminate()


def port_in(log: Path) -> int:
    last = time.monotonic() + 60
    while time.monotonic() < last:
        if found := re.search(r"(?:Serving|running on) http://127.0.0.1:(\d+)", log.read_text()):
            return int(found[1])
        time.sleep(0.05)
    raise TimeoutError(log.read_text())


def serve_bare() -> None:
    """The yardstick: the SDK's own way to serve HTTP, as its documents show it, without sessions."""
    import uvicorn
    from mcp.server.lowlevel import Server

    async def list_tools(_: object, __: object) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[types.Tool.model_validate(ECHO)])

    async def call_tool(_: object, params: types.CallToolRequestParams) -> types.CallToolResult:
        return types.CallToolResult(content=[types.TextContent(text=params.name)])

    server = Server("bare", version="1", on_list_tools=list_tools, on_call_tool=call_tool)
    uvicorn.run(server.streamable_http_app(stateless_http=True), port=0, access_log=False)


def serve_echo() -> None:
    """Our server as shipped, with other tools."""
    import socket

    from trips_mcp.server.http.factory import app_for_this_computer
    from trips_mcp.server.http.run import log_request, serve
    from trips_mcp.server.http.settings import HttpSettings
    from trips_mcp.server.offer import Offer, offer
    from trips_mcp.settings import Settings
    from trips_mcp.tools import Answer

    class Echo:
        name = "echo"

        async def call(self, *_: object) -> Answer:
            return Answer(self.name)

    def echoing(settings: Settings) -> Offer:
        tools: Any = lambda: [Echo()]  # noqa: E731
        return replace(offer(settings), listing=[ECHO], load_tools=tools)

    http = HttpSettings(max_calls=2 * CLIENTS[-1], max_calls_per_caller=2 * CLIENTS[-1])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opening = app_for_this_computer(Settings.from_env(os.environ), http, "127.0.0.1", log_request, echoing)
        port: int = listener.getsockname()[1]

        def announce() -> None:
            sys.stderr.write(f"Serving http://127.0.0.1:{port}\n")

        asyncio.run(serve(opening, http, listener, "warning", announce))


async def compare(what: str, ours: Server, bare: Server) -> float:
    """Prints the table; the larger ratio at 32 clients."""
    print(f"{what} over HTTP, beside the bare server's echo (median of {ROUNDS} x {CALLS} calls)")
    print(f"  {'':10} {'clients':>7} {'ours: /s':>9} {'p50 ms':>7} {'p99 ms':>7}", end="")
    print(f" {'bare: /s':>9} {'p50 ms':>7} {'p99 ms':>7} {'p50 ratio':>9}")
    worst = 0.0
    for era in ERAS:
        for clients in CLIENTS:
            pairs = [
                (await drive(ours, era, clients, CALLS), await drive(bare, era, clients, CALLS)) for _ in range(ROUNDS)
            ]
            ratio = median(mine.p50 / theirs.p50 for mine, theirs in pairs)
            mine, theirs = (_medians(each) for each in zip(*pairs, strict=True))
            print(f"  {era:10} {clients:7} {mine.per_second:9.0f} {mine.p50:7.2f} {mine.p99:7.2f}", end="")
            print(f" {theirs.per_second:9.0f} {theirs.p50:7.2f} {theirs.p99:7.2f} {ratio:9.2f}", flush=True)
            worst = max(worst, ratio) if clients == 32 else worst
    return worst


def _medians(rounds: tuple[Measured, ...]) -> Measured:
    return Measured(*(median(column) for column in zip(*rounds, strict=True)))


async def grow(server: Server, calls: int) -> float:
    """Growth of memory over these calls, in percent."""
    for era in ERAS:
        await drive(server, era, 32, WARM_UP // 2)
    before = server.memory
    for era in ERAS:
        await drive(server, era, 32, calls // 2)
    growth = (server.memory / before - 1) * 100
    print(f"  memory: {before:.1f} MiB, after {calls} more calls {server.memory:.1f} MiB ({growth:+.1f} %)")
    return growth


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=100_000, help="for memory (default: %(default)s; 0 for none)")
    parser.add_argument("--check", action="store_true", help="exit 1 where a bound is passed")
    parser.add_argument("--serve", choices=["bare", "echo"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve_bare() if arguments.serve == "bare" else serve_echo()
        return 0
    most = str(2 * CLIENTS[-1])
    words = ("serve", "--transport", "http", "--port", "0", "--max-calls", most, "--max-calls-per-caller", most)
    with started("echo", __file__, "--serve", "bare") as bare:
        with started("echo", __file__, "--serve", "echo") as echo:
            ratio = asyncio.run(compare("an echo", echo, bare))
        with started("get_me", "-m", "trips_mcp", *words) as shipped:
            asyncio.run(compare("get_me on the embedded backend", shipped, bare))
    with started("get_me", "-m", "trips_mcp", *words) as shipped:
        growth = asyncio.run(grow(shipped, arguments.calls)) if arguments.calls else 0.0
    return 1 if arguments.check and (ratio > BOUND or growth > GROWTH) else 0


if __name__ == "__main__":
    sys.exit(main())
