"""Update and delete of one row of a trip, for every resource."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from pydantic_core import MISSING
from sqlalchemy import Delete, Select, bindparam, delete

from trips_mcp.backend.errors import invalid_field, not_found
from trips_mcp.backend.handler import Call
from trips_mcp.backend.rows.mapping import ResourceMapping, listed, rewrite
from trips_mcp.backend.rows.references import Reference, check_references
from trips_mcp.backend.rows.upsert import changed_or_not, cleared
from trips_mcp.backend.validation import validated
from trips_mcp.contract.http_mapping import names
from trips_mcp.contract.patch_clear import Update
from trips_mcp.json_values import JsonObject, merged


async def change_row(
    call: Call, kind: ResourceMapping, trip_id: str, row_id: str, asked: Update, references: Iterable[Reference] = ()
) -> JsonObject:
    """Updates a row and returns it. Raises: ProblemError."""
    before = await _the_row(call, kind, trip_id, row_id)
    change = {name: value for name, value in asked.model_dump().items() if name in kind.changing}
    after = changed(kind, before, change, asked)
    if changed_or_not(before, after) == "unchanged":
        return before
    await check_references(call, references, trip_id, change)
    if "clientRef" in change:
        await _check_client_ref(call, kind, trip_id, row_id, change["clientRef"])
    await rewrite(call.db, kind, [after])
    return after


def changed(kind: ResourceMapping, before: JsonObject, change: JsonObject, asked: Update) -> JsonObject:
    """`before` with the change applied, validated as a whole. Raises: ProblemError."""
    after = merged(before, change)
    for path in () if asked.clear is MISSING else asked.clear:
        after = cleared(after, path)
    known = names(kind.whole)
    validated(kind.whole, {name: value for name, value in after.items() if name in known})
    return after


async def delete_row(call: Call, kind: ResourceMapping, trip_id: str, row_id: str) -> None:
    """Raises: ProblemError if there is no such row."""
    gone = await call.db.execute(_deletion(kind), {"trip": trip_id, "which": row_id})
    if not gone.rowcount:
        raise not_found(f"{kind.noun} in this trip")


async def _the_row(call: Call, kind: ResourceMapping, trip_id: str, row_id: str) -> JsonObject:
    found = await listed(call.db, _selection(kind), which=row_id, trip=trip_id)
    if not found:
        raise not_found(f"{kind.noun} in this trip")
    return found[0]


async def _check_client_ref(call: Call, kind: ResourceMapping, trip_id: str, row_id: str, client_ref: str) -> None:
    if await listed(call.db, _others_with_client_ref(kind), trip=trip_id, ref=client_ref, which=row_id):
        raise invalid_field("clientRef", f"another {kind.noun} of this trip has it")


@cache  # a statement is compiled once, if it is the same object
def _selection(kind: ResourceMapping) -> Select[Any]:
    columns = kind.table.c
    return kind.select.where(columns.id == bindparam("which"), columns.trip_id == bindparam("trip"))


@cache
def _deletion(kind: ResourceMapping) -> Delete:
    columns = kind.table.c
    return delete(kind.table).where(columns.trip_id == bindparam("trip"), columns.id == bindparam("which"))


@cache
def _others_with_client_ref(kind: ResourceMapping) -> Select[Any]:
    columns = kind.table.c
    return kind.select.where(
        columns.trip_id == bindparam("trip"),
        columns.client_ref == bindparam("ref"),
        columns.id != bindparam("which"),
    )
