"""Handler of sync (docs/contract.md#sync)."""

from typing import Annotated, Any

from pydantic import Field
from pydantic_core import MISSING

from trips_mcp.backend.callers.access import trip_to_read, trip_to_write
from trips_mcp.backend.errors import forbidden
from trips_mcp.backend.handler import BackendResponse, Call, serve_items
from trips_mcp.backend.resources.action_items import ACTION_ITEMS
from trips_mcp.backend.resources.legs import LEGS
from trips_mcp.backend.resources.map_pins import MAP_PINS
from trips_mcp.backend.rows.batch import report, status_of
from trips_mcp.backend.rows.upsert import Mergeable
from trips_mcp.backend.validation import Envelope
from trips_mcp.contract.batches import SYNC
from trips_mcp.contract.sync import SYNC_TRIP, SyncReport
from trips_mcp.json_values import JsonObject
from trips_mcp.scopes import allows

_Many = Annotated[list[Any], Field(max_length=SYNC.items)]


class Snapshot(Envelope):
    dry_run: bool | MISSING = MISSING
    legs: _Many | MISSING = MISSING
    action_items: _Many | MISSING = MISSING
    map_pins: _Many | MISSING = MISSING


async def sync_trip(call: Call, asked: Snapshot) -> BackendResponse[SyncReport]:
    dry_run = asked.dry_run is True
    if dry_run and not allows(call.caller.scopes, "trips:read", asked.trip_id):
        raise forbidden("A dry run tells what is in the trip, so it needs the scope trips:read too.")
    await (trip_to_read if dry_run else trip_to_write)(call, asked.trip_id)
    categories: tuple[tuple[str, Mergeable, list[Any] | MISSING], ...] = (
        ("legs", LEGS, asked.legs),
        ("actionItems", ACTION_ITEMS, asked.action_items),
        ("mapPins", MAP_PINS, asked.map_pins),
    )
    told: JsonObject = {}
    for name, mergeable, items in categories:
        given = [] if items is MISSING else items
        told[name] = await report(call, mergeable, asked.trip_id, given, dry_run=dry_run)
    return BackendResponse(SyncReport, {"dryRun": dry_run} | told, status_of(*told.values()))


HANDLERS = (serve_items(SYNC_TRIP, Snapshot, sync_trip),)
