"""Making, recognising and migrating the database (DESIGN: never silently misread)."""

import os
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, MetaData, insert, inspect, select, update

from trips_mcp.backend.errors import DatabaseError
from trips_mcp.backend.tables import metadata, schema_version

APPLICATION_ID: Final = 0x54524950
"""How a SQLite file of ours is told from any other: "TRIP", in the header's field for it."""


@dataclass(frozen=True, slots=True)
class Schema:
    version: int
    metadata: MetaData
    migrations: Mapping[int, Callable[[Connection], None]] = field(
        default_factory=dict[int, Callable[[Connection], None]]
    )
    """Version → what makes it the next one; runs in the transaction that writes the new version."""


SCHEMA: Final = Schema(1, metadata)


def recognise(file: Path, patience: float) -> None:
    """Refuses a file that is not ours before anything is written to it, then turns on its write-ahead log.

    Raises: DatabaseError, sqlite3.Error.
    """
    with closing(sqlite3.connect(file, timeout=patience, isolation_level=None)) as db:
        (application_id,) = db.execute("PRAGMA application_id").fetchone()
        (objects,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application_id != APPLICATION_ID and (application_id or objects):
            raise DatabaseError(f"{file} is the database of another program; name another file.")
        _write_ahead(db, time.monotonic() + patience)


def _write_ahead(db: sqlite3.Connection, deadline: float) -> None:
    """SQLite does not wait for other processes that do the same: so this does."""
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def bring_up_to_date(db: Connection, schema: Schema, file: Path | None, shown: str) -> None:
    """Makes or migrates the tables, in the write transaction that `db` is in.

    Raises: DatabaseError.
    """
    if not inspect(db).has_table(schema_version.name):
        schema.metadata.create_all(db)
        db.execute(insert(schema_version).values(version=schema.version))
        if db.dialect.name == "sqlite":
            db.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        return
    found = db.execute(select(schema_version.c.version)).scalars().all()
    if len(found) != 1:
        raise DatabaseError(f"{shown} is damaged: it does not say its version. Restore a backup of it.")
    if found[0] > schema.version:
        raise DatabaseError(
            f"{shown} was written by a newer trips-mcp (database version {found[0]}; this one knows "
            f"{schema.version}); update trips-mcp or name another database."
        )
    if found[0] < schema.version:
        _migrate(db, schema, found[0], file)


def _migrate(db: Connection, schema: Schema, version: int, file: Path | None) -> None:
    copy = _copy(file, version) if file else None
    try:
        for step in range(version, schema.version):
            schema.migrations[step](db)
        db.execute(update(schema_version).values(version=schema.version))
    except BaseException:
        if copy:  # the original is as it was: a copy at every failed start would only pile up
            copy.unlink()
        raise


def _copy(file: Path, version: int) -> Path:
    """A copy beside the file, made by SQLite itself; the write lock that the caller holds keeps it whole."""
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
