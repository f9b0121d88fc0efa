"""Where a database is: a SQLAlchemy URL or a file path, as a person wrote it."""

import os
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from trips_mcp.backend.errors import DatabaseError

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_IN_MEMORY = {"", ":memory:"}


def locate(database: str) -> URL:
    """Raises: DatabaseError when it is neither a path nor a URL."""
    if "://" not in database:
        name = database if database == ":memory:" else str(Path(database).expanduser())
        return URL.create("sqlite+aiosqlite", database=name)
    try:
        url = make_url(database)
    except (ArgumentError, ValueError):
        # the text may hold a password: it is not repeated
        raise DatabaseError("The database setting is no database URL; want a file path or sqlite:///path.") from None
    return url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))


def file_of(url: URL) -> Path | None:
    """The file of a SQLite database; None for one in memory or on a server."""
    name = url.database or ""
    if url.get_backend_name() != "sqlite" or name in _IN_MEMORY or name.startswith("file:"):
        return None
    return Path(name)


def in_memory(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and (url.database or "") in _IN_MEMORY


def shown(url: URL) -> str:
    """How to name it to a person: the path, or the URL without its password."""
    file = file_of(url)
    return str(file.absolute()) if file else url.render_as_string(hide_password=True)


def make_room(file: Path) -> None:
    """Makes the folder and an empty file that only its owner may read: it will hold door codes.

    Raises: DatabaseError.
    """
    try:
        if file.is_dir():
            raise DatabaseError(f"{file} is a folder, not a database; name a file in it.")
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    except (OSError, ValueError) as error:
        raise _no_room(file, error) from error


def _no_room(file: Path, error: Exception) -> DatabaseError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else "not a possible file name"
    return DatabaseError(f"The database {file} cannot be made: {why}. Name a file in a folder you may write to.")
