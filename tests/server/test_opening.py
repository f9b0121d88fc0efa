"""The first call opens the client. If it is cancelled at any moment, the next call still gets a client."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.lowlevel
import pytest

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import CannotConnectError
from trips_mcp.server.client_holder import client_lifespan
from trips_mcp.server.http import factory, streamable
from trips_mcp.server.http.settings import HttpSettings
from trips_mcp.server.jsonrpc import CAPABILITIES_KEY, VERSION_KEY, Inbox
from trips_mcp.server.server import build_server
from trips_mcp.server.stdio.session import converse
from trips_mcp.settings import Settings

SECONDS: Final = 10
STEPS: Final = 12
"""Checkpoints of the opening."""
ENVELOPE: Final[dict[str, Any]] = {VERSION_KEY: "2026-07-28", CAPABILITIES_KEY: {}}

Message = dict[str, Any]


class Opening:
    """Opens the service's client in steps, and does something at one of them, once."""

    def __init__(self, service: Any, step: int, act: Callable[[], object]) -> None:
        self._connect = service.offer().connect
        self._step = step
        self._act: Callable[[], object] | None = act
        self.open = 0

    @asynccontextmanager
    async def __call__(self, *_: object) -> AsyncGenerator[TripsClient]:
        for step in range(STEPS + 1):
            if step == self._step and self._act is not None:
                act, self._act = self._act, None
                act()
            if step < STEPS:
                await anyio.lowlevel.checkpoint()
        async with self._connect() as client:
            self.open += 1
            try:
                yield client
            finally:
                self.open -= 1


@pytest.mark.parametrize("step", range(STEPS + 1))
@pytest.mark.parametrize("ticks", range(2))
async def test_a_call_that_is_cancelled_while_it_opens_leaves_the_next_one_its_client(
    step: int, ticks: int, service: Any
) -> None:
    call = anyio.CancelScope()

    def cancel(left: int = ticks) -> None:
        if left:
            asyncio.get_running_loop().call_soon(cancel, left - 1)
        else:
            call.cancel()

    connect = Opening(service, step, cancel)
    with anyio.fail_after(SECONDS):
        async with client_lifespan(connect) as held:
            with call:
                await held.client()
            client = await held.client()
            me_too = await held.client()
            while_open = connect.open

    assert client is me_too
    assert (while_open, connect.open) == (1, 0)


async def test_a_failed_opening_fails_all_waiting_calls_and_the_next_call_retries(service: Any) -> None:
    def fail() -> None:
        raise CannotConnectError("The database is a folder.")

    failures: list[str] = []

    async with client_lifespan(Opening(service, 1, fail)) as held, anyio.create_task_group() as calls:

        async def call() -> None:
            with pytest.raises(CannotConnectError) as failed:
                await held.client()
            failures.append(str(failed.value))

        calls.start_soon(call)
        calls.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(SECONDS):
            await held.client()

    assert failures == ["The database is a folder."] * 2


class Pipe:
    """Standard input and output of a session, in this process."""

    def __init__(self) -> None:
        self._chunks = asyncio.Queue[bytes]()
        self.answers: dict[object, Message] = {}
        self._answered = anyio.Event()

    def say(self, **message: Any) -> None:
        self._chunks.put_nowait(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def end(self) -> None:
        self._chunks.put_nowait(b"")

    async def answer(self, request_id: object) -> Message:
        with anyio.fail_after(SECONDS):
            while request_id not in self.answers:
                self._answered = anyio.Event()
                await self._answered.wait()
        return self.answers[request_id]

    async def read(self) -> bytes:
        return await self._chunks.get()

    def put(self, line: bytes) -> int:
        message = json.loads(line)
        self.answers[message.get("id")] = message
        self._answered.set()
        return 0

    async def written(self, position: int | None = None) -> bool:
        return True

    def is_read(self, position: int) -> bool:
        return True

    def has_reader(self) -> bool:
        return True


HELLO: Final = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


@pytest.mark.parametrize("era", ["handshake", "envelope"])
@pytest.mark.parametrize("step", range(STEPS + 1))
async def test_a_first_call_cancelled_over_stdio_does_not_hang_the_server(step: int, era: str, service: Any) -> None:
    pipe = Pipe()

    def cancel() -> None:
        pipe.say(method="notifications/cancelled", params={"requestId": 1})

    offer = replace(service.offer(), connect=Opening(service, step, cancel))
    meta: Message = {} if era == "handshake" else {"_meta": ENVELOPE}
    call: Message = {"name": "list_trips", "arguments": {}, **meta}

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(converse, build_server(offer), Inbox(), pipe, pipe)
        if era == "handshake":
            pipe.say(id=0, method="initialize", params=HELLO)
            pipe.say(method="notifications/initialized")
        pipe.say(id=1, method="tools/call", params=call)
        await anyio.wait_all_tasks_blocked()
        pipe.say(id=2, method="tools/call", params=call)
        answer = await pipe.answer(2)
        assert answer["result"]["structuredContent"] == {"items": []}
        pipe.end()


@pytest.mark.parametrize("era", ["handshake", "envelope"])
@pytest.mark.parametrize("step", range(STEPS + 1))
async def test_a_client_that_leaves_during_its_first_call_does_not_hang_the_server(
    step: int, era: str, service: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = anyio.Event()
    monkeypatch.setattr(streamable, "UNWATCHED_SECONDS", 0)
    monkeypatch.setattr(factory, "connect", Opening(service, step, left.set))
    settings = Settings.from_env({"OSOTO_API_KEY": "osk_x", "TRIPS_MCP_JOURNAL": str(tmp_path / "journal.db")})

    async with factory.app_for_this_computer(settings, HttpSettings.from_env({}, {}), "127.0.0.1", len) as app:
        with anyio.fail_after(SECONDS):
            await requested(app, era, left)
            status, body = await requested(app, era, anyio.Event())

    assert status == 200
    assert json.loads(body)["result"]["structuredContent"] == {"items": []}


async def requested(
    app: Callable[[Any, Any, Any], Coroutine[Any, Any, None]], era: str, left: anyio.Event
) -> tuple[int, bytes]:
    """Status and body of a tool's call, by a client that leaves when it is told to."""
    headers = {"host": "127.0.0.1", "content-type": "application/json", "accept": "application/json, text/event-stream"}
    params: Message = {"name": "list_trips", "arguments": {}}
    if era == "envelope":
        headers |= {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "list_trips"}
        params |= {"_meta": ENVELOPE}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    headers["content-length"] = str(len(body))
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/mcp",
        "raw_path": b"/mcp",
        "query_string": b"",
        "headers": [(name.encode(), text.encode()) for name, text in headers.items()],
        "client": ("127.0.0.1", 5000),
        "server": ("127.0.0.1", 80),
    }
    events: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        if events:
            return events.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(event: Message) -> None:
        sent.append(event)

    await app(scope, receive, send)
    return sent[0]["status"] if sent else 0, b"".join(event.get("body", b"") for event in sent)
