"""Factory functions that open the backend over a database, or migrate one."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from trips_mcp.backend.callers.users import LOCAL_OWNER, user_named
from trips_mcp.backend.handler import Caller
from trips_mcp.backend.http.app import Backend
from trips_mcp.backend.store.database import migrate_database, open_database
from trips_mcp.backend.store.schema import Opened
from trips_mcp.scopes import BASE_SCOPES, Scope


@asynccontextmanager
async def open_backend(
    database: str,
    *,
    require_keys: bool,
    rate_limit: int | None = 60,
    clock: Callable[[], float] = time.time,
) -> AsyncGenerator[Backend]:
    """Both APIs as an ASGI app over the database at this URL or path, until the block ends.

    Without `require_keys` every request acts as the local owner, with every scope and no rate limit.

    Raises: DatabaseError.
    """
    async with open_database(database) as opened:
        if require_keys:
            yield Backend(opened, owner=None, rate_limit=rate_limit, clock=clock)
            return
        async with opened.preparing() as db:
            user_id = await user_named(db, LOCAL_OWNER)
        owner = Caller("local", user_id, tuple(map(Scope, BASE_SCOPES)))
        yield Backend(opened, owner=owner, rate_limit=None, clock=clock)


async def migrate(database: str) -> Opened:
    """Creates or migrates the tables. For PostgreSQL this is the only way; SQLite also migrates on opening.

    Raises: DatabaseError.
    """
    return await migrate_database(database)
