"""The items of a day in order: moves, check-ins, cars and appointments with their times, and what is due.

A move has its duration, and the day that it gains or loses at the date line.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from trips_mcp.contract.action_items import ActionItem
from trips_mcp.contract.map_pins import MapPin
from trips_mcp.itinerary.formatting import clock_of, day_in_words, length, short
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment
from trips_mcp.itinerary.model import Appointment, Move, Rental, Stay
from trips_mcp.itinerary.results import Due, End, EventThing, Pin, Thing

Position = tuple[float, float]
"""Latitude and longitude, in degrees."""

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_SURELY_ACROSS: Final = 17 * _HOUR
_LIKELY_ACROSS: Final = 13 * _HOUR
_ONE_HOP: Final = 20 * _HOUR
"""Longest nonstop flight. One with stops may have gone around the other side of the world."""
_TITLE: Final = 200
_DUE_TEXT: Final = 120
_PLACE: Final = 120
_NOTES: Final = 200
_USUAL_TYPES: Final = frozenset(
    {"flight", "train", "accommodation", "activity", "food", "local_transit", "free_block", "other"}
)
"""Usual types of events. Anything else is free text."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def duration(move: Move) -> timedelta | None:
    """None if an end is unknown or the arrival is before the departure."""
    taken = _taken(move)
    return None if taken is None or taken < timedelta() else taken


def remark(move: Move) -> str | None:
    """A sentence on what may surprise a traveller; None if there is nothing."""
    departs, arrives, taken = move.departs, move.arrives, _taken(move)
    if departs is None or arrives is None or taken is None:
        return None
    if taken < timedelta():
        return "By these times and zones it arrives before it departs: one of them is wrong."
    jump = _jump(departs, arrives, taken)
    if not _crosses_date_line(jump, taken):
        return _clock_goes_back(departs, arrives)
    if jump < timedelta():
        return " ".join(
            filter(None, ("The date line is crossed: a day is gained.", _clock_goes_back(departs, arrives)))
        )
    lost = lost_days(move)
    return (
        f"The date line is crossed: {day_in_words(lost[0])} is skipped."
        if lost
        else ("The date line is crossed: the calendar goes a day ahead.")
    )


def lost_days(move: Move) -> tuple[date, ...]:
    """Dates that the traveller skips at the date line."""
    departs, arrives, taken = move.departs, move.arrives, _taken(move)
    if departs is None or arrives is None or taken is None or taken < timedelta():
        return ()
    if not _crosses_date_line(_jump(departs, arrives, taken), taken) or arrives.day - departs.day < 2 * _DAY:
        return ()
    return (departs.day + _DAY,)


def comes_twice(move: Move, night: date) -> bool:
    """Whether the traveller has this night twice: before crossing the date line and after."""
    departs, arrives, taken = move.departs, move.arrives, _taken(move)
    if departs is None or arrives is None or taken is None or taken < timedelta():
        return False
    return arrives.day <= night < departs.day and _crosses_date_line(_jump(departs, arrives, taken), taken)


def _taken(move: Move) -> timedelta | None:
    if move.departs is None or move.arrives is None:
        return None
    left, landed = move.departs.instant, move.arrives.instant
    return None if left is None or landed is None else landed - left


def _jump(departs: Moment, arrives: Moment, taken: timedelta) -> timedelta:
    """Difference between the clocks of both ends."""
    return _wall(arrives) - _wall(departs) - taken


def _crosses_date_line(jump: timedelta, taken: timedelta) -> bool:
    """If clocks differ by more than half a day, the short way crosses the date line."""
    return abs(jump) >= _SURELY_ACROSS or (abs(jump) >= _LIKELY_ACROSS and taken <= _ONE_HOP)


def _clock_goes_back(departs: Moment, arrives: Moment) -> str | None:
    """A sentence if the local arrival time is before the local departure time."""
    back = _wall(departs) - _wall(arrives)
    return f"By the local clocks it arrives {length(back)} before it departs." if back > timedelta() else None


def _wall(moment: Moment) -> timedelta:
    at = moment.time or time()
    return timedelta(moment.day.toordinal(), hours=at.hour, minutes=at.minute, seconds=at.second)


@dataclass(frozen=True, slots=True)
class Placed:
    thing: Thing
    at: Moment | None
    """Its first moment on this day."""
    until: Moment | None
    """Its end; None if unknown."""
    begins: Moment | None
    """Its start, on this day or earlier; None if unknown."""
    fills: bool = True
    """Whether the item occupies the traveller. Time between two such items is free."""
    starts_at: Position | None = None
    """None if unknown, as with ends_at."""
    ends_at: Position | None = None
    last: bool = False
    """Whether the item comes last, not first, if it has no time of day."""


