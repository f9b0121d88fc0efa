"""Undone in reverse, any sequence of writes leaves the trip as it was before, but for the ids of what was recreated."""

import json
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import GoneError, InvalidError, NotFoundError
from trips_mcp.connect import connect
from trips_mcp.contract import OPERATIONS
from trips_mcp.history import ChangeQuery, ItemKind, RecordedChange, made_by
from trips_mcp.json_values import JsonObject, is_list
from trips_mcp.planning.undo import Key, Undo, created_again, undo
from trips_mcp.settings import Settings

BY_NAME = {operation.name: operation for operation in OPERATIONS}
LISTS: dict[str, ItemKind] = {
    "legs": "leg",
    "mapPins": "map_pin",
    "actionItems": "action_item",
    "commitments": "commitment",
}
REFS = ("a", "b", "c")


async def call(client: TripsClient, tool: str, arguments: JsonObject) -> JsonObject:
    operation = BY_NAME[tool]
    result = await client.call(operation, operation.params.model_validate(arguments, by_name=False))
    return result.model_dump(mode="json", exclude_none=True)


class Trip:
    """A trip in the embedded backend, and what can be done to it at random."""

    def __init__(self, client: TripsClient, trip_id: str, number: int, random: Random) -> None:
        self.client = client
        self.id = trip_id
        self.number = number
        self.random = random
        self._known: JsonObject = {}

    @property
    def query(self) -> ChangeQuery:
        return ChangeQuery(accounts=tuple(self.client.accounts), trip=self.id, number=self.number)

    async def everything(self) -> JsonObject:
        export = await call(self.client, "export_trip", {"tripId": self.id})
        export.pop("members")
        events = (await call(self.client, "list_trip_events", {"trip_id": self.number}))["events"]
        for event in events:
            event.pop("revision")
            event["attached_trips"] = [self.number]
        return {**export, "events": events}

    async def items(self) -> dict[Key, JsonObject]:
        found = await self.everything()
        items: dict[Key, JsonObject] = {("trip", self.id): found["trip"]}
        for name, kind in LISTS.items():
            items |= {(kind, item["_id"]): item for item in found[name]}
        items |= {("event", str(event["event_id"])): event for event in found["events"]}
        return items

    async def write(self) -> None:
        """One random write. Some are refused, such as an end before its start."""
        if not self._known or self.random.random() < 0.3:  # else of some writes ago
            self._known = await self.everything()
        found = self._known
        lists = {name: found[name] for name in LISTS}
        pick = self.random.choice
        make: dict[str, Callable[[], JsonObject]] = {
            "create_leg": lambda: self.leg() | self.ref(),
            "create_map_pin": lambda: self.pin() | self.ref(),
            "create_action_item": lambda: self.todo() | self.ref(),
            "create_commitment": lambda: self.commitment(lists),
            "upsert_legs": lambda: {"items": [self.leg() | self.ref() for _ in range(3)]},
            "upsert_map_pins": lambda: {"items": [self.pin() | self.ref() for _ in range(3)]},
            "upsert_action_items": lambda: {"items": [self.todo() | self.ref() for _ in range(3)]},
            "sync_trip": lambda: {
                "legs": [self.leg() | self.ref()],
                "mapPins": [self.pin()],
                "actionItems": [self.todo()],
            },
            "update_trip": lambda: self.some({"title": self.word(), "status": pick(["draft", "active", "completed"])}),
            "archive_trip": dict,
        }
        ids = {"legs": "legId", "mapPins": "pinId", "actionItems": "itemId", "commitments": "commitmentId"}
        for name, kind in LISTS.items():
            if lists[name]:
                item = pick(lists[name])
                make[f"delete_{kind}"] = lambda name=name, item=item: {ids[name]: item["_id"]}
                make[f"update_{kind}"] = lambda name=name, item=item: (
                    {ids[name]: item["_id"]} | self.update(name, lists)
                )
        tool = pick([*make, "create_event", *(["update_event", "delete_event"] * bool(found["events"]))])
        if tool.endswith("_event"):
            await self.attempt(tool, self.event(tool, found["events"]))
        else:
            await self.attempt(tool, {"tripId": self.id, **make[tool]()})

    async def attempt(self, tool: str, arguments: JsonObject) -> None:
        with suppress(InvalidError, NotFoundError, GoneError):  # nothing is changed then
            await call(self.client, tool, arguments)

    def update(self, name: str, lists: dict[str, list[JsonObject]]) -> JsonObject:
        makes = {"legs": self.leg, "mapPins": self.pin, "actionItems": self.todo}
        whole = self.commitment(lists) if name == "commitments" else makes[name]()
        changed = self.some(whole)
        if name == "actionItems" and self.random.random() < 0.5:
            changed["completed"] = self.random.random() < 0.5
        optional = {
            "legs": ["accommodation", "flights", "rentalCar", "clientRef", "accommodation.doorCode", "accommodation.x"],
            "mapPins": ["notes", "category", "clientRef"],
            "actionItems": ["owner"],
            "commitments": ["legId", "mapPinId", "startTime", "endTime", "isAllDay", "timezone", "notes"],
        }[name]
        cleared = [path for path in optional if self.random.random() < 0.2 and path.split(".")[0] not in changed]
        return changed | ({"clear": cleared} if cleared else {})

    def event(self, tool: str, events: list[JsonObject]) -> JsonObject:
        whole = {"type": "food", "title": self.word(), "date": self.day()}
        whole |= self.some({"time": "10:00", "location": self.word(), "description": self.word()})
        if tool == "create_event":
            return whole | {"trip_ids": [self.number]}
        named = {"event_id": self.random.choice(events)["event_id"]}
        if tool == "delete_event":
            return named
        return named | self.some(whole) | ({"clear": ["importance"]} if self.random.random() < 0.3 else {})

    def leg(self) -> JsonObject:
        stay = self.some({"name": self.word(), "doorCode": self.word(), "x": {self.word(): 1}, "y.z": self.word()})
        return {
            "order": self.random.randrange(9),
            "title": self.word(),
            "destination": self.word(),
            "startDate": self.day(),
            "endDate": "2027-04-20",
            "timezone": "Asia/Tokyo",
        } | self.some(
            {
                "accommodation": stay,
                "flights": [{"from": "HND", "seat": self.word()}] * self.random.randrange(3),
                "rentalCar": {"company": self.word()},
            }
        )

    def pin(self) -> JsonObject:
        return {"name": self.word(), "lat": 1.5, "lng": 2} | self.some({"notes": self.word(), "category": "food"})

    def todo(self) -> JsonObject:
        return {"text": self.word(), "urgency": self.random.choice(["now", "before_trip", "nice_to_have"])}

    def commitment(self, lists: dict[str, list[JsonObject]]) -> JsonObject:
        links = {"legId": lists["legs"], "mapPinId": lists["mapPins"]}
        linked = {name: self.random.choice(items)["_id"] for name, items in links.items() if items}
        whole = {"title": self.word(), "startDate": self.day(), "category": "dinner"}
        return whole | self.some({"startTime": "19:00", "isAllDay": False, "notes": self.word(), **linked})

    def ref(self) -> JsonObject:
        return {"clientRef": self.random.choice(REFS)} if self.random.random() < 0.4 else {}

    def some(self, fields: JsonObject) -> JsonObject:
        return {name: value for name, value in fields.items() if self.random.random() < 0.6}

    def word(self) -> str:
        return self.random.choice(["Kyoto", "Ночь", "a.b", "x", "🗼 Tower"]) + str(self.random.randrange(50))

    def day(self) -> str:
        return f"2027-04-{self.random.randrange(1, 21):02}"


