"""A selection of tools: early responses and the SDK list the same, and enforce it on every call."""

import json
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import CallToolResult, TextContent

from trips_mcp.connect import connect
from trips_mcp.contract.me import GET_ME, GetMe
from trips_mcp.contract.trips import CREATE_TRIP, LIST_TRIPS, CreateTrip, ListTrips
from trips_mcp.server.offer import offer
from trips_mcp.server.server import build_server
from trips_mcp.server.stdio.early_responses import EarlyResponses
from trips_mcp.settings import Settings

Agent = Callable[..., AbstractAsyncContextManager[Client]]

HANDSHAKE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
CHOICES: list[dict[str, str]] = [
    {},
    {"TRIPS_MCP_READ_ONLY": "1"},
    {"TRIPS_MCP_TOOLSETS": "legs,events", "TRIPS_MCP_TOOLS": "get_me", "TRIPS_MCP_EXCLUDE_TOOLS": "delete_leg"},
    {"TRIPS_MCP_TRIP": "jx7"},
    {"TRIPS_MCP_TRIP": "jx7", "TRIPS_MCP_NO_OUTBOUND": "on", "TRIPS_MCP_MASK_SECRETS": "on"},
    {"TRIPS_MCP_SCOPES": "trips:read messages:read:jx7"},
    {"OSOTO_API_KEY": "osk_x", "TRIPS_MCP_READ_ONLY": "yes"},
]


def text(result: CallToolResult) -> str:
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"TRIPS_MCP_DATABASE": str(tmp_path / "trips.db"), "TRIPS_MCP_JOURNAL": str(tmp_path / "journal.db")}


@pytest.fixture
def agent(environment: dict[str, str]) -> Agent:
    """A client of a server with these settings."""

    @asynccontextmanager
    async def agent(env: dict[str, str]) -> AsyncGenerator[Client]:
        async with Client(build_server(offer(Settings.from_env({**environment, **env})))) as client:
            yield client

    return agent


@pytest.fixture
async def trips(environment: dict[str, str]) -> tuple[str, str]:
    """Two that the user has."""
    async with connect(Settings.from_env(environment)) as client:
        group = (await client.call(GET_ME, GetMe())).default_group_id or ""
        dates = {"start_date": "2026-11-01", "end_date": "2026-11-10"}
        first, second = [
            await client.call(CREATE_TRIP, CreateTrip(group_id=group, title=title, **dates))
            for title in ("Kyoto", "Surprise")
        ]
    return first.id, second.id


def listed_at_once(env: dict[str, str]) -> list[dict[str, Any]]:
    """The early responses, before the SDK is imported."""
    front = EarlyResponses(offer(Settings.from_env(env)))
    front.answer({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HANDSHAKE})
    line = front.answer({"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}})
    assert line
    return json.loads(line)["result"]["tools"]


@pytest.mark.parametrize("env", CHOICES, ids=lambda env: " ".join(env) or "all")
async def test_early_responses_and_the_sdk_list_the_same(env: dict[str, str], agent: Agent) -> None:
    async with agent(env) as client:
        listed = await client.list_tools()

    wire = [tool.model_dump(by_alias=True, exclude_none=True, exclude_unset=True) for tool in listed.tools]
    assert wire == listed_at_once(env)
    assert wire


def test_a_tool_is_loaded_without_what_only_others_need() -> None:
    program = """
import sys
from trips_mcp.server.offer import offer
from trips_mcp.settings import Settings
offer(Settings.from_env({})).load_tool("get_me")
for name in ("bookings", "formats", "itinerary.journey", "places", "planning", "tools.plans", "tools.resources.trips"):
    print(name, f"trips_mcp.{name}" in sys.modules)
"""
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=60, text=True)

    assert dict(line.split() for line in found.stdout.splitlines()) == {
        "bookings": "False",
        "formats": "False",
        "itinerary.journey": "False",
        "places": "False",
        "planning": "False",
        "tools.plans": "False",
        "tools.resources.trips": "True",
    }


@pytest.mark.parametrize(
    ("env", "tool", "arguments"),
    [
        ({"TRIPS_MCP_READ_ONLY": "1"}, "create_trip",
            {"groupId": "g", "title": "Rome", "startDate": "2026-12-01", "endDate": "2026-12-02"}),
        ({"TRIPS_MCP_READ_ONLY": "1", "TRIPS_MCP_TOOLS": "archive_trip,list_trips"}, "archive_trip", {"tripId": "jx7"}),
        ({"TRIPS_MCP_EXCLUDE_TOOLS": "list_trips"}, "list_trips", {}),
        ({"TRIPS_MCP_TOOLSETS": "legs"}, "list_trips", {}),
        ({"TRIPS_MCP_NO_OUTBOUND": "1"}, "create_share_token", {"tripId": "jx7"}),
        ({"TRIPS_MCP_TRIP": "jx7"}, "list_trips", {}),
        ({"TRIPS_MCP_SCOPES": "trips:read"}, "archive_trip", {"tripId": "jx7"}),
    ],
)  # fmt: skip
async def test_a_tool_that_is_not_listed_cannot_be_called(
    env: dict[str, str], tool: str, arguments: dict[str, Any], agent: Agent, tmp_path: Path
) -> None:
    missing = offer(Settings.from_env(env)).missing
    database = tmp_path / "trips.db"

    async with agent(env) as client:
        listed = {each.name for each in (await client.list_tools()).tools}
        result = await client.call_tool(tool, arguments)

    assert tool not in listed
    assert result.is_error
    assert text(result) == missing[tool]
    assert not database.exists(), "nothing was even opened"


async def test_a_server_bound_to_one_trip_works_on_that_one_only(
    trips: tuple[str, str], agent: Agent, environment: dict[str, str]
) -> None:
    kyoto, surprise = trips

    async with agent({"TRIPS_MCP_TRIP": kyoto}) as client:
        read = await client.call_tool("get_trip", {})
        renamed = await client.call_tool("update_trip", {"title": "Kioto"})
        refused = await client.call_tool("update_trip", {"tripId": surprise, "title": "Found out"})
    async with connect(Settings.from_env(environment)) as client:
        titles = {trip.title for trip in (await client.call(LIST_TRIPS, ListTrips())).items}

    assert "Kyoto" in text(read)
    assert not renamed.is_error
    assert refused.is_error
    assert "leave tripId out" in text(refused)
    assert titles == {"Kioto", "Surprise"}


@pytest.mark.parametrize("env", CHOICES, ids=lambda env: " ".join(env) or "all")
def test_every_tool_is_either_listed_or_reported_as_missing(env: dict[str, str]) -> None:
    offered, everything = offer(Settings.from_env(env)), offer(Settings.from_env({"TRIPS_MCP_MASK_SECRETS": "on"}))

    assert offered.names | offered.missing.keys() == everything.names
    assert not offered.names & offered.missing.keys()
    assert all(name in sentence and sentence.endswith(".") for name, sentence in offered.missing.items())


def test_the_settings_decide_how_answers_are_given() -> None:
    account = {"OSOTO_API_KEY": "osk_x", "TRAVELMODE_TOKEN": "t", "TRIPS_MCP_EVENT_TRIPS": "jx7=42"}

    local = offer(Settings.from_env({})).conduct
    remote = offer(Settings.from_env({**account, "TRIPS_MCP_TRIP": "jx7"}), masks=True).conduct

    assert (local.mask_secrets, local.trip, local.one_store, local.event_trips) == (False, None, True, {})
    assert (remote.mask_secrets, remote.trip, remote.one_store, remote.event_trips) == (True, "jx7", False, {"jx7": 42})