def things_on(journey: Journey, day: date) -> list[Placed]:
    found = [*_moves(journey.moves_on(day), day), *_stays(journey, day), *_rentals(journey, day)]
    return _in_order(journey, day, [*found, *(_appointment(journey, one, day) for one in journey.appointments_on(day))])


def undated(journey: Journey) -> list[Thing]:
    moves = [_move(move, None) for move in journey.moves if move.days is None]
    return [*moves, *(_appointment(journey, one, None).thing for one in journey.appointments if one.starts is None)]


def _in_order(journey: Journey, day: date, found: list[Placed]) -> list[Placed]:
    """Sort by instant. An unknown zone counts as the day's, for sorting only."""
    zones = sorted({one.at.zone for one in found if one.at is not None and one.at.zone is not None})
    assumed = journey.zone_on(day) or next(iter(zones), "UTC")
    return sorted(found, key=lambda one: _rank(one, day, assumed))


def _rank(one: Placed, day: date, assumed: str) -> tuple[int, datetime, str, str]:
    title, ids = one.thing.title or "", f"{one.thing.commitment_id} {one.thing.event_id} {one.thing.leg_id}"
    at = one.at
    if at is None or at.time is None:
        return (3 if one.last else 0 if one.thing.all_day or one.thing.kind == "check_out" else 1, _EPOCH, title, ids)
    start = Moment(day, time()) if at.day < day else at
    return (2, replace(start, zone=at.zone or assumed).instant or _EPOCH, title, ids)


def _moves(moves: Iterable[Move], day: date) -> Iterator[Placed]:
    for move in moves:
        at, until = move.departs, move.arrives
        starts_at, ends_at = (stop.position if stop else None for stop in (move.departs_from, move.arrives_at))
        if at is not None and at.day == day:
            yield Placed(_move(move, at), at, until, at, starts_at=starts_at, ends_at=ends_at)
        elif until is not None and until.day == day:
            yield Placed(_move(move, until, "flight_arrival"), until, until, at, ends_at=ends_at)
        elif at is not None and until is not None and at.day < day < until.day:
            yield Placed(_move(move, None, "flight_under_way"), None, until, at)


def _move(move: Move, at: Moment | None, kind: str = "flight") -> Thing:
    taken = duration(move)
    return Thing(
        kind=kind,
        time=clock_of(at),
        zone=at.zone if at else None,
        zone_from=[stop.known_by for stop in move.inferred_zones] or None,
        missing=_missing_of_move(move),
        title=short(move.label, _TITLE),
        departs=_end(move.departs),
        arrives=_end(move.arrives),
        duration=length(taken) if taken is not None else None,
        seat=short(move.source.seat, _PLACE),
        remark=" ".join(filter(None, (remark(move), _odd_time(move.departs), _odd_time(move.arrives)))) or None,
        leg_id=move.leg_id or None,
        flight=move.index,
    )


def _end(at: Moment | None) -> End | None:
    if at is None:
        return None
    return End(date=str(at.day), weekday=at.weekday, time=clock_of(at), zone=at.zone)


def _missing_of_move(move: Move) -> list[str] | None:
    ends = {"departure": move.departs, "arrival": move.arrives}
    lacking = [f"{name} {lack}" for name, end in ends.items() for lack in _lacking(end)]
    return lacking or None


def _lacking(at: Moment | None) -> Iterator[str]:
    if at is None or at.time is None:
        yield "time"
    elif at.zone is None:
        yield "zone"


def _stays(journey: Journey, day: date) -> Iterator[Placed]:
    """Only check-ins and check-outs with a time or a text; `wake` and `sleep` show the rest."""
    for stay in journey.stays_at(day):
        if stay.end == day and stay.check_out is not None:
            yield _change("check_out", stay, stay.check_out, stay.name)
        if stay.first == day and stay.check_in is not None:
            yield _change("check_in", stay, stay.check_in, stay.name)


def _rentals(journey: Journey, day: date) -> Iterator[Placed]:
    for rental in journey.rentals_at(day):
        for kind, said, leg_day in (
            ("pick_up", rental.pick_up, rental.first),
            ("drop_off", rental.drop_off, rental.last),
        ):
            if said is not None and (said.day if isinstance(said, Moment) else leg_day) == day:
                yield _change(kind, rental, said, rental.company or "rental car")


