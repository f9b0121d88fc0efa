"""Two replicas behind a proxy: either answers any call, and the writes of a killed one are completed once."""

import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tests.no_tls import NO_TLS
from trips_mcp.backend import create_key, open_backend
from trips_mcp.scopes import BASE_SCOPES, Scope

from .conftest import doing

Serve = Callable[..., AbstractAsyncContextManager[Any]]
Start = Callable[..., Awaitable[Any]]
KeyFor = Callable[..., Awaitable[str]]

WORDS = ("serve", "--transport", "http", "--port", "0", "--auth", "key")
TRIP = {"title": "Kyoto", "startDate": "2027-05-01", "endDate": "2027-05-09"}


class Proxy:
    """Passes each request on to the replica that `choose` names, and its answer back as it comes."""

    def __init__(self, replicas: list[Any], choose: Callable[[Request], int]) -> None:
        self.replicas = replicas
        self.chosen: list[int] = []
        self._choose = choose
        self.http = httpx.AsyncClient(timeout=30, verify=NO_TLS)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        self.chosen.append(self._choose(request))
        url = self.replicas[self.chosen[-1]].base + request.url.path
        sent = self.http.build_request(request.method, url, headers=request.headers.raw, content=await request.body())
        try:
            answer = await self.http.send(sent, stream=True)
        except httpx.TransportError:
            await Response(status_code=502)(scope, receive, send)
            return
        kept = {name: value for name, value in answer.headers.items() if name != "content-encoding"}
        response = StreamingResponse(answer.aiter_raw(), answer.status_code, kept)
        try:
            await response(scope, receive, send)
        finally:
            await answer.aclose()


@pytest.fixture
def behind(on_socket: Serve, serve_at: Callable[[str], Any]) -> Callable[[Proxy], Any]:
    @asynccontextmanager
    async def behind(proxy: Proxy) -> AsyncGenerator[Any]:
        async with proxy.http, on_socket(proxy) as address:
            yield serve_at(address)

    return behind


@pytest.mark.parametrize("mode", ["auto", pytest.param("legacy", marks=pytest.mark.soak)])
async def test_either_replica_can_answer_every_call_of_a_conversation(
    mode: str, start: Start, behind: Callable[[Proxy], Any], key_for: KeyFor, tmp_path: Path
) -> None:
    key = await key_for("me")
    database = str(tmp_path / "team.db")
    replicas = [
        await start(*WORDS, TRIPS_MCP_DATABASE=database, TRIPS_MCP_JOURNAL=str(tmp_path / f"journal-{number}.db"))
        for number in range(2)
    ]
    for replica in replicas:
        await replica.serves()
    turns = itertools.cycle([0, 1])
    proxy = Proxy(replicas, lambda _: next(turns))
    heard: list[float] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append(progress)

    async with behind(proxy) as served, served.agent(key=key, mode=mode) as agent:
        do = doing(agent, hear)
        group = (await do("get_me"))["defaultGroupId"]
        trip = (await do("create_trip", groupId=group, **TRIP))["_id"]
        rows = [{"text": f"item {number}", "urgency": "now"} for number in range(60)]
        await do("upsert_action_items", tripId=trip, items=rows)
        for number in range(6):
            await do("update_trip", tripId=trip, title=f"Kyoto {number}")
            assert (await do("get_trip", tripId=trip))["title"] == f"Kyoto {number}"
        found = (await do("list_action_items", tripId=trip))["items"]
        listed = await agent.list_tools()

    assert len(found) == 60
    assert heard == [50, 60]
    assert listed.tools
    assert proxy.chosen == [number % 2 for number in range(len(proxy.chosen))]
    assert all(len(replica.logged) > 6 for replica in replicas)


class Holding:
    """A backend that can be held before it carries a write out, or before it answers one."""

    def __init__(self, app: Any) -> None:
        self.when = ""
        self.held = anyio.Event()
        self.go = anyio.Event()
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        writes = scope["method"] == "POST"
        if writes and self.when == "before":
            await self._hold()

        async def answer(event: Any) -> None:
            if writes and self.when == "after" and event["type"] == "http.response.start":
                await self._hold()
            await send(event)

        await self._app(scope, receive, answer)

    async def _hold(self) -> None:
        self.held.set()
        await self.go.wait()


@pytest.mark.parametrize("era", ["ask", pytest.param("ask_modern", marks=pytest.mark.soak)])
@pytest.mark.parametrize("when", ["after", pytest.param("before", marks=pytest.mark.soak)])
async def test_nothing_is_written_twice_when_a_replica_is_killed_during_a_call(
    when: str, era: str, start: Start, behind: Callable[[Proxy], Any], on_socket: Serve, tmp_path: Path
) -> None:
    database = str(tmp_path / "trips.db")
    key = await create_key(database, [Scope(base) for base in BASE_SCOPES], "me")
    async with open_backend(database, require_keys=True, rate_limit=None) as app:
        backend = Holding(app)
        async with on_socket(backend) as address:

            async def replica(number: int) -> Any:
                journal = str(tmp_path / f"journal-{number}.db")
                started = await start(*WORDS, OSOTO_BASE_URL=f"http://{address}/api/v1", TRIPS_MCP_JOURNAL=journal)
                return await started.serves()

            replicas = [await replica(0), await replica(1)]
            sticky = Proxy(replicas, lambda request: hash(request.headers["authorization"]) % 2)
            async with behind(sticky) as served:
                ask = getattr(served, era)
                group = (await served.call("get_me", key))["structuredContent"]["defaultGroupId"]
                write = {"name": "create_trip", "arguments": {"groupId": group, **TRIP}}
                answers: list[httpx.Response] = []
                mine = sticky.chosen[-1]

                async def call() -> None:
                    answers.append(await ask("tools/call", key, **write))

                backend.when = when
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(call)
                    with anyio.fail_after(30):
                        await backend.held.wait()
                    replicas[mine].process.kill()
                    await replicas[mine].ended()
                backend.when = ""
                backend.go.set()
                replicas[mine] = await replica(mine)
                await call()
                trips = (await served.call("list_trips", key))["structuredContent"]["items"]

    assert answers[0].status_code == 502
    again = answers[1].json()["result"]
    assert not again["isError"]
    assert again["structuredContent"]["remarks"] == ["This completed an earlier call whose answer was lost."]
    assert [trip["_id"] for trip in trips] == [again["structuredContent"]["_id"]]
    assert set(sticky.chosen) == {mine}
