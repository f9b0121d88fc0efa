"""Long calls in real processes: their progress, and a cancelled one that is completed by calling again."""

import os
import shutil
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import anyio
import anyio.lowlevel
import httpx
import pytest
import uvicorn
from mcp import Client, StdioServerParameters
from starlette.types import ASGIApp, Receive, Scope, Send

from trips_mcp.backend import open_backend
from trips_mcp.client import Endpoint, TripsClient
from trips_mcp.server.jsonrpc import CAPABILITIES_KEY, CLIENT_KEY, VERSION_KEY

if TYPE_CHECKING:
    from .conftest import Child, Start

SECONDS: Final = 30
COMPLETED: Final = "This completed an earlier call whose answer was lost."

Arguments = dict[str, Any]
Steps = list[tuple[float, float, str]]

ENVELOPE: Arguments = {
    VERSION_KEY: "2026-07-28",
    CAPABILITIES_KEY: {},
    CLIENT_KEY: {"name": "test", "version": "1"},
}
ERAS = pytest.mark.parametrize("mode", ["auto", pytest.param("legacy", marks=pytest.mark.soak)])
BY_HANDSHAKE: Arguments = {}
IN_SOAK = pytest.mark.soak
"""Each pair costs a process or two: `make check` has every era and every tool, `make soak` all of the pairs."""


class Long(NamedTuple):
    """A call of many items, in several requests."""

    tool: str
    arguments: Arguments
    steps: Steps
    """What is told of its progress."""


def leg(number: int) -> Arguments:
    days = {"startDate": "2026-11-01", "endDate": "2026-11-02"}
    return {"order": number, "title": f"Leg {number}", "destination": "Japan", "timezone": "Asia/Tokyo", **days}


def pin(number: int) -> Arguments:
    return {"name": f"Pin {number}", "lat": 35.0, "lng": 135.7}


LONG: Final = (
    Long(
        "upsert_legs",
        {"items": [leg(number) for number in range(120)]},
        [(50, 120, "50 of 120 items"), (100, 120, "100 of 120 items"), (120, 120, "120 of 120 items")],
    ),
    Long(
        "sync_trip",
        {"legs": [leg(number) for number in range(30)], "mapPins": [pin(number) for number in range(700)]},
        [(530, 730, "530 of 730 items"), (730, 730, "730 of 730 items")],
    ),
)
DINNER: Final[Arguments] = {"title": "Dinner", "startDate": "2026-11-03", "category": "dinner"}
WRITES: Final = [("create_commitment", DINNER), *((long.tool, long.arguments) for long in LONG)]


@asynccontextmanager
async def connected(command: list[str], env: dict[str, str], mode: Any) -> AsyncGenerator[Client]:
    parameters = StdioServerParameters(command=command[0], args=command[1:], env={**os.environ, **env})
    with anyio.fail_after(SECONDS):
        async with Client(parameters, mode=mode) as agent:
            yield agent


async def done(agent: Client, tool: str, **arguments: Any) -> Arguments:
    """The structured content of a call that must succeed."""
    result = await agent.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


async def trip_of(do: Callable[..., Any]) -> str:
    group = (await do("get_me"))["defaultGroupId"]
    made = await do("create_trip", groupId=group, title="Japan", startDate="2026-11-01", endDate="2026-11-09")
    return made["_id"]


