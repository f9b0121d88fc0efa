"""The trip that a day belongs to, found from the dates of all trips."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from trips_mcp.contract.exports import TripExport
from trips_mcp.contract.trips import Trip
from trips_mcp.itinerary.day_expressions import Unclear, is_day, read_day, relative_days
from trips_mcp.itinerary.day_words import UNDERSTOOD
from trips_mcp.itinerary.formatting import short
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import WEEKDAYS, zone_info
from trips_mcp.itinerary.results import Day, DayChoice

_OFFSETS: Final = tuple(timedelta(hours=hours) for hours in (-12, 0, 14))
"""The smallest offset from UTC on earth, none, and the largest."""
_MOST_CHOICES: Final = 12
_MOST_NAMED: Final = 5
_TITLE: Final = 200
_SAID: Final = 60


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trip, and its days that the text may mean."""

    trip: Trip
    days: tuple[date, ...]


def candidates(trips: Sequence[Trip], text: str, now: datetime) -> list[Candidate]:
    """The trips whose dates include a day that `text` may mean. Nothing but their dates is read."""
    found = [Candidate(trip, _days(Journey.of(TripExport(trip=trip)), text, now)) for trip in trips]
    return [one for one in found if one.days]


def read_day_of_trip(journey: Journey, text: str, now: datetime) -> date | Unclear:
    """As `read_day`. Before and after the trip, `tomorrow` counts by the zones of its legs."""
    found = read_day(journey, text, now)
    if not isinstance(found, Unclear) or found.choices:
        return found
    zones = {leg.zone for leg in journey.stretches if leg.zone}
    todays = {zone: now.astimezone(zone_info(zone)).date() for zone in zones}
    inside = {
        day
        for zone, today in todays.items()
        for day in relative_days(text, today) or ()
        if day in (journey.extent or ()) and journey.zone_on(day) in (zone, None)
    }
    if len(inside) > 1:
        return Unclear("It depends on the time zone which day that is.", tuple(sorted(inside)))
    return inside.pop() if inside else found


def choice_of_trips(found: Sequence[Candidate]) -> Day:
    """The days of several trips that the text may mean."""
    every = [(one.trip, day) for one in found for day in one.days]
    more = len(every) - _MOST_CHOICES
    unclear = [f"{len(found)} trips have such a day. Which one? Pass its tripId."]
    if more > 0:
        unclear.append(f"{more} more days are not shown; name the date.")
    choices = [
        DayChoice(date=str(day), weekday=WEEKDAYS[day.weekday()], trip_id=trip.id, trip=short(trip.title, _TITLE))
        for trip, day in every[:_MOST_CHOICES]
    ]
    return Day(unclear=unclear, choices=choices)


def why_no_trip(trips: Sequence[Trip], text: str) -> str:
    """Contains no words of other people, because it becomes an error."""
    if not is_day(text):
        return f"That names no day: give {UNDERSTOOD}."
    if not trips:
        return "There are no trips yet."
    dated = [trip for trip in trips if trip.start_date and trip.end_date]
    named = [f"{trip.id} ({trip.start_date} to {trip.end_date})" for trip in dated[:_MOST_NAMED]]
    more = f" and {len(dated) - _MOST_NAMED} more" if len(dated) > _MOST_NAMED else ""
    undated = len(trips) - len(dated)
    said = [f"No trip's dates include {short(text, _SAID)}."]
    if named:
        said.append(f"There are {', '.join(named)}{more}.")
    if undated:
        said.append(f"{undated} {'trip has' if undated == 1 else 'trips have'} no dates.")
    return f"{' '.join(said)} For a day outside a trip's dates pass its tripId."


def _days(skeleton: Journey, text: str, now: datetime) -> tuple[date, ...]:
    inside = skeleton.dates
    if inside is None:
        return ()
    near = [relative_days(text, (now.astimezone(UTC) + offset).date()) for offset in _OFFSETS]
    if near[0] is not None:
        return tuple(sorted({day for days in near for day in days or () if day in inside}))
    found = read_day(skeleton, text, now)
    return found.choices if isinstance(found, Unclear) else (found,)
