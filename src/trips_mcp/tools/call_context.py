"""How answers are to be given, beyond what a call's own arguments say: settled once, by whoever serves the tools."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def _now() -> "datetime":
    from datetime import UTC, datetime  # no start waits for it

    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    mask_secrets: bool = False
    """Whether door codes and the like are shown as a mask, and told one at a time."""
    trip: str | None = None
    """The one trip that every call is about, where the server is bound to one."""
    local: bool = False
    """Whether trips are kept locally, where no one else reads them."""
    one_store: bool = True
    """Whether a trip's `number` is its id in the Events API (docs/contract.md#one-store-for-both)."""
    event_trips: Mapping[str, int] = field(default_factory=dict[str, int])
    """For the trips that the user has linked: the Events API's id of each tripId."""
    absent: frozenset[str] = frozenset()
    """The tools that are not offered: no answer sends an agent to one."""
    now: "Callable[[], datetime]" = _now
    """The present moment, with its zone."""
