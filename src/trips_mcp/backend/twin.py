"""A twin of one trip: the backend over a database in memory, with the trip's parts under their own ids.

What a plan would do is found out by doing it here. Parts of a real service may lack what our tables require; such a
field is empty in the twin.
"""

import time
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Final

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from trips_mcp.backend.app import Backend
from trips_mcp.backend.handler import Caller
from trips_mcp.backend.rows import ACTION_ITEM, COMMITMENT, LEG, MAP_PIN, ResourceMapping, add
from trips_mcp.backend.store.connection import Connection, insertion
from trips_mcp.backend.store.database import PATIENCE, Database, locate
from trips_mcp.backend.store.sqlite_connection import SqliteConnection, SqliteTransactions
from trips_mcp.backend.store.tables import (
    channels,
    event_trips,
    events,
    group_members,
    groups,
    metadata,
    trips,
    users,
)
from trips_mcp.json_values import JsonObject

_NOBODY: Final = "usr_twin"
_GROUP: Final = "grp_twin"
_PARTS: Final = {"legs": LEG, "mapPins": MAP_PIN, "actionItems": ACTION_ITEM, "commitments": COMMITMENT}
_EVENT: Final = ("type", "title", "date", "time", "description", "location", "importance")


@asynccontextmanager
async def open_twin(
    export: JsonObject, its_events: list[JsonObject], number: int | None, other_numbers: Collection[int] = ()
) -> AsyncGenerator[Backend]:
    """The backend with this trip and its events, in wire format. Every request acts as the planner of the events.

    `number`: the trip's id in the Events API. `other_numbers`: those of other trips that events may be put on.
    """
    transactions = SqliteTransactions(None, PATIENCE)
    database = Database(locate(":memory:"), transactions)
    try:
        async with transactions.writing() as db:
            user_id = await _fill(db, export, its_events, number, other_numbers)
        owner = Caller.with_all_scopes("twin", user_id)
        yield Backend(database, owner=owner, rate_limit=None, clock=time.time)
    finally:
        transactions.close()


async def _fill(
    db: SqliteConnection,
    export: JsonObject,
    its_events: list[JsonObject],
    number: int | None,
    other_numbers: Collection[int],
) -> str:
    """Returns the user who makes the requests."""
    for statement in _schema():
        db.raw.execute(statement)
    trip: JsonObject = export["trip"]
    planners = [event["planner_user_id"] for event in its_events if event.get("planner_user_id")]
    people = await _add_people(db, export.get("members", []), planners, group_id := trip.get("groupId") or _GROUP)
    user_id = planners[0] if planners else people[0]
    await _insert(
        db,
        trips,
        [
            _trip(trip, number, group_id, user_id),
            *(_trip({"_id": f"trip_{other}"}, other, group_id, user_id) for other in sorted(other_numbers)),
        ],
    )
    await _insert(db, channels, [{"id": "chan_twin", "trip_id": trip["_id"], "name": "general"}])
    known = {"owner": people, "legId": _ids(export, "legs"), "mapPinId": _ids(export, "mapPins")}
    for name, kind in _PARTS.items():
        await add(db, kind, _rows(kind, export.get(name, []), trip["_id"], known))
    await _add_events(db, its_events, number, user_id)
    return user_id


def _ids(export: JsonObject, part: str) -> set[str]:
    return {one["_id"] for one in export.get(part, [])}


def _trip(trip: JsonObject, number: int | None, group_id: str, user_id: str) -> JsonObject:
    return {
        "id": trip["_id"],
        **({} if number is None else {"seq": number}),
        "group_id": group_id,
        "creator_id": user_id,
        "title": trip.get("title", ""),
        "start_date": trip.get("startDate", ""),
        "end_date": trip.get("endDate", ""),
        "status": trip.get("status", ""),
    }


async def _add_people(
    db: Connection, members: Iterable[JsonObject], planners: Iterable[str], group_id: str
) -> list[str]:
    """Members and planners as users in the trip's group; returns their ids, at least one."""
    people = {member["userId"]: member for member in members if member.get("userId")}
    for planner in planners:
        people.setdefault(planner, {})
    if not people:
        people[_NOBODY] = {}
    await _insert(
        db,
        users,
        [
            {
                "id": user,
                "name": user,
                "display_name": one.get("name"),
                "email": one.get("email"),
                "phone": one.get("phone"),
            }
            for user, one in people.items()
        ],
    )
    await _insert(db, groups, [{"id": group_id, "name": "twin"}])
    await _insert(db, group_members, [{"group_id": group_id, "user_id": user, "role": "member"} for user in people])
    return list(people)


def _rows(
    kind: ResourceMapping, parts: Iterable[JsonObject], trip_id: str, known: Mapping[str, Collection[str]]
) -> list[JsonObject]:
    """The parts as our tables take them. `known`: the ids that a field may refer to; other references are left out."""
    required = _required(kind)
    rows = [required | part | {"tripId": trip_id} for part in parts]
    return [{name: value for name, value in row.items() if value in known.get(name, (value,))} for row in rows]


def _required(kind: ResourceMapping) -> JsonObject:
    columns = {name: kind.table.c[column] for name, column in kind.wire.items()}
    return {name: column.type.python_type() for name, column in columns.items() if not column.nullable}


async def _add_events(db: Connection, its_events: Iterable[JsonObject], number: int | None, user_id: str) -> None:
    rows = [
        {name: event.get(name) for name in _EVENT}
        | {name: event.get(name) or "" for name in ("type", "title", "date")}
        | {"seq": event["event_id"], "planner_id": event.get("planner_user_id") or user_id}
        | {"revision": event.get("revision") or 0}
        for event in its_events
    ]
    await _insert(db, events, rows)
    if number is not None:
        await _insert(db, event_trips, [{"event": row["seq"], "trip": number} for row in rows])


async def _insert(db: Connection, table: Table, rows: list[JsonObject]) -> None:
    if rows:
        await db.execute(insertion(table), rows)


@cache
def _schema() -> tuple[str, ...]:
    """The statements that create the tables. Making them takes longer than running them."""
    dialect = sqlite.dialect()
    return tuple(str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables)
