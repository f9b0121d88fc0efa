"""Every tool that writes, called through the server and undone: the trip is as before, or what stays is said."""

import json
import shutil
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from mcp import Client
from mcp_types import TextContent

from trips_mcp.server.offer import offer
from trips_mcp.server.server import build_server
from trips_mcp.settings import Settings
from trips_mcp.tools import TOOLS

Fields = dict[str, Any]

WRITING: Final = {tool.name for tool in TOOLS if not tool.hints["readOnlyHint"]} - {"apply_plan"}
DATES: Final = {"startDate": "2027-04-01", "endDate": "2027-04-20"}
LEG: Final = {"order": 1, "title": "Nara", "destination": "Nara", "timezone": "Asia/Tokyo", **DATES}
PIN: Final = {"name": "Shop", "lat": 35.0, "lng": 135.7}
TO_DO: Final = {"text": "Pack", "urgency": "now"}
DINNER: Final = {"title": "Supper", "startDate": "2027-04-03", "category": "dinner"}
TOUR: Final = {"type": "food", "title": "Udon", "date": "2027-04-04"}


@dataclass(frozen=True, slots=True)
class Ids:
    """A trip with one item of each kind, and its group and channel."""

    trip: str
    number: int
    group: str
    channel: str
    leg: str
    pin: str
    to_do: str
    dinner: str
    event: int


@dataclass(frozen=True, slots=True)
class Write:
    arguments: Callable[[Ids], Fields]
    says: str = ""
    """What the plan of the undo says of what it cannot take back."""
    refused: bool = False
    """Whether nothing of it can be taken back."""
    leaves: Callable[[Fields, Fields], Fields] = lambda before, _: before
    """What is there after the undo, by what was there before and the write's result."""


WRITES: Final[dict[str, Write]] = {
    "create_trip": Write(
        lambda ids: {"groupId": ids.group, "title": "Korea", **DATES},
        "a trip cannot be deleted; it stays, archived",
        leaves=lambda before, made: before | {"trips": [*before["trips"], made | {"status": "completed"}]},
    ),
    "update_trip": Write(lambda ids: {"tripId": ids.trip, "title": "Nippon", "status": "active"}),
    "archive_trip": Write(lambda ids: {"tripId": ids.trip}),
    "create_leg": Write(lambda ids: {"tripId": ids.trip, **LEG}),
    "update_leg": Write(
        lambda ids: {
            "tripId": ids.trip,
            "legId": ids.leg,
            "title": "Kyōto",
            "accommodation": {"doorCode": "K1234", "notes": "late"},
            "clear": ["accommodation.name", "clientRef"],
        }
    ),
    "delete_leg": Write(lambda ids: {"tripId": ids.trip, "legId": ids.leg}),
    "upsert_legs": Write(
        lambda ids: {"tripId": ids.trip, "items": [LEG, {**LEG, "title": "Kyōto", "clientRef": "kyoto"}]}
    ),
    "create_map_pin": Write(lambda ids: {"tripId": ids.trip, **PIN}),
    "update_map_pin": Write(lambda ids: {"tripId": ids.trip, "pinId": ids.pin, "notes": "early", "lat": 1}),
    "delete_map_pin": Write(lambda ids: {"tripId": ids.trip, "pinId": ids.pin}),
    "upsert_map_pins": Write(lambda ids: {"tripId": ids.trip, "items": [PIN, {**PIN, "clientRef": "market"}]}),
    "create_action_item": Write(lambda ids: {"tripId": ids.trip, **TO_DO}),
    "update_action_item": Write(lambda ids: {"tripId": ids.trip, "itemId": ids.to_do, "completed": False}),
    "delete_action_item": Write(lambda ids: {"tripId": ids.trip, "itemId": ids.to_do}),
    "upsert_action_items": Write(lambda ids: {"tripId": ids.trip, "items": [TO_DO, {**TO_DO, "clientRef": "rail"}]}),
    "create_commitment": Write(lambda ids: {"tripId": ids.trip, **DINNER, "legId": ids.leg}),
    "update_commitment": Write(
        lambda ids: {"tripId": ids.trip, "commitmentId": ids.dinner, "shiftDays": 1, "clear": ["legId"]}
    ),
    "delete_commitment": Write(lambda ids: {"tripId": ids.trip, "commitmentId": ids.dinner}),
    "sync_trip": Write(
        lambda ids: {
            "tripId": ids.trip,
            "legs": [{**LEG, "clientRef": "kyoto"}],
            "mapPins": [PIN],
            "actionItems": [TO_DO, {**TO_DO, "clientRef": "rail"}],
        }
    ),
    "create_event": Write(lambda ids: {"trip_ids": [ids.number], **TOUR}),
    "update_event": Write(lambda ids: {"event_id": ids.event, "title": "Soba", "time": "13:00"}),
    "delete_event": Write(lambda ids: {"event_id": ids.event}),
    "create_share_token": Write(lambda ids: {"tripId": ids.trip}, "a link that it replaced does not come back"),
    "revoke_share_token": Write(
        lambda ids: {"tripId": ids.trip}, "the old link cannot come back; create_share_token makes a new one", True
    ),
    "send_message": Write(
        lambda ids: {"tripId": ids.trip, "channelId": ids.channel, "content": "Hello"},
        "a message that was sent cannot be taken back",
        True,
    ),
}


