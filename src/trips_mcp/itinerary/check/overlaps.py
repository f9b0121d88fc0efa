"""Findings on timed items that overlap.

All-day items, beds and free time never overlap anything.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from trips_mcp.itinerary.check import reporting
from trips_mcp.itinerary.check.double_bookings import is_same_booking, may_be_one, one_entry_twice
from trips_mcp.itinerary.check.dst import wall, when
from trips_mcp.itinerary.check.findings import CitedPart, Finding
from trips_mcp.itinerary.check.flights import arrives_too_early, flights_by_another_name, may_part
from trips_mcp.itinerary.check.intervals import overlapping_pairs
from trips_mcp.itinerary.check.reporting import Found, Quota
from trips_mcp.itinerary.check.similarity import plain, titles_alike
from trips_mcp.itinerary.event_types import is_free, is_stay
from trips_mcp.itinerary.formatting import length
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment
from trips_mcp.itinerary.model import Appointment, Move

_A_MOMENT: Final = timedelta(microseconds=1)
"""Assumed length of an item without an end, so that it overlaps items that last beyond its start."""
_NO_END: Final = "one of them has no end, so it may be over sooner"
_NO_ZONE: Final = "a time zone is not known"

_SAME_KIND: Final = {"food": {"dinner", "birthday"}, "activity": {"activity", "other"}}
"""Event types, each with the commitment categories that may stand for the same plan."""


@dataclass(frozen=True, slots=True)
class _Timed:
    what: Move | Appointment
    starts: Moment
    ends: Moment | None

    @property
    def has_length(self) -> bool:
        return self.ends is not None


def check_overlaps(journey: Journey) -> Iterator[Found]:
    timed = [*_timed(journey)]
    flying = {end.day for move in journey.moves for end in (move.departs, move.arrives) if end}
    yield from _in_utc(timed, flying)
    yield from _by_the_clock(timed)


def _timed(journey: Journey) -> Iterator[_Timed]:
    duplicates = flights_by_another_name(journey)
    for move in journey.moves:
        if move.departs and move.departs.time and not arrives_too_early(move):
            yield _Timed(move, move.departs, move.arrives if when(move.departs) and when(move.arrives) else None)
    for one in journey.appointments:
        if one.starts and one.starts.time and not (is_free(one) or is_stay(one)) and id(one) not in duplicates:
            # an end equal to the start is no end
            yield _Timed(one, one.starts, one.ends if wall(one.ends) != wall(one.starts) else None)


def _in_utc(timed: list[_Timed], flying: set[date]) -> Iterator[Found]:
    known = [(one, starts, when(one.ends)) for one in timed if (starts := when(one.starts))]
    spans = [(one, starts.earliest, ends.latest if ends else starts.latest + _A_MOMENT) for one, starts, ends in known]
    quota = Quota()
    for one, other in overlapping_pairs(spans):
        if not _is_one_thing(one.what, other.what):
            doubt = _doubt_in_utc(one, other, flying)
            yield quota.of(reporting.grade_of(doubt), partial(_overlap, one, other, doubt, in_utc=True))
            yield from _twice(one, other, quota)


def _by_the_clock(timed: list[_Timed]) -> Iterator[Found]:
    """Compare wall clocks if a zone is missing. Flights are left out: their ends have different clocks."""
    appointments = [one for one in timed if isinstance(one.what, Appointment)]
    if all(one.starts.zone for one in appointments):
        return
    spans = [
        (one, starts, wall(one.ends) or starts + _A_MOMENT) for one in appointments if (starts := wall(one.starts))
    ]
    quota = Quota()
    for one, other in overlapping_pairs(spans):
        if not (one.starts.zone and other.starts.zone) and not _is_one_thing(one.what, other.what):
            doubt = _doubt_by_the_clock(one, other)
            yield quota.of(reporting.grade_of(doubt), partial(_overlap, one, other, doubt, in_utc=False))
            yield from _twice(one, other, quota)


def _twice(one: _Timed, other: _Timed, quota: Quota) -> Iterator[Found]:
    if isinstance(one.what, Appointment) and isinstance(other.what, Appointment) and may_be_one(one.what, other.what):
        yield quota.of("possible", partial(one_entry_twice, one.what, other.what))


def _is_one_thing(one: Move | Appointment, other: Move | Appointment) -> bool:
    """The same booking twice, which has its own finding, or one plan in both lists, which is fine."""
    if isinstance(one, Move):
        return is_same_booking(one, other) if isinstance(other, Move) else _is_about(other, one)
    if isinstance(other, Move):
        return _is_about(one, other)
    if is_same_booking(one, other):
        return True
    if one.kind == other.kind or wall(one.starts) != wall(other.starts):
        return False
    event, commitment = (one, other) if one.kind == "event" else (other, one)
    return titles_alike(one.title, other.title) or commitment.category in _SAME_KIND.get(event.category, ())


def _is_about(one: Appointment, move: Move) -> bool:
    """Whether the item is about this flight, such as a commitment for check-in at the airport."""
    number = plain(move.source.flight_number)
    return number != "" and number in plain(one.title)


def _doubt_in_utc(one: _Timed, other: _Timed, flying: set[date]) -> str:
    """Why the overlap is not certain; empty if it is."""
    sure = one.starts.zone == other.starts.zone or (
        _zone_is_sure(one.what, flying) and _zone_is_sure(other.what, flying)
    )
    if not (one.has_length and other.has_length):
        return _NO_END
    if not sure:
        return "a time zone is inferred"
    if isinstance(one.what, Move) and isinstance(other.what, Move) and may_part(one.what, other.what):
        return "travellers may take these flights apart"
    return "" if _surely(one, other) and _surely(other, one) else "the clocks change at that time"


def _surely(one: _Timed, other: _Timed) -> bool:
    """Whether one starts before the other ends, for both readings of an hour that exists twice."""
    starts, ends = when(one.starts), when(other.ends)
    return bool(starts and ends and starts.latest < ends.earliest)


def _zone_is_sure(what: Move | Appointment, flying: set[date]) -> bool:
    """Whether its zone is given, or is its leg's on a day without a flight."""
    if isinstance(what, Move):
        return what.zones_are_sure
    if what.zone_from == "place":
        return False
    return what.zone_from == "own" or bool(what.leg_id) or (what.starts is not None and what.starts.day not in flying)


