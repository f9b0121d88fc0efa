"""Two callers of one server do not see, change or delay each other's calls."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from trips_mcp.backend import create_key, open_backend
from trips_mcp.scopes import BASE_SCOPES, Scope

Serve = Callable[..., AbstractAsyncContextManager[Any]]
Start = Callable[..., Awaitable[Any]]

DATES = {"startDate": "2027-05-01", "endDate": "2027-05-09"}
AT_ONCE = 8
"""Conversations of each caller."""


class Caller:
    """Does what the other does, in the same words, and looks whether all of it is its own."""

    def __init__(self, name: str, key: str, served: Any) -> None:
        self.name = name
        self.key = key
        self.trip = ""
        self.calls = 0
        self._served = served

    async def do(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        self.calls += 1
        result = await self._served.call(tool, self.key, **arguments)
        assert not result["isError"], result
        return result["structuredContent"]

    async def begin(self) -> None:
        me = await self.do("get_me")
        assert me["user"]["name"] == self.name
        self.trip = (await self.do("create_trip", groupId=me["defaultGroupId"], title="The same", **DATES))["_id"]

    async def converse(self, who: int, times: int, of_the_other: str) -> None:
        for number in range(times):
            text = f"{who}-{number}"
            made = await self.do("create_action_item", tripId=self.trip, text=text, urgency="now", clientRef=text)
            mine = f"{text} of {self.name}"
            await self.do("update_action_item", tripId=self.trip, itemId=made["_id"], text=mine)
            assert (await self.do("get_me"))["user"]["name"] == self.name
            assert [trip["_id"] for trip in (await self.do("list_trips"))["items"]] == [self.trip]
            self.calls += 1
            refused = await self._served.call("get_trip", self.key, tripId=of_the_other)
            assert refused["isError"]
            assert "FORBIDDEN (403)" in refused["content"][0]["text"]

    async def found(self) -> list[str]:
        page = await self.do("list_action_items", tripId=self.trip)
        texts = [item["text"] for item in page["items"]]
        while "nextCursor" in page:  # a long list is told page by page
            page = await self.do("list_action_items", tripId=self.trip, cursor=page["nextCursor"])
            texts += [item["text"] for item in page["items"]]
        return sorted(texts)


@pytest.mark.parametrize("calls", [160, pytest.param(10_000, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
async def test_two_callers_interleaved_keep_to_themselves(calls: int, start: Start, tmp_path: Path) -> None:
    database = str(tmp_path / "trips.db")
    keys = [await create_key(database, [Scope(base) for base in BASE_SCOPES], name) for name in ("ann", "ben")]
    backend = await start("backend", "serve", "--port", "0", "--database", database, "--rate-limit", "off")
    await backend.serves()
    words = ("serve", "--transport", "http", "--port", "0", "--auth", "key")
    served = await start(*words, OSOTO_BASE_URL=f"{backend.base}/api/v1")
    await served.serves()
    callers = [Caller(name, key, served) for name, key in zip(("ann", "ben"), keys, strict=True)]
    for caller in callers:
        await caller.begin()
    times = calls // (5 * 2 * AT_ONCE)

    with anyio.fail_after(600):
        async with anyio.create_task_group() as tasks:
            for who in range(AT_ONCE):
                for caller, other in zip(callers, reversed(callers), strict=True):
                    tasks.start_soon(caller.converse, who, times, other.trip)

    for caller in callers:
        expected = [f"{who}-{number} of {caller.name}" for who in range(AT_ONCE) for number in range(times)]
        assert await caller.found() == sorted(expected)
    assert sum(caller.calls for caller in callers) >= calls
    lines = [line for line in served.logged if line["path"] == "/mcp"]
    assert {line["status"] for line in lines} == {200}
    assert len({line["caller"] for line in lines}) == 2


@asynccontextmanager
async def limited(database: Path, on_socket: Serve, rate_limit: int) -> AsyncGenerator[str]:
    async with open_backend(str(database), require_keys=True, rate_limit=rate_limit) as app, on_socket(app) as address:
        yield f"http://{address}"


async def test_one_callers_rate_limit_does_not_affect_others(
    callers_of: Serve, on_socket: Serve, tmp_path: Path
) -> None:
    database = tmp_path / "trips.db"
    hasty, calm = [await create_key(str(database), [Scope("trips:read")], name) for name in ("hasty", "calm")]

    async with limited(database, on_socket, 5) as base, callers_of(base) as served:
        of_hasty = [await served.call("list_trips", hasty) for _ in range(12)]
        of_calm = [await served.call("list_trips", calm) for _ in range(3)]

    refused = [result for result in of_hasty if result["isError"]]
    assert refused
    assert all("RATE_LIMITED (429)" in result["content"][0]["text"] for result in refused)
    assert not any(result["isError"] for result in of_calm)


async def test_only_the_same_caller_completes_a_write_of_unknown_outcome(callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_a": None, "osk_b": None}
    service.gate = anyio.Event()
    write = {"tripId": "jx7", "items": [{"text": "Buy tickets", "urgency": "now"}]}

    async with callers_of(service.address) as served:
        async with anyio.create_task_group() as tasks:

            async def call() -> None:
                await served.call("upsert_action_items", "osk_a", **write)

            tasks.start_soon(call)
            await service.holds(1)
            tasks.cancel_scope.cancel()
        with anyio.fail_after(30):
            while [line["status"] for line in served.lines] != [499]:
                await anyio.lowlevel.checkpoint()
        service.gate.set()
        await served.call("upsert_action_items", "osk_b", **write)
        await served.call("upsert_action_items", "osk_a", **write)
        await served.call("upsert_action_items", "osk_a", **write)

    (lost, of_b, finished, another) = service.writes
    assert [caller for caller, _ in service.writes] == ["osk_a", "osk_b", "osk_a", "osk_a"]
    assert finished == lost
    assert len({lost[1], of_b[1], another[1]}) == 3


async def test_the_same_key_with_another_token_is_another_account(callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_a": None, "tm_1": None, "tm_2": None}

    async with callers_of(service.address, events=True) as served:
        for token in ("tm_1", "tm_2", "tm_1"):
            await served.ask(
                "tools/call",
                "osk_a",
                {"X-Travelmode-Token": token},
                name="list_trip_events",
                arguments={"trip_id": 1},
            )

    assert [key for path, key in service.asked if path.startswith("/v1/")] == ["tm_1", "tm_2", "tm_1"]
    assert len({line["caller"] for line in served.lines}) == 2
