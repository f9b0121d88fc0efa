"""Users, their groups and their keys."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, delete, func, insert, select, update

from trips_mcp.backend.connection import Connection
from trips_mcp.backend.handler import Caller, timestamp
from trips_mcp.backend.id_generator import new_id
from trips_mcp.backend.store.on_conflict import insert_into
from trips_mcp.backend.store.tables import api_keys, group_members, groups, users
from trips_mcp.contract.scopes import Scope

LOCAL_OWNER = "owner"
"""Who a user is that nobody named."""

SHOWN_NAME = func.coalesce(users.c.display_name, users.c.name)
_FIND = select(
    api_keys.c.id, api_keys.c.user_id, api_keys.c.scopes, api_keys.c.group_id, api_keys.c.last_used_at
).where(api_keys.c.digest == bindparam("digest"))
_FIRST_GROUP = (
    select(group_members.c.group_id)
    .where(group_members.c.user_id == api_keys.c.user_id)
    .order_by(group_members.c.seq)
    .limit(1)
    .scalar_subquery()
)
_LIST = (
    select(
        api_keys.c.id,
        users.c.name,
        groups.c.name.label("group"),
        api_keys.c.label,
        api_keys.c.scopes,
        api_keys.c.created_at,
        api_keys.c.last_used_at,
    )
    .join(users, users.c.id == api_keys.c.user_id)
    .outerjoin(groups, groups.c.id == func.coalesce(api_keys.c.group_id, _FIRST_GROUP))
    .order_by(api_keys.c.seq)
)
_USED = update(api_keys).where(api_keys.c.id == bindparam("which")).values(last_used_at=bindparam("at"))


@dataclass(frozen=True, slots=True)
class NewKey:
    id: str
    secret: str = field(repr=False)
    """The key itself, which is held by whoever asked for it and nowhere else."""


@dataclass(frozen=True, slots=True)
class HeldKey:
    """What is known of a key that was made: all but the key."""

    id: str
    user: str
    group: str | None
    """Where its trips are made that name no other group."""
    label: str | None
    scopes: tuple[str, ...]
    created_at: str
    last_used_at: str | None
    """To the hour."""


def digest(secret: str) -> str:
    """How a key or token is stored: enough to recognise it, useless to who reads the database."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


async def find_caller(db: Connection, key: str) -> Caller | None:
    found = (await db.execute(_FIND, {"digest": digest(key)})).one_or_none()
    if found is None:
        return None
    return Caller(
        found.id, found.user_id, tuple(map(Scope.parse, found.scopes)), found.group_id, found.last_used_at or ""
    )


async def note_use(db: Connection, caller: Caller, now: float) -> None:
    await db.execute(_USED, {"which": caller.id, "at": timestamp(now)})


async def add_key(
    db: Connection,
    user_id: str,
    scopes: Sequence[Scope],
    now: float,
    *,
    group_id: str | None = None,
    label: str | None = None,
) -> NewKey:
    made = NewKey(new_id("key"), f"osk_{secrets.token_urlsafe(32)}")
    row = {
        "id": made.id,
        "digest": digest(made.secret),
        "user_id": user_id,
        "scopes": [str(scope) for scope in scopes],
        "created_at": timestamp(now),
        "label": label,
        "group_id": group_id,
    }
    await db.execute(insert(api_keys), row)
    return made


async def held_keys(db: Connection) -> list[HeldKey]:
    """In the order they were made."""
    return [_held(row) for row in await db.execute(_LIST)]


async def remove_key(db: Connection, by: ColumnElement[bool]) -> HeldKey | None:
    """What it was; None where there is no such key."""
    found = (await db.execute(_LIST.where(by))).one_or_none()
    gone = await db.execute(delete(api_keys).where(by))
    return _held(found) if found and gone.rowcount else None


def of_id(key_id: str) -> ColumnElement[bool]:
    return api_keys.c.id == key_id


def of_secret(key: str) -> ColumnElement[bool]:
    return api_keys.c.digest == digest(key)


def _held(row: Row[*tuple[Any, ...]]) -> HeldKey:
    key_id, user, group, label, scopes, made, used = row
    return HeldKey(key_id, user, group, label, tuple(scopes), made, used)


async def user_named(db: Connection, name: str) -> str:
    """The user's id; he and a group of his own are made when need be."""
    find = select(users.c.id).where(users.c.name == name)
    if found := (await db.execute(find)).scalar_one_or_none():
        return found
    await db.execute(insert_into(db.dialect.name, users).values(id=new_id("usr"), name=name).on_conflict_do_nothing())
    user_id = (await db.execute(find)).scalar_one()
    await join(db, user_id, f"{name}'s trips")
    return user_id


async def join(db: Connection, user_id: str, group: str) -> str:
    """Makes the user a member of the group of that name, and tells its id; who makes a group owns it."""
    find = select(groups.c.id).where(groups.c.name == group)
    made = await db.execute(
        insert_into(db.dialect.name, groups).values(id=new_id("grp"), name=group).on_conflict_do_nothing()
    )
    group_id: str = (await db.execute(find)).scalar_one()
    member = {
        "group_id": group_id,
        "user_id": user_id,
        "role": "owner" if made.rowcount else "member",
    }
    await db.execute(insert_into(db.dialect.name, group_members).values(member).on_conflict_do_nothing())
    return group_id
