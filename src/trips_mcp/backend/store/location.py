"""The database setting, a file path or URL, parsed to a SQLAlchemy URL."""

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from trips_mcp.backend.database_errors import DatabaseError

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
        raise no_room(file, error) from error


def no_room(file: Path, error: Exception) -> DatabaseError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else "not a possible file name"
    return DatabaseError(f"The database {file} cannot be made: {why}. Name a file in a folder you may write to.")
