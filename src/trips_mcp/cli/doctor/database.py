"""The doctor's check of the embedded backend's database: its place, version and state."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import anyio

from trips_mcp.backend.database_errors import DatabaseError
from trips_mcp.backend.store.inspect import FileStatus, look
from trips_mcp.backend.store.location import file_of, in_memory, locate, shown
from trips_mcp.cli.doctor.files import (
    LITTLE,
    NEXT_TO_NONE,
    LeftOpenError,
    free_bytes,
    is_private,
    is_writable,
    read_only,
    size,
)
from trips_mcp.cli.doctor.finding import Diagnosis, Level

_ELSEWHERE: Final = "Make its folder writable, or name another file in TRIPS_MCP_DATABASE."


async def database(setting: str, seconds: float) -> list[Diagnosis]:
    try:
        url = locate(setting)
    except DatabaseError as error:
        return [Diagnosis("database", "fail", str(error))]
    if in_memory(url):
        return [
            Diagnosis("database", "warn", "in memory", "Trips are lost when the server ends; name a file to keep them.")
        ]
    file = file_of(url)
    if file is None:
        return [await _server(setting, shown(url), seconds)]
    try:
        return list(_file(file))
    except OSError as error:
        return [Diagnosis("database", "fail", f"{file} cannot be inspected ({error.strerror})", _ELSEWHERE)]


def is_on_a_server(setting: str) -> bool:
    try:
        url = locate(setting)
    except DatabaseError:
        return False
    return not in_memory(url) and file_of(url) is None


async def _server(setting: str, name: str, seconds: float) -> Diagnosis:
    """Opening a PostgreSQL database only checks its tables."""
    from trips_mcp.backend.store.database import open_database

    facts = {"place": name, "kind": "postgresql"}
    try:
        with anyio.fail_after(seconds):
            async with open_database(setting):
                return Diagnosis("database", "ok", f"PostgreSQL at {name} answers, with the newest tables", facts=facts)
    except TimeoutError:
        found = f"PostgreSQL at {name} did not answer within {seconds:.0f} seconds"
        return Diagnosis("database", "fail", found, "Check that the server runs there, and the URL.", facts)
    except DatabaseError as error:
        return Diagnosis("database", "fail", str(error), facts=facts)


def _file(file: Path) -> Iterator[Diagnosis]:
    facts: dict[str, object] = {"place": str(file.absolute()), "kind": "sqlite", "exists": file.exists()}
    writable = is_writable(file)
    facts["writable"] = writable
    if file.is_dir():
        yield Diagnosis("database", "fail", f"{file} is a folder, not a database", "Name a file in it.", facts)
        return
    if not writable:
        yield Diagnosis("database", "fail", f"{file.absolute()} cannot be written", _ELSEWHERE, facts)
    elif not file.exists():
        yield Diagnosis(
            "database", "ok", f"{file.absolute()} does not exist yet; the first use creates it", facts=facts
        )
    else:
        yield _looked_into(file, facts)
        if not is_private(file):
            yield Diagnosis(
                "database-permissions",
                "warn",
                f"others on this computer may read {file.absolute()}",
                f"It holds door codes; run `chmod 600 {file.absolute()}`.",
            )
    yield from _room(file)


def _looked_into(file: Path, facts: dict[str, object]) -> Diagnosis:
    place, bytes_ = str(file.absolute()), file.stat().st_size
    facts["bytes"] = bytes_
    try:
        with read_only(file) as db:
            seen = look(db, file)
    except LeftOpenError:
        found = f"{place}, {size(bytes_)}; a process that wrote to it ended before it closed it"
        return Diagnosis("database", "ok", f"{found}, which the next start repairs", facts=facts)
    except DatabaseError as error:
        return Diagnosis("database", "fail", str(error), facts=facts)
    except sqlite3.Error as error:
        found = f"{place} cannot be read as a database ({error})"
        return Diagnosis("database", "fail", found, "Restore a backup of it, or name another file.", facts)
    return _of_version(f"{place}, {size(bytes_)}", seen, facts)


def _of_version(place: str, seen: FileStatus, facts: dict[str, object]) -> Diagnosis:
    facts |= {"version": seen.version, "newestVersion": seen.newest, "migrationDue": seen.is_due}
    if seen.version is None:
        return Diagnosis("database", "ok", f"{place}, without tables yet; the first use creates them", facts=facts)
    if seen.is_due:
        found = f"{place}, version {seen.version} of its tables; {seen.newest} is the newest"
        return Diagnosis(
            "database", "warn", found, "The next start keeps a copy beside it and brings it up to date.", facts
        )
    return Diagnosis("database", "ok", f"{place}, version {seen.version}, which is the newest", facts=facts)


def _room(file: Path) -> Iterator[Diagnosis]:
    free = free_bytes(file)
    if free is None:
        return
    facts = {"freeBytes": free}
    if free >= LITTLE:
        yield Diagnosis("disk", "ok", f"{size(free)} are free", facts=facts)
    else:
        level: Level = "fail" if free < NEXT_TO_NONE else "warn"
        yield Diagnosis("disk", level, f"only {size(free)} are free", "Free some space; writes need it.", facts)
