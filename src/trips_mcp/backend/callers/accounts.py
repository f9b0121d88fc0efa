"""Users, their groups and their keys."""

import secrets
from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trips_mcp.backend.calls import Caller, timestamp
from trips_mcp.backend.ids import new_id
from trips_mcp.backend.store.tables import api_keys, group_members, groups, users
from trips_mcp.backend.store.upserts import insert_into
from trips_mcp.contract.scopes import Scope

_FIND = select(api_keys.c.id, api_keys.c.user_id, api_keys.c.scopes).where(api_keys.c.digest == bindparam("digest"))


def digest(secret: str) -> str:
    """How a key or token is stored: enough to recognise it, useless to who reads the database."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


async def find_caller(db: AsyncConnection, key: str) -> Caller | None:
    found = (await db.execute(_FIND, {"digest": digest(key)})).one_or_none()
    return Caller(found.id, found.user_id, tuple(map(Scope.parse, found.scopes))) if found else None


async def add_key(db: AsyncConnection, user_id: str, scopes: Sequence[Scope], now: float) -> str:
    key = f"osk_{secrets.token_urlsafe(32)}"
    row = {
        "id": new_id("key"),
        "digest": digest(key),
        "user_id": user_id,
        "scopes": [str(scope) for scope in scopes],
        "created_at": timestamp(now),
    }
    await db.execute(insert(api_keys), row)
    return key


async def user_named(db: AsyncConnection, name: str) -> str:
    """The user's id; he and a group of his own are made when need be."""
    find = select(users.c.id).where(users.c.name == name)
    if found := (await db.execute(find)).scalar_one_or_none():
        return found
    await db.execute(insert_into(db, users).values(id=new_id("usr"), name=name).on_conflict_do_nothing())
    user_id = (await db.execute(find)).scalar_one()
    await join(db, user_id, f"{name}'s trips")
    return user_id


async def join(db: AsyncConnection, user_id: str, group: str) -> None:
    """Makes the user a member of the group of that name; who makes a group owns it."""
    find = select(groups.c.id).where(groups.c.name == group)
    made = await db.execute(insert_into(db, groups).values(id=new_id("grp"), name=group).on_conflict_do_nothing())
    member = {
        "group_id": (await db.execute(find)).scalar_one(),
        "user_id": user_id,
        "role": "owner" if made.rowcount else "member",
    }
    await db.execute(insert_into(db, group_members).values(member).on_conflict_do_nothing())
