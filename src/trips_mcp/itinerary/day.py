"""One day of a trip in order: legs, beds, plans, free time, clock changes, and what is due.

Free time lies between 08:00 and 22:00, by the clocks of the current place, and is computed in UTC. Only certain gaps
count as free; the others are named as unclear.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, islice
from math import isfinite
from typing import Final

from trips_mcp.itinerary.day_items import Placed, Position, comes_twice, due_on, due_results, lost_days, things_on
from trips_mcp.itinerary.formatting import clock, day_in_words, fitting, length, one_line, short
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import WEEKDAYS, Moment, zone_info
from trips_mcp.itinerary.model import Appointment, Move, Stay, is_ride, night_under_way
from trips_mcp.itinerary.results import Bed, Day, DayChoice, Gap, LegHere, Thing
from trips_mcp.places.cities import distance_km

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
_MOST_BEDS: Final = 10
_BED_NAME: Final = 200
_SHORT_BED_NAME: Final = 100
_FREE_FROM: Final = time(8)
_FREE_UNTIL: Final = time(22)
_LEAST_FREE: Final = timedelta(hours=2)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ASSUMED_ZONE: Final = "UTC"
"""Replaces the zones of a day that has none, so that wall times are compared."""


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
        yield from _night_unclear(journey, day - _DAY)
        yield from _night_unclear(journey, day)
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


def beds_of(journey: Journey, night: date) -> list[Bed]:
    """Where the night after this day is spent, in order of arrival."""
    found = chain(
        map(_bed_on_move, journey.under_way(night)),
        map(_bed_at_appointment, journey.overnight(night)),
        (_bed(stay, night) for stay in journey.beds(night)),
    )
    return list(islice(found, _MOST_BEDS))


def _night_unclear(journey: Journey, night: date) -> Iterator[str]:
    """Sentences on a night that has no bed or several."""
    stays = journey.beds(night)
    away = journey.under_way(night) or journey.overnight(night)
    if any(comes_twice(move, night) for move in journey.moves_on(night)):
        yield f"The night of {day_in_words(night)} comes twice: the date line is crossed."
    elif len(stays) > 1:
        yield f"{len(stays)} stays cover the night of {day_in_words(night)}."
    if stays or away or not is_night_of(journey, night):
        return
    may_be = f"{_evening_ride(journey, night)}{_ended_stay(journey, night)}{_accommodation(journey, night)}"
    yield f"Nothing says where the night of {day_in_words(night)} is spent.{may_be}"


def is_night_of(journey: Journey, night: date) -> bool:
    """Whether the trip covers this night. The one after its last day is spent at home."""
    days = journey.dates
    return days is not None and days.first <= night < days.last


def named(bed: Bed) -> Bed:
    """The bed with only its name and ids, enough to recognise it."""
    return bed.model_copy(
        update={
            "name": short(bed.name or bed.address, _SHORT_BED_NAME),
            "address": None,
            "until": None,
            "night": None,
            "of": None,
        }
    )


def where(bed: Bed) -> str:
    """The name of the bed on one line."""
    return bed.name or bed.address or {"stay": "a stay without a name", "flight": "under way"}.get(bed.kind, bed.kind)


def _ended_stay(journey: Journey, night: date) -> str:
    """A hint if a leg ends the day before the next begins: its stay may last a night longer."""
    ending = [stay for stay in journey.beds(night - _DAY) if stay.end == night and not _says_when_it_ends(stay)]
    ending += [
        stay for stay in journey.stays_at(night) if stay.first == stay.end == night and not _says_when_it_ends(stay)
    ]
    if not ending or any(one.starts == night for one in journey.stretches_on(night) if one.id != ending[0].leg_id):
        return ""
    return f" The stay of leg {one_line(ending[0].leg_id)} ends with its leg on that day and has no check-out date."


def _evening_ride(journey: Journey, night: date) -> str:
    """A hint that a night train or bus has no known end."""
    evening = (*journey.appointments_on(night), *journey.appointments_on(night + _DAY))
    found = [one for one in evening if is_ride(one) and night_under_way(one) == night]
    if not found:
        return ""
    name = "event_id" if found[0].kind == "event" else "commitmentId"
    return f" A journey of that evening may take it ({name} {one_line(found[0].id)})."


def _accommodation(journey: Journey, night: date) -> str:
    """A hint that an event is an accommodation. Events have no end, so its nights are unknown."""
    found = [
        one.id for one in journey.appointments_on(night) if one.kind == "event" and one.category == "accommodation"
    ]
    return f" An event of that day is an accommodation (event_id {found[0]})." if found else ""


def _says_when_it_ends(stay: Stay) -> bool:
    return stay.check_out is not None and not isinstance(stay.check_out, str)


def _bed(stay: Stay, night: date) -> Bed:
    nights = stay.nights
    return Bed(
        kind="stay",
        name=short(stay.name, _BED_NAME),
        address=short(stay.address, _BED_NAME),
        until=day_in_words(stay.end) if stay.end else None,
        night=(night - nights.first).days + 1 if nights else None,
        of=len(nights) if nights else None,
        leg_id=stay.leg_id or None,
    )


def _bed_on_move(move: Move) -> Bed:
    return Bed(kind="flight", name=short(move.label, _BED_NAME), leg_id=move.leg_id or None, flight=move.index)


def _bed_at_appointment(one: Appointment) -> Bed:
    return Bed(kind=one.kind, name=short(one.title, _BED_NAME), commitment_id=one.id or None)


@dataclass(frozen=True, slots=True)
class FreeTime:
    gaps: Sequence[Gap] = ()
    unclear: Sequence[str] = ()
    """Sentences on time that may or may not be free."""


def free_time(day: date, placed: Iterable[Placed]) -> FreeTime:
    """Gaps before, between and after things. None if no thing has a time, or one takes the whole day."""
    things = [one for one in placed if one.fills and one.thing.category != "birthday"]
    if any(one.thing.all_day for one in things):
        return FreeTime()
    has_zones = any(at.zone for one in things for at in (one.begins, one.until) if at)
    busy = [_Busy.of(one, None if has_zones else _ASSUMED_ZONE) for one in things]
    known = sorted((one for one in busy if one.first), key=lambda one: one.first or _EPOCH)
    parts = list(_parts(day, known))
    gaps = [part.gap for part in parts if part.unknown is None]
    loose = [one.name for one in busy if not one.first] if gaps else []
    return FreeTime(gaps, [*_unclear_gaps(parts), *_loose(loose)])


@dataclass(frozen=True, slots=True)
class _Busy:
    """A thing that occupies the traveller."""

    thing: Thing
    starts: datetime | None
    starts_in: str | None
    ends: datetime | None
    ends_in: str | None

    @classmethod
    def of(cls, one: Placed, assumed: str | None) -> "_Busy":
        starts, ends = _instant(one.begins, assumed), _instant(one.until, assumed)
        if starts and ends and ends < starts:
            ends = None
        starts_in, ends_in = (at.zone if at else None for at in (one.begins, one.until))
        return cls(one.thing, starts, starts_in, ends, ends_in)

    @property
    def first(self) -> datetime | None:
        """Its earliest known instant."""
        return self.starts or self.ends

    @property
    def name(self) -> str:
        thing = self.thing
        if thing.commitment_id:
            return f"commitment {one_line(thing.commitment_id)}"
        if thing.event_id is not None:
            return f"event {thing.event_id}"
        if thing.flight is not None:
            return f"flight {thing.flight} of leg {one_line(thing.leg_id or '')}".rstrip()
        return f"the car of leg {one_line(thing.leg_id or '')}".rstrip()


def _instant(moment: Moment | None, assumed: str | None) -> datetime | None:
    return None if moment is None else replace(moment, zone=moment.zone or assumed).instant


@dataclass(frozen=True, slots=True)
class _Part:
    """A gap of at least `_LEAST_FREE`."""

    gap: Gap
    unknown: str | None = None
    """Why the gap may not be free."""


def _parts(day: date, known: Sequence[_Busy]) -> Iterator[_Part]:
    """Gaps around things in order of start. A thing without an end lasts until the next one starts."""
    if not known:
        return
    since: datetime | None = None
    here = known[0].starts_in or known[0].ends_in
    unknown: str | None = None
    for one in known:
        if one.first is None:
            continue
        if one.starts is None:
            unknown = f"{one.name} has no departure"
        if gap := _gap(day, since, one.first, here):
            yield _Part(gap.model_copy(update={"before": _before(one, here)}), unknown)
        if since is None or since < (one.ends or one.first):
            since, here = one.ends or one.first, one.ends_in if one.ends else one.starts_in
        unknown = None if one.ends else f"{one.name} has no end"
    if gap := _gap(day, since, None, here):
        yield _Part(gap, unknown)


def _gap(day: date, since: datetime | None, until: datetime | None, zone: str | None) -> Gap | None:
    """The gap within the day's waking hours, by the clocks of `zone`."""
    clocks = zone_info(zone or _ASSUMED_ZONE)
    first = datetime.combine(day, _FREE_FROM, clocks).astimezone(UTC)
    last = datetime.combine(day, _FREE_UNTIL, clocks).astimezone(UTC)
    start, end = max(since or first, first), min(until or last, last)
    if end - start < _LEAST_FREE:
        return None
    return Gap(time=clock(start.astimezone(clocks).time()), until=clock(end.astimezone(clocks).time()), zone=zone)


def _before(one: _Busy, here: str | None) -> str | None:
    """What the traveller must leave for before the gap ends."""
    if one.thing.kind == "flight":
        return "flight"
    there = one.starts_in or one.ends_in
    if here == there or here is None or there is None or one.first is None:
        return None
    offsets = {one.first.astimezone(zone_info(zone)).utcoffset() for zone in (here, there)}
    return f"thing in {there}" if len(offsets) > 1 else None


def _unclear_gaps(parts: Sequence[_Part]) -> Iterator[str]:
    """At most one sentence."""
    found = [part for part in parts if part.unknown is not None]
    if found:
        said = [f"{part.gap.time}-{part.gap.until} ({part.unknown})" for part in found[:_MOST_NAMED]]
        yield f"Not known to be free: {', '.join(said)}."


def _loose(names: Sequence[str]) -> Iterator[str]:
    if names:
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        yield f"Without a time or zone, these may take some of the free time: {', '.join(names[:_MOST_NAMED])}{more}."
