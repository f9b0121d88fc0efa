"""One day of a trip in order: legs, beds, plans, free time, clock changes, and what is due."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from math import isfinite
from typing import Final

from trips_mcp.itinerary.day_items import Placed, Position, due_on, due_results, things_on
from trips_mcp.itinerary.formatting import clock, day_in_words, length, one_line, short
from trips_mcp.itinerary.free_time import free_time
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import WEEKDAYS, zone_info
from trips_mcp.itinerary.overnight import beds_of, named, night_unclear, where
from trips_mcp.itinerary.results import Day, DayChoice, LegHere, Thing
from trips_mcp.itinerary.size_budget import fitting
from trips_mcp.itinerary.travel_time import lost_days
from trips_mcp.places.distance import distance_km

_DAY: Final = timedelta(days=1)
_STEP: Final = timedelta(minutes=30)
_MINUTE: Final = timedelta(minutes=1)
_MORNING: Final = time(6)
_LEAST_KM: Final = 0.1
"""Below this distance two places count as one."""
_ROUNDED_FROM_KM: Final = 10
_MOST_LEGS: Final = 10
_MOST_DUE: Final = 5
_MOST_NAMED: Final = 5
_TITLE: Final = 200
_NOTES: Final = 180
"""Maximum characters of all notes together, but at least `_LEAST_OF_NOTES` of each."""
_LEAST_OF_NOTES: Final = 50
_ROOM: Final = 28_000
"""Characters of the day's things. With the rest and the quotation marks, a result stays under 40,000."""


def day_of(journey: Journey, day: date, today: date | None = None, room: int = _ROOM) -> Day:
    """`today` decides what is due. None if it is unknown or not a day of the trip."""
    placed = things_on(journey, day)
    zone = journey.zone_on(day)
    free = free_time(day, placed)
    things = fitting(_in_short(list(_with_transfers(placed)), zone), room, journey.others_write)
    due = due_on(journey, day, today)
    legs = journey.stretches_on(day)
    days = journey.dates
    number = (day - days.first).days + 1 if days is not None and day in days else None
    return Day(
        date=str(day),
        weekday=WEEKDAYS[day.weekday()],
        number=number,
        of=len(days) if days is not None and number else None,
        zone=zone,
        legs=[
            LegHere(
                leg_id=leg.id or None,
                title=short(leg.title, _TITLE),
                destination=short(leg.destination, _TITLE),
                zone=_other(leg.zone, zone),
            )
            for leg in legs[:_MOST_LEGS]
        ]
        or None,
        more_legs=max(0, len(legs) - _MOST_LEGS) or None,
        wake=[named(bed) for bed in beds_of(journey, day - _DAY)] or None,
        sleep=beds_of(journey, day) or None,
        things=things or None,
        more_things=len(placed) - len(things) or None,
        free=[gap.model_copy(update={"zone": _other(gap.zone, zone)}) for gap in free.gaps] or None,
        due=due_results(due, _MOST_DUE) or None,
        more_due=max(0, len(due) - _MOST_DUE) or None,
        unclear=[*free.unclear, *_unclear(journey, day)] or None,
    )


def choice_of(journey: Journey, choices: Sequence[date], why: str) -> Day:
    """The days that an ambiguous expression may mean, and where the traveller is on each."""
    return Day(
        unclear=[f"{why} Which one?"],
        choices=[
            DayChoice(date=str(day), weekday=WEEKDAYS[day.weekday()], where=_where(journey, day)) for day in choices
        ],
    )


def _in_short(things: Sequence[Thing], zone: str | None) -> list[Thing]:
    """Omit what the day as a whole already says, and shorten the notes."""
    noted = sum(thing.notes is not None for thing in things) or 1
    most = max(_LEAST_OF_NOTES, _NOTES // noted)
    return [
        thing.model_copy(update={"zone": _other(thing.zone, zone), "notes": short(thing.notes, most)})
        for thing in things
    ]


def _other(zone: str | None, usual: str | None) -> str | None:
    return None if zone == usual else zone


def _where(journey: Journey, day: date) -> str | None:
    legs = [leg.destination or leg.title for leg in journey.stretches_on(day)[:2]]
    return short("; ".join(filter(None, [*legs, *map(where, beds_of(journey, day)[:2])])), _TITLE)


def _unclear(journey: Journey, day: date) -> Iterator[str]:
    days = journey.dates
    if days is not None and day not in days:
        yield f"The day is outside the trip's own dates, {day_in_words(days.first)} to {day_in_words(days.last)}."
    if any(day in lost_days(move) for move in journey.moves_on(day)):
        yield "This day is skipped: the date line is crossed."
    else:
        yield from night_unclear(journey, day - _DAY)
        yield from night_unclear(journey, day)
        yield from _zone_unclear(journey, day)
    yield from _clock_changes(day, (leg.zone for leg in journey.stretches_on(day) if leg.zone))
    if lacking := [one for one in journey.appointments if one.starts is None]:
        names = ", ".join(one_line(one.id) for one in lacking[:_MOST_NAMED])
        yield f"Without a readable date, so not on any day: {len(lacking)} commitments or events ({names})."


def _zone_unclear(journey: Journey, day: date) -> Iterator[str]:
    zones = {leg.zone for leg in journey.stretches_on(day)}
    if not zones:
        yield "No leg covers this day, so its zone is not known."
    elif zones == {None}:
        yield "The leg of this day has no time zone, so its zone is not known."


def _with_transfers(placed: Iterable[Placed]) -> Iterator[Thing]:
    """Add to each thing its straight-line distance from the one before, if both places are known."""
    before: Position | None = None
    for one in placed:
        here = one.starts_at
        transfer = _distance(before, here) if before and here else None
        yield one.thing.model_copy(update={"transfer": transfer}) if transfer else one.thing
        if one.fills:
            before = one.ends_at


def _distance(one: Position, other: Position) -> str | None:
    if not all(map(isfinite, (*one, *other))):
        return None
    km = distance_km(one, other)
    if km < _LEAST_KM:
        return None
    return f"{km:.1f} km" if km < _ROUNDED_FROM_KM else f"{km:,.0f} km"


def _clock_changes(day: date, zones: Iterable[str]) -> list[str]:
    """A sentence for each clock change on the day or in the night after it."""
    return [said for zone in sorted(set(zones)) if (said := _change(day, zone))]


def _change(day: date, zone: str) -> str | None:
    start = datetime.combine(day, time(), zone_info(zone)).astimezone(UTC)
    end = datetime.combine(day + _DAY, _MORNING, zone_info(zone)).astimezone(UTC)
    before = _offset(start - _MINUTE, zone)
    if before == _offset(end, zone):
        return None
    at = _first_change(start - _MINUTE, end, zone)
    jump = _offset(at, zone) - before
    shown = (at + before).replace(tzinfo=None)
    way = "forward" if jump > timedelta() else "back"
    return f"Clocks go {way} {length(jump)} on {day_in_words(shown.date())} at {clock(shown.time())} in {zone}."


def _first_change(start: datetime, end: datetime, zone: str) -> datetime:
    """The first minute with another offset. There must be one between `start` and `end`."""
    before = _offset(start, zone)
    while start + _STEP < end and _offset(start + _STEP, zone) == before:
        start += _STEP
    while _offset(start, zone) == before:
        start += _MINUTE
    return start


def _offset(at: datetime, zone: str) -> timedelta:
    return at.astimezone(zone_info(zone)).utcoffset() or timedelta()
