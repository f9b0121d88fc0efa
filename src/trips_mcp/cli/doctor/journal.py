"""The doctor's check of the journal: its place, and the writes with an unknown outcome."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from trips_mcp.cli.doctor.files import LeftOpenError, is_private, is_writable, read_only
from trips_mcp.cli.doctor.finding import Diagnosis
from trips_mcp.client.journal.store import NoteCount, count

_WITHOUT: Final = "Without it, the outcome of unfinished writes is lost when a server ends"


def journal(setting: str | None) -> list[Diagnosis]:
    if setting is None:
        return [Diagnosis("journal", "warn", "it is off", f"{_WITHOUT}; unset TRIPS_MCP_JOURNAL to keep one.")]
    try:
        return list(_file(Path(setting).expanduser()))
    except (OSError, RuntimeError, ValueError) as error:
        return [Diagnosis("journal", "fail", f"{setting} cannot be inspected ({error})", _elsewhere())]


def _file(file: Path) -> Iterator[Diagnosis]:
    place = str(file.absolute())
    facts: dict[str, object] = {"place": place, "exists": file.exists(), "writable": is_writable(file)}
    if file.exists() and not file.is_file():
        yield Diagnosis("journal", "fail", f"{place} is not a file", _elsewhere(), facts)
    elif not facts["writable"]:
        yield Diagnosis("journal", "fail", f"{place} cannot be written", _elsewhere(), facts)
    elif not file.exists():
        yield Diagnosis("journal", "ok", f"{place} does not exist yet; the first write creates it", facts=facts)
    else:
        yield _looked_into(file, place, facts)
        if not is_private(file):
            found = f"others on this computer may read {place}"
            yield Diagnosis("journal-permissions", "warn", found, f"Run `chmod 600 {place}`.")


def _looked_into(file: Path, place: str, facts: dict[str, object]) -> Diagnosis:
    try:
        with read_only(file) as db:
            counted = count(db, file, time.time)
    except LeftOpenError:
        found = f"{place}; a process that wrote to it ended before it closed it, which the next write repairs"
        return Diagnosis("journal", "ok", found, facts=facts)
    except sqlite3.Error as error:
        return Diagnosis("journal", "fail", f"{place} cannot be read as a journal ({error})", _elsewhere(), facts)
    return _counted(place, counted, facts)


def _counted(place: str, counted: NoteCount, facts: dict[str, object]) -> Diagnosis:
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


def _elsewhere() -> str:
    return f"{_WITHOUT}; fix it, or name another file in TRIPS_MCP_JOURNAL."
