"""Read-only inspection of a SQLite file's version and integrity."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from trips_mcp.backend.database_errors import DatabaseError
from trips_mcp.backend.store.schema import SCHEMA, Schema, newer
from trips_mcp.backend.store.sqlite_file import BEFORE_ALEMBIC, recognise, revision


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
    """Raises: DatabaseError if the file is unusable; sqlite3.Error if it cannot be read."""
    recognise(db, file)
    (checked,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if checked != "ok":
        raise DatabaseError(f"{file.absolute()} is damaged ({checked}); restore a backup of it.")
    found = revision(db, str(file.absolute()))
    if found not in (None, schema.newest, *BEFORE_ALEMBIC):
        from trips_mcp.backend.store import migrate

        if not migrate.knows(schema, str(found)):
            raise newer(str(file.absolute()), str(found), schema)
    return FileStatus(found, schema.newest)
