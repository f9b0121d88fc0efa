"""Handlers that create, revoke and read share links (docs/contract.md#share-links)."""

import secrets

from sqlalchemy import bindparam, delete, insert, select

from trips_mcp.backend.callers.access import trip_to_write
from trips_mcp.backend.callers.users import digest
from trips_mcp.backend.errors import not_found
from trips_mcp.backend.handler import BackendResponse, Call, serve, serve_read
from trips_mcp.backend.resources.exports import snapshot
from trips_mcp.backend.rows.mapping import TRIP, listed
from trips_mcp.backend.store.tables import share_tokens, trips
from trips_mcp.contract.projection import projection
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
)
from trips_mcp.json_values import JsonObject

_SHARED = TRIP.select.where(
    trips.c.id.in_(select(share_tokens.c.trip_id).where(share_tokens.c.digest == bindparam("digest")))
)
_OF_TRIP = delete(share_tokens).where(share_tokens.c.trip_id == bindparam("trip"))
_safe_trip = projection(SharedTrip)
_safe_export = projection(SharedExport)


async def create_share_token(call: Call, asked: CreateShareToken) -> BackendResponse[ShareToken]:
    """Replaces the trip's token: only a hash is stored, so the old one cannot be shown again."""
    await trip_to_write(call, asked.trip_id)
    token = secrets.token_urlsafe(24)
    await call.db.execute(_OF_TRIP, {"trip": asked.trip_id})
    row = {"trip_id": asked.trip_id, "digest": digest(token), "created_at": call.time}
    await call.db.execute(insert(share_tokens), row)
    return BackendResponse(ShareToken, {"token": token, "createdAt": call.time})


async def revoke_share_token(call: Call, asked: RevokeShareToken) -> BackendResponse[Revoked]:
    """Succeeds also for a trip that is not shared."""
    await trip_to_write(call, asked.trip_id)
    await call.db.execute(_OF_TRIP, {"trip": asked.trip_id})
    return BackendResponse(Revoked)


async def get_shared_trip(call: Call, asked: GetSharedTrip) -> BackendResponse[SharedTrip]:
    return BackendResponse(SharedTrip, _safe_trip(await _shared(call, asked.token)))


async def export_shared_trip(call: Call, asked: ExportSharedTrip) -> BackendResponse[SharedExport]:
    return BackendResponse(SharedExport, _safe_export(await snapshot(call, await _shared(call, asked.token))))


async def _shared(call: Call, token: str) -> JsonObject:
    found = await listed(call.db, _SHARED, digest=digest(token))
    if not found:
        raise not_found("shared trip; the link may have been revoked")
    return found[0]


HANDLERS = (
    serve(CREATE_SHARE_TOKEN, create_share_token),
    serve(REVOKE_SHARE_TOKEN, revoke_share_token),
    serve_read(GET_SHARED_TRIP, get_shared_trip),
    serve(EXPORT_SHARED_TRIP, export_shared_trip),
)
