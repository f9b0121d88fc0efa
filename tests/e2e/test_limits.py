"""What a key and a rate limit forbid, as an agent over a real backend sees it."""

import re
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import TextContent

from trips_mcp.contract import OPERATIONS

Connect = Callable[..., AbstractAsyncContextManager[Client]]
KeyFor = Callable[..., Awaitable[str]]


async def outcome(client: Client, tool: str, **arguments: object) -> tuple[bool, str]:
    """Whether it was refused, and what it said."""
    result = await client.call_tool(tool, arguments)
    return result.is_error, "".join(block.text for block in result.content if isinstance(block, TextContent))


def settings_for(base: str, key: str) -> dict[str, str]:
    return {"OSOTO_API_KEY": key, "OSOTO_BASE_URL": f"{base}/api/v1"}


@pytest.fixture(scope="module")
async def reader(connect: Connect, base: str, key_for: KeyFor) -> AsyncGenerator[Client]:
    """An agent whose key may read trips and nothing else, and opens the Trips API alone."""
    async with connect(**settings_for(base, await key_for("a reader", "trips:read"))) as client:
        yield client


async def test_a_key_that_may_only_read_trips_is_refused_the_rest(reader: Client) -> None:
    trip = {"groupId": "grp1", "title": "Kyoto", "startDate": "2027-03-24", "endDate": "2027-04-08"}

    read = await outcome(reader, "list_trips")
    wrote = await outcome(reader, "create_trip", **trip)
    talked = await outcome(reader, "list_channels", tripId="jx7")

    assert read == (False, '{"items":[]}')
    for (refused, answer), needed in ((wrote, "trips:write"), (talked, "messages:read")):
        assert refused
        assert "FORBIDDEN (403)" in answer
        assert needed in answer


async def test_with_a_trips_key_alone_there_are_no_event_tools(reader: Client) -> None:
    names = {tool.name for tool in (await reader.list_tools()).tools}

    assert names >= {operation.name for operation in OPERATIONS if operation.api == "trips"}
    assert not names & {operation.name for operation in OPERATIONS if operation.api == "events"}


async def test_the_rate_limit_reaches_the_agent_as_advice(
    connect: Connect,
    serve: Callable[..., AbstractContextManager[str]],
    key_for: KeyFor,
    database: Path,
) -> None:
    key = await key_for("someone in a hurry", "trips:read")
    with serve(database, "5") as base:
        async with connect(**settings_for(base, key)) as client:
            # a window of a minute may end in between; it cannot end twice
            answers = [await outcome(client, "list_trips") for _ in range(11)]

    refusals = [answer for refused, answer in answers if refused]
    assert len(answers) - len(refusals) in range(5, 11)
    assert all("RATE_LIMITED (429)" in answer and "wait" in answer for answer in refusals)
    assert refusals


async def test_a_hundred_calls_at_once_provoke_no_429_and_the_rest_is_told_when_to_come_back(
    command: list[str],
    serve: Callable[..., AbstractContextManager[str]],
    environment: Callable[..., dict[str, str]],
    key_for: KeyFor,
    database: Path,
    tmp_path: Path,
) -> None:
    key = await key_for("someone with a swarm of agents", "trips:read")
    log = tmp_path / "stderr"
    answers: list[tuple[bool, str]] = []
    with serve(database, "60") as base, log.open("w", encoding="utf-8") as errlog:
        settings = environment(**settings_for(base, key), TRIPS_MCP_LOG="debug")
        server = StdioServerParameters(command=command[0], args=command[1:], env=settings)
        async with Client(stdio_client(server, errlog), read_timeout_seconds=60) as client:

            async def one() -> None:
                answers.append(await outcome(client, "list_trips"))

            with anyio.fail_after(60):
                async with anyio.create_task_group() as tasks:
                    for _ in range(100):
                        tasks.start_soon(one)

    refusals = [answer for refused, answer in answers if refused]
    sent = Counter(re.findall(r"GET \S+/trips: (\S+) in ", log.read_text("utf-8")))
    assert sent == {"200": 60}
    assert len(refusals) == 40
    assert all(re.search(r"60 requests a minute are allowed.* wait \d\d seconds, then", each) for each in refusals)
