"""Handler of GET /me (docs/contract.md)."""

from sqlalchemy import bindparam, select

from trips_mcp.backend.callers import SHOWN_NAME
from trips_mcp.backend.handler import BackendResponse, Call, serve_read
from trips_mcp.backend.rows import listed
from trips_mcp.backend.store.tables import group_members, groups, users
from trips_mcp.contract.me import GET_ME, GetMe, Me
from trips_mcp.json_values import JsonObject

_ME = (
    select(
        users.c.id,
        SHOWN_NAME.label("name"),
        users.c.email,
        users.c.phone,
        groups.c.id.label("group"),
        groups.c.name.label("group_name"),
        group_members.c.role,
    )
    .join_from(users, group_members, group_members.c.user_id == users.c.id)
    .join(groups, groups.c.id == group_members.c.group_id)
    .where(users.c.id == bindparam("user"))
    .order_by(group_members.c.seq)
)


async def get_me(call: Call, _: GetMe) -> BackendResponse[Me]:
    rows = await listed(call.db, _ME, user=call.caller.user_id)
    own = call.caller.group_id
    told: JsonObject = {
        "user": {"_id": rows[0]["id"]} | {n: rows[0][n] for n in ("name", "email", "phone") if n in rows[0]},
        "groups": [{"_id": row["group"], "name": row["group_name"], "role": row["role"]} for row in rows],
        "defaultGroupId": own if own in (row["group"] for row in rows) else rows[0]["group"],
        "scopes": [str(scope) for scope in call.caller.scopes],
    }
    if call.kept_at is not None:
        told["storage"] = {"kind": "embedded", "path": call.kept_at}
    return BackendResponse(Me, told)


HANDLERS = (serve_read(GET_ME, get_me),)
