"""A SQLite file: recognise, create, inspect, or back up and migrate."""

import os
import secrets
import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, NullPool, create_engine, event

from trips_mcp.backend.store import DatabaseError
from trips_mcp.backend.store.schema import (
    REVISIONS,
    SCHEMA,
    Opened,
    Schema,
    knows,
    make_tables,
    newer,
    not_migrated,
    the_only,
    upgrade,
)
from trips_mcp.sqlite_files import use_write_ahead_log

APPLICATION_ID: Final = 0x54524950
"""SQLite's application id of our files: "TRIP" in ASCII."""
_BEFORE_ALEMBIC: Final = {"1": "0001"}
"""Version numbers from before Alembic → the revisions with the same tables."""


def make_ready(file: Path, schema: Schema, patience: float) -> Opened:
    """Creates or migrates the file. Another program's file is refused before anything is written.

    Raises: DatabaseError, sqlite3.Error, SQLAlchemyError.
    """
    shown = str(file.absolute())
    if not file.exists() and (made := _make(file, schema, patience)):
        return made
    with closing(_connect(file, patience)) as db:
        _recognise(db, file)
        use_write_ahead_log(db, time.monotonic() + patience)
        found = _revision(db, shown)
    if found == schema.newest:
        return Opened(shown, found, schema.newest)
    with _alone_with(file, patience) as db:
        return _bring_up_to_date(db, schema, file, shown)


@dataclass(frozen=True, slots=True)
class FileStatus:
    version: str | None
    """None if it has no tables yet."""
    newest: str

    @property
    def is_due(self) -> bool:
        """Whether the next start would migrate it."""
        return self.version is not None and self.version != self.newest


def look(db: sqlite3.Connection, file: Path, schema: Schema = SCHEMA) -> FileStatus:
    """Reads the version and checks the integrity, without opening the file as a database.

    Raises: DatabaseError if the file is unusable; sqlite3.Error if it cannot be read.
    """
    _recognise(db, file)
    (checked,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if checked != "ok":
        raise DatabaseError(f"{file.absolute()} is damaged ({checked}); restore a backup of it.")
    found = _revision(db, str(file.absolute()))
    if found not in (None, schema.newest, *_BEFORE_ALEMBIC) and not knows(schema, found):
        raise newer(str(file.absolute()), found, schema)
    return FileStatus(found, schema.newest)


def make_room(file: Path) -> None:
    """Creates the parent folder of the file.

    Raises: DatabaseError if the file cannot be created there.
    """
    try:
        if file.is_dir():
            raise DatabaseError(f"{file} is a folder, not a database; name a file in it.")
        if file.is_symlink() and not file.exists():
            raise DatabaseError(
                f"{file} is a link to {file.readlink()}, which does not exist; "
                "remove the link, or name the file itself."
            )
        file.parent.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise _no_room(file, error) from error


def _no_room(file: Path, error: Exception) -> DatabaseError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else "not a possible file name"
    return DatabaseError(f"The database {file} cannot be made: {why}. Name a file in a folder you may write to.")


def _make(file: Path, schema: Schema, patience: float) -> Opened | None:
    """Creates the file, readable by its owner alone (it will contain door codes). None if another process was first.

    The file gets its name when it is complete, so that an incomplete file is never seen.
    """
    new = file.with_name(f".trips-{secrets.token_hex(4)}.new")
    try:
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(_connect(new, patience)) as db:
            use_write_ahead_log(db, time.monotonic() + patience)
        with _alone_with(new, patience) as db:
            db.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
            made = make_tables(db, schema, str(file.absolute()))
        os.link(new, file)
    except FileExistsError:
        return None
    except (OSError, ValueError) as error:
        raise _no_room(file, error) from error
    finally:
        with suppress(OSError, ValueError):
            new.unlink()
    return made


def _connect(file: Path, patience: float) -> sqlite3.Connection:
    # None: transactions begin explicitly, not where the driver guesses
    return sqlite3.connect(file, timeout=patience, isolation_level=None)


def _recognise(db: sqlite3.Connection, file: Path) -> None:
    (application_id,) = db.execute("PRAGMA application_id").fetchone()
    (objects,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application_id != APPLICATION_ID and (application_id or objects):
        raise DatabaseError(f"{file} is the database of another program; name another file.")
    if not objects:
        raise DatabaseError(
            f"{file} is empty, and the trips that it may have held are lost; restore a backup of it, "
            "or remove it to begin anew."
        )


def _revision(db: sqlite3.Connection, shown: str) -> str | None:
    """The revision of the tables; None if there are none. Raises: DatabaseError."""
    columns = [name for _, name, *_ in db.execute(f"PRAGMA table_info({REVISIONS})")]
    if not columns:
        return None
    rows = db.execute(f"SELECT {columns[0]} FROM {REVISIONS}").fetchall()  # noqa: S608  (a name from the schema)
    return the_only([str(number) for (number,) in rows], shown)


@contextmanager
def _alone_with(file: Path, patience: float) -> Generator[Connection]:
    """An exclusive write transaction, on a connection without foreign key enforcement.

    Altering a table in SQLite means copying and dropping it; the drop would delete the rows that refer to it.
    """
    engine = create_engine("sqlite://", creator=lambda: _connect(file, patience), poolclass=NullPool)
    event.listen(engine, "begin", _begin_immediate)
    with engine.begin() as db:
        yield db


def _begin_immediate(db: Connection) -> None:
    db.exec_driver_sql("BEGIN IMMEDIATE")


def _bring_up_to_date(db: Connection, schema: Schema, file: Path, shown: str) -> Opened:
    raw = db.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)  # noqa: S101  (of the engine above)
    found = _revision(raw, shown)  # another process may have been first
    if found is None:
        raise DatabaseError(f"{shown} is damaged: it does not say its version. Restore a backup of it.")
    copy = _migrate(db, schema, found, file, shown) if found != schema.newest else None
    return Opened(shown, found, schema.newest, copy)


def _migrate(db: Connection, schema: Schema, found: str, file: Path, shown: str) -> Path:
    """Backs up and migrates the file; returns the backup. Raises: DatabaseError; then nothing has changed."""
    since = _BEFORE_ALEMBIC.get(found)
    if since is None and not knows(schema, found):
        raise newer(shown, found, schema)
    copy = _copy(file, found)
    try:
        if since is not None:
            db.exec_driver_sql(f"DROP TABLE {REVISIONS}")
        upgrade(db, schema, since=since)
        if lost := db.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise LookupError(f"a row of {lost[0]} refers to one of {lost[2]} that is not there")
    except BaseException as error:
        copy.unlink()  # the original is unchanged, and copies of failed starts would pile up
        if isinstance(error, Exception):
            raise not_migrated(shown, found, schema, error) from error
        raise
    return copy


def _copy(file: Path, version: str) -> Path:
    """Backs up the file next to it with SQLite's backup API. The caller's write lock keeps the copy consistent."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    copy = file.with_name(f"{file.name}.v{version}-{stamp}.bak")
    try:
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            copy.unlink()
        raise DatabaseError(
            f"{file} must be migrated, but cannot be backed up beside itself first; make room in its folder."
        ) from error
    return copy
