"""Batch reports with one outcome for each item, and the handler of sync (docs/contract.md#batches)."""

from collections import Counter
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import MISSING

from trips_mcp.backend.callers import trip_to_read, trip_to_write
from trips_mcp.backend.errors import ProblemError, forbidden, item_error
from trips_mcp.backend.handler import BackendResponse, Call, Envelope, serve_items, validated
from trips_mcp.backend.rows import ACTION_ITEM, LEG, MAP_PIN, Merged, ResourceMapping, merge_items
from trips_mcp.contract.batches import BATCH, SYNC
from trips_mcp.contract.trips import SYNC_TRIP, SyncReport
from trips_mcp.json_values import JsonObject, is_object, is_unicode
from trips_mcp.scopes import allows


class BatchBody(Envelope):
    items: Annotated[list[Any], Field(min_length=1, max_length=BATCH.items)]


async def report(
    call: Call, kind: ResourceMapping, trip_id: str, items: list[Any], *, dry_run: bool = False
) -> JsonObject:
    """Upserts the items and reports the outcome of each, with totals."""
    read = [_item(kind, item) for item in items]
    outcomes = await merge_items(call, kind, trip_id, read, dry_run=dry_run)
    results = [
        {"index": index} | _client_ref(item) | _told(outcome, dry_run)
        for index, (item, outcome) in enumerate(zip(items, outcomes, strict=True))
    ]
    counts = Counter(result["status"] for result in results)
    return {
        "results": results,
        "created": counts["created"],
        "updated": counts["updated"],
        "unchanged": counts["unchanged"],
        "errors": counts["error"],
    }


def status_of(*reports: JsonObject) -> int:
    return 207 if any(report["errors"] for report in reports) else 200


def _item(kind: ResourceMapping, item: object) -> JsonObject | ProblemError:
    try:
        return validated(kind.whole, item).model_dump()
    except ProblemError as refused:
        return refused


def _client_ref(item: object) -> JsonObject:
    ref = item.get("clientRef") if is_object(item) else None
    # in a refused item it may be no string, or one that cannot be encoded
    return {"clientRef": ref} if isinstance(ref, str) and len(ref) <= 200 and is_unicode(ref) else {}


def _told(outcome: Merged | ProblemError, dry_run: bool) -> JsonObject:
    if isinstance(outcome, ProblemError):
        return {"status": "error", "error": item_error(outcome)}
    if dry_run and outcome.new:
        return {"status": outcome.status}  # the real import would assign another id
    return {"status": outcome.status, "id": outcome.row["_id"]}


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
    categories: tuple[tuple[str, ResourceMapping, list[Any] | MISSING], ...] = (
        ("legs", LEG, asked.legs),
        ("actionItems", ACTION_ITEM, asked.action_items),
        ("mapPins", MAP_PIN, asked.map_pins),
    )
    told: JsonObject = {}
    for name, kind, items in categories:
        given = [] if items is MISSING else items
        told[name] = await report(call, kind, asked.trip_id, given, dry_run=dry_run)
    return BackendResponse(SyncReport, {"dryRun": dry_run} | told, status_of(*told.values()))


HANDLERS = (serve_items(SYNC_TRIP, Snapshot, sync_trip),)
