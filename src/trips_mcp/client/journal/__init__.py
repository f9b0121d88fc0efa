"""The note of every write that is under way: what lets an identical call finish one whose answer was lost.

Narrow on purpose. `connect` hands one in (`sqlite.py`, or `memory.py` where no file is wanted); replicas
that share their notes would hand in another.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Intent:
    """One write that is about to be sent."""

    key: str = field(repr=False)
    """Its Idempotency-Key, the same on every attempt and on every later call that takes it up."""
    resumed: bool
    """Whether an earlier identical call had this key, and nobody knows what came of it."""
    note: str
    """What the call that was first had noted beside it; this call's own if it is not resumed."""
    superseded: bool = False
    """Whether another write to the same thing was answered since: who calls again then may mean it anew."""
    noted_at: float = field(default=0.0, compare=False)


class Journal(Protocol):
    """No method raises, or waits for longer than a moment: a journal that fails only remembers less."""

    async def begin(self, digest: str, operation: str, note: str = "", target: str | None = None) -> Intent:
        """Takes up a call of this digest whose outcome is unknown, else notes a new one.

        On return the note outlives this process. `note` is for what a later call must know, and no secret. `target`
        is the thing that is written to, if it has a name before.
        """
        ...

    async def annotate(self, intent: Intent, note: str) -> None:
        """Another note instead of the first."""
        ...

    async def settle(self, intent: Intent, written: Collection[str] = ()) -> None:
        """The outcome is known: the next identical call is a call of its own.

        `written`: the things that an answered write has changed.
        """
        ...

    async def leave_unknown(self, intent: Intent) -> None:
        """Nobody knows the outcome: the next identical call takes the intent up."""
        ...

    async def written_since(self, intent: Intent, targets: Collection[str]) -> set[str]:
        """Those of the targets that an answered write has changed since the intent was first noted."""
        ...

    async def aclose(self) -> None: ...
