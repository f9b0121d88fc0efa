"""Handlers of trips, their members, exports and share links (docs/contract.md)."""

import secrets

from sqlalchemy import bindparam, case, delete, exists, select

from trips_mcp.backend.callers import IS_MEMBER, SHOWN_NAME, check_trip, digest, trip_to_read, trip_to_write
from trips_mcp.backend.errors import forbidden, not_found
from trips_mcp.backend.handler import BackendResponse, Call, new_id, serve, serve_read
from trips_mcp.backend.resources.trip_parts import PARTS, lister
from trips_mcp.backend.rows import TRIP, changed, listed, rewrite
from trips_mcp.backend.store.connection import insertion
from trips_mcp.backend.store.tables import (
    channels,
    group_members,
    groups,
    share_tokens,
    trips,
    users,
)
from trips_mcp.contract.members import LIST_MEMBERS, MemberPage
from trips_mcp.contract.shares import (
    CREATE_SHARE_TOKEN,
    EXPORT_SHARED_TRIP,
    GET_SHARED_TRIP,
    REVOKE_SHARE_TOKEN,
    CreateShareToken,
    ExportSharedTrip,
    GetSharedTrip,
    Revoked,
    RevokeShareToken,
    SharedExport,
    SharedTrip,
    ShareToken,
    projection,
)
from trips_mcp.contract.trips import (
    ARCHIVE_TRIP,
    CREATE_TRIP,
    EXPORT_TRIP,
    GET_TRIP,
    LIST_TRIPS,
    UPDATE_TRIP,
    ArchiveTrip,
    CreateTrip,
    ExportTrip,
    GetTrip,
    ListTrips,
    Trip,
    TripExport,
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
    await call.db.execute(insertion(trips), row)
    await call.db.execute(insertion(channels), {"id": new_id("chan"), "trip_id": trip_id, "name": "general"})
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


_MEMBERS = (
    select(
        users.c.id.label("userId"),
        SHOWN_NAME.label("name"),
        case((trips.c.creator_id == users.c.id, "owner"), else_="member").label("role"),
        users.c.email,
        users.c.phone,
    )
    .join_from(trips, group_members, group_members.c.group_id == trips.c.group_id)
    .join(users, users.c.id == group_members.c.user_id)
    .where(trips.c.id == bindparam("trip"))
    .order_by(group_members.c.seq)
)
"""The members of the trip's group. The trip's creator has the role `owner`."""
list_members = lister(_MEMBERS, MemberPage)

_LISTS = PARTS | {"members": _MEMBERS}


async def export_trip(call: Call, asked: ExportTrip) -> BackendResponse[TripExport]:
    return BackendResponse(TripExport, await _snapshot(call, await trip_to_read(call, asked.trip_id)))


async def _snapshot(call: Call, trip: JsonObject) -> JsonObject:
    """The trip with all its lists, unpaged."""
    return {"trip": trip} | {name: await listed(call.db, query, trip=trip["_id"]) for name, query in _LISTS.items()}


_SHARED = TRIP.select.where(
    trips.c.id.in_(select(share_tokens.c.trip_id).where(share_tokens.c.digest == bindparam("digest")))
)
_TOKEN_OF_TRIP = delete(share_tokens).where(share_tokens.c.trip_id == bindparam("trip"))
_safe_trip = projection(SharedTrip)
_safe_export = projection(SharedExport)


async def create_share_token(call: Call, asked: CreateShareToken) -> BackendResponse[ShareToken]:
    """Replaces the trip's token: only a hash is stored, so the old one cannot be shown again."""
    await trip_to_write(call, asked.trip_id)
    token = secrets.token_urlsafe(24)
    await call.db.execute(_TOKEN_OF_TRIP, {"trip": asked.trip_id})
    row = {"trip_id": asked.trip_id, "digest": digest(token), "created_at": call.time}
    await call.db.execute(insertion(share_tokens), row)
    return BackendResponse(ShareToken, {"token": token, "createdAt": call.time})


async def revoke_share_token(call: Call, asked: RevokeShareToken) -> BackendResponse[Revoked]:
    """Succeeds also for a trip that is not shared."""
    await trip_to_write(call, asked.trip_id)
    await call.db.execute(_TOKEN_OF_TRIP, {"trip": asked.trip_id})
    return BackendResponse(Revoked)


async def get_shared_trip(call: Call, asked: GetSharedTrip) -> BackendResponse[SharedTrip]:
    return BackendResponse(SharedTrip, _safe_trip(await _shared(call, asked.token)))


async def export_shared_trip(call: Call, asked: ExportSharedTrip) -> BackendResponse[SharedExport]:
    return BackendResponse(SharedExport, _safe_export(await _snapshot(call, await _shared(call, asked.token))))


async def _shared(call: Call, token: str) -> JsonObject:
    found = await listed(call.db, _SHARED, digest=digest(token))
    if not found:
        raise not_found("shared trip; the link may have been revoked")
    return found[0]


HANDLERS = (
    serve_read(LIST_TRIPS, list_trips),
    serve(CREATE_TRIP, create_trip),
    serve_read(GET_TRIP, get_trip),
    serve(UPDATE_TRIP, update_trip),
    serve(ARCHIVE_TRIP, archive_trip),
    serve_read(LIST_MEMBERS, list_members),
    serve(EXPORT_TRIP, export_trip),
    serve(CREATE_SHARE_TOKEN, create_share_token),
    serve(REVOKE_SHARE_TOKEN, revoke_share_token),
    serve_read(GET_SHARED_TRIP, get_shared_trip),
    serve(EXPORT_SHARED_TRIP, export_shared_trip),
)