def _doubt_by_the_clock(one: _Timed, other: _Timed) -> str:
    """Items of one leg share a zone, even if it is unknown."""
    if not (isinstance(one.what, Appointment) and isinstance(other.what, Appointment)):
        return _NO_ZONE
    one_leg = one.what.leg_id == other.what.leg_id != "" and one.starts.zone is None and other.starts.zone is None
    if not (one.has_length and other.has_length):
        return _NO_END
    return "" if one_leg else _NO_ZONE


def _shared(one: _Timed, other: _Timed, *, in_utc: bool) -> timedelta:
    def clock(moment: Moment | None) -> datetime | None:
        return moment.instant if in_utc and moment else wall(moment)

    starts = [at for at in (clock(one.starts), clock(other.starts)) if at]
    ends = [at for at in (clock(one.ends), clock(other.ends)) if at]
    return max(timedelta(), min(ends) - max(starts)) if len(ends) == 2 else timedelta()


def _overlap(one: _Timed, other: _Timed, doubt: str, *, in_utc: bool) -> Finding:
    shared = _shared(one, other, in_utc=in_utc)
    first, second = _described(one), _described(other)
    if one.has_length and other.has_length:
        why = f"{first} and {second} overlap{f' by {length(shared)}' if shared else ''}."
    elif one.starts == other.starts:
        why = f"{first} and {second} start at the same time."
    else:
        why = f"{second} starts while {first} is going on."
    about = [_thing(one.what), _thing(other.what)]
    fix_with = _fix_with(one.what, other.what)
    return reporting.doubtful(doubt, "overlap", other.starts.day, about, reporting.begin(why), fix_with)


def _described(one: _Timed) -> str:
    name = reporting.flight(one.what) if isinstance(one.what, Move) else reporting.appointment(one.what)
    return f"{name} ({reporting.between(one.starts, one.ends)})"


def _thing(what: Move | Appointment) -> CitedPart:
    return reporting.cite_flight(what) if isinstance(what, Move) else reporting.cite_appointment(what)


def _fix_with(one: Move | Appointment, other: Move | Appointment) -> str:
    """Prefer to move an appointment: flights are harder to change."""
    movable = [what for what in (other, one) if isinstance(what, Appointment)]
    return reporting.update_tool(movable[0]) if movable else "update_leg"
