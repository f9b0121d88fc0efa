"""Timeline of a trip with a line for each thing. Runs of empty days share a row."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Final

from trips_mcp.itinerary.day import beds_of, is_night_of, named, where
from trips_mcp.itinerary.day_items import comes_twice, due_on, due_results, lost_days, things_on, undated
from trips_mcp.itinerary.formatting import day_in_words, fitting, one_line, short, weight
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import WEEKDAYS
from trips_mcp.itinerary.model import Days, Stretch
from trips_mcp.itinerary.results import Bed, LegLine, Pin, Row, Thing, Timeline

_DAY: Final = timedelta(days=1)
_ROOM: Final = 26_000
"""Characters of the rows. With the rest and the quotation marks, a result stays under 40,000."""
_ROOM_FOR_LEGS: Final = 5_000
_ROOM_FOR_UNDATED: Final = 3_000
_MOST_DUE: Final = 10
_MOST_NAMED: Final = 10
_MOST_BEDS: Final = 3
_TITLE: Final = 100
_SKIPPED: Final = "Skipped: the date line is crossed."
_TWICE: Final = "Comes twice: the date line is crossed."


def timeline_of(
    journey: Journey,
    *,
    first: date | None = None,
    last: date | None = None,
    today: date | None = None,
    room: int = _ROOM,
) -> Timeline:
    """The days from `first` to `last` that fit in `room` characters. `continues` is the first day left out."""
    days, span = journey.dates, _span(journey, first, last)
    stretches = journey.stretches if first is None and last is None else _within(journey.stretches, span)
    legs = fitting([_leg_line(journey, stretch) for stretch in stretches], _ROOM_FOR_LEGS, journey.others_write)
    lacking = undated(journey)
    unplaced = fitting([_brief(thing, None) for thing in lacking], _ROOM_FOR_UNDATED, journey.others_write)
    rows, continues = _cut(_rows(journey, span) if span else (), room, journey.others_write)
    due = due_on(journey, days.first, today) if days else []
    return Timeline(
        trip_id=journey.trip_id or None,
        title=short(journey.title, 2 * _TITLE),
        starts=day_in_words(days.first) if days else None,
        ends=day_in_words(days.last) if days else None,
        days=len(days) if days else None,
        legs=legs or None,
        more_legs=len(stretches) - len(legs) or None,
        rows=rows or None,
        undated=unplaced or None,
        more_undated=len(lacking) - len(unplaced) or None,
        due=due_results(due, _MOST_DUE) or None,
        more_due=max(0, len(due) - _MOST_DUE) or None,
        unclear=list(_unclear(journey, span)) or None,
        continues=str(continues) if continues else None,
    )


def _span(journey: Journey, first: date | None, last: date | None) -> Days | None:
    """The requested days that are within the trip's extent."""
    extent = journey.extent
    if extent is None:
        return None
    span = Days(max(first or extent.first, extent.first), min(last or extent.last, extent.last))
    return span if span else None


def _within(stretches: Iterable[Stretch], span: Days | None) -> list[Stretch]:
    return [
        stretch
        for stretch in stretches
        if span and (days := stretch.days) and days.first <= span.last and days.last >= span.first
    ]


def _leg_line(journey: Journey, stretch: Stretch) -> LegLine:
    stay = next((where(bed) for bed in _stays_of(journey, stretch)), None)
    return LegLine(
        leg_id=stretch.id or None,
        title=short(stretch.title, _TITLE),
        destination=short(stretch.destination, _TITLE),
        starts=str(stretch.starts) if stretch.starts else None,
        ends=str(stretch.ends) if stretch.ends else None,
        zone=stretch.zone,
        stay=short(stay, _TITLE),
    )


def _stays_of(journey: Journey, stretch: Stretch) -> Iterator[Bed]:
    stay = stretch.source.accommodation
    if stay is not None and (stay.name or stay.address):
        yield Bed(kind="stay", name=stay.name, address=stay.address)


