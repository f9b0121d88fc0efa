"""Findings on timed items that overlap, and on bookings that appear twice: flights, stays, cars, appointments.

All-day items, beds and free time never overlap anything. Confirmation numbers are compared but never shown.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from trips_mcp.itinerary.check import findings
from trips_mcp.itinerary.check.findings import CitedPart, Finding, Found, Kind, Quota
from trips_mcp.itinerary.check.flights import arrives_too_early, flights_by_another_name, may_part
from trips_mcp.itinerary.check.intervals import DAY, overlapping_pairs, wall, when
from trips_mcp.itinerary.check.missing_facts import is_dated
from trips_mcp.itinerary.formatting import day_in_words, length
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment
from trips_mcp.itinerary.model import Appointment, Move, Rental, Stay, is_free, is_stay
from trips_mcp.itinerary.text_match import city, plain, same_words, titles_alike, words

T = TypeVar("T")

_A_MOMENT: Final = timedelta(microseconds=1)
"""Assumed length of an item without an end, so that it overlaps items that last beyond its start."""
_NO_END: Final = "one of them has no end, so it may be over sooner"
_NO_ZONE: Final = "a time zone is not known"
_SAME_KIND: Final = {"food": {"dinner", "birthday"}, "activity": {"activity", "other"}}
"""Event types, each with the commitment categories that may stand for the same plan."""
_TWICE: Final[Kind] = "same_booking_twice"
_SHORTEST: Final = 4
"""Minimum letters and digits of a confirmation number."""
_NO_NUMBER: Final = frozenset(
    {"booked", "confirmed", "hidden", "later", "none", "null", "paid", "pending", "todo", "unknown"}
)
"""Placeholders that people, and masks, put in place of a confirmation number."""
_LEADING_ZEROS: Final = re.compile(r"(?<=[^\W\d])0+(?=[0-9])")
_TRAVELLERS: Final = "the seats or confirmation numbers differ, so it may be for different travellers"


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
            yield quota.of(findings.grade_of(doubt), partial(_overlap, one, other, doubt, in_utc=True))
            yield from _same_entry(one, other, quota)


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
            yield quota.of(findings.grade_of(doubt), partial(_overlap, one, other, doubt, in_utc=False))
            yield from _same_entry(one, other, quota)


def _same_entry(one: _Timed, other: _Timed, quota: Quota) -> Iterator[Found]:
    if isinstance(one.what, Appointment) and isinstance(other.what, Appointment) and _may_be_one(one.what, other.what):
        yield quota.of("possible", partial(_one_entry_twice, one.what, other.what))


def _is_one_thing(one: Move | Appointment, other: Move | Appointment) -> bool:
    """The same booking twice, which has its own finding, or one plan in both lists, which is fine."""
    if isinstance(one, Move):
        return _is_same_booking(one, other) if isinstance(other, Move) else _is_about(other, one)
    if isinstance(other, Move):
        return _is_about(one, other)
    if _is_same_booking(one, other):
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
    return findings.doubtful(doubt, "overlap", other.starts.day, about, findings.begin(why), fix_with)


def _described(one: _Timed) -> str:
    name = findings.flight(one.what) if isinstance(one.what, Move) else findings.appointment(one.what)
    return f"{name} ({findings.between(one.starts, one.ends)})"


def _thing(what: Move | Appointment) -> CitedPart:
    return findings.cite_flight(what) if isinstance(what, Move) else findings.cite_appointment(what)


def _fix_with(one: Move | Appointment, other: Move | Appointment) -> str:
    """Prefer to move an appointment: flights are harder to change."""
    movable = [what for what in (other, one) if isinstance(what, Appointment)]
    return findings.update_tool(movable[0]) if movable else "update_leg"


def check_double_bookings(journey: Journey) -> Iterator[Found]:
    for flights in _alike(journey.moves, _flight):
        yield _same_flight(flights)
    for appointments in _alike(journey.appointments, _appointment):
        yield _same_appointment(appointments)
    for rentals in _alike(journey.rentals, _rental):
        yield _same_rental(rentals)
    for stays in _alike(journey.stays, lambda stay: plain(stay.name) or None):
        yield from _same_stays(stays)
    for sharing in _alike(_confirmed(journey), lambda one: one.number):
        if len({one.what for one in sharing}) > 1:
            yield _same_confirmation(sharing)


def _is_same_booking(one: Move | Appointment, other: Move | Appointment) -> bool:
    if isinstance(one, Move) and isinstance(other, Move):
        return _flight(one) == _flight(other) is not None
    if isinstance(one, Appointment) and isinstance(other, Appointment):
        return _appointment(one) == _appointment(other) is not None
    return False


def _alike(many: Iterable[T], key: Callable[[T], Hashable | None]) -> Iterator[list[T]]:
    groups: defaultdict[Hashable, list[T]] = defaultdict(list)
    for one in many:
        if (what := key(one)) is not None:
            groups[what].append(one)
    return (group for group in groups.values() if len(group) > 1)


def _differ(values: Iterable[str | None]) -> bool:
    """Whether at least two are given and differ: two travellers, two rooms, two tables."""
    return len({text for value in values if (text := plain(value))}) > 1


def _flight(move: Move) -> Hashable | None:
    """Key of a flight. A flight number departs from a place once a day."""
    if move.departs is None:
        return None
    if number := _flight_number(move):
        return number, city(move.source.from_), move.departs.day
    route = city(move.source.from_), city(move.source.to)
    return (*route, wall(move.departs)) if all(route) and move.departs.time else None


def _flight_number(move: Move) -> str:
    number = plain(move.source.flight_number)
    if number.isdecimal():
        number = plain(move.source.airline) + number
    return _LEADING_ZEROS.sub("", number)


def _same_flight(flights: list[Move]) -> Finding:
    first = flights[0]
    starts = [move.departs for move in flights if move.departs]
    times = sorted({f"{moment.time:%H:%M}" if moment.time else "an unknown time" for moment in starts})
    apart = _differ(move.source.confirmation_number for move in flights) or _differ(
        move.source.seat for move in flights
    )
    what = f"{findings.begin(findings.flight(first))} on {day_in_words(starts[0].day)}"
    why = f"{what} is in the trip {_times(flights)}, departing at {' and at '.join(times)}."
    doubt = _TRAVELLERS if apart else "the times differ" if len(times) > 1 else ""
    about = [findings.cite_flight(move, "departure") for move in flights]
    return _booked_twice(doubt, starts[0].day, about, why, "update_leg")


def _appointment(one: Appointment) -> Hashable | None:
    title = plain(one.title)
    if not title or one.starts is None:
        return None
    if one.starts.time is None:  # what has a time is compared in overlaps, by _may_be_one
        return words(one.title) or title, one.starts.day
    return title, one.starts.instant or (one.starts.day, one.starts.time)


def _may_be_one(one: Appointment, other: Appointment) -> bool:
    """Whether two overlapping entries of one list may be one: the same words in their titles, or start and place."""
    if one.kind != other.kind:
        return False
    if same_words(one.title, other.title):
        return True
    place = one.pin_id or plain(one.place)
    return one.starts == other.starts and place != "" and place == (other.pin_id or plain(other.place))


def _one_entry_twice(one: Appointment, other: Appointment) -> Finding:
    starts = one.starts
    share = "have the same words in their titles" if same_words(one.title, other.title) else "are at one place"
    names = f"{findings.appointment(one)} and {findings.appointment(other)}"
    at = f" ({findings.between(starts, one.ends)})" if starts else ""
    why = f"{names} {share} and overlap{at}: one thing may be in the trip twice."
    about = [findings.cite_appointment(one), findings.cite_appointment(other)]
    doubt = "there may be two things at that time"
    return _booked_twice(doubt, starts.day if starts else None, about, why, f"delete_{one.kind}")


def _same_appointment(many: list[Appointment]) -> Finding:
    first = many[0]
    kinds = {one.kind for one in many}
    one_title = len({plain(one.title) for one in many}) == 1
    alike = one_title and len({(one.kind, one.pin_id, plain(one.place), wall(one.ends)) for one in many}) == 1
    names = _listed([findings.appointment(one) for one in many])
    start = findings.at(first.starts) if first.starts else ""
    titles = "the same title" if one_title else "the same words in their titles"
    why = f"{names} have {titles} and the same start ({start})."
    doubt = "" if alike else "their ends, places or titles differ"
    if len(kinds) > 1:
        doubt = "an event and a commitment may well stand for one thing"
    day = first.starts.day if first.starts else None
    fix_with = "delete_commitment" if "commitment" in kinds else "delete_event"
    about = [findings.cite_appointment(one) for one in many]
    return _booked_twice(doubt, day, about, why, fix_with)


def _rental(one: Rental) -> Hashable | None:
    return (plain(one.company), one.pick_up) if plain(one.company) and isinstance(one.pick_up, Moment) else None


def _same_rental(rentals: list[Rental]) -> Finding:
    pick_up = rentals[0].pick_up
    starts = pick_up if isinstance(pick_up, Moment) else None
    apart = _differ(one.source.confirmation_number for one in rentals)
    at = f" picked up {findings.at(starts)}" if starts else ""
    why = f"A rental car{at} is in the trip {_times(rentals)}."
    about = [findings.cite_rental(one) for one in rentals]
    doubt = "the confirmation numbers differ, so there may be two cars" if apart else ""
    return _booked_twice(doubt, starts.day if starts else None, about, why, "update_leg")


def _same_stays(stays: list[Stay]) -> Iterator[Found]:
    dated = [
        ((stay, nights, is_dated(stay)), nights.first, nights.last + DAY) for stay in stays if (nights := stay.nights)
    ]
    quota = Quota()
    for (one, first, one_is_dated), (other, second, other_is_dated) in overlapping_pairs(dated):
        numbers = one.source.confirmation_number, other.source.confirmation_number
        doubt = "" if one_is_dated and other_is_dated else "not both stays have dates of their own"
        if _differ(numbers):
            doubt = "the confirmation numbers differ, so there may be two rooms"
        elif first != second:
            doubt = doubt or "the dates differ"
        yield quota.of(findings.grade_of(doubt), partial(_same_stay, one, other, second.first, doubt))


def _same_stay(one: Stay, other: Stay, day: date, doubt: str) -> Finding:
    legs = f"{findings.leg_of(one.leg_id)} and {findings.leg_of(other.leg_id)}"
    why = f"{findings.begin(legs)} have the same accommodation from {day_in_words(day)}."
    return _booked_twice(doubt, day, [findings.cite_stay(one), findings.cite_stay(other)], why, "update_leg")


@dataclass(frozen=True, slots=True)
class _Confirmed:
    number: str | None
    what: tuple[str, str]
    """What the number may cover more than once: all flights together, or one stay on several legs."""
    cite: Callable[[], CitedPart]
    day: date | None


def _confirmed(journey: Journey) -> Iterator[_Confirmed]:
    field = "confirmationNumber"
    for stay in journey.stays:
        what = ("stay", plain(stay.name) or stay.leg_id)
        yield _Confirmed(
            _number(stay.source.confirmation_number), what, partial(findings.cite_stay, stay, field), stay.first
        )
    for rental in journey.rentals:
        what = ("rental", plain(rental.company) or rental.leg_id)
        day = rental.pick_up.day if isinstance(rental.pick_up, Moment) else None
        yield _Confirmed(
            _number(rental.source.confirmation_number), what, partial(findings.cite_rental, rental, field), day
        )
    for move in journey.moves:
        number, day = _number(move.source.confirmation_number), move.departs.day if move.departs else None
        yield _Confirmed(number, ("flight", ""), partial(findings.cite_flight, move, field), day)


def _number(text: str | None) -> str | None:
    number = plain(text)
    return number if len(number) >= _SHORTEST and number not in _NO_NUMBER else None


def _same_confirmation(sharing: list[_Confirmed]) -> Finding:
    days = [one.day for one in sharing if one.day]
    kinds = {"stay": "accommodation", "rental": "rental car", "flight": "flight"}
    what = _listed(sorted({kinds[one.what[0]] for one in sharing}))
    why = f"{len(sharing)} bookings ({what}) have one confirmation number; one may have been entered for another."
    doubt = "one number may cover several bookings"
    return _booked_twice(doubt, min(days) if days else None, [one.cite() for one in sharing], why, "update_leg")


def _booked_twice(doubt: str, day: date | None, about: Sequence[CitedPart], why: str, fix_with: str) -> Finding:
    return findings.doubtful(doubt, _TWICE, day, about, findings.begin(why), fix_with)


def _times(many: Sequence[object]) -> str:
    return "twice" if len(many) == 2 else f"{len(many)} times"


def _listed(names: list[str]) -> str:
    shown = names if len(names) <= findings.MOST_PARTS else [*names[: findings.MOST_PARTS], "others"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
