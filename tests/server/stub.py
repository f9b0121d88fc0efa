"""A server process with tools made for testing, started as `python stub.py [what to do otherwise]`.

Words: `plain` leaves everything to the SDK; `shut` cannot open its connection the first time.
"""

import ctypes
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio
import anyio.lowlevel

from trips_mcp.server.offer import Offer
from trips_mcp.server.stdio.transport import serve_offer
from trips_mcp.tools import Answer, Report
from trips_mcp.tools.call_context import Conduct

WORDS = sys.argv[1:]


class Bench:
    """What the stubs share: a gate that one call waits at and another opens."""

    def __init__(self) -> None:
        self.gate = anyio.Event()
        self.filled = 0

    async def iterate_trips(self) -> AsyncGenerator[Any]:
        from trips_mcp.contract.trips import Trip

        yield Trip(id="jx7", title="Kyoto")


async def echo(_: Bench, arguments: Mapping[str, Any], __: Report) -> Answer:
    return Answer(str(arguments.get("text")), {"text": arguments.get("text")})


async def wait_at_gate(bench: Bench, _: Mapping[str, Any], __: Report) -> Answer:
    await bench.gate.wait()
    return Answer("through")


async def open_gate(bench: Bench, _: Mapping[str, Any], __: Report) -> Answer:
    bench.gate.set()
    return Answer("open")


async def hang(_: Bench, __: Mapping[str, Any], ___: Report) -> Answer:
    sys.stderr.write("hanging\n")
    try:
        await anyio.sleep_forever()
    finally:
        sys.stderr.write("let go\n")
    return Answer("never")


async def hold_on(_: Bench, __: Mapping[str, Any], ___: Report) -> Answer:
    sys.stderr.write("holding on\n")
    with anyio.CancelScope(shield=True):
        await anyio.sleep_forever()
    return Answer("never")


async def crash(_: Bench, __: Mapping[str, Any], ___: Report) -> Answer:
    raise RuntimeError("the door code is K4711")


async def chatter(_: Bench, __: Mapping[str, Any], ___: Report) -> Answer:
    print("from python", flush=True)  # noqa: T201 - to see where it goes
    os.write(1, b"from the descriptor\n")
    ctypes.CDLL(None).puts(b"from C")
    ctypes.CDLL(None).fflush(None)
    subprocess.run(["echo", "from a child"], check=True)  # noqa: ASYNC221 - a stub may block
    return Answer(f"stdin holds {len(sys.stdin.read())} characters")


async def count(_: Bench, __: Mapping[str, Any], report: Report) -> Answer:
    for step in (1, 2, 3):
        await report(step, 3, f"step {step}")
    return Answer("counted")


async def nearly_used_up(_: Bench, __: Mapping[str, Any], ___: Report) -> Answer:
    return Answer("done", meta={"trips-mcp/rateLimit": {"limit": 60, "remaining": 3, "resetsInSeconds": 20}})


async def fill(bench: Bench, arguments: Mapping[str, Any], __: Report) -> Answer:
    bench.filled += 1
    sys.stderr.write(f"filled {bench.filled}.\n")
    return Answer("x" * int(arguments["size"]))


async def get_timeline(_: Bench, __: Mapping[str, Any], ___: Report) -> Answer:
    """One of the real name, so that there are resources."""
    return Answer("# Kyoto")


RUNS = {
    run.__name__: run
    for run in (get_timeline, echo, wait_at_gate, open_gate, hang, hold_on, crash, chatter, count, nearly_used_up, fill)
}


class Stub:
    def __init__(self, name: str) -> None:
        self.name = name

    async def call(self, client: Any, arguments: Mapping[str, Any], report: Report, _: Conduct) -> Answer:
        return await RUNS[self.name](client, arguments, report)


@asynccontextmanager
async def connect() -> AsyncGenerator[Any]:
    if "shut" in WORDS:
        from trips_mcp.client.errors import CannotConnectError

        WORDS.remove("shut")
        raise CannotConnectError("The database is a folder.")
    sys.stderr.write("opened\n")
    try:
        yield Bench()
    finally:
        await anyio.lowlevel.checkpoint()
        sys.stderr.write("closed\n")


if __name__ == "__main__":
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    listing: list[dict[str, Any]] = [{"name": name, "description": name, "inputSchema": schema} for name in RUNS]
    stubs = Offer(
        instructions="Stubs.",
        listing=listing,
        missing={"get_event": "get_event needs the Events API."},
        load_tool=cast("Any", Stub),
        connect=connect,
    )
    serve_offer(stubs, at_once="plain" not in WORDS)
