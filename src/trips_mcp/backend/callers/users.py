"""Queries for users, their groups and their keys."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select, update

from trips_mcp.backend.handler import Caller, timestamp
from trips_mcp.backend.id_generator import new_id
from trips_mcp.backend.store.connection import Connection, Row, insert_into
from trips_mcp.backend.store.tables import api_keys, group_members, groups, users
from trips_mcp.scopes import Scope

LOCAL_OWNER = "owner"
"""Name of the default user."""

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
    """The key itself; only its hash is stored."""


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A stored key without its secret."""

    id: str
    user: str
    group: str | None
    """The default group for new trips."""
    label: str | None
    scopes: tuple[str, ...]
    created_at: str
    last_used_at: str | None
    """Accurate to one hour."""


def digest(secret: str) -> str:
    """The hash under which a key or token is stored."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


async def find_caller(db: Connection, key: str) -> Caller | None:
    found = (await db.execute(_FIND, {"digest": digest(key)})).one_or_none()
    if found is None:
        return None
    key_id, user_id, scopes, group_id, last_used_at = found
    return Caller(key_id, user_id, tuple(map(Scope.parse, scopes)), group_id, last_used_at or "")


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
    """All keys, oldest first."""
    return [_held(row) for row in await db.execute(_LIST)]


async def remove_key(db: Connection, by: ColumnElement[bool]) -> HeldKey | None:
    """The removed key; None if there is no such key."""
    found = (await db.execute(_LIST.where(by))).one_or_none()
    gone = await db.execute(delete(api_keys).where(by))
    return _held(found) if found and gone.rowcount else None


def of_id(key_id: str) -> ColumnElement[bool]:
    return api_keys.c.id == key_id


def of_secret(key: str) -> ColumnElement[bool]:
    return api_keys.c.digest == digest(key)


def _held(row: Row) -> HeldKey:
    key_id, user, group, label, scopes, made, used = row
    return HeldKey(key_id, user, group, label, tuple(scopes), made, used)


async def user_named(db: Connection, name: str) -> str:
    """The user's id. Creates the user and a group of their own if there is no such user."""
    find = select(users.c.id).where(users.c.name == name)
    if found := (await db.execute(find)).scalar_one_or_none():
        return found
    await db.execute(insert_into(db.dialect.name, users).values(id=new_id("usr"), name=name).on_conflict_do_nothing())
    user_id = (await db.execute(find)).scalar_one()
    await join(db, user_id, f"{name}'s trips")
    return user_id


async def join(db: Connection, user_id: str, group: str) -> str:
    """Adds the user to the group of that name; returns the group's id. The user owns a group that this creates."""
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
