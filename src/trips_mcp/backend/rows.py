"""Rows of every resource: their mapping to JSON, and their upsert, update and delete.

Create, batch and sync all use `merge_items`, with one item or many.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic_core import MISSING
from sqlalchemy import (
    BindParameter,
    Delete,
    Executable,
    Insert,
    Select,
    Table,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from trips_mcp.backend.errors import ProblemError, invalid, invalid_field, not_found
from trips_mcp.backend.handler import Call, new_id, validated
from trips_mcp.backend.store.connection import Connection
from trips_mcp.backend.store.tables import (
    action_items,
    commitments,
    group_members,
    legs,
    map_pins,
    trips,
)
from trips_mcp.contract.action_items import ActionItemItem
from trips_mcp.contract.commitments import CreateCommitment
from trips_mcp.contract.errors import Fault
from trips_mcp.contract.legs import LegItem
from trips_mcp.contract.map_pins import MapPinItem
from trips_mcp.contract.models import Params, Update
from trips_mcp.contract.operation import names
from trips_mcp.contract.trips import CreateTrip
from trips_mcp.json_values import JsonObject, is_list, is_object, merged


@dataclass(frozen=True, eq=False)
class Reference:
    """A field that refers to another row of the same trip (docs/contract.md#validation)."""

    field: str
    reason: str
    known: Select[Any]
    """Selects the ids in `named` that exist in the trip `trip`."""


_TRIP: BindParameter[str] = bindparam("trip")
_NAMED: BindParameter[list[str]] = bindparam("named", expanding=True)

_OWNER = Reference(
    "owner",
    "no member of this trip has this id",
    select(group_members.c.user_id)
    .join(trips, trips.c.group_id == group_members.c.group_id)
    .where(trips.c.id == _TRIP, group_members.c.user_id.in_(_NAMED)),
)
_LEG = Reference(
    "legId",
    "no leg of this trip has this id",
    select(legs.c.id).where(legs.c.trip_id == _TRIP, legs.c.id.in_(_NAMED)),
)
_MAP_PIN = Reference(
    "mapPinId",
    "no map pin of this trip has this id",
    select(map_pins.c.id).where(map_pins.c.trip_id == _TRIP, map_pins.c.id.in_(_NAMED)),
)


_FIXED = {"id", "seq", "trip_id", "group_id", "planner_id"}


class ResourceMapping:
    """A resource's table, the wire names of its columns, and the statements that use them."""

    def __init__(
        self,
        noun: str,
        prefix: str,
        table: Table,
        wire: Mapping[str, str],
        whole: type[Params],
        *,
        references: tuple[Reference, ...] = (),
        defaults: JsonObject | None = None,
    ) -> None:
        self.noun = noun
        self.prefix = prefix
        self.table = table
        self.wire = wire
        """Wire name → column, in the order of the JSON. The first one is the id."""
        self.id_name, id_column = next(iter(wire.items()))
        self.whole = whole
        """The model that every stored row satisfies."""
        self.references = references
        self.defaults: JsonObject = defaults or {}
        """Of a new row."""
        self.select: Select[Any] = select(*(table.c[column].label(name) for name, column in wire.items()))
        self.changing = {name: column for name, column in wire.items() if column not in _FIXED}
        self.insert: Insert = insert(table)
        self.update = (
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
    references=(_OWNER,),
    defaults={"completed": False},
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
    references=(_LEG, _MAP_PIN),
)


async def listed(db: Connection, query: Executable, **values: object) -> list[JsonObject]:
    """The query's rows as objects without nulls."""
    found = await db.execute(query, values)
    return [{name: value for name, value in zip(found.names, row, strict=True) if value is not None} for row in found]


async def add(db: Connection, kind: ResourceMapping, rows: Iterable[JsonObject]) -> None:
    if new := [{column: row.get(name) for name, column in kind.wire.items()} for row in rows]:
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


async def _unknown(call: Call, reference: Reference, trip_id: str, named: Iterable[str]) -> set[str]:
    asked = set(named)
    if not asked:
        return asked
    known = await call.db.execute(reference.known, {"trip": trip_id, "named": sorted(asked)})
    return asked - set(known.scalars())


async def check_references(call: Call, kind: ResourceMapping, trip_id: str, fields: JsonObject) -> None:
    """Raises: ProblemError with each field whose reference does not exist."""
    unknown = [
        Fault(path=reference.field, reason=reference.reason)
        for reference in kind.references
        if reference.field in fields and await _unknown(call, reference, trip_id, [fields[reference.field]])
    ]
    if unknown:
        raise invalid(unknown)


Status = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class Merged:
    status: Status
    row: JsonObject
    new: bool
    """Whether this request created the row, for this item or an earlier one."""


async def merge_items(
    call: Call,
    kind: ResourceMapping,
    trip_id: str,
    items: Sequence[JsonObject | ProblemError],
    *,
    dry_run: bool = False,
) -> list[Merged | ProblemError]:
    """Upserts the items by clientRef. One outcome for each item; a refused one does not stop the others."""
    items = await _referring(call, kind, trip_id, items)
    stored = await _by_client_ref(call, kind, trip_id, (item for item in items if is_object(item)))
    new: dict[str, JsonObject] = {}
    changed: dict[str, JsonObject] = {}
    outcomes: list[Merged | ProblemError] = []
    for item in items:
        if isinstance(item, ProblemError):
            outcomes.append(item)
            continue
        before = stored.get(item["clientRef"]) if "clientRef" in item else None
        if before is None:
            status, row = "created", new_row(kind, trip_id, kind.defaults | item)
        else:
            row = merged(before, item)
            status = "unchanged" if _same(before, row) else "updated"
        if status == "created" or row["_id"] in new:
            new[row["_id"]] = row
        elif status == "updated":
            changed[row["_id"]] = row
        if "clientRef" in item:
            stored[item["clientRef"]] = row  # the next item with this clientRef merges into it
        outcomes.append(Merged(status, row, row["_id"] in new))
    if not dry_run:
        await add(call.db, kind, new.values())
        await rewrite(call.db, kind, changed.values())
    return outcomes


async def _referring(
    call: Call, kind: ResourceMapping, trip_id: str, items: Sequence[JsonObject | ProblemError]
) -> list[JsonObject | ProblemError]:
    """The items, with an error in place of each that refers to a row that is not in the trip."""
    checked = list(items)
    for reference in kind.references:
        named = {item[reference.field] for item in items if is_object(item) and reference.field in item}
        unknown = await _unknown(call, reference, trip_id, named)
        for index, item in enumerate(items):
            if is_object(item) and item.get(reference.field) in unknown:
                checked[index] = invalid_field(reference.field, reference.reason)
    return checked


async def _by_client_ref(
    call: Call, kind: ResourceMapping, trip_id: str, items: Iterable[JsonObject]
) -> dict[str, JsonObject]:
    refs = {item["clientRef"] for item in items if "clientRef" in item}
    if not refs:
        return {}
    found = await listed(call.db, _with_client_refs(kind), trip=trip_id, refs=sorted(refs))
    return {row["clientRef"]: row for row in found}


async def change_row(call: Call, kind: ResourceMapping, trip_id: str, row_id: str, asked: Update) -> JsonObject:
    """Updates a row and returns it. Raises: ProblemError."""
    before = await _the_row(call, kind, trip_id, row_id)
    change = {name: value for name, value in asked.model_dump().items() if name in kind.changing}
    after = changed(kind, before, change, asked)
    if _same(before, after):
        return before
    await check_references(call, kind, trip_id, change)
    if "clientRef" in change:
        await _check_client_ref(call, kind, trip_id, row_id, change["clientRef"])
    await rewrite(call.db, kind, [after])
    return after


def changed(kind: ResourceMapping, before: JsonObject, change: JsonObject, asked: Update) -> JsonObject:
    """`before` with the change applied, validated as a whole. Raises: ProblemError."""
    after = merged(before, change)
    for path in () if asked.clear is MISSING else asked.clear:
        after = _cleared(after, path)
    known = names(kind.whole)
    validated(kind.whole, {name: value for name, value in after.items() if name in known})
    return after


async def delete_row(call: Call, kind: ResourceMapping, trip_id: str, row_id: str) -> None:
    """Raises: ProblemError if there is no such row."""
    gone = await call.db.execute(_deletion(kind), {"trip": trip_id, "which": row_id})
    if not gone.rowcount:
        raise not_found(f"{kind.noun} in this trip")


async def _the_row(call: Call, kind: ResourceMapping, trip_id: str, row_id: str) -> JsonObject:
    found = await listed(call.db, _selection(kind), which=row_id, trip=trip_id)
    if not found:
        raise not_found(f"{kind.noun} in this trip")
    return found[0]


async def _check_client_ref(call: Call, kind: ResourceMapping, trip_id: str, row_id: str, client_ref: str) -> None:
    if await listed(call.db, _others_with_client_ref(kind), trip=trip_id, ref=client_ref, which=row_id):
        raise invalid_field("clientRef", f"another {kind.noun} of this trip has it")


def _cleared(row: JsonObject, path: str) -> JsonObject:
    """`row` without the value at the dotted path, if there is one. A key may itself contain a dot."""
    if path in row:
        return {name: value for name, value in row.items() if name != path}
    for name, value in row.items():
        if path.startswith(f"{name}.") and is_object(value):
            return row | {name: _cleared(value, path[len(name) + 1 :])}
    return row


def _same(one: object, other: object) -> bool:
    """Equal as JSON, where 1 is 1.0 but true is not 1."""
    if is_object(one) and is_object(other):
        return one.keys() == other.keys() and all(_same(value, other[name]) for name, value in one.items())
    if is_list(one) and is_list(other):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other and isinstance(one, bool) == isinstance(other, bool)


@cache  # a statement is compiled once, if it is the same object
def _selection(kind: ResourceMapping) -> Select[Any]:
    columns = kind.table.c
    return kind.select.where(columns.id == bindparam("which"), columns.trip_id == bindparam("trip"))


@cache
def _deletion(kind: ResourceMapping) -> Delete:
    columns = kind.table.c
    return delete(kind.table).where(columns.trip_id == bindparam("trip"), columns.id == bindparam("which"))


@cache
def _others_with_client_ref(kind: ResourceMapping) -> Select[Any]:
    columns = kind.table.c
    return kind.select.where(
        columns.trip_id == bindparam("trip"),
        columns.client_ref == bindparam("ref"),
        columns.id != bindparam("which"),
    )


@cache
def _with_client_refs(kind: ResourceMapping) -> Select[Any]:
    columns = kind.table.c
    return kind.select.where(
        columns.trip_id == bindparam("trip"), columns.client_ref.in_(bindparam("refs", expanding=True))
    )
