"""Connections to SQLite that hop to their thread once for a statement, where aiosqlite's own do four times.

A hop costs more than a small query does. So BEGIN waits for the first statement, and rows are fetched with it.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, Self

import aiosqlite
from sqlalchemy.exc import DBAPIError
from typing_extensions import override


class Connection(aiosqlite.Connection):
    def __init__(self, name: str, patience: float) -> None:
        def connect() -> sqlite3.Connection:
            # None: a transaction begins where SQLAlchemy says so, not where the driver guesses
            db = sqlite3.connect(name, timeout=patience, isolation_level=None, check_same_thread=False)
            db.execute("PRAGMA foreign_keys = ON")
            return db

        super().__init__(connect, iter_chunk_size=64)
        self._thread.daemon = True  # as SQLAlchemy does: a process that crashes must not wait for it
        self._begin: str | None = None

    def begin(self, statement: str) -> None:
        """Begins a transaction, together with the first statement in it."""
        self._begin = statement

    @override
    def cursor(self) -> "Cursor":  # type: ignore[override]  # all that SQLAlchemy uses of one
        return Cursor(self)

    @override
    async def commit(self) -> None:
        if self._begin is None:
            await super().commit()
        self._begin = None

    @override
    async def rollback(self) -> None:
        if self._begin is None:
            await super().rollback()
        self._begin = None

    async def run(self, statement: str, parameters: Any, *, many: bool) -> "Done":
        begin, self._begin = self._begin, None
        return await self._execute(  # pyright: ignore[reportUnknownMemberType]  (untyped in aiosqlite)
            self._run, begin, statement, parameters, many
        )

    def _run(self, begin: str | None, statement: str, parameters: Any, many: bool) -> "Done":
        """In the connection's thread."""
        cursor = self._conn.cursor()
        try:
            if begin is not None:
                cursor.execute(begin)
            if many:
                cursor.executemany(statement, parameters)
            else:
                cursor.execute(statement, parameters)
            rows = cursor.fetchall() if cursor.description else []
            return rows, cursor.description, cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()


Done = tuple[list[Any], Any, int, int | None]
"""A statement's rows, what they consist of, how many rows it changed, and the last one's number."""


class Cursor:
    """What SQLAlchemy takes for a cursor: the statement's results, here already."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Any = ()) -> Self:
        return self._keep(await self._connection.run(statement, parameters, many=False))

    async def executemany(self, statement: str, parameters: Any) -> Self:
        return self._keep(await self._connection.run(statement, parameters, many=True))

    async def fetchall(self) -> Sequence[Any]:
        return self._rows

    async def close(self) -> None:
        self._rows = []

    def _keep(self, done: Done) -> Self:
        self._rows, self.description, self.rowcount, self.lastrowid = done
        return self


def sentence(error: Exception, shown: str) -> str | None:
    """What stands in the way of opening it; None when that is not known."""
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