def _change(kind: str, source: Stay | Rental, said: Moment | str, title: str) -> Placed:
    at = said if isinstance(said, Moment) else None
    written = None if at else str(said)
    place = source.location if isinstance(source, Rental) else None
    notes = source.source.notes if isinstance(source, Stay) and kind == "check_in" else None
    lacking = list(_lacking(at)) if isinstance(source, Stay) or at else ["date", "time"]
    thing = Thing(
        kind=kind,
        time=clock_of(at),
        zone=at.zone if at else None,
        missing=None if written and isinstance(source, Stay) else lacking or None,
        title=short(title, _TITLE),
        written=short(written, _PLACE),
        place=short(place, _PLACE),
        remark=_odd_time(at),
        notes=short(notes, _NOTES),
        leg_id=source.leg_id or None,
    )
    return Placed(thing, at, at, at, fills=isinstance(source, Rental), last=kind in ("check_in", "pick_up"))


def _appointment(journey: Journey, one: Appointment, day: date | None) -> Placed:
    starts, ends = one.starts, one.ends
    began = starts if starts is not None and day is not None and starts.day < day else None
    days = one.days
    ends_later = days is not None and day is not None and days.last != day
    is_event, category = one.kind == "event", short(one.category, _PLACE)
    is_usual = not is_event or category in _USUAL_TYPES
    thing = (EventThing if is_event else Thing)(
        kind=one.kind,
        time=None if began else clock_of(starts),
        until=clock_of(ends),
        until_date=day_in_words(ends.day) if ends is not None and ends_later else None,
        since=" ".join(filter(None, (day_in_words(began.day), clock_of(began)))) if began else None,
        zone=starts.zone if starts is not None and (starts.time or ends) else None,
        zone_from=[one.zone_by] if one.zone_by and starts is not None and starts.time else None,
        all_day=True if one.all_day else None,
        missing=_missing(one),
        title=short(one.title, _TITLE),
        category=category if is_usual else None,
        event_type=None if is_usual else category,
        place=short(one.place, _PLACE),
        pin=_pin(journey.pins.get(one.pin_id)),
        remark=" ".join(filter(None, (_odd_time(starts), _odd_time(ends)))) or None,
        notes=short(one.notes, _NOTES),
        leg_id=one.leg_id or None,
        commitment_id=None if is_event else one.id or None,
        event_id=int(one.id) if is_event and one.id else None,
    )
    here = _position(journey.pins.get(one.pin_id))
    return Placed(thing, starts, ends, starts, starts_at=here, ends_at=here)


def _missing(one: Appointment) -> list[str] | None:
    if one.starts is None:
        return ["date"]
    if one.all_day:
        return None
    if one.starts.time is None:
        return ["time"]
    return ["zone"] if one.starts.zone is None else None


def _position(pin: MapPin | None) -> Position | None:
    return None if pin is None or pin.lat is None or pin.lng is None else (pin.lat, pin.lng)


def _pin(pin: MapPin | None) -> Pin | None:
    if pin is None:
        return None
    return Pin(pin_id=pin.id, name=short(pin.name, _TITLE), lat=pin.lat, lng=pin.lng)


def _odd_time(at: Moment | None) -> str | None:
    if at is None or not (at.gap or at.fold):
        return None
    why = "does not exist: the clocks go forward over it" if at.gap else "exists twice, as the clocks go back"
    return f"{clock_of(at)} on {day_in_words(at.day)} {why} in {at.zone}."


def due_on(journey: Journey, day: date, today: date | None) -> list[ActionItem]:
    """Checklist items that are due on a day.

    Items have an urgency instead of a date. `now` is due today, or on the first day of a trip that has not begun.
    `before_trip` is due on the first day, `nice_to_have` never. `today` is None if unknown or not a day of the trip;
    the trip then counts as ahead.
    """
    days = journey.dates
    is_start = days is not None and day <= days.first and (today is None or today <= day)
    urgencies = ("now", "before_trip") if is_start else ("now",) if day == today else ()
    return [item for urgency in urgencies for item in journey.todos if item.urgency == urgency and not item.completed]


def due_results(items: list[ActionItem], most: int) -> list[Due]:
    return [
        Due(item_id=item.id, text=short(item.text, _DUE_TEXT), urgency=item.urgency, owner=item.owner)
        for item in items[:most]
    ]
