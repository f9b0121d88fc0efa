"""Every tool, called in one real MCP session: client, server, REST client and embedded backend, all in this process.

Clock, ids, tokens and marks begin at fixed values, so that the answers change only when the product does.
"""

import json
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
from mcp import Client
from mcp_types import TextContent
from pinned import Clock, pinned

from trips_mcp.cli.demo.steps import Sample
from trips_mcp.server.offer import Offer, offer
from trips_mcp.server.server import build_server
from trips_mcp.settings import Settings

Fields = dict[str, Any]

_SECONDS_A_CALL = 60
_KEPT_AT = "/home/ada/.local/share/trips-mcp/trips.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One call and its answer, as they stood on the wire."""

    tool: str
    arguments: Fields
    text: str
    structured: Fields | None
    refused: bool


@dataclass(slots=True)
class Session:
    client: Client
    clock: Clock
    secret: str
    """A text of this computer that no answer is to show."""
    told: list[Told] = field(default_factory=list[Told])

    async def do(self, tool: str, /, **arguments: Any) -> Fields:
        """Raises: RuntimeError where it is refused, as all that builds on it would be nonsense."""
        told = await self.call(tool, arguments)
        if told.refused or told.structured is None:
            raise RuntimeError(f"{tool} was refused: {told.text}")
        self.told.append(told)
        return told.structured

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Told:
        self.clock.seconds += _SECONDS_A_CALL
        result = await self.client.call_tool(tool, dict(arguments))
        text = "".join(block.text for block in result.content if isinstance(block, TextContent))
        structured = result.structured_content
        return Told(
            tool=tool,
            arguments=dict(arguments),
            text=text.replace(self.secret, _KEPT_AT),
            structured=structured and json.loads(json.dumps(structured).replace(self.secret, _KEPT_AT)),
            refused=bool(result.is_error),
        )


@dataclass(frozen=True, slots=True)
class Story:
    calls: list[Told]
    """One of each tool, in the order they were made."""
    refusals: list[Told]


def every_call() -> Story:
    with tempfile.TemporaryDirectory() as folder:
        return anyio.run(_played, str(Path(folder, "trips.db").resolve()))


async def _played(database: str) -> Story:
    async with _session(database) as session:
        trip = await _a_trip(session)
        trip_id = trip["_id"]
        await _its_legs(session, trip_id)
        await _its_checklist(session, trip_id)
        await _its_map(session, trip_id)
        await _its_commitments(session, trip_id)
        await _its_events(session, trip["number"])
        await _its_travellers(session, trip_id)
        await _questions(session, trip_id)
        await _a_plan(session, trip_id)
        refusals = [
            await session.call("get_trip", {"tripId": "trip_0000000000"}),
            await session.call("create_leg", {"tripId": trip_id, "title": "Nara", "startDate": "2 April", "stars": 5}),
        ]
        await _its_end(session, trip_id)
        return Story(session.told, refusals)


@asynccontextmanager
async def _session(database: str) -> AsyncGenerator[Session]:
    """Masks are on, as over HTTP: then `get_secret` is there as well."""
    clock = Clock()
    settings = Settings.from_env(
        {"TRIPS_MCP_DATABASE": database, "TRIPS_MCP_JOURNAL": "off", "TRIPS_MCP_HISTORY": "off"}
    )
    with pinned(clock):
        async with Client(build_server(_at(clock, offer(settings, masks=True)))) as client:
            yield Session(client, clock, database)


def _at(clock: Clock, offered: Offer) -> Offer:
    return replace(offered, conduct=replace(offered.conduct, now=clock.now))


async def _a_trip(session: Session) -> Fields:
    sample = Sample.load()
    me = await session.do("get_me")
    trip = await session.do("create_trip", groupId=me["defaultGroupId"], **sample.trip)
    await session.do("list_trips", fields=["title", "startDate", "status"])
    await session.do("get_trip", tripId=trip["_id"])
    await session.do("update_trip", tripId=trip["_id"], status="active")
    await session.do("sync_trip", tripId=trip["_id"], **sample.sync)
    return trip


