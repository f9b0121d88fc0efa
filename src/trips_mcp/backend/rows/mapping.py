"""Mapping of each resource between its table's columns and its JSON."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Executable, Insert, Select, Table, Update, bindparam, insert, select, update

from trips_mcp.backend.id_generator import new_id
from trips_mcp.backend.store.connection import Connection
from trips_mcp.backend.store.tables import (
    action_items,
    commitments,
    legs,
    map_pins,
    trips,
)
from trips_mcp.contract.action_items import ActionItemItem
from trips_mcp.contract.commitments import CreateCommitment
from trips_mcp.contract.legs import LegItem
from trips_mcp.contract.map_pins import MapPinItem
from trips_mcp.contract.models import Params
from trips_mcp.contract.trips import CreateTrip
from trips_mcp.json_values import JsonObject

_FIXED = {"id", "seq", "trip_id", "group_id", "planner_id"}


class ResourceMapping:
    """A resource's table, the wire names of its columns, and the statements that use them."""

    def __init__(self, noun: str, prefix: str, table: Table, wire: Mapping[str, str], whole: type[Params]) -> None:
        self.noun = noun
        self.prefix = prefix
        self.table = table
        self.wire = wire
        """Wire name → column, in the order of the JSON. The first one is the id."""
        self.id_name, id_column = next(iter(wire.items()))
        self.whole = whole
        """The model that every stored row satisfies."""
        self.select: Select[Any] = select(*(table.c[column].label(name) for name, column in wire.items()))
        self.changing = {name: column for name, column in wire.items() if column not in _FIXED}
        self.insert: Insert = insert(table)
        self.update: Update = (
            update(table)
            .where(table.c[id_column] == bindparam("which"))
            .values({table.c[column]: bindparam(f"new_{column}") for column in self.changing.values()})
        )


def _wire(*names: str, **others: str) -> dict[str, str]:
    """Wire name → column: the same name in snake_case."""
    snake = {name: "".join(f"_{c.lower()}" if c.isupper() else c for c in name) for name in names}
    return {"_id": "id"} | others | snake


TRIP = ResourceMapping(
    "trip",
    "trip",
    trips,
    _wire("groupId", "title", "startDate", "endDate", "status", number="seq"),
    CreateTrip,
)
LEG = ResourceMapping(
    "leg",
    "leg",
    legs,
    _wire(
        "tripId",
        "order",
        "title",
        "destination",
        "startDate",
        "endDate",
        "timezone",
        "accommodation",
        "flights",
        "rentalCar",
        "clientRef",
    ),
    LegItem,
)
ACTION_ITEM = ResourceMapping(
    "action item",
    "todo",
    action_items,
    _wire("tripId", "text", "urgency", "owner", "completed", "clientRef"),
    ActionItemItem,
)
MAP_PIN = ResourceMapping(
    "map pin", "pin", map_pins, _wire("tripId", "name", "lat", "lng", "category", "notes", "clientRef"), MapPinItem
)
COMMITMENT = ResourceMapping(
    "commitment",
    "com",
    commitments,
    _wire(
        "tripId",
        "title",
        "startDate",
        "startTime",
        "endTime",
        "isAllDay",
        "timezone",
        "category",
        "legId",
        "mapPinId",
        "notes",
    ),
    CreateCommitment,
)


async def listed(db: Connection, query: Executable, **values: object) -> list[JsonObject]:
    """The query's rows as objects without nulls."""
    found = await db.execute(query, values)
    return [{name: value for name, value in zip(found.names, row, strict=True) if value is not None} for row in found]


async def add(db: Connection, kind: ResourceMapping, rows: Iterable[JsonObject]) -> None:
    if new := [{column: row.get(name) for name, column in kind.wire.items() if column != "seq"} for row in rows]:
        await db.execute(kind.insert, new)


async def rewrite(db: Connection, kind: ResourceMapping, rows: Iterable[JsonObject]) -> None:
    if changed := [
        {"which": row[kind.id_name]} | {f"new_{column}": row.get(name) for name, column in kind.changing.items()}
        for row in rows
    ]:
        await db.execute(kind.update, changed)


def new_row(kind: ResourceMapping, trip_id: str, fields: JsonObject) -> JsonObject:
    row = {"_id": new_id(kind.prefix), "tripId": trip_id, **fields}
    return {name: row[name] for name in kind.wire if name in row}
