"""The server without a transport: what it lists, how it runs tools, and what it keeps internal."""

import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import anyio
import anyio.lowlevel
import pytest
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS, CallToolResult, TextContent
from opentelemetry.trace import INVALID_SPAN, NoOpTracerProvider, ProxyTracerProvider, TracerProvider

from trips_mcp import __version__
from trips_mcp.client import CannotConnectError, TripsClient
from trips_mcp.server.offer import Offer, offer
from trips_mcp.server.server import build_server
from trips_mcp.settings import Settings
from trips_mcp.tools import Answer, Report, Tool
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.listing import catalogue

REGISTERED: dict[str, Any] = json.loads((Path(__file__).parents[2] / "server.json").read_text("utf-8"))
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])

Run = Callable[[TripsClient, Report], Awaitable[Answer]]


class Stub:
    """A tool of the real listing that does something else."""

    def __init__(self, name: str, run: Run) -> None:
        self.name = name
        self._run = run

    async def call(self, client: TripsClient, _: Mapping[str, Any], report: Report, __: Conduct) -> Answer:
        return await self._run(client, report)


class Connection:
    """Stands for the client: counts how often it is opened and closed, and fails while told to."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed = 0
        self.broken = False

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[TripsClient]:
        await anyio.lowlevel.checkpoint()
        if self.broken:
            raise CannotConnectError("The database is a folder; name a file.")
        self.opened += 1
        yield cast("TripsClient", self)
        await anyio.lowlevel.checkpoint()
        self.closed += 1


def offer_of(connection: Connection, **runs: Run) -> Offer:
    def load(name: str) -> Tool[Any, Any]:
        return cast("Tool[Any, Any]", Stub(name, runs[name]))

    return replace(offer(Settings.from_env({})), load_tool=load, connect=connection.connect)


async def unharmed(_: TripsClient, __: Report) -> Answer:
    return Answer("well", {"all": "well"})


def text(result: CallToolResult) -> str:
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


@ERAS
async def test_it_lists_the_generated_catalogue_unchanged(mode: Any) -> None:
    # a team's server: others say of some tools what holds only for local trips, or for services that are apart
    everything = offer(replace(Settings.from_env({"TRIPS_MCP_MASK_SECRETS": "on"}), team=True))
    async with Client(build_server(everything), mode=mode) as agent:
        listed = await agent.list_tools()

    assert [
        tool.model_dump(by_alias=True, exclude_none=True, exclude_unset=True) for tool in listed.tools
    ] == catalogue(["trips", "events"])


@ERAS
async def test_it_declares_its_name_and_version(mode: Any) -> None:
    offered = offer(Settings.from_env({}))

    async with Client(build_server(offered), mode=mode) as agent:
        said = (agent.server_info, agent.instructions)

    info, instructions = said
    assert info is not None
    assert (info.name, info.version, info.title) == ("trips-mcp", __version__, "Trips")
    assert info.website_url == REGISTERED["websiteUrl"]
    assert [icon.model_dump(by_alias=True, exclude_none=True) for icon in info.icons or []] == REGISTERED["icons"]
    assert instructions == offered.instructions


async def test_its_lists_may_be_cached_by_this_client_only() -> None:
    async with Client(build_server(offer(Settings.from_env({})))) as agent:
        listed = await agent.list_tools()

    assert (listed.cache_scope, listed.ttl_ms) == ("private", 300_000)


@ERAS
async def test_an_unknown_tool_is_a_protocol_error(mode: Any) -> None:
    async with Client(build_server(offer(Settings.from_env({}))), mode=mode) as agent:
        with pytest.raises(MCPError) as failed:
            await agent.call_tool("fly", {})

    assert failed.value.code == INVALID_PARAMS
    assert failed.value.message == "Unknown tool: fly"


@pytest.mark.parametrize(
    ("env", "tool", "setting"),
    [
        ({"OSOTO_API_KEY": "osk_x"}, "get_event", "TRAVELMODE_TOKEN"),
        ({"TRAVELMODE_TOKEN": "tm_x"}, "list_trips", "OSOTO_API_KEY"),
        ({"OSOTO_API_KEY": "${OSOTO_API_KEY}"}, "list_trips", "OSOTO_API_KEY is a reference such as ${NAME}"),
    ],
)
async def test_a_tool_without_its_api_says_what_to_set(env: dict[str, str], tool: str, setting: str) -> None:
    async with Client(build_server(offer(Settings.from_env(env)))) as agent:
        listed = {each.name for each in (await agent.list_tools()).tools}
        result = await agent.call_tool(tool, {})

    assert tool not in listed
    assert result.is_error
    assert setting in text(result)


@ERAS
async def test_text_and_structured_content_both_arrive(mode: Any) -> None:
    async with Client(build_server(offer_of(Connection(), get_me=unharmed)), mode=mode) as agent:
        result = await agent.call_tool("get_me", {})

    assert (text(result), result.structured_content, result.is_error) == ("well", {"all": "well"}, False)


@ERAS
async def test_a_bug_reveals_nothing_internal(mode: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def crash(_: TripsClient, __: Report) -> Answer:
        raise RuntimeError("the door code is K4711")

    async with Client(build_server(offer_of(Connection(), get_me=crash, list_trips=unharmed)), mode=mode) as agent:
        with caplog.at_level(logging.ERROR):
            result = await agent.call_tool("get_me", {})
        after = await agent.call_tool("list_trips", {})

    assert result.is_error
    assert "K4711" not in text(result)
    assert caplog.messages[0].split()[-1] in text(result), "the incident can be found in the log"
    assert not after.is_error


async def test_the_client_is_opened_once_for_all_calls_and_closed_at_the_end() -> None:
    connection = Connection()

    async with Client(build_server(offer_of(connection, get_me=unharmed))) as agent:
        before = connection.opened
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(agent.call_tool, "get_me")
        during = (connection.opened, connection.closed)

    assert before == 0
    assert during == (1, 0)
    assert connection.closed == 1


async def test_a_client_that_cannot_be_opened_is_tried_again_with_the_next_call() -> None:
    connection = Connection()

    async with Client(build_server(offer_of(connection, get_me=unharmed))) as agent:
        connection.broken = True
        failed = [await agent.call_tool("get_me", {}) for _ in range(2)]
        connection.broken = False
        fixed = await agent.call_tool("get_me", {})

    assert [text(result) for result in failed] == ["The database is a folder; name a file."] * 2
    assert all(result.is_error for result in failed)
    assert not fixed.is_error


async def test_a_call_cancelled_while_it_opens_the_client_leaves_it_to_the_next() -> None:
    connection = Connection()
    patience: list[anyio.CancelScope] = []

    @asynccontextmanager
    async def slowly_at_first() -> AsyncGenerator[TripsClient]:
        if patience:
            patience.pop().cancel()
            await anyio.sleep_forever()
        async with connection.connect() as client:
            yield client

    offered = replace(offer_of(connection, get_me=unharmed), connect=slowly_at_first)
    async with Client(build_server(offered)) as agent:
        with anyio.fail_after(10), anyio.CancelScope() as scope:
            patience.append(scope)
            await agent.call_tool("get_me", {})
        with anyio.fail_after(10):
            second = await agent.call_tool("get_me", {})

    assert scope.cancelled_caught
    assert not second.is_error


async def test_a_client_that_fails_to_close_does_not_fail_the_session(caplog: pytest.LogCaptureFixture) -> None:
    @asynccontextmanager
    async def slamming() -> AsyncGenerator[TripsClient]:
        yield cast("TripsClient", None)
        raise OSError("door code K4711")

    async with Client(build_server(replace(offer_of(Connection(), get_me=unharmed), connect=slamming))) as agent:
        await agent.call_tool("get_me", {})

    assert [record.levelname for record in caplog.records] == ["WARNING"]


@ERAS
async def test_progress_reaches_the_client_that_asked_for_it(mode: Any) -> None:
    async def count(_: TripsClient, report: Report) -> Answer:
        await report(1, 2, "half")
        await report(2, 2, None)
        return Answer("counted")

    heard: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    async with Client(build_server(offer_of(Connection(), get_me=count)), mode=mode) as agent:
        with_token = await agent.call_tool("get_me", {}, progress_callback=hear)
        without = await agent.call_tool("get_me", {})

    assert heard == [(1, 2, "half"), (2, 2, None)]
    assert not with_token.is_error
    assert not without.is_error


@ERAS
@pytest.mark.parametrize("listing", ["list_tools", "list_prompts", "list_resource_templates", "list_resources"])
async def test_an_unknown_cursor_is_refused(listing: str, mode: Any, tmp_path: Path) -> None:
    settings = Settings.from_env({"TRIPS_MCP_DATABASE": str(tmp_path / "trips.db")})
    async with Client(build_server(offer(settings)), mode=mode) as agent:
        with pytest.raises(MCPError, match="cursor") as refused:
            await getattr(agent, listing)(cursor="from another server")

    assert refused.value.code == INVALID_PARAMS


class Tracer:
    def __init__(self) -> None:
        self.spans: list[str] = []

    @contextmanager
    def start_as_current_span(self, name: str, *_: Any, **__: Any) -> Generator[Any]:
        self.spans.append(name)
        yield INVALID_SPAN


@pytest.mark.parametrize(
    ("provider", "traced"), [(NoOpTracerProvider(), True), (ProxyTracerProvider(), False)], ids=["collected", "unseen"]
)
async def test_calls_are_traced_if_the_process_collects_traces(
    provider: TracerProvider, traced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracer = Tracer()
    monkeypatch.setattr("mcp.shared._otel._tracer", tracer)
    monkeypatch.setattr("trips_mcp.server.server.get_tracer_provider", lambda: provider)

    async with Client(build_server(offer_of(Connection(), get_me=unharmed))) as client:
        await client.call_tool("get_me")

    assert ("tools/call get_me" in tracer.spans) == traced


async def test_each_response_has_the_name_of_the_server() -> None:
    async with Client(build_server(offer_of(Connection(), get_me=unharmed))) as client:
        stamps = [(await client.call_tool("get_me")).meta for _ in range(2)]

    assert [stamp and stamp["io.modelcontextprotocol/serverInfo"]["name"] for stamp in stamps] == ["trips-mcp"] * 2