async def _its_legs(session: Session, trip_id: str) -> None:
    legs = (await session.do("list_legs", tripId=trip_id))["items"]
    kyoto = next(leg["_id"] for leg in legs if leg["destination"] == "Kyoto, Japan")
    await session.do("get_secret", tripId=trip_id, legId=kyoto, path="accommodation.doorCode")
    ine = await session.do(
        "create_leg",
        tripId=trip_id,
        order=5,
        title="A night in a boathouse",
        destination="Ine, Japan",
        startDate="2027-04-02",
        endDate="2027-04-03",
        timezone="Asia/Tokyo",
        accommodation={"name": "Funaya Hamakaze", "checkIn": "2027-04-02T16:00", "checkOut": "2027-04-03T10:00"},
        clientRef="leg-ine",
    )
    await session.do("update_leg", tripId=trip_id, legId=ine["_id"], accommodation={"doorCode": "1188"})
    imported = await session.do(
        "upsert_legs",
        tripId=trip_id,
        items=[
            {
                "clientRef": "leg-nara",
                "order": 6,
                "title": "Deer before breakfast",
                "destination": "Nara, Japan",
                "startDate": "2027-04-06",
                "endDate": "2027-04-07",
                "timezone": "Asia/Tokyo",
            },
            {
                "clientRef": "leg-ine",
                "order": 5,
                "title": "A night above the water",
                "destination": "Ine, Japan",
                "startDate": "2027-04-02",
                "endDate": "2027-04-03",
                "timezone": "Asia/Tokyo",
            },
        ],
    )
    nara = next(item["id"] for item in imported["results"] if item["clientRef"] == "leg-nara")
    await session.do("delete_leg", tripId=trip_id, legId=nara)


async def _its_checklist(session: Session, trip_id: str) -> None:
    await session.do("list_action_items", tripId=trip_id)
    item = await session.do("create_action_item", tripId=trip_id, text="Buy plug adapters", urgency="before_trip")
    await session.do(
        "upsert_action_items",
        tripId=trip_id,
        items=[
            {"clientRef": "todo-esim", "text": "Order an eSIM", "urgency": "before_trip"},
            {"clientRef": "todo-stamps", "text": "Two stamp books for the temples", "urgency": "nice_to_have"},
        ],
    )
    await session.do("update_action_item", tripId=trip_id, itemId=item["_id"], completed=True)
    await session.do("delete_action_item", tripId=trip_id, itemId=item["_id"])


async def _its_map(session: Session, trip_id: str) -> None:
    await session.do("list_map_pins", tripId=trip_id, fields=["name", "notes"])
    pin = await session.do(
        "create_map_pin", tripId=trip_id, name="Nintendo Museum, Uji", lat=34.9021, lng=135.7835, category="sight"
    )
    await session.do(
        "upsert_map_pins",
        tripId=trip_id,
        items=[
            {"clientRef": "pin-kifune", "name": "Kifune Shrine", "lat": 35.1218, "lng": 135.7629, "category": "temple"},
            {"clientRef": "pin-nijo", "name": "Nijo Castle, east gate", "lat": 35.0142, "lng": 135.7506},
        ],
    )
    await session.do(
        "update_map_pin", tripId=trip_id, pinId=pin["_id"], notes="Tickets by lottery, three months ahead."
    )
    await session.do("delete_map_pin", tripId=trip_id, pinId=pin["_id"])


async def _its_commitments(session: Session, trip_id: str) -> None:
    dinner = await session.do(
        "create_commitment",
        tripId=trip_id,
        title="Kaiseki dinner under the lit cherry tree",
        category="dinner",
        startDate="2027-03-30",
        startTime="18:30",
        endTime="21:00",
        timezone="Asia/Tokyo",
    )
    await session.do("list_commitments", tripId=trip_id)
    await session.do("update_commitment", tripId=trip_id, commitmentId=dinner["_id"], startTime="19:00")
    tea = {"title": "Tea ceremony in Uji", "category": "activity", "startDate": "2027-04-01", "startTime": "14:00"}
    made = await session.call("create_commitment", {"tripId": trip_id, **tea})
    await session.do("delete_commitment", tripId=trip_id, commitmentId=(made.structured or {})["_id"])