async def applied(client: TripsClient, found: Undo) -> None:
    """Makes the changes as a plan would."""
    ids: dict[str, str | int] = {}
    for index, change in enumerate(found.changes):
        arguments = json.loads(json.dumps(change.arguments), object_hook=lambda one: resolved(one, ids))
        with made_by(found.origins[index]):
            result = await call(client, change.tool, arguments)
        if change.name is not None:
            ids[f"@{change.name}"] = result.get("_id") or result["event_id"]


def resolved(found: JsonObject, ids: dict[str, str | int]) -> JsonObject:
    return {name: ids.get(value, value) if isinstance(value, str) else value for name, value in found.items()}


async def undone(trip: Trip, records: Sequence[RecordedChange]) -> Undo:
    again = await trip.client.history.changes(replace(trip.query, replacing=True))
    found = undo(records, trip=trip.id, items=await trip.items(), replaced=created_again(again))
    await applied(trip.client, found)
    return found


def as_set(found: JsonObject, replaced: dict[Key, str]) -> JsonObject:
    """The trip with the ids of now, in an order that does not depend on when things were created."""
    by_id = {id_: new for (_, id_), new in replaced.items()}

    def now(id_: str) -> str:
        while id_ in by_id:
            id_ = by_id[id_]
        return id_

    names = {"_id", "legId", "mapPinId", "event_id"}

    def renamed(one: JsonObject) -> JsonObject:
        return {
            name: now(str(value)) if name in names else value for name, value in one.items() if value not in ({}, [])
        }

    text: dict[str, Any] = json.loads(json.dumps(found), object_hook=renamed)
    return {
        name: sorted(value, key=lambda one: one.get("_id") or one["event_id"]) if is_list(value) else value
        for name, value in text.items()
    }


NewTrip = Callable[[Random], Awaitable[Trip]]


@pytest.fixture
async def new_trip(new_database: Path, tmp_path: Path) -> AsyncGenerator[NewTrip]:
    database = str(shutil.copy(new_database, tmp_path / "trips.db"))
    files = {"TRIPS_MCP_DATABASE": database, "TRIPS_MCP_JOURNAL": "off", "TRIPS_MCP_HISTORY": str(tmp_path / "h.db")}
    async with connect(Settings.from_env(files)) as client:
        group = (await client.me()).default_group_id

        async def new_trip(random: Random) -> Trip:
            dates = {"startDate": "2027-04-01", "endDate": "2027-04-20"}
            made = await call(client, "create_trip", {"groupId": group, "title": "Japan", **dates})
            return Trip(client, made["_id"], made["number"], random)

        yield new_trip


async def run(new_trip: NewTrip, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - each seed is a test case
    trip = await new_trip(random)
    for _ in range(random.randrange(6)):
        await trip.write()
    start = await trip.everything()
    client = trip.client
    kept = {change.id for change in await client.history.changes(trip.query)}
    for _ in range(random.randrange(1, 21)):
        await trip.write()
    records = [one for one in await client.history.changes(trip.query) if one.id not in kept]

    if random.random() < 0.7:  # all at once
        found = await undone(trip, records)
        assert found.not_undone == ()
    else:
        for record in records:
            found = await undone(trip, [record])
            assert found.not_undone == (), record

    replaced = created_again(await client.history.changes(trip.query))
    assert as_set(await trip.everything(), replaced) == as_set(start, replaced)


async def test_any_writes_undone_in_reverse_leave_the_trip_as_it_was(new_trip: NewTrip) -> None:
    for seed in range(12):
        await run(new_trip, seed)


@pytest.mark.soak
@pytest.mark.parametrize("first", range(1000, 2000, 250))
async def test_a_thousand_sequences_of_writes_are_undone(first: int, new_trip: NewTrip) -> None:
    for seed in range(first, first + 250):
        await run(new_trip, seed)
