"""The claims about a client and whether they hold, one line each."""

from dataclasses import dataclass
from typing import Final

_MOST_CHARACTERS: Final = 2000
"""Of a line: clients can say a lot."""


@dataclass
class Tally:
    secrets: set[str]
    """What is on no line, whatever a client says."""
    lines: list[str]
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def counts(self) -> tuple[int, int, int]:
        return self.passed, self.failed, self.skipped

    def claim(self, what: str, held: object, otherwise: object = "") -> None:
        """`otherwise`: what was seen instead, for the person who investigates."""
        if held:
            self.passed += 1
            self._line("✓", what)
        else:
            self.fail(what, otherwise)

    def fail(self, what: str, seen: object = "") -> None:
        self.failed += 1
        self._line("✗", f"{what}: {seen}" if seen else what)

    def skip(self, why: object) -> None:
        self.skipped += 1
        self._line("-", f"not run, as {why}")

    def _line(self, mark: str, text: str) -> None:
        for secret in list(self.secrets):
            text = text.replace(secret, "***")
        self.lines.append(f"  {mark} {text:.{_MOST_CHARACTERS}}")
