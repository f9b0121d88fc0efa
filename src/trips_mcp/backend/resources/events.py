"""Handlers of the Events API, over the same trips (docs/contract.md#events-api-operations)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import MISSING
from sqlalchemy import Select, bindparam, delete, func, insert, select, update

from trips_mcp.backend.callers import IS_MEMBER, check_trip
from trips_mcp.backend.errors import ProblemError, forbidden, not_found
from trips_mcp.backend.handler import BackendResponse, Call, serve
from trips_mcp.backend.rows import ResourceMapping, changed, listed, rewrite
from trips_mcp.backend.store.connection import insertion
from trips_mcp.backend.store.tables import event_trips, events, trips
from trips_mcp.contract.events import (
    CREATE_EVENT,
    DELETE_EVENT,
    GET_EVENT,
    LIST_TRIP_EVENTS,
    UPDATE_EVENT,
    CreateEvent,
    DeletedEvent,
    DeleteEvent,
    Event,
    GetEvent,
    Itinerary,
    ListTripEvents,
    UpdateEvent,
)
from trips_mcp.json_values import JsonObject
from trips_mcp.scopes import BaseScope, allows

_TEXTS = ("type", "title", "date", "time", "description", "location", "importance")
_EVENT = ResourceMapping(
    "event",
    "",
    events,
    {"event_id": "seq"} | {n: n for n in _TEXTS} | {"planner_user_id": "planner_id", "revision": "revision"},
    CreateEvent,
)
_ONE = _EVENT.select.add_columns(events.c.deleted_at.label("deleted_at")).where(events.c.seq == bindparam("event"))
_ONE_TO_WRITE = _ONE.with_for_update(key_share=True)  # PostgreSQL: locked, so that no revision is assigned twice
_ATTACHED = (
    select(trips.c.seq, trips.c.id, IS_MEMBER.label("is_member"))
    .join_from(event_trips, trips, trips.c.seq == event_trips.c.trip)
    .where(event_trips.c.event == bindparam("event"))
    .order_by(trips.c.seq)
)
_TRIPS = select(trips.c.seq, trips.c.id, IS_MEMBER.label("is_member")).where(
    trips.c.seq.in_(bindparam("numbers", expanding=True))
)
_TRIP = select(trips.c.id, trips.c.itinerary_revision, trips.c.status, IS_MEMBER.label("is_member")).where(
    trips.c.seq == bindparam("number")
)
_OF_TRIP = (
    _EVENT.select.join_from(events, event_trips, event_trips.c.event == events.c.seq)
    .where(event_trips.c.trip == bindparam("number"), events.c.deleted_at.is_(None))
    .order_by(events.c.date, func.coalesce(events.c.time, ""), events.c.seq)
)
_INSERT = insert(events).returning(events.c.seq)
_DELETE = update(events).where(events.c.seq == bindparam("event")).values(deleted_at=bindparam("at"))
_DETACH = delete(event_trips).where(event_trips.c.event == bindparam("event"))
_BUMP = (
    update(trips).where(trips.c.seq == bindparam("number")).values(itinerary_revision=trips.c.itinerary_revision + 1)
)


@dataclass(frozen=True, slots=True)
class _Attached:
    number: int
    trip_id: str
    is_member: bool


async def create_event(call: Call, new: CreateEvent) -> BackendResponse[Event]:
    numbers = _numbers(new.trip_ids)
    await _check_trips(call, numbers)
    values = {name: getattr(new, name) for name in _TEXTS if getattr(new, name) is not MISSING}
    row = values | {"planner_id": call.caller.user_id, "revision": 0}
    event = (await call.db.execute(_INSERT, row)).scalar_one()
    await _attach(call, event, numbers)
    await _bump(call, numbers)
    told = (await listed(call.db, _ONE, event=event))[0]
    return BackendResponse(Event, told | {"attached_trips": numbers})


async def get_event(call: Call, asked: GetEvent) -> BackendResponse[Event]:
    event, attached = await _find(call, asked.event_id)
    is_planner = event["planner_user_id"] == call.caller.user_id
    scopes = call.caller.scopes
    readable = [trip for trip in attached if (trip.is_member and allows(scopes, "trips:read", trip.trip_id))]
    if not readable and not (is_planner and allows(scopes, "trips:read", None)):
        raise forbidden("You have no access to a trip of this event.")
    _check_not_deleted(event)
    told = attached if is_planner and allows(scopes, "trips:read", None) else readable
    return BackendResponse(Event, event | {"attached_trips": [trip.number for trip in told]})


async def update_event(call: Call, asked: UpdateEvent) -> BackendResponse[Event]:
    event, attached = await _find(call, asked.event_id, _ONE_TO_WRITE)
    _check_planner(call, event, attached)
    _check_not_deleted(event)
    before = [trip.number for trip in attached]
    after = before if asked.trip_ids is MISSING else _numbers(asked.trip_ids)
    if asked.clear is not MISSING and "trip_ids" in asked.clear:
        after = []
    if added := [number for number in after if number not in before]:
        await _check_trips(call, added)
    change = {name: value for name, value in asked.model_dump().items() if name in _TEXTS}
    new = changed(_EVENT, event, change, asked)
    new["revision"] += 1
    await rewrite(call.db, _EVENT, [new])
    if before != after:
        await call.db.execute(_DETACH, {"event": asked.event_id})
        await _attach(call, asked.event_id, after)
    await _bump(call, {*before, *after})
    return BackendResponse(Event, new | {"attached_trips": after})


async def delete_event(call: Call, asked: DeleteEvent) -> BackendResponse[DeletedEvent]:
    event, attached = await _find(call, asked.event_id, _ONE_TO_WRITE)
    _check_planner(call, event, attached)
    if "deleted_at" in event:
        return BackendResponse(DeletedEvent, {"already_deleted": True})
    await call.db.execute(_DELETE, {"event": asked.event_id, "at": call.time})
    await _bump(call, [trip.number for trip in attached])
    return BackendResponse(DeletedEvent, {"deleted": asked.event_id})


async def list_trip_events(call: Call, asked: ListTripEvents) -> BackendResponse[Itinerary]:
    found = await listed(call.db, _TRIP, number=asked.trip_id, user=call.caller.user_id)
    if not found:
        raise not_found("trip")
    trip = found[0]
    if not trip["is_member"]:
        raise forbidden("You are not a member of this trip.")
    check_trip(call.caller, "trips:read", trip["id"])
    items = [{"id": event.pop("event_id")} | event for event in await listed(call.db, _OF_TRIP, number=asked.trip_id)]
    told: JsonObject = {
        "trip_id": asked.trip_id,
        "revision": trip["itinerary_revision"],
        "status": trip["status"],
        "event_count": len(items),
        "events": items,
    }
    return BackendResponse(Itinerary, told)


async def _find(call: Call, event_id: int, query: Select[Any] = _ONE) -> tuple[JsonObject, list[_Attached]]:
    """The event, deleted or not, and the trips it is attached to. Raises: ProblemError."""
    found = await listed(call.db, query, event=event_id)
    if not found:
        raise not_found("event")
    rows = await call.db.execute(_ATTACHED, {"event": event_id, "user": call.caller.user_id})
    return found[0], [_Attached(*row) for row in rows]


def _check_not_deleted(event: JsonObject) -> None:
    if "deleted_at" in event:
        raise ProblemError("NOT_FOUND", "This event was deleted.", status=410)


def _check_planner(call: Call, event: JsonObject, attached: Sequence[_Attached]) -> None:
    if event["planner_user_id"] != call.caller.user_id:
        raise forbidden("Only its planner may change or delete this event.")
    for trip_id in [trip.trip_id for trip in attached] or [None]:
        check_trip(call.caller, "trips:write", trip_id)


async def _check_trips(call: Call, numbers: Sequence[int]) -> None:
    """Refuses the request unless the caller may write all trips. The error hides whether a trip exists."""
    rows = await call.db.execute(_TRIPS, {"numbers": numbers, "user": call.caller.user_id})
    found = {number: (trip_id, is_member) for number, trip_id, is_member in rows}
    if any(number not in found or not found[number][1] for number in numbers):
        raise forbidden("You have no access to every trip in attach.trip_ids.")
    needed: BaseScope = "trips:write"
    for trip_id in [found[number][0] for number in numbers] or [None]:
        check_trip(call.caller, needed, trip_id)


def _numbers(trip_ids: list[int] | MISSING) -> list[int]:
    return [] if trip_ids is MISSING else sorted(set(trip_ids))


async def _attach(call: Call, event: int, numbers: Iterable[int]) -> None:
    if rows := [{"event": event, "trip": number} for number in numbers]:
        await call.db.execute(insertion(event_trips), rows)


async def _bump(call: Call, numbers: Iterable[int]) -> None:
    """Increments the itinerary revisions of the trips."""
    if rows := [{"number": number} for number in sorted(set(numbers))]:
        await call.db.execute(_BUMP, rows)


HANDLERS = (
    serve(CREATE_EVENT, create_event),
    serve(GET_EVENT, get_event),
    serve(UPDATE_EVENT, update_event),
    serve(DELETE_EVENT, delete_event),
    serve(LIST_TRIP_EVENTS, list_trip_events),
)