async def _its_events(session: Session, number: int) -> None:
    event = await session.do("create_event", trip_ids=[number], **Sample.load().event)
    await session.do("get_event", event_id=event["event_id"])
    await session.do("update_event", event_id=event["event_id"], time="11:54", clear=["importance"])
    await session.do("list_trip_events", trip_id=number)
    walk = {"type": "activity", "title": "Walk along the canal", "date": "2027-04-04", "trip_ids": [number]}
    made = await session.call("create_event", walk)
    await session.do("delete_event", event_id=(made.structured or {})["event_id"])


async def _its_travellers(session: Session, trip_id: str) -> None:
    channel = (await session.do("list_channels", tripId=trip_id))["items"][0]["_id"]
    await session.do(
        "send_message",
        tripId=trip_id,
        channelId=channel,
        content="The blossom forecast says 29 March. On time for once!",
    )
    await session.do("list_messages", tripId=trip_id, channelId=channel)
    await session.do("list_members", tripId=trip_id)


async def _questions(session: Session, trip_id: str) -> None:
    await session.do("get_day", tripId=trip_id, date="2027-03-30")
    await session.do("get_timeline", tripId=trip_id)
    await session.do("show_trip", tripId=trip_id)
    await session.do("check_trip", tripId=trip_id)
    await session.do("search_trip", tripId=trip_id, query="kyoto station")
    await session.do("get_stay", tripId=trip_id, date="2027-03-30")
    await session.do("export_trip", tripId=trip_id)
    await session.do("export_file", tripId=trip_id, format="ics")


_CONFIRMATION = """<script type="application/ld+json">{"@type": "FoodEstablishmentReservation",
"reservationNumber": "R-221", "startTime": "2027-03-31T19:00:00+09:00", "reservationFor": {"@type": "Restaurant",
"name": "Giro Giro Hitoshina", "address": {"addressLocality": "Kyoto", "addressCountry": "JP"}}}</script>"""


async def _a_plan(session: Session, trip_id: str) -> None:
    market = {"name": "Nishiki Market", "lat": 35.005, "lng": 135.7649, "category": "sight"}
    visit = {"title": "Nishiki Market before the crowds", "category": "activity", "startDate": "2027-03-31"}
    plan = await session.do(
        "plan_changes",
        tripId=trip_id,
        changes=[
            {"tool": "create_map_pin", "arguments": market, "as": "market"},
            {"tool": "create_commitment", "arguments": {**visit, "startTime": "08:45", "mapPinId": "@market"}},
            {"tool": "create_action_item", "arguments": {"text": "Reserve at the market", "urgency": "before_trip"}},
        ],
    )
    await session.do("apply_plan", planId=plan["planId"])
    await session.do("plan_import", tripId=trip_id, content=_CONFIRMATION)
    await session.do("plan_move", tripId=trip_id, **{"from": "2027-03-31"}, to="2027-03-31", days=1)
    again = {"title": "Kyoto once more", "startDate": "2028-03-24", "leaveOut": ["commitments", "actionItems"]}
    await session.do("plan_copy", tripId=trip_id, **again)
    await session.do("list_changes", tripId=trip_id, limit=3)
    await session.do("plan_undo")


async def _its_end(session: Session, trip_id: str) -> None:
    token = (await session.do("create_share_token", tripId=trip_id))["token"]
    await session.do("get_shared_trip", token=token)
    await session.do("export_shared_trip", token=token, fields=["legs"])
    await session.do("revoke_share_token", tripId=trip_id)
    await session.do("archive_trip", tripId=trip_id)
