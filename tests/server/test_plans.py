"""Plans as a server with its settings offers them: what it switches off, masks and quotes holds in them too."""

import shutil
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import TextContent

from trips_mcp.server.offer import offer
from trips_mcp.server.server import build_server
from trips_mcp.settings import Settings

Ask = Callable[..., Any]
Served = Callable[..., AbstractAsyncContextManager[Ask]]
LEG = {
    "order": 1,
    "title": "Kyoto",
    "destination": "Kyoto",
    "startDate": "2027-04-01",
    "endDate": "2027-04-04",
    "timezone": "Asia/Tokyo",
}


@pytest.fixture
def served(new_database: Path, tmp_path: Path) -> Served:
    """A server on one database, by turns with other settings."""
    database = shutil.copy(new_database, tmp_path / "trips.db")
    files = {"DATABASE": str(database), "JOURNAL": str(tmp_path / "j.db"), "HISTORY": str(tmp_path / "h.db")}

    @asynccontextmanager
    async def served(**settings: str) -> AsyncGenerator[Ask]:
        env = {f"TRIPS_MCP_{name.upper()}": value for name, value in (files | settings).items()}
        async with Client(build_server(offer(Settings.from_env(env))), cache=None) as agent:

            async def ask(tool: str, /, **arguments: Any) -> tuple[bool, str, dict[str, Any]]:
                result = await agent.call_tool(tool, arguments)
                (said,) = result.content
                assert isinstance(said, TextContent)
                return result.is_error, said.text, result.structured_content or {}

            yield ask

    return served


async def new_trip(ask: Ask) -> str:
    me = (await ask("get_me"))[2]
    dates = {"startDate": "2027-04-01", "endDate": "2027-04-04"}
    return (await ask("create_trip", groupId=me["defaultGroupId"], title="Japan", **dates))[2]["_id"]


async def test_a_plan_reaches_nobody_where_outbound_is_off(served: Served) -> None:
    async with served() as ask:
        trip = await new_trip(ask)
        channel = (await ask("list_channels", tripId=trip))[2]["items"][0]["_id"]
        message = {"tool": "send_message", "arguments": {"channelId": channel, "content": "We go!"}}
        changes = [message, {"tool": "create_share_token"}]
        _, said, plan = await ask("plan_changes", tripId=trip, changes=changes)
        assert (await ask("list_messages", tripId=trip, channelId=channel))[2]["items"] == []
    async with served(no_outbound="on") as ask:
        planned = await ask("plan_changes", tripId=trip, changes=changes)
        applied = await ask("apply_plan", planId=plan["planId"])
        messages = (await ask("list_messages", tripId=trip, channelId=channel))[2]["items"]

    assert plan["sent"] == ["send_message", "create_share_token"]
    assert "Reaches other people, and was not tried out: send_message, create_share_token." in said
    assert "A message cannot be taken back." in said
    assert planned[:2] == (
        True,
        "Not planned, nothing was sent. Fix these changes: changes.0.tool: not offered by this server; leave this "
        "change out; changes.1.tool: not offered by this server; leave this change out.",
    )
    assert applied[:2] == (
        True,
        "Nothing was written: this server does not offer the tool of change 1, change 2; make a plan without it.",
    )
    assert messages == []


async def test_a_preview_masks_what_the_settings_mask(served: Served) -> None:
    stay = {"name": "Inn", "doorCode": "K4711", "wifiPassword": "sakura", "hostPhone": "+81 75 555 0167"}
    async with served(mask_secrets="on") as ask:
        trip = await new_trip(ask)
        leg = (await ask("create_leg", tripId=trip, **LEG, accommodation=stay))[2]["_id"]

        async def preview(**accommodation: str) -> tuple[str, dict[str, Any]]:
            changes = [
                {"tool": "update_leg", "arguments": {"legId": leg, "accommodation": accommodation}},
                {"tool": "create_leg", "arguments": {**LEG, "order": 2, "accommodation": stay}},
            ]
            refused, text, found = await ask("plan_changes", tripId=trip, changes=changes)
            assert not refused, text
            return text, found

        text, other = await preview(name="Ryokan", doorCode="K9999")
        _, guessed = await preview(name="Ryokan", doorCode="K4711")
        deleted = await ask("plan_changes", tripId=trip, changes=[{"tool": "delete_leg", "arguments": {"legId": leg}}])
    async with served() as ask:
        shown, _, unmasked = await ask(
            "plan_changes",
            tripId=trip,
            changes=[{"tool": "update_leg", "arguments": {"legId": leg, "accommodation": {"doorCode": "K9999"}}}],
        )

    everything = f"{text} {other} {deleted}"
    assert not any(secret in everything for secret in ("K4711", "K9999", "sakura", "555 0167"))
    assert "sets accommodation.doorCode (masked here)" in text
    assert other["changed"] == guessed["changed"], "a guess is not confirmed"
    assert not shown
    assert unmasked["changed"][0]["after"] == {"accommodation": {"doorCode": "K9999"}}


async def test_a_plan_keeps_to_the_trip_of_the_server(served: Served) -> None:
    async with served() as ask:
        one, other = await new_trip(ask), await new_trip(ask)
        plan = (await ask("plan_changes", tripId=one, changes=[{"tool": "create_leg", "arguments": LEG}]))[2]
    async with served(trip=other) as ask:
        refused = await ask("apply_plan", planId=plan["planId"])
        foreign = await ask("plan_changes", changes=[{"tool": "create_leg", "arguments": {**LEG, "tripId": one}}])
        own = await ask("plan_changes", changes=[{"tool": "create_leg", "arguments": LEG}])

    assert refused[:2] == (True, f"Nothing was written: this server is bound to the trip {other} (--trip).")
    assert foreign[0]
    assert "changes.0.arguments.tripId" in foreign[1]
    assert own[2]["tripId"] == other
