"""PostgreSQL: opening, migration and error messages."""

from typing import TYPE_CHECKING, Final

from sqlalchemy import URL, Connection, NullPool, text
from sqlalchemy.exc import DBAPIError

from trips_mcp.backend.database_errors import DatabaseError
from trips_mcp.backend.store.schema import REVISION, REVISIONS, Opened, Schema, held_revision, newer, not_migrated

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

NO_DRIVER: Final = "PostgreSQL needs a driver that is not here; install trips-mcp[postgresql] in place of trips-mcp."

_SECONDS_TO_CONNECT: Final = 10.0
_SECONDS_A_STATEMENT: Final = 30.0
"""Timeout of a statement, including the wait for a lock; far more than any request takes."""
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


def make_engine(url: URL, *, seconds_a_statement: float | None = _SECONDS_A_STATEMENT) -> "AsyncEngine":
    # imports the ORM: a tenth of the start of a process that only needs SQLite
    from sqlalchemy.ext.asyncio import create_async_engine

    return create_async_engine(
        url,
        hide_parameters=True,  # parameters may be secrets, and errors are logged
        poolclass=NullPool,  # requests have a pool of their own (postgresql_connection.py)
        connect_args={
            "timeout": _SECONDS_TO_CONNECT,
            "command_timeout": seconds_a_statement,
            "server_settings": _SETTINGS,
        },
    )


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
    return isinstance(error, OSError) or _state(error)[:2] in ("08", "53", "57") or "is closed" in str(_cause(error))


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
    cause = _cause(error)
    said = " ".join(str(cause).split())
    return f"{type(cause).__name__}: {said}" if said else type(cause).__name__


def _state(error: Exception) -> str:
    """PostgreSQL's SQLSTATE; empty if the error is not from PostgreSQL."""
    return getattr(_cause(error), "sqlstate", None) or ""


def _cause(error: Exception) -> BaseException:
    """The driver's own error."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


_SENTENCES = {
    "28": "{place} lets nobody in with this user and password; check both in the URL.",
    "3D000": "{place} does not exist on that server; make it there first (CREATE DATABASE).",
    "42501": "{place} does not allow this user to do that; grant it the rights, or name another user in the URL.",
    "53": "{place} has no connection left; allow it more (max_connections), or run fewer processes.",
    "57P03": "{place} is not ready yet; try again in a moment.",
}
