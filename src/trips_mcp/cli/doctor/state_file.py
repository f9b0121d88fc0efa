"""The doctor's check of a SQLite file that servers keep for themselves: its place, and what is in it."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from trips_mcp.cli.doctor.files import LeftOpenError, is_private, is_writable, read_only
from trips_mcp.cli.doctor.finding import Diagnosis

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
