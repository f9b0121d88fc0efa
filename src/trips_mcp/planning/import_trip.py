"""The trip that bookings belong to: whether one fits them, and a new one where none does."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from trips_mcp.bookings.model import Booking, BookingPlace, SavedPlace
from trips_mcp.contract.exports import TripExport
from trips_mcp.contract.trips import Trip
from trips_mcp.itinerary.journey import Journey
from trips_mcp.places.aliases import names_in
from trips_mcp.places.names import fold
from trips_mcp.planning.change import Change
from trips_mcp.planning.imports import MARGIN, ImportDraft, plan_bookings
from trips_mcp.planning.place_names import names_of

LONGEST_TRIP: Final = timedelta(days=120)
"""Bookings that span more are not of one trip."""
_NAME: Final = "trip"
"""The name of the new trip in the changes."""
_MOST_IN_TITLE: Final = 3
_LONGEST_TITLE: Final = 200


def span_of(bookings: Iterable[Booking]) -> tuple[date, date] | None:
    """The first and the last day of bookings. None if none has a date."""
    days = [time.day for one in bookings for time in (one.starts, one.ends) if time]
    starts = [one.starts.day for one in bookings if one.starts]
    return (min(starts), max(days)) if starts else None


def has_dates(first: date | None, last: date | None, bookings: Sequence[Booking]) -> bool:
    """Whether a trip of these dates has the bookings' dates, apart from a night flight before or after it."""
    days = [one.starts.day for one in bookings if one.starts]
    return (
        bool(days)
        and first is not None
        and last is not None
        and all(first - MARGIN <= day <= last + MARGIN for day in days)
    )


def has_places(journey: Journey, bookings: Iterable[Booking]) -> bool | None:
    """Whether the trip goes to a place of the bookings, or to one of its zone. None for a trip without places yet."""
    known: set[str] = set()
    zones: set[str] = set()
    for leg in journey.stretches:
        known |= names_in(leg.destination, leg.zone) | {fold(leg.destination)}
        zones |= {leg.zone} if leg.zone else set[str]()
    if not known:
        return None
    return any(place.zone in zones or names_of(place) & known for one in bookings for place in _places_of(one))


def plan_new_trip(
    bookings: Sequence[Booking],
    places: Sequence[SavedPlace],
    span: tuple[date, date],
    group_id: str,
    *,
    has_events: bool,
) -> ImportDraft:
    """A new trip of these dates with the bookings. No changes if none of them can be planned."""
    dates = {"startDate": f"{span[0]}", "endDate": f"{span[1]}"}
    trip = Trip.model_validate({"_id": f"@{_NAME}", **dates})
    events_on = f"@{_NAME}" if has_events else None
    draft = plan_bookings(Journey.of(TripExport(trip=trip)), bookings, places, events_on=events_on)
    if all(one.outcome != "new" for one in draft.bookings):
        return replace(draft, changes=())
    created = Change("create_trip", {"groupId": group_id, "title": _title(draft), **dates}, _NAME)
    return replace(draft, changes=(created, *draft.changes))


def _title(draft: ImportDraft) -> str:
    legs = [change.arguments["destination"] for change in draft.changes if change.tool == "create_leg"]
    first = next(one.booking for one in draft.bookings if one.outcome == "new")
    names = [*dict.fromkeys(legs)] or [first.origin.city or first.destination.city or first.name or first.kind]
    return ", ".join(names[:_MOST_IN_TITLE])[:_LONGEST_TITLE]


def _places_of(one: Booking) -> tuple[BookingPlace, ...]:
    return (one.origin, one.destination)
