"""Handler of trip members (docs/contract.md)."""

from sqlalchemy import bindparam, case, select

from trips_mcp.backend.callers.access import trip_to_read
from trips_mcp.backend.callers.users import SHOWN_NAME
from trips_mcp.backend.handler import Call, HandlerResult
from trips_mcp.backend.rows.mapping import listed
from trips_mcp.backend.store.tables import group_members, trips, users
from trips_mcp.contract.members import ListMembers, MemberPage

OF_TRIP = (
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


async def list_members(call: Call, asked: ListMembers) -> HandlerResult[MemberPage]:
    await trip_to_read(call, asked.trip_id)
    found = await listed(call.db, OF_TRIP, trip=asked.trip_id)
    return HandlerResult(MemberPage, {"items": found, "nextCursor": None})
