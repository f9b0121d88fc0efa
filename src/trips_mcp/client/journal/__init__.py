"""The note of every write that is under way: what lets an identical call finish one whose answer was lost.

Narrow on purpose. `connect` hands one in (`sqlite.py`, or `memory.py` where no file is wanted); replicas
that share their notes would hand in another.
"""

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


class Journal(Protocol):
    """No method raises, or waits for longer than a moment: a journal that fails only remembers less."""

    async def begin(self, digest: str, operation: str, note: str = "") -> Intent:
        """Takes up a call of this digest whose outcome is unknown, else notes a new one.

        On return the note outlives this process. `note` is for what a later call must know, and no secret.
        """
        ...

    async def settle(self, intent: Intent) -> None:
        """The outcome is known: the next identical call is a call of its own."""
        ...

    async def leave_unknown(self, intent: Intent) -> None:
        """Nobody knows the outcome: the next identical call takes the intent up."""
        ...

    async def aclose(self) -> None: ...
