"""What came of a call."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic

from trips_mcp.contract.operation import R

Report = Callable[[float, float | None, str | None], Awaitable[None]]
"""Tells whoever waits how far a long call is: progress, total if known, a word about it."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How much may be asked of an account before its window resets."""

    limit: int
    remaining: int
    resets_in: float
    """Seconds, at most."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[R]):
    result: R
    notes: tuple[str, ...] = ()
    """Sentences on what the result alone does not tell."""
    rate_limit: RateLimit | None = None
    """None where the API has told of none."""
