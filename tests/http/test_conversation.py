"""One conversation, the same over every transport and in both eras of the protocol."""

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.types import INVALID_PARAMS, TextContent

from trips_mcp import __version__
from trips_mcp.server.offer import offer
from trips_mcp.server.server import build_server
from trips_mcp.settings import Settings
from trips_mcp.tools.listing import catalogue

from .conftest import doing

Local = Callable[..., AbstractAsyncContextManager[Any]]

WAYS = {
    "memory": "2026-07-28",
    "memory legacy": "2025-11-25",
    "stdio": "2026-07-28",
    "stdio legacy": "2025-11-25",
    "http": "2026-07-28",
    "http legacy": "2025-11-25",
    "sse": "2026-07-28",
    "sse legacy": "2025-11-25",
}


@asynccontextmanager
async def connected(way: str, local: Local, folder: Path, command: list[str]) -> AsyncGenerator[Client]:
    transport, _, era = way.partition(" ")
    mode: Any = era or "auto"
    kept = {"DATABASE": "trips.db", "JOURNAL": "journal.db", "HISTORY": "history.db"}
    files = {f"TRIPS_MCP_{name}": str(folder / file) for name, file in kept.items()}
    if transport == "memory":
        async with Client(build_server(offer(Settings.from_env(files))), mode=mode, cache=None) as agent:
            yield agent
    elif transport == "stdio":
        parameters = StdioServerParameters(command=command[0], args=command[1:], env={**os.environ, **files})
        async with Client(parameters, mode=mode, cache=None) as agent:
            yield agent
    else:
        async with local() as served, served.agent(transport, mode=mode) as agent:
            yield agent


@pytest.mark.parametrize(
    ("way", "protocol"),
    [pytest.param(*each, id=each[0], marks=[pytest.mark.soak] * (each[0] == "stdio legacy")) for each in WAYS.items()],
)
async def test_an_agent_plans_a_trip(way: str, protocol: str, local: Local, tmp_path: Path, command: list[str]) -> None:
    heard: list[tuple[float, float | None]] = []
    over_http = not way.startswith(("memory", "stdio"))

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total))

    async with connected(way, local, tmp_path, command) as agent:
        do = doing(agent)
        spoken = agent.protocol_version
        info = agent.server_info
        listed = await agent.list_tools()
        me = await do("get_me")
        dates = {"startDate": "2027-05-01", "endDate": "2027-05-09"}
        trip = await do("create_trip", groupId=me["defaultGroupId"], title="Kyōto 🍁", **dates)
        rows = [{"text": f"item {number}", "urgency": "now", "clientRef": f"i{number}"} for number in range(120)]
        written = await agent.call_tool(
            "upsert_action_items", {"tripId": trip["_id"], "items": rows}, progress_callback=hear
        )
        read = await do("list_action_items", tripId=trip["_id"])
        refused = await agent.call_tool("get_trip", {"tripId": 7})
        with pytest.raises(MCPError) as unknown:
            await agent.call_tool("fly", {})
        still = await do("get_trip", tripId=trip["_id"])

    assert spoken == protocol
    assert info is not None
    assert (info.name, info.version) == ("trips-mcp", __version__)
    # over HTTP secrets are masked, and told one at a time
    known = [name for each in catalogue(["trips", "events"]) if (name := each["name"]) != "get_secret" or over_http]
    assert [tool.name for tool in listed.tools] == known
    assert not written.is_error
    assert heard[-1] == (120, 120)
    assert len(heard) > 1
    assert sorted(item["text"] for item in read["items"]) == sorted(row["text"] for row in rows)
    (said,) = refused.content
    assert refused.is_error
    assert isinstance(said, TextContent)
    assert "tripId" in said.text
    assert unknown.value.code == INVALID_PARAMS
    assert still["title"] == "Kyōto 🍁"


PLANNED_OVER = ("stdio", "stdio legacy", "http", "http legacy")


@pytest.mark.parametrize(
    "way", [pytest.param(way, marks=[pytest.mark.soak] * (way == "stdio legacy")) for way in PLANNED_OVER]
)
async def test_an_agent_plans_a_move_applies_it_and_takes_it_back(
    way: str, local: Local, tmp_path: Path, command: list[str]
) -> None:
    heard: list[tuple[float, float | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total))

    async with connected(way, local, tmp_path, command) as agent:
        do = doing(agent)
        me = await do("get_me")
        dates = {"startDate": "2027-05-01", "endDate": "2027-05-04"}
        made = await do("create_trip", groupId=me["defaultGroupId"], title="Kyōto 🍁", **dates)
        trip = {"tripId": made["_id"]}
        stay = {"name": "Inn", "checkIn": "2027-05-01", "checkOut": "2027-05-04", "confirmationNumber": "INN-1"}
        leg = {"order": 1, "title": "Kyōto", "destination": "Kyōto", "timezone": "Asia/Tokyo", "accommodation": stay}
        await do("create_leg", **trip, **leg, **dates)
        await do("create_commitment", **trip, title="Dinner", category="dinner", startDate="2027-05-03")
        before = await do("export_trip", **trip)

        plan = await do("plan_move", **trip, **{"from": "2027-05-03", "days": 1})
        unwritten = await do("export_trip", **trip)
        applied = await agent.call_tool("apply_plan", {"planId": plan["planId"]}, progress_callback=hear)
        moved = await do("export_trip", **trip)
        listed = await do("list_changes", **trip)
        back = await do("plan_undo")
        undone = await do("apply_plan", planId=back["planId"])
        after = await do("export_trip", **trip)

    assert [(one["kind"], one["date"]) for one in plan["caused"]] == [("no_bed", "2027-05-04")]
    assert [note["kind"] for note in plan["notes"]] == ["to_rebook"]
    assert unwritten == before
    (said,) = applied.content
    assert isinstance(said, TextContent)
    assert said.text.startswith("Applied: 3 of 3 changes made.\n- Change 1 of 3, ")
    assert heard[-1] == (3, 3)
    assert moved["legs"][0]["endDate"] == moved["trip"]["endDate"] == "2027-05-05"
    assert moved["commitments"][0]["startDate"] == "2027-05-04"
    assert [one["planId"] for one in listed["items"][:3]] == [plan["planId"]] * 3
    assert (undone["state"], undone["done"]) == ("applied", 3)
    assert after == before
