"""The older transport: who owns a stream, what ends it, and where responses go."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from tests.no_tls import NO_TLS

Serve = Callable[..., AbstractAsyncContextManager[Any]]
KeyFor = Callable[..., Awaitable[str]]

JSON = {"Content-Type": "application/json"}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": "open",
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


class Stream:
    """One stream, read event by event."""

    def __init__(self, http: httpx.AsyncClient, response: httpx.Response) -> None:
        self._http = http
        self._events = _events(response)
        self.messages = ""

    async def open(self) -> None:
        kind, self.messages = await self.next()
        assert kind == "endpoint"

    async def next(self) -> tuple[str, str]:
        with anyio.fail_after(30):
            return await anext(self._events)

    async def message(self) -> dict[str, Any]:
        kind, data = await self.next()
        assert kind == "message"
        return json.loads(data)

    async def ended(self) -> bool:
        with anyio.fail_after(30):
            return await anext(self._events, None) is None

    async def post(self, message: object, headers: dict[str, str] | None = None) -> httpx.Response:
        return await self._http.post(self.messages, json=message, headers=headers)


async def _events(response: httpx.Response) -> AsyncGenerator[tuple[str, str]]:
    kind = ""
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            kind = line[7:]
        elif line.startswith("data: "):
            yield kind, line[6:]


@asynccontextmanager
async def opened(served: Any, key: str | None = None) -> AsyncGenerator[Stream]:
    bearer = {} if key is None else {"Authorization": f"Bearer {key}"}
    async with (
        httpx.AsyncClient(base_url=served.base, headers=bearer, timeout=30, verify=NO_TLS) as http,
        http.stream("GET", "/sse") as response,
    ):
        assert response.headers["content-type"] == "text/event-stream"
        stream = Stream(http, response)
        await stream.open()
        yield stream


async def test_each_stream_has_its_own_address(local: Serve) -> None:
    async with local() as served, opened(served) as first, opened(served) as second:
        answer = await second.post(INITIALIZE)
        await first.post({**INITIALIZE, "id": 7})
        answered = await first.message(), await second.message()

    assert first.messages != second.messages
    assert (answer.status_code, answer.text) == (202, "Accepted")
    assert [each["id"] for each in answered] == [7, "open"]
    assert answered[0]["result"]["protocolVersion"] == "2025-06-18"


@pytest.mark.parametrize("session", ["", "?session_id=", "?session_id=0", "?session_id=" + "0" * 32, "?other=1"])
async def test_an_unknown_session_is_not_found(session: str, local: Serve) -> None:
    async with local() as served:
        answer = await served.request("POST", f"/messages/{session}", json=INITIALIZE)

    assert answer.status_code == 404
    assert "/sse" in answer.json()["error"]["message"]


async def test_another_callers_session_is_not_found(team: Serve, key_for: KeyFor) -> None:
    mine, yours = await key_for("me"), await key_for("you")

    async with team() as served, opened(served, mine) as stream:
        stolen = await stream.post(INITIALIZE, {"Authorization": f"Bearer {yours}"})
        keyless = await stream.post(INITIALIZE, {"Authorization": ""})
        never_was = await served.request(
            "POST", "/messages/?session_id=0", headers={"Authorization": f"Bearer {yours}"}, json=INITIALIZE
        )
        await stream.post(INITIALIZE)
        answered = await stream.message()

    assert (stolen.status_code, stolen.json()) == (never_was.status_code, never_was.json()) == (404, stolen.json())
    assert keyless.status_code == 401
    assert answered["id"] == "open"


async def test_a_closed_stream_is_forgotten(local: Serve) -> None:
    async with local() as served:
        async with opened(served) as stream:
            address = stream.messages
        with anyio.fail_after(30):
            while (answer := await served.request("POST", address, json=INITIALIZE)).status_code == 202:
                await anyio.lowlevel.checkpoint()

    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [(b'{"jsonrpc"', 400, -32700), (b"[]", 400, -32600), (b" " * (4 * 1024 * 1024 + 1), 413, -32600)],
)
async def test_an_invalid_message_is_refused_and_the_stream_continues(
    content: bytes, status: int, code: int, local: Serve
) -> None:
    async with local() as served, opened(served) as stream:
        answer = await served.request("POST", stream.messages, headers=JSON, content=content)
        await stream.post(INITIALIZE)
        answered = await stream.message()

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answered["id"] == "open"


async def test_calls_count_until_they_are_answered_on_the_stream(callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_a": None}
    service.gate = anyio.Event()
    call = {"method": "tools/call", "params": {"name": "list_members", "arguments": {"tripId": "jx7"}}}

    async with callers_of(service.address, max_calls_per_caller="2") as served, opened(served, "osk_a") as stream:
        await stream.post(INITIALIZE)
        await stream.message()
        await stream.post({"jsonrpc": "2.0", "method": "notifications/initialized"})
        accepted = [await stream.post({"jsonrpc": "2.0", "id": number, **call}) for number in (1, 2)]
        refused = await stream.post({"jsonrpc": "2.0", "id": 3, **call})
        told = await stream.message()
        service.gate.set()
        answered = [await stream.message(), await stream.message()]
        freed = await stream.post({"jsonrpc": "2.0", "id": 4, **call})
        last = await stream.message()

    assert [each.status_code for each in accepted] == [202, 202]
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert (told["id"], told["error"]) == (3, refused.json()["error"])
    assert {each["id"] for each in answered} == {1, 2}
    assert (freed.status_code, last["id"]) == (202, 4)


async def test_a_cancelled_call_releases_its_slot(callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_a": None}
    service.gate = anyio.Event()
    call = {"method": "tools/call", "params": {"name": "list_members", "arguments": {"tripId": "jx7"}}}

    async with callers_of(service.address, max_calls_per_caller="1") as served, opened(served, "osk_a") as stream:
        await stream.post(INITIALIZE)
        await stream.message()
        await stream.post({"jsonrpc": "2.0", "method": "notifications/initialized"})
        await stream.post({"jsonrpc": "2.0", "id": 1, **call})
        await service.holds(1)
        await stream.post({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
        with anyio.fail_after(30):
            while (answer := await stream.post({"jsonrpc": "2.0", "id": 2, "method": "ping"})).status_code == 429:
                await stream.message()

    assert answer.status_code == 202


async def test_streams_are_limited_and_release_their_slots(local: Serve) -> None:
    async with local(max_calls_per_caller="1") as served:
        async with opened(served):
            refused = await served.request("GET", "/sse")
        with anyio.fail_after(30):
            while True:
                async with httpx.AsyncClient(verify=NO_TLS) as http, http.stream("GET", f"{served.base}/sse") as again:
                    if again.status_code != 429:
                        break

    assert refused.status_code == 429
    assert again.status_code == 200
