"""Meaning of an event's type. Types are free text, so spellings vary."""

from typing import Final

from trips_mcp.itinerary.journey import Appointment

_TRAVEL: Final = frozenset(
    {"flight", "train", "bus", "ferry", "boat", "cruise", "drive", "transport", "transit", "travel"}
)
_STAYS: Final = frozenset({"accommodation", "stay", "hotel", "lodging"})
_FREE: Final = frozenset({"free_block", "free", "free_time"})


def is_travel(one: Appointment) -> bool:
    """Whether it may replace a bed for the night or link two legs."""
    return one.kind == "event" and _type(one) in _TRAVEL


def is_stay(one: Appointment) -> bool:
    """Whether it is an accommodation."""
    return one.kind == "event" and _type(one) in _STAYS


def is_free(one: Appointment) -> bool:
    """Whether it only marks free time."""
    return one.kind == "event" and _type(one) in _FREE


def _type(one: Appointment) -> str:
    return one.category.strip().casefold().replace(" ", "_").replace("-", "_")
