"""The journal of writes in progress, with which a repeated call completes a write.

An identical call finds the note of a write whose answer was lost, and completes that write.
`connect` passes an implementation to the client: `persistent.py`, or `memory.py` without a file. The protocol is small
so that replicas could share their notes in another implementation.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Intent:
    """A write that is about to be sent."""

    key: str = field(repr=False)
    """The Idempotency-Key, the same for every attempt and for every later call that resumes it."""
    resumed: bool
    """Whether an earlier identical call used this key and its outcome is unknown."""
    note: str
    """The note of the first call with this key."""
    superseded: bool = False
    """Whether another write to the same resource was answered since, so this call may be a new one."""
    noted_at: float = field(default=0.0, compare=False)


class Journal(Protocol):
    """No method raises or waits for long. A journal that fails only remembers less."""

    async def begin(self, digest: str, operation: str, note: str = "", target: str | None = None) -> Intent:
        """Resumes a call with this digest whose outcome is unknown, or notes a new one.

        On return the note outlives this process if the journal is a file. `note`: what a later call must know, never a
        secret. `target`: the resource that is written to, if it already has a name.
        """
        ...

    async def annotate(self, intent: Intent, note: str) -> None:
        """Replaces the note."""
        ...

    async def settle(self, intent: Intent, written: Collection[str] = ()) -> None:
        """The outcome is known, so the next identical call is a new one.

        `written`: the resources that the answered write changed.
        """
        ...

    async def leave_unknown(self, intent: Intent) -> None:
        """The outcome is unknown, so the next identical call resumes the intent."""
        ...

    async def written_since(self, intent: Intent, targets: Collection[str]) -> set[str]:
        """The targets that an answered write changed since the intent was first noted."""
        ...

    async def aclose(self) -> None: ...
