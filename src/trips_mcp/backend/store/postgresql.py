"""PostgreSQL connections, transactions, migration and error messages."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from anyio import CancelScope
from sqlalchemy import URL, Connection, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from trips_mcp.backend.database_errors import DatabaseError, DatabaseLostError
from trips_mcp.backend.store.schema import REVISION, REVISIONS, Opened, Schema, held_revision, newer, not_migrated

NO_DRIVER: Final = "PostgreSQL needs a driver that is not here; install trips-mcp[postgresql] in place of trips-mcp."

CONNECTIONS: Final = 10
"""Most connections of one process. PostgreSQL allows 100 in all by default, so a few processes fit."""
_SECONDS_TO_CONNECT: Final = 10.0
_SECONDS_A_STATEMENT: Final = 30.0
"""Timeout of a statement, including the wait for a lock; far more than any request takes."""
_SECONDS_OF_USE: Final = 300
"""Age at which a connection is replaced: firewalls drop idle ones silently."""
_SETTINGS: Final = {
    "application_name": "trips-mcp",
    "idle_in_transaction_session_timeout": "30s",  # releases the locks of a machine that vanished during a request
    "jit": "off",  # compiling takes longer than any of these queries
}
_MIGRATING: Final = 0x5452_4950
"""Key of the advisory lock that serialises migrations."""

_TABLES: Final = text(
    "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(:table) AND attname = :column), "
    "EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace(current_schema()) AND relkind IN ('r', 'p'))"
)


def make_engine(url: URL, patience: float, *, seconds_a_statement: float | None = _SECONDS_A_STATEMENT) -> AsyncEngine:
    """A request waits `2 * patience` seconds for a free connection."""
    engine = create_async_engine(
        url,
        hide_parameters=True,  # parameters may be secrets, and errors are logged
        pool_size=CONNECTIONS,
        max_overflow=0,  # an extra connection would be closed after a single request
        pool_timeout=2 * patience,
        pool_recycle=_SECONDS_OF_USE,
        pool_use_lifo=True,
        connect_args={
            "timeout": _SECONDS_TO_CONNECT,
            "command_timeout": seconds_a_statement,
            "server_settings": _SETTINGS,
        },
    )
    event.listen(engine.sync_engine, "checkout", _check_alive)
    return engine


class PostgresqlTransactions:
    def __init__(self, engine: AsyncEngine) -> None:
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT")
        # one snapshot for all queries of a request, as in SQLite
        self._readers = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        # each query sees what others committed, e.g. while this one waited for a lock
        self._writers = engine.execution_options(isolation_level="READ COMMITTED")

    def single(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return _begun(self._single)

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return _begun(self._readers)

    def writing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return _begun(self._writers)


@asynccontextmanager
async def _begun(engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
    """Raises: DatabaseLostError."""
    with CancelScope(shield=True):  # a cancelled statement would break the connection
        try:
            async with engine.begin() as db:
                yield db
        except (DBAPIError, PoolTimeoutError, OSError) as error:
            if not is_lost(error):
                raise
            raise DatabaseLostError(reason(error)) from error


def _check_alive(connection: Any, _record: Any, _proxy: Any) -> None:
    """Makes the pool replace a closed connection. asyncpg knows that without a query; a ping would be three."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def check_tables(db: Connection, schema: Schema, shown: str) -> Opened:
    """Raises: DatabaseError unless the tables are the newest. A shared database is never migrated on opening."""
    found = _revision(db, shown)
    if found == schema.newest:
        return Opened(shown, found, schema.newest)
    if found is None:
        raise DatabaseError(f"{shown} has no tables yet; make them with `trips-mcp backend migrate`.")
    _check_known(schema, found, shown)
    raise DatabaseError(
        f"{shown} has the tables of an earlier trips-mcp (database version {found}; this one needs {schema.newest}); "
        "back it up and run `trips-mcp backend migrate`."
    )


def migrate(db: Connection, schema: Schema, shown: str) -> Opened:
    """Raises: DatabaseError, DBAPIError; then nothing has changed."""
    from trips_mcp.backend.store import migrate

    db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
    found = _revision(db, shown)
    if found is None:
        _check_unicode(db, shown)
    elif found == schema.newest:
        return Opened(shown, found, schema.newest)
    else:
        _check_known(schema, found, shown)
    try:
        migrate.upgrade(db, schema)
    except Exception as error:
        if sentence(error, shown) is not None:  # the cause is the database, not the migration
            raise
        raise not_migrated(shown, found, schema, error) from error
    return Opened(shown, found, schema.newest)


def _revision(db: Connection, shown: str) -> str | None:
    """The revision of the tables; None if there are none. Raises: DatabaseError if they are another program's."""
    ours, any_at_all = db.execute(_TABLES, {"table": REVISIONS, "column": REVISION}).one()
    if ours:
        return held_revision(db, shown)
    if any_at_all:
        raise DatabaseError(f"{shown} holds the tables of another program; name an empty database.")
    return None


def _check_known(schema: Schema, found: str, shown: str) -> None:
    from trips_mcp.backend.store import migrate

    if not migrate.knows(schema, found):
        raise newer(shown, found, schema)


def _check_unicode(db: Connection, shown: str) -> None:
    encoding = db.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise DatabaseError(f"{shown} keeps its text as {encoding}; name a database made with ENCODING 'UTF8'.")


def is_lost(error: Exception) -> bool:
    """Whether the connection failed, not the request."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _state(error)[:2] in ("08", "53", "57") or _closed(error)
    return isinstance(error, OSError | PoolTimeoutError)


def sentence(error: Exception, shown: str) -> str | None:
    """Why the database cannot be opened; None if the cause is unknown."""
    for start, words in _SENTENCES.items():
        if _state(error).startswith(start):
            return words.format(place=shown)
    if isinstance(error, TypeError | ValueError) and not isinstance(error, OSError):
        return f"The URL of {shown} has a setting that its driver asyncpg does not know; leave it out."
    if is_lost(error) or isinstance(error, OverflowError):  # a port out of range
        return f"{shown} cannot be reached; check that the server runs there, and the URL."
    return None


def reason(error: Exception) -> str:
    """Type and message of the driver's error, for the log."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    said = " ".join(str(cause).split())
    return f"{type(cause).__name__}: {said}" if said else type(cause).__name__


def _state(error: Exception) -> str:
    """PostgreSQL's SQLSTATE; empty if the error is not from PostgreSQL."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlstate", None) or ""


def _closed(error: DBAPIError) -> bool:
    return "is closed" in str(error.orig)


_SENTENCES = {
    "28": "{place} lets nobody in with this user and password; check both in the URL.",
    "3D000": "{place} does not exist on that server; make it there first (CREATE DATABASE).",
    "42501": "{place} does not allow this user to do that; grant it the rights, or name another user in the URL.",
    "53": "{place} has no connection left; allow it more (max_connections), or run fewer processes.",
    "57P03": "{place} is not ready yet; try again in a moment.",
}
