"""SQLite transactions, with reads on the event loop and writes in group commits.

A statement on a local file takes less time than a switch to a thread, so statements run on the event loop. A worker
thread does what may block: the wait for another process's lock, and the commit on a slow disk. Writes that are ready
at the same moment, or during a commit, share the next commit.
"""

import sqlite3
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from math import inf
from pathlib import Path
from typing import Any, Final

from anyio import CancelScope, Lock, sleep
from anyio.lowlevel import checkpoint
from anyio.to_thread import run_sync
from pydantic_core import from_json
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import Dialect, Executable, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from trips_mcp.backend.store.connection import CompiledStatements, Rows
from trips_mcp.json_values import is_list

_MOST_TOGETHER: Final = 64
"""Most writes in one transaction, because the first one waits for the last."""
_QUICK_SECONDS: Final = 0.02
"""If the last commit took less, the next one runs on the event loop."""
_MOST_WITH_OTHERS: Final = 16
"""The same while another process writes to the file, which waits for the last, too."""
_SECONDS_SHARED: Final = 1.0
"""How long another process counts as writing after this one waited for it."""
_SECONDS_FOR_OTHERS: Final = 0.002
"""Between two transactions while another process writes: two of its tries."""
_SECONDS_BETWEEN_TRIES: Final = 0.001
"""SQLite's busy handler sleeps up to 100 ms and misses the gap between two writes of a busy process."""


class SqliteConnection:
    """The driver's connection with the async interface that handlers use."""

    def __init__(self, db: SyncConnection, compiled: CompiledStatements) -> None:
        self.sync = db
        self._compiled = compiled
        raw = db.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)  # noqa: S101  (of the engine below)
        self.raw = raw

    @property
    def dialect(self) -> Dialect:
        return self._compiled.dialect

    async def execute(self, statement: Executable, parameters: Any = None) -> Rows:
        if is_list(parameters):
            compiled = self._compiled.of(statement, parameters[0], many=True)
            self.raw.executemany(compiled.sql, map(compiled.arguments, parameters))
            return compiled.rows((), -1)
        values: dict[str, Any] = parameters or {}
        compiled = self._compiled.of(statement, values)
        cursor = self.raw.execute(compiled.sql, compiled.arguments(values))
        found = cursor.fetchall()
        return compiled.rows(found, len(found) or cursor.rowcount)


@cache
def _statements() -> CompiledStatements:
    """For all files of this process: the twin of a trip is a database of a second, with the same statements."""
    engine = create_engine("sqlite://", poolclass=NullPool, json_deserializer=from_json)
    with engine.connect():  # tells the dialect what this SQLite can do
        return CompiledStatements(engine.dialect)


