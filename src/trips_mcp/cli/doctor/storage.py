"""The doctor's checks of what servers store: the embedded backend's database, the journal and the history.

Files are only read: nothing is created, migrated or written.
"""

import os
import shutil
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio

from trips_mcp.backend.store import DatabaseError
from trips_mcp.backend.store.database import file_of, in_memory, locate, open_database, shown
from trips_mcp.backend.store.sqlite_file import FileStatus, look
from trips_mcp.cli.doctor import Diagnosis, Level
from trips_mcp.client.journal_store import count as count_writes
from trips_mcp.history.sqlite import count as count_changes

LITTLE: Final = 100 * 1024 * 1024
"""Bytes of free disk space; less is a hint."""
NEXT_TO_NONE: Final = 10 * 1024 * 1024
"""Bytes of free disk space; less is an error, because writes will soon fail."""


class LeftOpenError(Exception):
    """The last writer did not close the file. Reading all of it would start SQLite's recovery, which writes."""


@contextmanager
def read_only(file: Path) -> Generator[sqlite3.Connection]:
    """Raises: LeftOpenError, sqlite3.Error."""
    log, index = (file.with_name(f"{file.name}-{part}") for part in ("wal", "shm"))
    if log.exists() and log.stat().st_size and not index.exists():
        raise LeftOpenError
    # SQLite would create these two files to read a WAL database, unless it is opened as immutable
    mode = "mode=ro" if index.exists() else "mode=ro&immutable=1"
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?{mode}", uri=True, timeout=1)) as db:
        yield db


def is_writable(file: Path) -> bool:
    """Whether the file can be written or created. For root, who may write anything, checks the mode instead."""
    if file.exists():
        return _may_write(file) and _may_write(file.parent)
    return _may_write(nearest(file))


def is_private(file: Path) -> bool:
    return sys.platform == "win32" or not stat.S_IMODE(file.stat().st_mode) & 0o077


def free_bytes(file: Path) -> int | None:
    """Free bytes on the file's disk; None if unknown."""
    try:
        return shutil.disk_usage(nearest(file)).free
    except OSError:
        return None


def nearest(file: Path) -> Path:
    """The nearest existing folder above the file."""
    return next((folder for folder in file.absolute().parents if os.path.lexists(folder)), Path(file.anchor))


def size(count: int) -> str:
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20)):
        if count >= factor:
            return f"{count / factor:,.1f} {unit}"
    return f"{count / 1024:,.0f} KiB"


def _may_write(path: Path) -> bool:
    told_by_mode = sys.platform != "win32" or not path.is_dir()
    return os.access(path, os.W_OK) and not (told_by_mode and not path.stat().st_mode & 0o222)


Facts = dict[str, object]


@dataclass(frozen=True, slots=True)
class StateFile:
    name: str
    variable: str
    without: str
    """What is lost without it, as the beginning of a sentence."""
    read: Callable[[sqlite3.Connection, Path, str, Facts], Diagnosis]
    """Looks into the open file. The text is its place. Raises: sqlite3.Error, ValueError if it is none of ours."""

    def examine(self, setting: str | None) -> list[Diagnosis]:
        if setting is None:
            return [Diagnosis(self.name, "warn", "it is off", f"{self.without}; unset {self.variable} to keep one.")]
        try:
            return list(self._file(Path(setting).expanduser()))
        except (OSError, RuntimeError, ValueError) as error:
            return [Diagnosis(self.name, "fail", f"{setting} cannot be inspected ({error})", self._elsewhere)]

    def _file(self, file: Path) -> Iterator[Diagnosis]:
        place = str(file.absolute())
        facts: Facts = {"place": place, "exists": file.exists(), "writable": is_writable(file)}
        if file.exists() and not file.is_file():
            yield Diagnosis(self.name, "fail", f"{place} is not a file", self._elsewhere, facts)
        elif not facts["writable"]:
            yield Diagnosis(self.name, "fail", f"{place} cannot be written", self._elsewhere, facts)
        elif not file.exists():
            yield Diagnosis(self.name, "ok", f"{place} does not exist yet; the first write creates it", facts=facts)
        else:
            yield self._looked_into(file, place, facts)
            if not is_private(file):
                found = f"others on this computer may read {place}"
                yield Diagnosis(f"{self.name}-permissions", "warn", found, f"Run `chmod 600 {place}`.")

    def _looked_into(self, file: Path, place: str, facts: Facts) -> Diagnosis:
        try:
            with read_only(file) as db:
                return self.read(db, file, place, facts)
        except LeftOpenError:
            found = f"{place}; a process that wrote to it ended before it closed it, which the next write repairs"
            return Diagnosis(self.name, "ok", found, facts=facts)
        except (sqlite3.Error, ValueError) as error:
            found = f"{place} cannot be read as a {self.name} ({error})"
            return Diagnosis(self.name, "fail", found, self._elsewhere, facts)

    @property
    def _elsewhere(self) -> str:
        return f"{self.without}; fix it, or name another file in {self.variable}."


def _unknown_writes(db: sqlite3.Connection, file: Path, place: str, facts: Facts) -> Diagnosis:
    counted = count_writes(db, file, time.time)
    facts |= {"unknownOutcomes": counted.unknown, "underWay": counted.under_way}
    under_way = f", {counted.under_way} under way" if counted.under_way else ""
    if not counted.unknown:
        return Diagnosis("journal", "ok", f"{place}, no write of unknown outcome{under_way}", facts=facts)
    writes = "1 write" if counted.unknown == 1 else f"{counted.unknown} writes"
    return Diagnosis(
        "journal",
        "warn",
        f"{place}, {writes} of unknown outcome{under_way}",
        "Check whether the change is there, or make the same call again: it is not applied twice.",
        facts,
    )


JOURNAL: Final = StateFile(
    "journal",
    "TRIPS_MCP_JOURNAL",
    "Without it, the outcome of unfinished writes is lost when a server ends",
    _unknown_writes,
)


def _changes(db: sqlite3.Connection, _: Path, place: str, facts: Facts) -> Diagnosis:
    changes = count_changes(db)
    facts["changes"] = changes
    return Diagnosis("history", "ok", f"{place}, {changes} change{'' if changes == 1 else 's'}", facts=facts)


HISTORY: Final = StateFile("history", "TRIPS_MCP_HISTORY", "Without it, no change can be undone", _changes)


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
