"""Access checks on the key's scopes and the trip's members (docs/contract.md#scopes)."""

from sqlalchemy import ColumnElement, bindparam, exists

from trips_mcp.backend.errors import ProblemError, forbidden, not_found
from trips_mcp.backend.handler import Call, Caller
from trips_mcp.backend.rows import TRIP, listed
from trips_mcp.backend.store.tables import group_members, trips
from trips_mcp.contract.operation import Access
from trips_mcp.json_values import JsonObject
from trips_mcp.scopes import BASE_SCOPES, BaseScope, allows

IS_MEMBER: ColumnElement[bool] = exists().where(
    group_members.c.group_id == trips.c.group_id, group_members.c.user_id == bindparam("user")
)
_READ = TRIP.select.add_columns(IS_MEMBER.label("is_member")).where(trips.c.id == bindparam("trip"))
# PostgreSQL: one writer per trip, while other rows may still reference it; SQLite has a single writer anyway
_WRITE = _READ.with_for_update(of=trips, key_share=True)


async def trip_to_read(call: Call, trip_id: str) -> JsonObject:
    return _of_member(await listed(call.db, _READ, trip=trip_id, user=call.caller.user_id))


async def trip_to_write(call: Call, trip_id: str) -> JsonObject:
    return _of_member(await listed(call.db, _WRITE, trip=trip_id, user=call.caller.user_id))


def _of_member(found: list[JsonObject]) -> JsonObject:
    if not found:
        raise not_found("trip")
    trip = found[0]
    if not trip.pop("is_member"):
        raise forbidden("You are not a member of this trip.")
    return trip


def check_scope(caller: Caller, needed: Access, trip_id: str | None) -> None:
    """Checks what needs no database: the key has the scope, for this trip. Raises: ProblemError."""
    if needed not in BASE_SCOPES:
        return
    if not any(scope.base == needed for scope in caller.scopes):
        raise forbidden(f"This key lacks the scope {needed}.")
    if trip_id is not None:
        check_trip(caller, needed, trip_id)


def check_trip(caller: Caller, needed: BaseScope, trip_id: str | None) -> None:
    """`trip_id` is None for an operation outside any single trip. Raises: ProblemError."""
    if not allows(caller.scopes, needed, trip_id):
        raise limited(needed)


def limited(needed: BaseScope) -> ProblemError:
    return forbidden(f"This key has the scope {needed} for another trip only.")
