"""Handler of trip exports (docs/contract.md)."""

from sqlalchemy import bindparam

from trips_mcp.backend.callers.access import trip_to_read
from trips_mcp.backend.handler import BackendResponse, Call, serve
from trips_mcp.backend.resources import action_items, map_pins, members
from trips_mcp.backend.resources.commitments import BY_START
from trips_mcp.backend.resources.legs import IN_ORDER
from trips_mcp.backend.rows.mapping import COMMITMENT, LEG, listed
from trips_mcp.backend.store.tables import commitments, legs
from trips_mcp.contract.exports import EXPORT_TRIP, ExportTrip, TripExport
from trips_mcp.json_values import JsonObject

_PARTS = {
    "legs": LEG.select.where(legs.c.trip_id == bindparam("trip")).order_by(*IN_ORDER),
    "mapPins": map_pins.OF_TRIP,
    "actionItems": action_items.OF_TRIP,
    "commitments": COMMITMENT.select.where(commitments.c.trip_id == bindparam("trip")).order_by(*BY_START),
    "members": members.OF_TRIP,
}


async def export_trip(call: Call, asked: ExportTrip) -> BackendResponse[TripExport]:
    return BackendResponse(TripExport, await snapshot(call, await trip_to_read(call, asked.trip_id)))


async def snapshot(call: Call, trip: JsonObject) -> JsonObject:
    """The trip with all its lists, unpaged."""
    return {"trip": trip} | {name: await listed(call.db, query, trip=trip["_id"]) for name, query in _PARTS.items()}


HANDLERS = (serve(EXPORT_TRIP, export_trip),)