class SqliteTransactions:
    """Transactions on one file, or on the single connection to an in-memory database."""

    def __init__(self, file: Path | None, patience: float) -> None:
        """`file` is None for an in-memory database. A writer waits `patience` seconds for another process."""
        self._file = file
        self._patience = patience
        self._engine = create_engine(
            "sqlite://",
            hide_parameters=True,  # parameters may be secrets, and errors are logged
            creator=self._opened,
            poolclass=NullPool,
        )
        self._compiled = _statements()
        self._readers: list[SqliteConnection] = []
        """Idle connections."""
        self._writes = _Writes(self._connect, patience)

    @asynccontextmanager
    async def single(self) -> AsyncGenerator[SqliteConnection]:
        if self._file is None:
            async with self._writes.one() as db:
                yield db
            return
        with self._reader() as db:
            yield db

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[SqliteConnection]:
        """One transaction that sees a snapshot of the database from its first query on."""
        if self._file is None:  # a second connection would open another database
            async with self._writes.one() as db:
                yield db
            return
        with self._reader() as db:
            db.raw.execute("BEGIN")
            try:
                yield db
            finally:
                db.raw.commit()

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[SqliteConnection]:
        """One transaction: committed when the block ends, rolled back if it raises."""
        async with self._writes.one() as db:
            yield db

    def close(self) -> None:
        for db in [*self._readers, *self._writes.opened]:
            db.sync.close()
        self._engine.dispose()

    @contextmanager
    def _reader(self) -> Generator[SqliteConnection]:
        db = self._readers.pop() if self._readers else self._connect()
        try:
            yield db
        finally:
            self._readers.append(db)

    def _connect(self) -> SqliteConnection:
        return SqliteConnection(self._engine.connect(), self._compiled)

    def _opened(self) -> sqlite3.Connection:
        # None: transactions begin explicitly, not where the driver guesses
        name = ":memory:" if self._file is None else self._file
        db = sqlite3.connect(name, timeout=self._patience, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA foreign_keys = ON")
        return db


class _Group:
    """The writes in one transaction."""

    def __init__(self) -> None:
        self.size = 0
        self.is_over = False
        """Whether it was committed or rolled back."""
        self.error: BaseException | None = None


class _Writes:
    """Serialises this process's writes on one connection, each in its own savepoint."""

    def __init__(self, connect: Callable[[], SqliteConnection], patience: float) -> None:
        self._connect = connect
        self._patience = patience
        self._turn = Lock(fast_acquire=True)  # first come, first served
        self._group: _Group | None = None
        self._seconds_to_commit = 0.0
        self._shares_until = -inf
        self.opened: list[SqliteConnection] = []

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[SqliteConnection]:
        """Leaves the block after the group's commit, even if the block raises."""
        group: _Group | None = None
        failure: BaseException | None = None
        async with self._turn:
            with CancelScope(shield=True):
                group = await self._joined()
                db = self.opened[0]
                db.raw.execute("SAVEPOINT one")
                try:
                    yield db
                except BaseException as error:  # noqa: BLE001  (raised again below)
                    failure = error
                    self._undo(group, error)
                else:
                    db.raw.execute("RELEASE one")
        with CancelScope(shield=True):
            await checkpoint()  # lets other ready writes join the group
            if group is not None and not group.is_over:
                async with self._turn:
                    await self._commit(group)
        if error := (group and group.error) or failure:
            raise error

    async def _joined(self) -> _Group:
        group = self._group
        most = _MOST_WITH_OTHERS if self._shares_the_file else _MOST_TOGETHER
        if group is not None and (group.size >= most or group.error is not None):
            await self._commit(group)
            group = None
        if group is None or group.is_over:
            group = await self._begin()
        group.size += 1
        return group

    @property
    def _shares_the_file(self) -> bool:
        """Whether another process wrote a moment ago. It gets its turn, as SQLite keeps no line of those who wait."""
        return time.monotonic() < self._shares_until

    async def _begin(self) -> _Group:
        if not self.opened:
            self.opened.append(self._connect())
            self.opened[0].raw.execute("PRAGMA busy_timeout = 0")
        raw = self.opened[0].raw
        if self._shares_the_file:
            await sleep(_SECONDS_FOR_OTHERS)
        try:
            raw.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            self._shares_until = time.monotonic() + _SECONDS_SHARED
            await run_sync(self._begin_after_others, raw)
        self._group = _Group()
        return self._group

    def _begin_after_others(self, raw: sqlite3.Connection) -> None:
        """In a worker thread."""
        ends = time.monotonic() + self._patience
        while True:
            try:
                raw.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() > ends:
                    raise
                time.sleep(_SECONDS_BETWEEN_TRIES)

    def _undo(self, group: _Group, error: BaseException) -> None:
        raw = self.opened[0].raw
        if raw.in_transaction:
            raw.execute("ROLLBACK TO one")
            raw.execute("RELEASE one")
        else:  # on a full disk, for example, SQLite rolls back the whole transaction
            group.error = error

    async def _commit(self, group: _Group) -> None:
        """Commits the group unless another write already did. Needs the lock."""
        if group.is_over:
            return
        raw = self.opened[0].raw
        try:
            if self._seconds_to_commit < _QUICK_SECONDS:
                self._timed_commit(raw)
            else:
                await run_sync(self._timed_commit, raw)
        except BaseException as error:  # noqa: BLE001  (each write of the group raises it)
            group.error = error
            if raw.in_transaction:
                raw.rollback()
        group.is_over = True

    def _timed_commit(self, raw: sqlite3.Connection) -> None:
        began = time.perf_counter()
        raw.commit()
        self._seconds_to_commit = time.perf_counter() - began


def is_busy(error: sqlite3.Error) -> bool:
    return (getattr(error, "sqlite_errorname", "") or "").startswith("SQLITE_BUSY")


def sentence(error: Exception, shown: str) -> str | None:
    """Why the database cannot be opened; None if the cause is unknown."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    name = getattr(cause, "sqlite_errorname", "") or ""
    return next((words.format(place=shown) for start, words in _SENTENCES.items() if name.startswith(start)), None)


_SENTENCES = {
    "SQLITE_NOTADB": "{place} is not a database; name another file.",
    "SQLITE_CORRUPT": "The database {place} is damaged; restore a backup of it or name another file.",
    "SQLITE_BUSY": "The database {place} is locked by another program; close that and try again.",
    "SQLITE_LOCKED": "The database {place} is locked by another program; close that and try again.",
    "SQLITE_READONLY": "The database {place} cannot be written to; allow it or name another file.",
    "SQLITE_CANTOPEN": "The database {place} cannot be opened; name a file in a folder you may write to.",
    "SQLITE_FULL": "The disk of the database {place} is full; make room on it.",
}
