"""What was claimed of the clients, and whether it held: a line each, and the count at the end."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    secrets: set[str] = field(default_factory=set[str])
    """What is on no line, whatever a client says."""
    say: Callable[[str], object] = print

    def claim(self, what: str, held: object, otherwise: object = "") -> None:
        """`otherwise`: what was seen instead, for whoever has to find out why."""
        if held:
            self.passed += 1
            self._line("✓", what)
        else:
            self.fail(what, otherwise)

    def fail(self, what: str, seen: object = "") -> None:
        self.failed += 1
        self._line("✗", f"{what}: {seen!s:.1500}" if seen else what)

    def skip(self, what: str, why: object) -> None:
        self.skipped += 1
        self._line("-", f"{what}: not run, as {why}")

    def total(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    def _line(self, mark: str, text: str) -> None:
        for secret in self.secrets:
            text = text.replace(secret, "***")
        self.say(f"  {mark} {text}")