class Service:
    """The backend on a port, which can be told to do what it is asked and keep the answer to itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._keeps = False
        self._kept = anyio.Event()
        self._released = anyio.Event()
        self.client = TripsClient(
            trips=Endpoint("http://trips.test/api/v1", transport=httpx.ASGITransport(app)), events=None
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or not self._keeps:
            return await self._app(scope, receive, send)
        said: list[MutableMapping[str, Any]] = []

        async def keep(message: MutableMapping[str, Any]) -> None:
            await anyio.lowlevel.checkpoint()
            said.append(message)

        await self._app(scope, receive, keep)
        self._kept.set()
        await self._released.wait()
        for message in said:
            await send(message)
        return None

    async def counts(self, trip: str) -> tuple[int, int, int]:
        """How many legs, pins and commitments there are."""
        export = await self.client.trips.export(trip)
        return len(export.legs), len(export.map_pins), len(export.commitments)

    @asynccontextmanager
    async def keeping_the_answer(self) -> AsyncGenerator[anyio.Event]:
        """Of whatever is written meanwhile; the event tells that something was."""
        self._keeps, self._kept, self._released = True, anyio.Event(), anyio.Event()
        yield self._kept
        self._keeps = False
        self._released.set()


@pytest.fixture
async def service(new_database: Path, tmp_path: Path) -> AsyncGenerator[Service]:
    async with open_backend(str(shutil.copy(new_database, tmp_path)), require_keys=False) as app:
        yield Service(app)


@pytest.fixture
async def env(service: Service, tmp_path: Path) -> AsyncGenerator[dict[str, str]]:
    """Of a server process that speaks to the service."""
    server = uvicorn.Server(uvicorn.Config(service, port=0, log_level="error", lifespan="off"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve)
        with anyio.fail_after(SECONDS):
            while not server.started:  # noqa: ASYNC110 - it tells nobody
                await anyio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield {
            "OSOTO_API_KEY": "osk_test",
            "OSOTO_BASE_URL": f"http://127.0.0.1:{port}/api/v1",
            "TRIPS_MCP_JOURNAL": str(tmp_path / "journal.db"),
        }
        server.should_exit = True


async def until_unknown(journal: Path) -> None:
    """Until it is noted of a write that its outcome is not known."""
    with closing(sqlite3.connect(journal)) as file, anyio.fail_after(SECONDS):
        while not file.execute("SELECT 1 FROM writes WHERE state = 'unknown'").fetchall():  # noqa: ASYNC110
            await anyio.sleep(0.005)


class Agent:
    """Speaks to the command line by line, in one of the eras."""

    def __init__(self, child: "Child", envelope: Arguments) -> None:
        self._child = child
        self._envelope = envelope
        self._last_id = 0

    async def begin(self, tool: str, meta: Arguments | None = None, /, **arguments: Any) -> int:
        self._last_id += 1
        carried = {**self._envelope, **(meta or {})}
        await self._child.send(self._last_id, "tools/call", name=tool, arguments=arguments, _meta=carried)
        return self._last_id

    async def result(self, request_id: int) -> Arguments:
        return (await self._child.answer(request_id))["result"]

    async def do(self, tool: str, /, **arguments: Any) -> Arguments:
        result = await self.result(await self.begin(tool, **arguments))
        assert not result["isError"], result
        return result["structuredContent"]

    async def cancel(self, request_id: int) -> None:
        meta = {"_meta": self._envelope} if self._envelope else {}
        await self._child.notify("notifications/cancelled", requestId=request_id, **meta)

    async def rest(self) -> list[Arguments]:
        await self._child.end_input()
        return await self._child.rest()


Speak = Callable[[Arguments], Awaitable[Agent]]


@pytest.fixture
def speak(start: "Start", env: dict[str, str]) -> Speak:
    async def speak(envelope: Arguments) -> Agent:
        child = await start(real=True, **env)
        if not envelope:
            await child.open()
        return Agent(child, envelope)

    return speak


@pytest.mark.parametrize(
    ("long", "envelope"),
    [
        pytest.param(LONG[0], BY_HANDSHAKE, id="legs-handshake"),
        pytest.param(LONG[1], ENVELOPE, id="sync-envelope"),
        pytest.param(LONG[0], ENVELOPE, id="legs-envelope", marks=IN_SOAK),
        pytest.param(LONG[1], BY_HANDSHAKE, id="sync-handshake", marks=IN_SOAK),
    ],
)
async def test_progress_of_each_part_arrives_before_the_answer(long: Long, envelope: Arguments, speak: Speak) -> None:
    agent = await speak(envelope)
    trip, unheard_of = await trip_of(agent.do), await trip_of(agent.do)

    await agent.do(long.tool, tripId=unheard_of, **long.arguments)
    request_id = await agent.begin(long.tool, {"progressToken": "p1"}, tripId=trip, **long.arguments)
    result = await agent.result(request_id)
    messages = await agent.rest()

    told = [message["params"] for message in messages if message.get("method") == "notifications/progress"]
    assert [(each["progress"], each["total"], each["message"]) for each in told] == long.steps
    assert {each["progressToken"] for each in told} == {"p1"}
    assert not result["isError"]


@pytest.mark.parametrize(
    ("tool", "arguments", "envelope"),
    [
        pytest.param(*WRITES[0], BY_HANDSHAKE, id="commitment-handshake"),
        pytest.param(*WRITES[1], ENVELOPE, id="legs-envelope"),
        pytest.param(*WRITES[0], ENVELOPE, id="commitment-envelope", marks=IN_SOAK),
        pytest.param(*WRITES[1], BY_HANDSHAKE, id="legs-handshake", marks=IN_SOAK),
        pytest.param(*WRITES[2], ENVELOPE, id="sync-envelope", marks=IN_SOAK),
        pytest.param(*WRITES[2], BY_HANDSHAKE, id="sync-handshake", marks=IN_SOAK),
    ],
)
async def test_a_cancelled_write_gets_no_response_and_an_identical_call_completes_it(
    tool: str, arguments: Arguments, envelope: Arguments, speak: Speak, service: Service, tmp_path: Path
) -> None:
    agent = await speak(envelope)
    trip = await trip_of(agent.do)
    journal = tmp_path / "journal.db"

    async with service.keeping_the_answer() as kept:
        cancelled = await agent.begin(tool, {"progressToken": "p1"}, tripId=trip, **arguments)
        await kept.wait()
        await agent.cancel(cancelled)
        await until_unknown(journal)
    again = await agent.do(tool, tripId=trip, **arguments)
    messages = await agent.rest()

    assert COMPLETED in again["remarks"]
    assert await service.counts(trip) == counts_of(arguments)
    assert [message for message in messages if message.get("id") == cancelled] == []


@ERAS
async def test_an_sdk_client_gets_progress_and_its_next_call_completes_one_that_timed_out(
    mode: Any, command: list[str], env: dict[str, str], service: Service, tmp_path: Path
) -> None:
    long = LONG[0]
    tool, arguments = WRITES[0]
    heard: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    async with connected(command, env, mode) as agent:
        trip, other = [await trip_of(partial(done, agent)) for _ in range(2)]
        result = await agent.call_tool(long.tool, {"tripId": other, **long.arguments}, progress_callback=hear)
        async with service.keeping_the_answer() as kept:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(agent.call_tool, tool, {"tripId": trip, **arguments})
                await kept.wait()
                tasks.cancel_scope.cancel()
            await until_unknown(tmp_path / "journal.db")
        again = await done(agent, tool, tripId=trip, **arguments)

    assert heard == long.steps
    assert not result.is_error
    assert COMPLETED in again["remarks"]
    assert await service.counts(trip) == counts_of(arguments)


def counts_of(arguments: Arguments) -> tuple[int, int, int]:
    legs: list[Any] = arguments.get("legs") or arguments.get("items") or []
    return len(legs), len(arguments.get("mapPins", [])), int("category" in arguments)
