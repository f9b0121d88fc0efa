"""The outcome of a call: its result, notes and rate limit."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic

from trips_mcp.contract.operation import R

Report = Callable[[float, float | None, str | None], Awaitable[None]]
"""Reports the progress of a long call: progress, total if known, message."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The requests that an account may still send before its window resets."""

    limit: int
    remaining: int
    resets_in: float
    """Seconds, as an upper bound."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[R]):
    result: R
    notes: tuple[str, ...] = ()
    """Sentences with facts that the result does not contain."""
    rate_limit: RateLimit | None = None
    """None if the API named none."""