class Agent:
    def __init__(self, client: Client) -> None:
        self._client = client

    async def call(self, tool: str, **arguments: Any) -> tuple[str, Fields | None]:
        """The text, and the structured content; None for an error."""
        result = await self._client.call_tool(tool, arguments)
        text = "".join(block.text for block in result.content if isinstance(block, TextContent))
        return text, None if result.is_error else result.structured_content

    async def do(self, tool: str, **arguments: Any) -> Fields:
        text, found = await self.call(tool, **arguments)
        assert found is not None, text
        return found

    async def new_trip(self) -> Ids:
        group = (await self.do("get_me"))["defaultGroupId"]
        trip = await self.do("create_trip", groupId=group, title="Japan", **DATES)
        stay = {"name": "Inn", "doorCode": "K4711"}
        leg = {**LEG, "title": "Kyoto", "clientRef": "kyoto", "accommodation": stay}
        made = await self.do(
            "sync_trip",
            tripId=trip["_id"],
            legs=[leg],
            mapPins=[{**PIN, "name": "Market", "clientRef": "market"}],
            actionItems=[{**TO_DO, "text": "Rail passes", "clientRef": "rail"}],
        )
        leg_id, pin, to_do = (made[part]["results"][0]["id"] for part in ("legs", "mapPins", "actionItems"))
        await self.do("update_action_item", tripId=trip["_id"], itemId=to_do, completed=True)
        dinner = {**DINNER, "title": "Dinner", "startTime": "19:00", "legId": leg_id, "mapPinId": pin}
        return Ids(
            trip=trip["_id"],
            number=trip["number"],
            group=group,
            channel=(await self.do("list_channels", tripId=trip["_id"]))["items"][0]["_id"],
            leg=leg_id,
            pin=pin,
            to_do=to_do,
            dinner=(await self.do("create_commitment", tripId=trip["_id"], **dinner))["_id"],
            event=(await self.do("create_event", trip_ids=[trip["number"]], **TOUR, location="Gion"))["event_id"],
        )

    async def everything(self, ids: Ids) -> Fields:
        """The trip with its events, and the titles of all trips."""
        export = await self.do("export_trip", tripId=ids.trip)
        events = (await self.do("list_trip_events", trip_id=ids.number)).get("events", [])
        trips = (await self.do("list_trips"))["items"]
        return export | {"events": [{**event, "revision": 0} for event in events], "trips": trips}

    async def undo(self) -> tuple[str, Fields]:
        """The words of the plan, and the report."""
        words, plan = await self.call("plan_undo")
        assert plan is not None, words
        return words, await self.do("apply_plan", planId=plan["planId"])


@pytest.fixture
async def agent(new_database: Path, tmp_path: Path) -> AsyncGenerator[Agent]:
    files = {
        "TRIPS_MCP_DATABASE": str(shutil.copy(new_database, tmp_path / "trips.db")),
        "TRIPS_MCP_JOURNAL": "off",
        "TRIPS_MCP_HISTORY": str(tmp_path / "history.db"),
    }
    async with Client(build_server(offer(Settings.from_env(files)))) as client:
        yield Agent(client)


def by_title(trip: Fields) -> Fields:
    """The trip with titles in place of ids, in an order that does not depend on when things were created."""
    lists: dict[str, list[Fields]] = {name: items for name, items in trip.items() if isinstance(items, list)}
    titles = {
        item.get("_id") or item.get("event_id"): item.get("title") or item.get("name") or item.get("text")
        for items in lists.values()
        for item in items
    }
    ids = ("_id", "legId", "mapPinId", "event_id")

    def named(item: Fields) -> Fields:
        return {name: titles[value] if name in ids and value in titles else value for name, value in item.items()}

    found: Fields = json.loads(json.dumps(trip), object_hook=named)
    return found | {name: sorted(found[name], key=json.dumps) for name in lists}


def test_each_tool_that_writes_says_what_its_undo_is() -> None:
    assert WRITES.keys() == WRITING
    assert len(WRITING) == 25


@pytest.mark.parametrize("tool", WRITES)
async def test_a_write_is_undone(tool: str, agent: Agent) -> None:
    write = WRITES[tool]
    ids = await agent.new_trip()
    if tool == "revoke_share_token":
        await agent.do("create_share_token", tripId=ids.trip)
    before = await agent.everything(ids)
    result = await agent.do(tool, **write.arguments(ids))
    written = await agent.everything(ids)
    recorded = (await agent.do("list_changes"))["items"][0]

    assert recorded["tool"] == tool
    assert written != before or "share" in tool or "message" in tool
    if write.refused:
        words, plan = await agent.call("plan_undo")
        assert plan is None
        assert words.startswith("Nothing can be undone. ")
        assert write.says in words
        assert await agent.everything(ids) == written
        return

    words, report = await agent.undo()
    after, expected = await agent.everything(ids), write.leaves(before, result)

    assert report["state"] == "applied"
    assert write.says in words
    assert by_title(after) == by_title(expected)
    assert after == expected or tool.startswith("delete_"), "only what was deleted has a new id"


async def test_a_share_link_is_undone_by_revoking_it(agent: Agent) -> None:
    ids = await agent.new_trip()
    token = (await agent.do("create_share_token", tripId=ids.trip))["token"]
    assert (await agent.call("get_shared_trip", token=token))[1] is not None

    await agent.undo()

    assert (await agent.call("get_shared_trip", token=token))[1] is None
