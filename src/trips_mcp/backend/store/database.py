"""The open database: its connections, and the two kinds of transaction."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from sqlite3 import Error as SqliteError

from anyio import CancelScope, Lock
from anyio.to_thread import run_sync
from sqlalchemy import URL, event
from sqlalchemy import Connection as Transaction
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from trips_mcp.backend.errors import DatabaseError, DatabaseLostError
from trips_mcp.backend.store import postgresql, sqlite, sqlite_file
from trips_mcp.backend.store.location import file_of, in_memory, is_sqlite, locate, make_room, shown
from trips_mcp.backend.store.schema import SCHEMA, Opened, Schema, make_tables

PATIENCE = 5.0
"""Seconds that a writer waits for another process."""


class Database:
    def __init__(self, engine: AsyncEngine, shown: str) -> None:
        self.shown = shown
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._words = sqlite.sentence if self._is_sqlite else postgresql.sentence
        self._readers = engine if self._is_sqlite else postgresql.reading(engine)
        self._writers = engine.execution_options(writes=True) if self._is_sqlite else postgresql.writing(engine)
        # SQLite lets waiting writers in by luck; in turn they all get in before their patience ends
        self._turn = Lock(fast_acquire=True) if self._is_sqlite else nullcontext()

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncConnection]:
        """One transaction that sees one state of the database from its first query on.

        Raises: DatabaseLostError.
        """
        with CancelScope(shield=True), self._told():  # a statement left half-way would cost the connection
            async with self._readers.begin() as db:
                yield db

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncConnection]:
        """One transaction: committed when the block ends, undone when it raises.

        Raises: DatabaseLostError.
        """
        async with self._turn:
            with CancelScope(shield=True), self._told():
                async with self._writers.begin() as db:
                    yield db

    @asynccontextmanager
    async def preparing(self) -> AsyncGenerator[AsyncConnection]:
        """As `writing`, for whoever has just opened it. Raises: DatabaseError."""
        with CancelScope(shield=True), _in_words(self._words, self.shown):
            async with self._writers.begin() as db:
                yield db

    @contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except (DBAPIError, PoolTimeoutError, OSError) as error:
            if self._is_sqlite or not postgresql.is_lost(error):
                raise
            raise DatabaseLostError(postgresql.reason(error)) from error


@asynccontextmanager
async def open_database(
    database: str, schema: Schema = SCHEMA, *, patience: float = PATIENCE
) -> AsyncGenerator[Database]:
    """The database until the block ends, its tables up to date: a SQLite file's are made or migrated for that.

    Raises: DatabaseError.
    """
    url = locate(database)
    async with _connected(url, patience) as engine:
        await _make_ready(url, engine, schema, patience)
        yield Database(engine, shown(url))


async def migrate_database(database: str, schema: Schema = SCHEMA, *, patience: float = PATIENCE) -> Opened:
    """Makes or migrates the tables; of PostgreSQL too, which many use and nobody migrates in passing.

    Raises: DatabaseError.
    """
    url = locate(database)
    async with _connected(url, patience, seconds_a_statement=None) as engine:
        return await _make_ready(url, engine, schema, patience, to_migrate=True)


@asynccontextmanager
async def _connected(url: URL, patience: float, **limits: float | None) -> AsyncGenerator[AsyncEngine]:
    try:
        engine = _sqlite_engine(url, patience) if is_sqlite(url) else postgresql.make_engine(url, patience, **limits)
    except ImportError as error:
        raise DatabaseError(postgresql.NO_DRIVER) from error
    except ArgumentError as error:
        raise DatabaseError(_UNKNOWN.format(place=shown(url))) from error
    try:
        yield engine
    finally:
        with CancelScope(shield=True):
            await engine.dispose()


async def _make_ready(
    url: URL, engine: AsyncEngine, schema: Schema, patience: float, *, to_migrate: bool = False
) -> Opened:
    with _in_words(sqlite.sentence if is_sqlite(url) else postgresql.sentence, shown(url)):
        if file := file_of(url):
            make_room(file)
            return await run_sync(sqlite_file.make_ready, file, schema, patience)
        async with engine.begin() as db:
            if is_sqlite(url):
                return await db.run_sync(make_tables, schema, shown(url))
            prepare = postgresql.migrate if to_migrate else postgresql.check_tables
            return await db.run_sync(prepare, schema, shown(url))


@contextmanager
def _in_words(sentence: Callable[[Exception, str], str | None], shown: str) -> Generator[None]:
    try:
        yield
    except _CANNOT_OPEN as error:
        raise DatabaseError(sentence(error, shown) or _UNKNOWN.format(place=shown)) from error


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


# what the drivers raise; a setting that asyncpg does not know is a TypeError, a port out of range an OverflowError
_CANNOT_OPEN = (SqliteError, SQLAlchemyError, OSError, TypeError, ValueError, OverflowError)
_UNKNOWN = "The database {place} cannot be opened; name another with a path or a database URL."
