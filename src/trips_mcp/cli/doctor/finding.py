"""One line of the doctor's report."""

from dataclasses import dataclass
from typing import Literal

from typing_extensions import override

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    about: str
    sentence: str
    """What was found and, unless all is well, what to do."""

    @override
    def __str__(self) -> str:
        return f"{self.level:<4}  {self.about}: {self.sentence}"
