"""The open database: its connections, and the two kinds of transaction."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from sqlite3 import Error as SqliteError

from anyio import CancelScope, Lock
from anyio.to_thread import run_sync
from sqlalchemy import URL, event
from sqlalchemy import Connection as Transaction
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from trips_mcp.backend import sqlite
from trips_mcp.backend.errors import DatabaseError
from trips_mcp.backend.location import file_of, in_memory, locate, make_room, shown
from trips_mcp.backend.schema import SCHEMA, Schema, bring_up_to_date, recognise

PATIENCE = 5.0
"""Seconds that a writer waits for another process."""


class Database:
    def __init__(self, engine: AsyncEngine, shown: str) -> None:
        self.shown = shown
        self._readers = engine
        self._writers = engine.execution_options(writes=True)
        # SQLite lets waiting writers in by luck; in turn they all get in before their patience ends
        self._one_writer = Lock(fast_acquire=True)

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncConnection]:
        with CancelScope(shield=True):  # a statement left half-way would cost the connection
            async with self._readers.begin() as db:
                yield db

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncConnection]:
        """One transaction: committed when the block ends, undone when it raises."""
        async with self._one_writer:
            with CancelScope(shield=True):
                async with self._writers.begin() as db:
                    yield db


@asynccontextmanager
async def open_database(
    database: str, schema: Schema = SCHEMA, *, patience: float = PATIENCE
) -> AsyncGenerator[Database]:
    """The database with its tables made and up to date, until the block ends.

    Raises: DatabaseError.
    """
    url = locate(database)
    file = file_of(url)
    engine = _engine(url, patience)
    if file:
        make_room(file)
    try:
        try:
            if file:
                await run_sync(recognise, file, patience)
            async with engine.execution_options(writes=True).begin() as db:
                await db.run_sync(bring_up_to_date, schema, file, shown(url))
        except (SqliteError, DBAPIError, OSError) as error:
            raise DatabaseError(_in_words(error, shown(url))) from error
        yield Database(engine, shown(url))
    finally:
        with CancelScope(shield=True):
            await engine.dispose()


def _engine(url: URL, patience: float) -> AsyncEngine:
    try:
        if url.get_backend_name() == "sqlite":
            return _sqlite_engine(url, patience)
        return create_async_engine(url, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        why = "it is no database URL, or no driver for it is installed here"
        raise DatabaseError(f"{shown(url)} cannot be opened: {why}.") from error


def _sqlite_engine(url: URL, patience: float) -> AsyncEngine:
    async def connect() -> sqlite.Connection:
        connection = sqlite.Connection(url.database or ":memory:", patience)
        await connection
        return connection

    # each connection to a database in memory would be a database of its own
    size = {"pool_size": 1, "max_overflow": 0} if in_memory(url) else {}
    engine = create_async_engine(
        url,
        hide_parameters=True,  # they are people's secrets, and errors are logged
        async_creator=connect,
        poolclass=AsyncAdaptedQueuePool,
        **size,
    )
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _begin(db: Transaction) -> None:
    connection = db.connection.driver_connection
    assert isinstance(connection, sqlite.Connection)  # noqa: S101  (of the engine above)
    # a writer that began as a reader could not wait for another one
    connection.begin("BEGIN IMMEDIATE" if db.get_execution_options().get("writes") else "BEGIN")


def _in_words(error: Exception, place: str) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    name = getattr(cause, "sqlite_errorname", "") or ""
    for start, sentence in _SENTENCES.items():
        if name.startswith(start):
            return sentence.format(place=place)
    return f"The database {place} cannot be opened; name another with a path or a database URL."


_SENTENCES = {
    "SQLITE_NOTADB": "{place} is not a database; name another file.",
    "SQLITE_CORRUPT": "The database {place} is damaged; restore a backup of it or name another file.",
    "SQLITE_BUSY": "The database {place} is locked by another program; close that and try again.",
    "SQLITE_LOCKED": "The database {place} is locked by another program; close that and try again.",
    "SQLITE_READONLY": "The database {place} cannot be written to; allow it or name another file.",
    "SQLITE_CANTOPEN": "The database {place} cannot be opened; name a file in a folder you may write to.",
    "SQLITE_FULL": "The disk of the database {place} is full; make room on it.",
}
