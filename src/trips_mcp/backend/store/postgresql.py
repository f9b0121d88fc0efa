"""PostgreSQL: opening, migration, error messages, and connections and transactions on the driver itself.

SQLAlchemy opens the connections, so that URLs and types mean the same here and in migrations. Its pool and its
transactions take longer than a small statement, so requests do not use them.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from anyio import CancelScope, Semaphore, WouldBlock
from pydantic_core import from_json
from sqlalchemy import URL, Connection, Dialect, Executable, NullPool, text
from sqlalchemy.exc import DBAPIError

from trips_mcp.backend.store import DatabaseError, DatabaseLostError
from trips_mcp.backend.store.connection import CompiledStatements, Rows
from trips_mcp.backend.store.schema import (
    REVISION,
    REVISIONS,
    Opened,
    Schema,
    held_revision,
    knows,
    newer,
    not_migrated,
    upgrade,
)
from trips_mcp.json_values import is_list

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

NO_DRIVER: Final = "PostgreSQL needs a driver that is not here; install trips-mcp[postgresql] in place of trips-mcp."

CONNECTIONS: Final = 10
"""Most connections of one process. PostgreSQL allows 100 in all by default, so a few processes fit."""
_SECONDS_OF_USE: Final = 300.0
"""Age at which a connection is replaced: firewalls drop idle ones silently."""
_SECONDS_TO_CLOSE: Final = 2.0
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
        json_deserializer=from_json,
        poolclass=NullPool,  # requests have a pool of their own
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
    db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
    found = _revision(db, shown)
    if found is None:
        _check_unicode(db, shown)
    elif found == schema.newest:
        return Opened(shown, found, schema.newest)
    else:
        _check_known(schema, found, shown)
    try:
        upgrade(db, schema)
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
    if not knows(schema, found):
        raise newer(shown, found, schema)


def _check_unicode(db: Connection, shown: str) -> None:
    encoding = db.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise DatabaseError(f"{shown} keeps its text as {encoding}; name a database made with ENCODING 'UTF8'.")


def _is_lost(error: Exception) -> bool:
    """Whether the connection failed, not the request."""
    return isinstance(error, OSError) or _state(error)[:2] in ("08", "53", "57") or "is closed" in str(_cause(error))


def sentence(error: Exception, shown: str) -> str | None:
    """Why the database cannot be opened; None if the cause is unknown."""
    for start, words in _SENTENCES.items():
        if _state(error).startswith(start):
            return words.format(place=shown)
    if isinstance(error, TypeError | ValueError) and not isinstance(error, OSError):
        return f"The URL of {shown} has a setting that its driver asyncpg does not know; leave it out."
    if _is_lost(error) or isinstance(error, OverflowError):  # a port out of range
        return f"{shown} cannot be reached; check that the server runs there, and the URL."
    return None


def _reason(error: Exception) -> str:
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


class PostgresqlConnection:
    def __init__(self, db: "AsyncConnection", driver: Any, compiled: CompiledStatements) -> None:
        """`driver`: asyncpg's connection, which has no types without asyncpg."""
        self.driver = driver
        self._db = db
        self._compiled = compiled
        self._ends = monotonic() + _SECONDS_OF_USE

    @property
    def dialect(self) -> Dialect:
        return self._compiled.dialect

    @property
    def is_usable(self) -> bool:
        """Without asking the server; asyncpg knows of a connection that was closed."""
        return not self.driver.is_closed() and monotonic() < self._ends

    async def execute(self, statement: Executable, parameters: Any = None) -> Rows:
        if is_list(parameters):
            compiled = self._compiled.of(statement, parameters[0], many=True)
            await self.driver.executemany(compiled.sql, list(map(compiled.arguments, parameters)))
            return compiled.rows((), -1)
        values: dict[str, Any] = parameters or {}
        compiled = self._compiled.of(statement, values)
        if compiled.names:
            found = await self.driver.fetch(compiled.sql, *compiled.arguments(values))
            return compiled.rows(found, len(found))
        status: str = await self.driver.execute(compiled.sql, *compiled.arguments(values))
        return compiled.rows((), int(status.rpartition(" ")[2]))

    async def close(self) -> None:
        """Says goodbye to the server, but not in a transaction or for long."""
        if self.driver.is_closed() or self.driver.is_in_transaction():
            self.driver.terminate()
        else:
            with suppress(OSError):
                await self.driver.close(timeout=_SECONDS_TO_CLOSE)
        await self._db.close()


class PostgresqlTransactions:
    def __init__(self, engine: "AsyncEngine", patience: float) -> None:
        """A request waits `2 * patience` seconds for a free connection."""
        # only with the extra `postgresql`
        from asyncpg import InterfaceError, PostgresError  # pyright: ignore[reportMissingTypeStubs]

        self._engine = engine
        self._patience = patience
        self._errors = (PostgresError, InterfaceError, DBAPIError, OSError)
        self._compiled = CompiledStatements(engine.dialect)
        self._places = Semaphore(CONNECTIONS, fast_acquire=True)
        self._idle: list[PostgresqlConnection] = []
        """The latest last; it is used first."""

    def single(self) -> AbstractAsyncContextManager[PostgresqlConnection]:
        return self._connection()

    def reading(self) -> AbstractAsyncContextManager[PostgresqlConnection]:
        # one snapshot for all queries of a request, as in SQLite
        return self._transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def writing(self) -> AbstractAsyncContextManager[PostgresqlConnection]:
        # each query sees what others committed, e.g. while this one waited for a lock
        return self._transaction("BEGIN ISOLATION LEVEL READ COMMITTED")

    async def aclose(self) -> None:
        with CancelScope(shield=True):
            while self._idle:
                await self._idle.pop().close()

    @asynccontextmanager
    async def _transaction(self, begin: str) -> AsyncGenerator[PostgresqlConnection]:
        """Raises: DatabaseLostError."""
        async with self._connection() as db:
            await db.driver.execute(begin)
            try:
                yield db
            except BaseException as error:
                if isinstance(error, self._errors) and _is_lost(error):
                    db.driver.terminate()
                else:
                    await db.driver.execute("ROLLBACK")
                raise
            await db.driver.execute("COMMIT")

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[PostgresqlConnection]:
        """Raises: DatabaseLostError."""
        await self._take_place()
        try:
            with CancelScope(shield=True):  # a cancelled statement would break the connection
                db = await self._idle_or_new()
                try:
                    yield db
                finally:
                    await self._put_back(db)
        except self._errors as error:
            if _is_lost(error):
                raise DatabaseLostError(_reason(error)) from error
            if isinstance(error, DBAPIError):
                raise
            raise DBAPIError(None, None, error, hide_parameters=True) from error
        finally:
            self._places.release()

    async def _take_place(self) -> None:
        with suppress(WouldBlock):
            self._places.acquire_nowait()
            return
        try:
            async with asyncio.timeout(2 * self._patience):  # anyio's is several times slower
                await self._places.acquire()
        except TimeoutError:
            why = f"none of {CONNECTIONS} connections was free for {2 * self._patience:g} seconds"
            raise DatabaseLostError(why) from None

    async def _idle_or_new(self) -> PostgresqlConnection:
        while self._idle:
            db = self._idle.pop()
            if db.is_usable:
                return db
            await db.close()
        db = await self._engine.connect()
        driver = (await db.get_raw_connection()).driver_connection
        return PostgresqlConnection(db, driver, self._compiled)

    async def _put_back(self, db: PostgresqlConnection) -> None:
        if db.is_usable and not db.driver.is_in_transaction():
            self._idle.append(db)
        else:
            await db.close()
