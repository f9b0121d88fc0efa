"""A trip's bookings: whether a part is one, and flights as an update takes them, the whole list with local times."""

from collections import defaultdict
from typing import Final

from pydantic import ValidationError

from trips_mcp.contract.legs import Flight
from trips_mcp.contract.models import Result
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.model import Appointment, Move
from trips_mcp.json_values import JsonObject
from trips_mcp.planning.draft import local_text

_NUMBERS: Final = ("confirmationNumber", "confirmation_number")
_STATUSES: Final = ("booking_status", "bookingStatus")
_NOT_BOOKED: Final = frozenset(
    {
        "",
        "none",
        "no",
        "false",
        "not_booked",
        "unbooked",
        "not_needed",
        "not_required",
        "open",
        "idea",
        "draft",
        "planned",
        "to_book",
        "todo",
        "needed",
        "cancelled",
        "canceled",
    }
)
_FLIGHT: Final = "flight"
_ENDS: Final = ("departure", "arrival")


def is_booked(part: Result) -> bool:
    """By its confirmation number."""
    fields = part.model_dump(by_alias=True, include={"confirmation_number"}) | (part.model_extra or {})
    return any(str(fields.get(name) or "").strip() for name in _NUMBERS)


def is_booked_appointment(one: Appointment) -> bool:
    """By its confirmation number or booking status. An event that is a flight always is."""
    extra = one.source.model_extra or {}
    statuses = (str(extra[name] or "").strip().casefold().replace(" ", "_") for name in _STATUSES if name in extra)
    is_flight = one.kind == "event" and one.category.strip().casefold() == _FLIGHT
    return is_flight or is_booked(one.source) or any(status not in _NOT_BOOKED for status in statuses)


def flights_by_leg(journey: Journey) -> dict[str, list[Move]]:
    """In the order of each leg's list."""
    found: defaultdict[str, list[Move]] = defaultdict(list)
    for one in sorted(journey.moves, key=lambda one: one.index):
        found[one.leg_id].append(one)
    return found


def written_flight(one: Move, days: int) -> JsonObject | None:
    """`days` later, with the clock's time at each end. None if a value of it is not one that the API takes."""
    written: JsonObject = one.source.model_dump(by_alias=True, exclude_none=True)
    for name, at in zip(_ENDS, (one.departs, one.arrives), strict=True):
        if at is not None:
            written[name] = local_text(at, days)
    try:
        Flight.model_validate(written)
    except ValidationError:
        return None
    return written
