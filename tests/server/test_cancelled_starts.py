"""First calls that are cancelled or abandoned at any moment from the start of the process on."""

import json
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
import httpx
import pytest

from trips_mcp.server.jsonrpc import CAPABILITIES_KEY, VERSION_KEY

if TYPE_CHECKING:
    from .conftest import Child, Start

pytestmark = pytest.mark.soak

STEP: Final = 0.01
SECONDS: Final = 30
"""Within which the second call is answered; only a server that hangs needs it."""
ENVELOPE: Final[dict[str, Any]] = {VERSION_KEY: "2026-07-28", CAPABILITIES_KEY: {}}
ERAS: Final = pytest.mark.parametrize("era", ["handshake", "envelope"])

Attempt = Callable[[float], Awaitable[bool]]
"""Cancels the first call after so many seconds, and sees the second answered; whether the first was answered."""


async def swept(attempt: Attempt) -> int:
    """Tries every delay until the first call is answered within it; the number of delays."""
    tries = 0
    while not await attempt(tries * STEP):
        tries += 1
    return tries


def call(era: str) -> dict[str, Any]:
    meta: dict[str, Any] = {"_meta": ENVELOPE} if era == "envelope" else {}
    return {"name": "list_trips", "arguments": {}, **meta}


@ERAS
async def test_a_first_call_cancelled_at_any_moment_over_stdio(era: str, start: "Start") -> None:
    async def attempt(delay: float) -> bool:
        child: Child = await start(real=True, cold=True)
        if era == "handshake":
            await child.knock()
        await child.send("first", "tools/call", **call(era))
        answered = False
        with anyio.move_on_after(delay):
            await child.answer("first")
            answered = True
        await child.notify("notifications/cancelled", requestId="first")
        await child.send("second", "tools/call", **call(era))
        with anyio.fail_after(SECONDS):
            second = await child.answer("second")
        assert not second["result"]["isError"], delay
        await child.end_input()
        assert await child.exit_code() == 0
        return answered

    assert await swept(attempt) > 10


@asynccontextmanager
async def serving(folder: Path, number: int) -> AsyncGenerator[str]:
    """A server for programs on this computer; its address."""
    log = folder / f"log-{number}"
    command = [sys.executable, "-m", "trips_mcp", "serve", "--transport", "http", "--port", "0"]
    files = {"TRIPS_MCP_DATABASE": str(folder / "trips.db"), "TRIPS_MCP_JOURNAL": str(folder / "journal.db")}
    with log.open("wb") as sink:
        process = await anyio.open_process(command, stdin=None, stdout=sink, stderr=sink, env=files)
    try:
        with anyio.fail_after(SECONDS):
            while "Serving http://" not in log.read_text():  # noqa: ASYNC110 - a file tells nobody that it grows
                await anyio.sleep(0.002)
        yield "http://" + log.read_text().partition("Serving http://")[2].partition("/")[0]
    finally:
        process.kill()
        await process.aclose()


@ERAS
async def test_a_client_that_leaves_its_first_call_at_any_moment(era: str, tmp_path: Path) -> None:
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    if era == "envelope":
        headers |= {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "list_trips"}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call(era)})
    started = 0

    async def attempt(delay: float) -> bool:
        nonlocal started
        started += 1
        async with serving(tmp_path, started) as address:
            answered = False
            with anyio.move_on_after(delay), suppress(httpx.TransportError):
                async with httpx.AsyncClient(timeout=SECONDS) as http:
                    await http.post(f"{address}/mcp", content=body, headers=headers)
                    answered = True
            async with httpx.AsyncClient(timeout=SECONDS) as http:
                second = await http.post(f"{address}/mcp", content=body, headers=headers)
                ready = await http.get(f"{address}/readyz")
            assert not second.json()["result"]["isError"], delay
            assert ready.status_code == 200, delay
            return answered

    assert await swept(attempt) > 10
