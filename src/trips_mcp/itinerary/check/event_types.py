"""What an event's type says of it, whatever the spelling; types are free text."""

from typing import Final

from trips_mcp.itinerary.journey import Appointment

_TRAVEL: Final = frozenset(
    {"flight", "train", "bus", "ferry", "boat", "cruise", "drive", "transport", "transit", "travel"}
)
_STAYS: Final = frozenset({"accommodation", "stay", "hotel", "lodging"})
_FREE: Final = frozenset({"free_block", "free", "free_time"})


def is_travel(one: Appointment) -> bool:
    """May take one through a night or from leg to leg."""
    return one.kind == "event" and _type(one) in _TRAVEL


def is_stay(one: Appointment) -> bool:
    """Gives one a bed."""
    return one.kind == "event" and _type(one) in _STAYS


def is_free(one: Appointment) -> bool:
    """Is there to be filled."""
    return one.kind == "event" and _type(one) in _FREE


def _type(one: Appointment) -> str:
    return one.category.strip().casefold().replace(" ", "_").replace("-", "_")
