"""Handlers of trips (docs/contract.md)."""

from sqlalchemy import bindparam, exists, insert, select

from trips_mcp.backend.callers.access import IS_MEMBER, check_trip, trip_to_read, trip_to_write
from trips_mcp.backend.errors import forbidden, not_found
from trips_mcp.backend.handler import BackendResponse, Call, serve, serve_read
from trips_mcp.backend.id_generator import new_id
from trips_mcp.backend.rows.mapping import TRIP, listed, rewrite
from trips_mcp.backend.rows.update import changed
from trips_mcp.backend.store.tables import channels, group_members, groups, trips
from trips_mcp.contract.trips import (
    ARCHIVE_TRIP,
    CREATE_TRIP,
    GET_TRIP,
    LIST_TRIPS,
    UPDATE_TRIP,
    ArchiveTrip,
    CreateTrip,
    GetTrip,
    ListTrips,
    Trip,
    TripPage,
    UpdateTrip,
)
from trips_mcp.json_values import JsonObject

_MINE = TRIP.select.where(IS_MEMBER).order_by(trips.c.start_date, trips.c.seq)
_ONE = TRIP.select.where(trips.c.id == bindparam("trip"))
_GROUP = select(
    exists()
    .where(group_members.c.group_id == groups.c.id, group_members.c.user_id == bindparam("user"))
    .label("is_member")
).where(groups.c.id == bindparam("group"))


async def list_trips(call: Call, _: ListTrips) -> BackendResponse[TripPage]:
    found = await listed(call.db, _MINE, user=call.caller.user_id)
    readable = {scope.trip_id for scope in call.caller.scopes if scope.base == "trips:read"}
    if None not in readable:  # the key is limited to these trips
        found = [trip for trip in found if trip["_id"] in readable]
    return BackendResponse(TripPage, {"items": found, "nextCursor": None})


async def get_trip(call: Call, asked: GetTrip) -> BackendResponse[Trip]:
    return BackendResponse(Trip, await trip_to_read(call, asked.trip_id))


async def create_trip(call: Call, new: CreateTrip) -> BackendResponse[Trip]:
    check_trip(call.caller, "trips:write", None)
    group = (await call.db.execute(_GROUP, {"group": new.group_id, "user": call.caller.user_id})).scalar_one_or_none()
    if group is None:
        raise not_found("group")
    if not group:
        raise forbidden("You are not a member of this group.")
    trip_id = new_id("trip")
    row = {
        "id": trip_id,
        "group_id": new.group_id,
        "creator_id": call.caller.user_id,
        "title": new.title,
        "start_date": new.start_date,
        "end_date": new.end_date,
        "status": "draft",
    }
    await call.db.execute(insert(trips), row)
    await call.db.execute(insert(channels), {"id": new_id("chan"), "trip_id": trip_id, "name": "general"})
    return BackendResponse(Trip, (await listed(call.db, _ONE, trip=trip_id))[0])


async def update_trip(call: Call, asked: UpdateTrip) -> BackendResponse[Trip]:
    before = await trip_to_write(call, asked.trip_id)
    change = {name: value for name, value in asked.model_dump().items() if name in TRIP.changing}
    return await _rewritten(call, before, changed(TRIP, before, change, asked))


async def archive_trip(call: Call, asked: ArchiveTrip) -> BackendResponse[Trip]:
    before = await trip_to_write(call, asked.trip_id)
    return await _rewritten(call, before, before | {"status": "completed"})


async def _rewritten(call: Call, before: JsonObject, after: JsonObject) -> BackendResponse[Trip]:
    if after != before:
        await rewrite(call.db, TRIP, [after])
    return BackendResponse(Trip, after)


HANDLERS = (
    serve_read(LIST_TRIPS, list_trips),
    serve(CREATE_TRIP, create_trip),
    serve_read(GET_TRIP, get_trip),
    serve(UPDATE_TRIP, update_trip),
    serve(ARCHIVE_TRIP, archive_trip),
)
