"""Handler of trip members (docs/contract.md)."""

from sqlalchemy import bindparam, case, select

from trips_mcp.backend.callers.users import SHOWN_NAME
from trips_mcp.backend.handler import serve_read
from trips_mcp.backend.resources.trip_parts import lister
from trips_mcp.backend.store.tables import group_members, trips, users
from trips_mcp.contract.members import LIST_MEMBERS, MemberPage

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
list_members = lister(OF_TRIP, MemberPage)


HANDLERS = (serve_read(LIST_MEMBERS, list_members),)