def _rows(journey: Journey, span: Days) -> Iterator[Row]:
    """Consecutive days without a difference share a row."""
    last: Row | None = None
    starts = [day for day in sorted(set(_changes(journey))) if span.first < day <= span.last]
    for day, end in zip([span.first, *starts], [*(day - _DAY for day in starts), span.last], strict=True):
        row = _row(journey, day)
        if last is not None and _is_quiet(row) and _is_the_same(last, row):
            last = last.model_copy(update={"until": day_in_words(end)})
            continue
        yield from () if last is None else (last,)
        last = row if end == day else row.model_copy(update={"until": day_in_words(end)})
    yield from () if last is None else (last,)


def _is_quiet(row: Row) -> bool:
    return row.remark is None and all(thing.kind == "flight_under_way" for thing in row.things or ())


def _is_the_same(row: Row, other: Row) -> bool:
    """Whether both are equal apart from the date."""
    same = ("zone", "sleep", "no_bed", "remark", "things")
    return all(getattr(row, name) == getattr(other, name) for name in same)


def _row(journey: Journey, day: date) -> Row:
    zone = journey.zone_on(day)
    moves = journey.moves_on(day)
    is_lost = any(day in lost_days(move) for move in moves)
    is_twice = any(comes_twice(move, day) for move in moves)
    beds = beds_of(journey, day)
    return Row(
        date=str(day),
        weekday=WEEKDAYS[day.weekday()],
        until=None,
        zone=zone,
        sleep=[named(bed) for bed in beds[:_MOST_BEDS]] or None,
        no_bed=True if not beds and not is_lost and is_night_of(journey, day) else None,
        remark=_SKIPPED if is_lost else _TWICE if is_twice else None,
        things=[_brief(one.thing, zone) for one in things_on(journey, day)] or None,
    )


def _brief(thing: Thing, zone: str | None) -> Thing:
    """The thing on one line. Its zone is kept only if it differs from the day's."""
    pin = Pin(pin_id=thing.pin.pin_id, name=short(thing.pin.name, _TITLE)) if thing.pin else None
    changed: dict[str, object] = {"title": short(thing.title, _TITLE), "notes": None, "pin": pin}
    if thing.zone == zone:
        changed["zone"] = None
    return thing.model_copy(update=changed)


def _changes(journey: Journey) -> Iterator[date]:
    """Days that may differ from the day before: by a thing, a leg or a bed."""
    if journey.dates is not None:
        yield from (journey.dates.first, journey.dates.last, journey.dates.last + _DAY)
    for day in _busy(journey):
        yield from (day, day + _DAY)
    for spans in (
        (stretch.days for stretch in journey.stretches),
        (stay.nights for stay in journey.stays),
        (move.nights for move in journey.moves),
        (one.nights for one in journey.appointments),
    ):
        for days in spans:
            if days:
                yield from (days.first, days.last + _DAY)


def _busy(journey: Journey) -> Iterator[date]:
    for move in journey.moves:
        yield from (end.day for end in (move.departs, move.arrives) if end is not None)
        yield from lost_days(move)
    for stay in journey.stays:
        yield from (day for day in (stay.first, stay.end) if day is not None)
    for rental in journey.rentals:
        yield from rental.days
    yield from (end for one in journey.appointments if (days := one.days) for end in (days.first, days.last))


def _cut(rows: Iterable[Row], room: int, others_write: bool) -> tuple[list[Row], date | None]:
    """The rows that fit, and the date of the first one left out."""
    kept: list[Row] = []
    for row in rows:
        if kept and weight(row, others_write) > room:
            return kept, date.fromisoformat(row.date)
        things = fitting(row.things or [], room, others_write)
        more = len(row.things or []) - len(things)
        kept.append(row.model_copy(update={"things": things or None, "more_things": more}) if more else row)
        room -= weight(kept[-1], others_write)
    return kept, None


def _unclear(journey: Journey, span: Days | None) -> Iterator[str]:
    if journey.extent is None:
        yield "The trip has no dates, and nothing in it has one."
    elif span is None:
        yield "Nothing of the trip lies between these days."
    elif not any((journey.stretches, journey.moves, journey.appointments)):
        yield "Nothing is planned yet."
    if journey.unreadable:
        named = [one_line(f"{one.kind} {one.id} {one.field}") for one in journey.unreadable[:_MOST_NAMED]]
        more = len(journey.unreadable) - len(named)
        rest = f" and {more} more" if more else ""
        yield f"Not a date, time or zone, so left out: {', '.join(named)}{rest}."
