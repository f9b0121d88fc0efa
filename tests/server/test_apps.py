"""A trip drawn in the chat (MCP Apps): who is offered the page, and what the page is given."""

import json
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.client.extension import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.types import CallToolResult, TextContent, TextResourceContents

from trips_mcp.server.offer import Offer, offer
from trips_mcp.server.server import build_server
from trips_mcp.settings import Settings

ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])
DRAWS = [advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]})]
PAGE = "ui://trips-mcp/trip.html"


def offered(folder: Path, **env: str) -> Offer:
    files = {name: str(folder / f"{name}.db") for name in ("DATABASE", "JOURNAL", "HISTORY")}
    return offer(Settings.from_env({f"TRIPS_MCP_{name}": file for name, file in files.items()} | env))


@asynccontextmanager
async def host(folder: Path, mode: Any = "auto", *, draws: bool = True, **env: str) -> AsyncGenerator[Client]:
    extensions = DRAWS if draws else None
    server = build_server(offered(folder, **env))
    async with Client(server, mode=mode, extensions=extensions, cache=None, read_timeout_seconds=30) as agent:
        yield agent


async def done(agent: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    result = await agent.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


async def kyoto(agent: Client) -> str:
    """A trip with a stay that has a door code, a pin and a plan."""
    group = (await done(agent, "get_me"))["defaultGroupId"]
    dates = {"startDate": "2027-05-01", "endDate": "2027-05-04"}
    trip = (await done(agent, "create_trip", groupId=group, title="Kyoto", **dates))["_id"]
    stay = {"name": "Granvia", "doorCode": "K4711"}
    leg = {"order": 1, "title": "Kyoto", "destination": "Kyoto, Japan", "timezone": "Asia/Tokyo"}
    await done(agent, "create_leg", tripId=trip, accommodation=stay, **leg, **dates)
    await done(agent, "create_map_pin", tripId=trip, name="Nishiki market", lat=35.005, lng=135.765)
    tea = {"title": "Tea", "startDate": "2027-05-02", "startTime": "10:00", "category": "activity"}
    await done(agent, "create_commitment", tripId=trip, timezone="Asia/Tokyo", **tea)
    return trip


def words(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def page_of(tools: Any) -> dict[str, Any]:
    """By tool, the page that its listing names."""
    return {tool.name: tool.meta["ui"] for tool in tools.tools if tool.meta and "ui" in tool.meta}


@ERAS
async def test_a_host_that_draws_is_offered_the_page(mode: Any, tmp_path: Path) -> None:
    async with host(tmp_path, mode) as agent:
        tools = await agent.list_tools()
        trip = await kyoto(agent)
        listed = await agent.list_resources()
        read = await agent.read_resource(PAGE)

    assert page_of(tools) == {"show_trip": {"resourceUri": PAGE}}
    assert [one.uri for one in listed.resources[:2]] == [PAGE, f"trips://{trip}"]
    (content,) = read.contents
    assert isinstance(content, TextResourceContents)
    assert (content.mime_type, listed.resources[0].mime_type) == (APP_MIME_TYPE, APP_MIME_TYPE)
    assert content.text.lower().startswith("<!doctype html>")
    assert content.meta is not None
    ui = content.meta["ui"]
    assert not any(ui["csp"].values())
    assert ui["prefersBorder"] is True
    assert listed.resources[0].meta == content.meta


@ERAS
async def test_other_hosts_see_a_tool_like_any_other(mode: Any, tmp_path: Path) -> None:
    async with host(tmp_path, mode, draws=False) as agent:
        tools = await agent.list_tools()
        trip = await kyoto(agent)
        listed = await agent.list_resources()
        shown = await agent.call_tool("show_trip", {"tripId": trip})
        day = await agent.call_tool("show_trip", {"tripId": trip, "date": "2 May"})
        timeline = await agent.call_tool("get_timeline", {"tripId": trip})
        same_day = await agent.call_tool("get_day", {"tripId": trip, "date": "2 May"})

    assert "show_trip" in [tool.name for tool in tools.tools]
    assert page_of(tools) == {}
    assert PAGE not in [one.uri for one in listed.resources]
    assert (words(shown), words(day)) == (words(timeline), words(same_day))
    assert shown.structured_content == {"timeline": timeline.structured_content}
    assert day.structured_content == {"day": same_day.structured_content}


@ERAS
async def test_the_page_gets_the_trip_and_the_model_its_words(mode: Any, tmp_path: Path) -> None:
    async with host(tmp_path, mode) as agent:
        trip = await kyoto(agent)
        shown = await agent.call_tool("show_trip", {"tripId": trip, "date": "2027-05-02"})
        day = await agent.call_tool("get_day", {"tripId": trip, "date": "2027-05-02"})

    page = shown.structured_content
    assert page is not None
    assert (page["trip"]["id"], page["trip"]["title"], page["date"]) == (trip, "Kyoto", "2027-05-02")
    assert {item["title"] for item in page["trip"]["items"]} == {"Granvia", "Tea"}
    assert [pin["name"] for pin in page["trip"]["pins"]] == ["Nishiki market"]
    assert "after" not in page
    assert "K4711" not in json.dumps(page)
    assert words(shown) == words(day)


@ERAS
async def test_a_plan_is_drawn_before_and_after(mode: Any, tmp_path: Path) -> None:
    async with host(tmp_path, mode) as agent:
        trip = await kyoto(agent)
        change = {"tool": "create_map_pin", "arguments": {"name": "Fushimi Inari", "lat": 34.967, "lng": 135.773}}
        plan = await done(agent, "plan_changes", tripId=trip, changes=[change])
        shown = await agent.call_tool("show_trip", {"tripId": trip, "planId": plan["planId"]})
        untouched = await done(agent, "list_map_pins", tripId=trip)
        await done(agent, "apply_plan", planId=plan["planId"])
        late = await agent.call_tool("show_trip", {"tripId": trip, "planId": plan["planId"]})
        other = await agent.call_tool("show_trip", {"tripId": trip, "planId": "plan_unheard"})

    page = shown.structured_content
    assert page is not None
    assert page["planId"] == plan["planId"]
    before, after = ({pin["name"] for pin in page[state]["pins"]} for state in ("trip", "after"))
    assert (before, after) == ({"Nishiki market"}, {"Nishiki market", "Fushimi Inari"})
    assert "Fushimi Inari" in words(shown)
    assert plan["planId"] in words(shown)
    assert [pin["name"] for pin in untouched["items"]] == ["Nishiki market"]
    assert (late.is_error, other.is_error) == (True, True)
    assert words(late) == "This plan was applied; leave planId out to see the trip as it is now."
    assert words(other).startswith("There is no such plan of this trip.")


@pytest.mark.parametrize(
    "announced", [{"mimeTypes": ["text/html"]}, {"mimeTypes": APP_MIME_TYPE}, {"mimeTypes": None}], ids=str
)
async def test_a_host_that_draws_something_else_is_offered_no_page(announced: Any, tmp_path: Path) -> None:
    server = build_server(offered(tmp_path))
    async with Client(server, extensions=[advertise(EXTENSION_ID, announced)], cache=None) as agent:
        assert page_of(await agent.list_tools()) == {}


@ERAS
@pytest.mark.parametrize("env", [{"TRIPS_MCP_EXCLUDE_TOOLS": "show_trip"}, {"TRIPS_MCP_TOOLSETS": "legs"}], ids=str)
async def test_without_the_tool_there_is_no_page(mode: Any, env: dict[str, Any], tmp_path: Path) -> None:
    async with host(tmp_path, mode, **env) as agent:
        assert page_of(await agent.list_tools()) == {}
        with pytest.raises(MCPError):
            await agent.read_resource(PAGE)


async def test_a_server_of_the_tool_alone_has_the_page_alone(tmp_path: Path) -> None:
    async with host(tmp_path, TRIPS_MCP_TOOLS="show_trip") as agent:
        assert [one.uri for one in (await agent.list_resources()).resources] == [PAGE]
        assert (await agent.read_resource(PAGE)).contents


async def test_a_server_that_only_reads_shows_trips_but_no_plans(tmp_path: Path) -> None:
    async with host(tmp_path) as agent:
        trip = await kyoto(agent)
    async with host(tmp_path, TRIPS_MCP_READ_ONLY="on") as agent:
        page = await done(agent, "show_trip", tripId=trip)

    assert page["trip"]["title"] == "Kyoto"


@ERAS
async def test_a_trip_that_is_too_large_to_draw_is_told_in_words(
    mode: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trips_mcp.tools.plans.show_trip._LARGEST_PAGE", 500)

    async with host(tmp_path, mode) as agent:
        trip = await kyoto(agent)
        shown = await agent.call_tool("show_trip", {"tripId": trip})
        timeline = await agent.call_tool("get_timeline", {"tripId": trip})

    assert shown.structured_content == {"timeline": timeline.structured_content}
    assert words(shown) == words(timeline)


def test_nothing_of_the_page_is_imported_before_it_is_drawn() -> None:
    program = """
import sys
from trips_mcp.server.offer import offer
from trips_mcp.server.server import build_server
from trips_mcp.settings import Settings
offered = offer(Settings.from_env({}))
build_server(offered)
for name in offered.names:
    offered.load_tool(name)
print(*(name for name in sys.modules if name.startswith("trips_mcp.formats.page")))
"""
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=60)

    assert found.stdout.split() == []


async def test_the_page_asks_a_server_of_one_trip_like_any_other(tmp_path: Path) -> None:
    async with host(tmp_path) as agent:
        trip = await kyoto(agent)
    async with host(tmp_path, TRIPS_MCP_TRIP=trip) as agent:
        page = await done(agent, "show_trip")
        day = await agent.call_tool("get_day", {"tripId": page["trip"]["id"], "date": "2027-05-02"})

    assert page["trip"]["title"] == "Kyoto"
    assert "Tea" in words(day)
