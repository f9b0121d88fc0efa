"""The doctor's checks of the files that servers keep for themselves: the journal and the history."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trips_mcp.cli.doctor.files import LeftOpenError, is_private, is_writable, read_only
from trips_mcp.cli.doctor.finding import Diagnosis
from trips_mcp.client.journal.store import count as count_writes
from trips_mcp.history.store import count as count_changes

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
