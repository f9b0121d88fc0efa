"""Administration of a database's API keys: create, list and revoke."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from anyio import Path
from sqlalchemy import select

from trips_mcp.backend.callers.users import (
    LOCAL_OWNER,
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
from trips_mcp.backend.store.tables import trips
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
    async with existing(database) as db:
        return await held_keys(db)


async def revoke_key(database: str, *, key_id: str = "", secret: str = "") -> HeldKey | None:
    """Revokes the key with this id or secret, from the next request on. None if there is no such key.

    Raises: DatabaseError.
    """
    async with existing(database) as db:
        return await remove_key(db, of_id(key_id) if key_id else of_secret(secret))


@asynccontextmanager
async def existing(database: str) -> AsyncGenerator[Connection]:
    """A connection to a database that exists: a mistyped name must not create a file. Raises: DatabaseError."""
    url = locate(database)
    file = file_of(url)
    if file is not None and not await Path(file).exists():
        raise DatabaseError(f"There is no database {shown(url)}; name the one that the keys are of.")
    async with open_database(database) as opened, opened.preparing() as db:
        yield db
