"""WAL mode of a SQLite file that several processes may open at once."""

import sqlite3
import time


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
