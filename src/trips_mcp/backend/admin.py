"""Administration of a database: its API keys, and the members and trips of its groups."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from anyio import Path
from sqlalchemy import delete, func, select, update

from trips_mcp.backend.callers import (
    LOCAL_OWNER,
    SHOWN_NAME,
    HeldKey,
    NewKey,
    add_key,
    held_keys,
    join,
    of_id,
    of_secret,
    remove_key,
    user_named,
)
from trips_mcp.backend.store import DatabaseError
from trips_mcp.backend.store.connection import Connection
from trips_mcp.backend.store.database import file_of, locate, open_database, shown
from trips_mcp.backend.store.tables import action_items, group_members, groups, trips, users
from trips_mcp.scopes import Scope


async def make_key(
    database: str,
    scopes: Sequence[Scope],
    user: str = LOCAL_OWNER,
    *,
    group: str | None = None,
    label: str | None = None,
) -> NewKey:
    """Creates a key, whose secret is returned only here. Creates the SQLite database, user and group if needed.

    `group` is the default group for trips that the key creates.

    Raises: DatabaseError.
    """
    async with open_database(database) as opened, opened.preparing() as db:
        await _check_trips(db, scopes)
        user_id = await user_named(db, user)
        group_id = None if group is None else await join(db, user_id, group)
        return await add_key(db, user_id, scopes, time.time(), group_id=group_id, label=label)


async def _check_trips(db: Connection, scopes: Sequence[Scope]) -> None:
    """Refuses scopes for unknown trips, e.g. after a typing error. Raises: DatabaseError."""
    named = {scope.trip_id for scope in scopes if scope.trip_id is not None}
    if not named:
        return
    known = set((await db.execute(select(trips.c.id).where(trips.c.id.in_(named)))).scalars())
    if missing := sorted(named - known):
        raise DatabaseError(f"There is no trip {missing[0]} for a scope to be limited to; copy its id from list_trips.")


async def create_key(
    database: str, scopes: Sequence[Scope], user: str = LOCAL_OWNER, *, group: str | None = None
) -> str:
    """As `make_key`, but returns only the secret. Raises: DatabaseError."""
    return (await make_key(database, scopes, user, group=group)).secret


async def list_keys(database: str) -> list[HeldKey]:
    """Raises: DatabaseError."""
    async with _existing(database) as db:
        return await held_keys(db)


async def revoke_key(database: str, *, key_id: str = "", secret: str = "") -> HeldKey | None:
    """Revokes the key with this id or secret, from the next request on. None if there is no such key.

    Raises: DatabaseError.
    """
    async with _existing(database) as db:
        return await remove_key(db, of_id(key_id) if key_id else of_secret(secret))


@asynccontextmanager
async def _existing(database: str) -> AsyncGenerator[Connection]:
    """A connection to a database that exists: a mistyped name must not create a file. Raises: DatabaseError."""
    url = locate(database)
    file = file_of(url)
    if file is not None and not await Path(file).exists():
        raise DatabaseError(f"There is no database {shown(url)}; name the one that the keys are of.")
    async with open_database(database) as opened, opened.preparing() as db:
        yield db


@dataclass(frozen=True, slots=True)
class GroupMember:
    user: str
    shown_name: str
    """The display name."""
    role: str


@dataclass(frozen=True, slots=True)
class MovedTrip:
    title: str
    group: str
    """The new group."""
    ownerless: int
    """How many action items lost their owner, who is not in the new group."""


async def list_members(database: str, group: str | None = None) -> list[GroupMember]:
    """Members in the order they joined; the default is the local owner's group. Raises: DatabaseError."""
    async with _existing(database) as db:
        return await _members(db, await _group_id(db, group))


async def add_member(
    database: str, user: str, group: str | None = None, *, shown_name: str | None = None
) -> list[GroupMember]:
    """Adds a member, and creates the user if needed. `shown_name` is the new display name. Returns all members.

    Raises: DatabaseError.
    """
    async with _existing(database) as db:
        group_id = await _group_id(db, group)
        user_id = await user_named(db, user)
        await join(db, user_id, (await db.execute(select(groups.c.name).where(groups.c.id == group_id))).scalar_one())
        if shown_name is not None:
            await db.execute(update(users).where(users.c.id == user_id).values(display_name=shown_name))
        return await _members(db, group_id)


