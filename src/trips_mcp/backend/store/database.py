"""The database setting, a path or URL, and the open database with its transactions."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from sqlite3 import Error as SqliteError
from typing import TYPE_CHECKING, Protocol

from anyio import CancelScope
from anyio.to_thread import run_sync
from sqlalchemy import URL, make_url
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from trips_mcp.backend.store import DatabaseError, DatabaseLostError, postgresql, sqlite_file
from trips_mcp.backend.store.connection import Connection
from trips_mcp.backend.store.postgresql import PostgresqlTransactions
from trips_mcp.backend.store.schema import SCHEMA, Opened, Schema, make_tables
from trips_mcp.backend.store.sqlite_connection import SqliteTransactions, sentence

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

PATIENCE = 5.0
"""Seconds that a writer waits for a lock held by another process."""

_SQLITE = "sqlite"
_POSTGRESQL = "postgresql+asyncpg"
_DRIVERS = {
    **dict.fromkeys(("sqlite", "sqlite+aiosqlite"), _SQLITE),
    **dict.fromkeys(("postgresql", "postgres", _POSTGRESQL), _POSTGRESQL),
}
_IN_MEMORY = {"", ":memory:"}
_EXPECTED = "expected a file path, sqlite:///path or postgresql+asyncpg://user:password@host/name"


def locate(database: str) -> URL:
    """Raises: DatabaseError if it is neither a path nor a supported URL."""
    url = _url(database)
    if is_sqlite(url) and (url.database or "").startswith("file:"):  # only some builds of SQLite support it
        raise DatabaseError("The database setting is a file: URI; use the file's path.")
    if is_sqlite(url) and (url.host or url.username):
        raise DatabaseError(f"The database setting names a SQLite file on another computer; {_EXPECTED}.")
    return url


def _url(database: str) -> URL:
    if "://" not in database:
        return URL.create(_SQLITE, database=database if database == ":memory:" else str(Path(database).expanduser()))
    try:
        url = make_url(database)
    except (ArgumentError, ValueError):
        # not repeated in the error: the text may contain a password
        raise DatabaseError(f"The database setting is no database URL; {_EXPECTED}.") from None
    if url.drivername not in _DRIVERS:
        raise DatabaseError(f"The database setting names no database that trips-mcp knows; {_EXPECTED}.")
    url = url.set(drivername=_DRIVERS[url.drivername])
    if "sslmode" in url.query and not is_sqlite(url):  # the name that other PostgreSQL programs use
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": url.query["sslmode"]})
    return url


def is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def file_of(url: URL) -> Path | None:
    """The file of a SQLite database; None for one in memory or on a server."""
    return None if in_memory(url) or not is_sqlite(url) else Path(url.database or "")


def in_memory(url: URL) -> bool:
    return is_sqlite(url) and (url.database or "") in _IN_MEMORY


def shown(url: URL) -> str:
    """The path, or the URL without secrets. Its query may contain a password too."""
    if file := file_of(url):
        return str(file.absolute())
    place = {name: value for name, value in url.query.items() if name in ("host", "port")}
    return URL.create(
        url.get_backend_name(), url.username, None, url.host, url.port, url.database, place
    ).render_as_string()


class Transactions(Protocol):
    """Each raises DatabaseLostError if the connection is lost."""

    def single(self) -> AbstractAsyncContextManager[Connection]:
        """For one statement, which is its own transaction."""
        ...

    def reading(self) -> AbstractAsyncContextManager[Connection]:
        """One transaction that sees a snapshot of the database from its first query on."""
        ...

    def writing(self) -> AbstractAsyncContextManager[Connection]:
        """One transaction: committed when the block ends, rolled back if it raises."""
        ...


class Database:
    def __init__(self, url: URL, transactions: Transactions) -> None:
        self.shown = shown(url)
        self.single = transactions.single
        self.reading = transactions.reading
        self.writing = transactions.writing
        self._url = url

    @asynccontextmanager
    async def preparing(self) -> AsyncGenerator[Connection]:
        """As `writing`, with errors as for opening the database. Raises: DatabaseError."""
        with CancelScope(shield=True), _in_words(self._url):
            async with self.writing() as db:
                yield db


@asynccontextmanager
async def open_database(
    database: str, schema: Schema = SCHEMA, *, patience: float = PATIENCE
) -> AsyncGenerator[Database]:
    """Opens the database until the block ends. The tables of a SQLite file are created or migrated first.

    Raises: DatabaseError.
    """
    url = locate(database)
    if not is_sqlite(url):
        async with _connected(url) as engine:
            await _prepare_postgresql(url, engine, schema, postgresql.check_tables)
            transactions = PostgresqlTransactions(engine, patience)
            try:
                yield Database(url, transactions)
            finally:
                await transactions.aclose()
        return
    file = file_of(url)
    if file is not None:
        await _prepare_file(url, schema, patience)
    transactions = SqliteTransactions(file, patience)
    try:
        if in_memory(url):
            async with transactions.writing() as db:
                make_tables(db.sync, schema, shown(url))
        yield Database(url, transactions)
    finally:
        transactions.close()


async def migrate(database: str, schema: Schema = SCHEMA, *, patience: float = PATIENCE) -> Opened:
    """Creates or migrates the tables, also of PostgreSQL, which is never migrated on opening.

    Raises: DatabaseError.
    """
    url = locate(database)
    if is_sqlite(url):
        return await _prepare_file(url, schema, patience) if file_of(url) else Opened(shown(url), None, schema.newest)
    async with _connected(url, seconds_a_statement=None) as engine:
        return await _prepare_postgresql(url, engine, schema, postgresql.migrate)


async def _prepare_file(url: URL, schema: Schema, patience: float) -> Opened:
    file = file_of(url)
    assert file is not None  # noqa: S101  (its callers have looked)
    with _in_words(url):
        sqlite_file.make_room(file)
        return await run_sync(sqlite_file.make_ready, file, schema, patience)


async def _prepare_postgresql(
    url: URL, engine: "AsyncEngine", schema: Schema, prepare: Callable[[SyncConnection, Schema, str], Opened]
) -> Opened:
    with _in_words(url):
        async with engine.begin() as db:
            return await db.run_sync(prepare, schema, shown(url))


@asynccontextmanager
async def _connected(url: URL, **limits: float | None) -> AsyncGenerator["AsyncEngine"]:
    try:
        engine = postgresql.make_engine(url, **limits)
    except ImportError as error:
        raise DatabaseError(postgresql.NO_DRIVER) from error
    except ArgumentError as error:
        raise DatabaseError(_UNKNOWN.format(place=shown(url))) from error
    try:
        yield engine
    finally:
        with CancelScope(shield=True):
            await engine.dispose()


@contextmanager
def _in_words(url: URL) -> Generator[None]:
    say = sentence if is_sqlite(url) else postgresql.sentence
    try:
        yield
    except (DatabaseLostError, *_CANNOT_OPEN) as error:
        cause = error.__cause__ if isinstance(error, DatabaseLostError) else error
        said = say(cause, shown(url)) if isinstance(cause, Exception) else None
        raise DatabaseError(said or _UNKNOWN.format(place=shown(url))) from error


# what the drivers raise: TypeError for a setting unknown to asyncpg, OverflowError for a port out of range
_CANNOT_OPEN = (SqliteError, SQLAlchemyError, OSError, TypeError, ValueError, OverflowError)
_UNKNOWN = "The database {place} cannot be opened; name another with a path or a database URL."
