"""The server-wide context of every call: masking, the bound trip, absent tools, the clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def _now() -> "datetime":
    from datetime import UTC, datetime  # keeps the cold start fast

    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    mask_secrets: bool = False
    """Whether secrets such as door codes are masked; `get_secret` then reveals one at a time."""
    trip: str | None = None
    """The tripId that the server is bound to."""
    local: bool = False
    """Whether trips are kept locally, where nobody else reads them."""
    one_store: bool = True
    """Whether a trip's `number` is its id in the Events API (docs/contract.md#one-store-for-both)."""
    event_trips: Mapping[str, int] = field(default_factory=dict[str, int])
    """The Events API's id of each tripId that the user has linked."""
    absent: frozenset[str] = frozenset()
    """Tools that are not offered; no answer refers to them."""
    now: "Callable[[], datetime]" = _now
    """The current time, with its zone."""
