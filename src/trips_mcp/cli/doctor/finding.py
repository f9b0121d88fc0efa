"""One line of the doctor's report: the check, the finding, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from typing_extensions import override

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    check: str
    """The stable name of the check, for programs: `trips-key`."""
    level: Level
    found: str
    to_do: str = ""
    """Sentences; empty if there is nothing to do."""
    facts: Mapping[str, object] = field(default_factory=dict[str, object])
    """The same facts for programs, without secrets."""

    @override
    def __str__(self) -> str:
        said = f"{self.found.rstrip('.')}. {self.to_do}" if self.to_do else self.found
        return f"{self.level:<4}  {self.check.replace('-', ' ')}: {said}"

    def as_json(self) -> dict[str, Any]:
        to_do = {"toDo": self.to_do} if self.to_do else {}
        return {"check": self.check, "level": self.level, "found": self.found, **to_do, "facts": dict(self.facts)}
