"""Upsert of rows by clientRef, and the merge that it shares with updates.

Create, batch and sync all use `merge_items`, with one item or many.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import bindparam

from trips_mcp.backend.errors import ProblemError, invalid_field
from trips_mcp.backend.handler import Call
from trips_mcp.backend.rows.mapping import ResourceMapping, add, listed, new_row, rewrite
from trips_mcp.backend.rows.references import Reference, unknown_references
from trips_mcp.json_values import JsonObject, is_list, is_object, merged

Status = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class Merged:
    status: Status
    row: JsonObject
    new: bool
    """Whether this request created the row, for this item or an earlier one."""


@dataclass(frozen=True, slots=True)
class Mergeable:
    """A resource whose rows have a clientRef."""

    kind: ResourceMapping
    references: tuple[Reference, ...] = ()
    at_first: JsonObject = field(default_factory=dict[str, Any])
    """Default values of a new row."""


async def merge_items(
    call: Call,
    mergeable: Mergeable,
    trip_id: str,
    items: Sequence[JsonObject | ProblemError],
    *,
    dry_run: bool = False,
) -> list[Merged | ProblemError]:
    """Upserts the items and returns one outcome for each; a refused item does not stop the others."""
    kind = mergeable.kind
    items = await _referring(call, mergeable, trip_id, items)
    stored = await _by_client_ref(call, kind, trip_id, (item for item in items if is_object(item)))
    new: dict[str, JsonObject] = {}
    changed: dict[str, JsonObject] = {}
    outcomes: list[Merged | ProblemError] = []
    for item in items:
        if isinstance(item, ProblemError):
            outcomes.append(item)
            continue
        ref = item.get("clientRef")
        before = stored.get(ref) if ref else None
        if before is None:
            status, row = "created", new_row(kind, trip_id, mergeable.at_first | item)
        else:
            row = merged(before, item)
            status = changed_or_not(before, row)
        if status == "created" or row["_id"] in new:
            new[row["_id"]] = row
        elif status == "updated":
            changed[row["_id"]] = row
        if ref:
            stored[ref] = row  # the next item with this clientRef merges into it
        outcomes.append(Merged(status, row, row["_id"] in new))
    if not dry_run:
        await add(call.db, kind, new.values())
        await rewrite(call.db, kind, changed.values())
    return outcomes


async def _referring(
    call: Call, mergeable: Mergeable, trip_id: str, items: Sequence[JsonObject | ProblemError]
) -> list[JsonObject | ProblemError]:
    """The items, with an error in place of each that refers to a row that is not in the trip."""
    checked = list(items)
    for reference in mergeable.references:
        named = {item[reference.field] for item in items if is_object(item) and reference.field in item}
        unknown = await unknown_references(call, reference, trip_id, named)
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
    columns = kind.table.c
    query = kind.select.where(
        columns.trip_id == bindparam("trip"), columns.client_ref.in_(bindparam("refs", expanding=True))
    )
    return {row["clientRef"]: row for row in await listed(call.db, query, trip=trip_id, refs=sorted(refs))}


def cleared(row: JsonObject, path: str) -> JsonObject:
    """`row` without the value at the dotted path, if there is one. A key may itself contain a dot."""
    if path in row:
        return {name: value for name, value in row.items() if name != path}
    for name, value in row.items():
        if path.startswith(f"{name}.") and is_object(value):
            return row | {name: cleared(value, path[len(name) + 1 :])}
    return row


def changed_or_not(before: JsonObject, after: JsonObject) -> Literal["updated", "unchanged"]:
    return "unchanged" if _same(before, after) else "updated"


def _same(one: object, other: object) -> bool:
    """Equal as JSON, where 1 is 1.0 but true is not 1."""
    if is_object(one) and is_object(other):
        return one.keys() == other.keys() and all(_same(value, other[name]) for name, value in one.items())
    if is_list(one) and is_list(other):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other and isinstance(one, bool) == isinstance(other, bool)