async def remove_member(database: str, user: str, group: str | None = None) -> list[GroupMember]:
    """Returns the other members. The member's action items in the group have no owner then. Raises: DatabaseError."""
    async with _existing(database) as db:
        group_id = await _group_id(db, group)
        memberships = dict(iter(await db.execute(_MEMBERSHIPS.where(users.c.name == user))))
        if group_id not in memberships:
            _refuse(f"{user} is not in this group; trips-mcp backend members --group GROUP lists who is.")
        if len(memberships) == 1:
            _refuse(f"{user} is in no other group; to keep them out of everything, revoke their keys.")
        if len(await _members(db, group_id)) == 1:
            _refuse(f"{user} is the only one in this group, and its trips would be nobody's; add another one first.")
        user_id = memberships[group_id]
        owned = trips.c.creator_id == user_id
        if (await db.execute(select(func.count()).where(trips.c.group_id == group_id, owned))).scalar_one():
            _refuse(f"{user} owns trips of this group; move them first (trips-mcp backend move-trip).")
        await db.execute(
            delete(group_members).where(group_members.c.group_id == group_id, group_members.c.user_id == user_id)
        )
        await _release_items(db, action_items.c.trip_id.in_(select(trips.c.id).where(trips.c.group_id == group_id)))
        return await _members(db, group_id)


async def move_trip(database: str, trip_id: str, group: str) -> MovedTrip:
    """Moves a trip to another group of its owner. Raises: DatabaseError."""
    async with _existing(database) as db:
        group_id = await _group_id(db, group)
        owner = select(users.c.name).where(users.c.id == trips.c.creator_id).scalar_subquery()
        found = (
            await db.execute(
                select(trips.c.title, trips.c.creator_id, owner.label("owner")).where(trips.c.id == trip_id)
            )
        ).one_or_none()
        if found is None:
            _refuse(f"There is no trip {trip_id}; list_trips has the ids.")
        title, creator_id, creator = found
        is_in = select(group_members.c.seq).where(
            group_members.c.group_id == group_id, group_members.c.user_id == creator_id
        )
        if (await db.execute(is_in)).one_or_none() is None:
            _refuse(
                f"{creator}, who owns this trip, is not in {group}; "
                f"add them first: trips-mcp backend members --group {group!r} add {creator!r}."
            )
        await db.execute(update(trips).where(trips.c.id == trip_id).values(group_id=group_id))
        released = await _release_items(db, action_items.c.trip_id == trip_id)
        return MovedTrip(title, group, released)


_MEMBERSHIPS = select(group_members.c.group_id, group_members.c.user_id).join(
    users, users.c.id == group_members.c.user_id
)


async def _group_id(db: Connection, group: str | None) -> str:
    """Raises: DatabaseError."""
    name = f"{LOCAL_OWNER}'s trips" if group is None else group
    found = (await db.execute(select(groups.c.id).where(groups.c.name == name))).scalar_one_or_none()
    if found is None:
        there = (await db.execute(select(groups.c.name).order_by(groups.c.seq).limit(20))).scalars()
        _refuse(f"There is no group {name!r}; name one of: {', '.join(map(repr, there)) or 'none yet'}.")
    return found


async def _members(db: Connection, group_id: str) -> list[GroupMember]:
    members = (
        select(users.c.name, SHOWN_NAME, group_members.c.role)
        .join_from(group_members, users, users.c.id == group_members.c.user_id)
        .where(group_members.c.group_id == group_id)
        .order_by(group_members.c.seq)
    )
    return [GroupMember(*row) for row in await db.execute(members)]


async def _release_items(db: Connection, which: Any) -> int:
    """Clears the owner of items whose owner is not in the trip's group; returns the number of items."""
    members = (
        select(group_members.c.user_id)
        .join(trips, trips.c.group_id == group_members.c.group_id)
        .where(trips.c.id == action_items.c.trip_id)
    )
    released = update(action_items).where(
        which, action_items.c.owner.is_not(None), action_items.c.owner.not_in(members)
    )
    return (await db.execute(released.values(owner=None))).rowcount


def _refuse(why: str) -> NoReturn:
    raise DatabaseError(why)
