"""Batch and sync reports with one outcome for each item (docs/contract.md#batches)."""

from collections import Counter
from typing import Annotated, Any

from pydantic import Field

from trips_mcp.backend.errors import ProblemError, item_error
from trips_mcp.backend.handler import Call
from trips_mcp.backend.rows.upsert import Mergeable, Merged, merge_items
from trips_mcp.backend.validation import Envelope, validated
from trips_mcp.contract.batches import BATCH
from trips_mcp.json_values import JsonObject, is_object, is_unicode


class BatchBody(Envelope):
    items: Annotated[list[Any], Field(min_length=1, max_length=BATCH.items)]


async def report(
    call: Call, mergeable: Mergeable, trip_id: str, items: list[Any], *, dry_run: bool = False
) -> JsonObject:
    """Upserts the items and reports the outcome of each, with totals."""
    read = [_item(mergeable, item) for item in items]
    outcomes = await merge_items(call, mergeable, trip_id, read, dry_run=dry_run)
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


def _item(mergeable: Mergeable, item: object) -> JsonObject | ProblemError:
    try:
        return validated(mergeable.kind.whole, item).model_dump()
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


async def merge_one(call: Call, mergeable: Mergeable, trip_id: str, fields: JsonObject) -> tuple[JsonObject, int]:
    """The row that was created (201) or merged into (200), and that status. Raises: ProblemError."""
    (outcome,) = await merge_items(call, mergeable, trip_id, [fields])
    if isinstance(outcome, ProblemError):
        raise outcome
    return outcome.row, 201 if outcome.status == "created" else 200
