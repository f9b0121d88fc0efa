"""SQLite files that several processes of a user share: private, in WAL mode, with exclusive transactions."""

import os
import sqlite3
import stat
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

BUSY_SECONDS: Final = 1.0
"""Seconds that SQLite waits for other processes."""


def open_shared(
    file: Path, check: Callable[[sqlite3.Connection], object], prepare: Callable[[sqlite3.Connection], None]
) -> sqlite3.Connection:
    """Opens or creates the file; commits survive the process, and NORMAL keeps the file intact in a power cut.

    `check` raises before anything is written to a file of something else. `prepare`, in a transaction: creates what
    is missing. Raises: what these raise, sqlite3.Error, OSError, ValueError.
    """
    _create_private(file)
    database = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        check(database)
        database.execute("PRAGMA synchronous = NORMAL")
        use_write_ahead_log(database, time.monotonic() + BUSY_SECONDS)
        with transaction(database):
            prepare(database)
    except BaseException:
        database.close()
        raise
    return database


def is_new(database: sqlite3.Connection, application_id: int) -> bool:
    """Whether the database has no tables. Raises: sqlite3.DatabaseError if it is another program's."""
    # in this order, as another process may create the tables and set the id between the two queries
    tables: int = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    kind: int = database.execute("PRAGMA application_id").fetchone()[0]
    if kind != application_id and (kind or tables):
        raise sqlite3.DatabaseError("it is a database of something else")
    return not tables


def use_write_ahead_log(database: sqlite3.Connection, deadline: float) -> None:
    """Retries until `deadline` (time.monotonic), because SQLite does not wait for other processes that switch too.

    Raises: sqlite3.OperationalError.
    """
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


@contextmanager
def transaction(database: sqlite3.Connection) -> Generator[sqlite3.Connection]:
    """An exclusive transaction; inside another one, a part of it. The connection must be in autocommit mode."""
    if database.in_transaction:
        yield database
        return
    database.execute("BEGIN IMMEDIATE")
    try:
        yield database
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _create_private(file: Path) -> None:
    """Creates an empty file that only its owner may read, unless it exists. Raises: OSError if it is not a file."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        if not stat.S_ISREG(file.stat().st_mode):
            raise OSError("it is not a file") from None
