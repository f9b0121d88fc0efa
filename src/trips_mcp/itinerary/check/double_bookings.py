"""Findings on bookings that appear twice: flights, stays, cars, appointments.

Confirmation numbers are compared but never shown.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final, TypeVar

from trips_mcp.itinerary.check import reporting
from trips_mcp.itinerary.check.completeness import is_dated
from trips_mcp.itinerary.check.dst import wall
from trips_mcp.itinerary.check.findings import CitedPart, Finding, Kind
from trips_mcp.itinerary.check.intervals import DAY, overlapping_pairs
from trips_mcp.itinerary.check.reporting import Found, Quota
from trips_mcp.itinerary.check.similarity import city, plain, same_words, words
from trips_mcp.itinerary.formatting import day_in_words
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment
from trips_mcp.itinerary.model import Appointment, Move, Rental, Stay

T = TypeVar("T")

_TWICE: Final[Kind] = "same_booking_twice"
_SHORTEST: Final = 4
"""Minimum letters and digits of a confirmation number."""
_NO_NUMBER: Final = frozenset(
    {"booked", "confirmed", "hidden", "later", "none", "null", "paid", "pending", "todo", "unknown"}
)
"""Placeholders that people, and masks, put in place of a confirmation number."""
_LEADING_ZEROS: Final = re.compile(r"(?<=[^\W\d])0+(?=[0-9])")


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


def is_same_booking(one: Move | Appointment, other: Move | Appointment) -> bool:
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
    what = f"{reporting.begin(reporting.flight(first))} on {day_in_words(starts[0].day)}"
    why = f"{what} is in the trip {_times(flights)}, departing at {' and at '.join(times)}."
    doubt = _TRAVELLERS if apart else "the times differ" if len(times) > 1 else ""
    about = [reporting.cite_flight(move, "departure") for move in flights]
    return _twice(doubt, starts[0].day, about, why, "update_leg")


_TRAVELLERS: Final = "the seats or confirmation numbers differ, so it may be for different travellers"


def _appointment(one: Appointment) -> Hashable | None:
    title = plain(one.title)
    if not title or one.starts is None:
        return None
    if one.starts.time is None:  # what has a time is compared in overlaps, by may_be_one
        return words(one.title) or title, one.starts.day
    return title, one.starts.instant or (one.starts.day, one.starts.time)


def may_be_one(one: Appointment, other: Appointment) -> bool:
    """Whether two overlapping entries of one list may be one: the same words in their titles, or start and place."""
    if one.kind != other.kind:
        return False
    if same_words(one.title, other.title):
        return True
    place = one.pin_id or plain(one.place)
    return one.starts == other.starts and place != "" and place == (other.pin_id or plain(other.place))


def one_entry_twice(one: Appointment, other: Appointment) -> Finding:
    starts = one.starts
    share = "have the same words in their titles" if same_words(one.title, other.title) else "are at one place"
    names = f"{reporting.appointment(one)} and {reporting.appointment(other)}"
    at = f" ({reporting.between(starts, one.ends)})" if starts else ""
    why = f"{names} {share} and overlap{at}: one thing may be in the trip twice."
    about = [reporting.cite_appointment(one), reporting.cite_appointment(other)]
    doubt = "there may be two things at that time"
    return _twice(doubt, starts.day if starts else None, about, why, f"delete_{one.kind}")


def _same_appointment(many: list[Appointment]) -> Finding:
    first = many[0]
    kinds = {one.kind for one in many}
    one_title = len({plain(one.title) for one in many}) == 1
    alike = one_title and len({(one.kind, one.pin_id, plain(one.place), wall(one.ends)) for one in many}) == 1
    names = _listed([reporting.appointment(one) for one in many])
    start = reporting.at(first.starts) if first.starts else ""
    titles = "the same title" if one_title else "the same words in their titles"
    why = f"{names} have {titles} and the same start ({start})."
    doubt = "" if alike else "their ends, places or titles differ"
    if len(kinds) > 1:
        doubt = "an event and a commitment may well stand for one thing"
    day = first.starts.day if first.starts else None
    fix_with = "delete_commitment" if "commitment" in kinds else "delete_event"
    about = [reporting.cite_appointment(one) for one in many]
    return _twice(doubt, day, about, why, fix_with)


def _rental(one: Rental) -> Hashable | None:
    return (plain(one.company), one.pick_up) if plain(one.company) and isinstance(one.pick_up, Moment) else None


def _same_rental(rentals: list[Rental]) -> Finding:
    pick_up = rentals[0].pick_up
    starts = pick_up if isinstance(pick_up, Moment) else None
    apart = _differ(one.source.confirmation_number for one in rentals)
    at = f" picked up {reporting.at(starts)}" if starts else ""
    why = f"A rental car{at} is in the trip {_times(rentals)}."
    about = [reporting.cite_rental(one) for one in rentals]
    doubt = "the confirmation numbers differ, so there may be two cars" if apart else ""
    return _twice(doubt, starts.day if starts else None, about, why, "update_leg")


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
        yield quota.of(reporting.grade_of(doubt), partial(_same_stay, one, other, second.first, doubt))


def _same_stay(one: Stay, other: Stay, day: date, doubt: str) -> Finding:
    legs = f"{reporting.leg_of(one.leg_id)} and {reporting.leg_of(other.leg_id)}"
    why = f"{reporting.begin(legs)} have the same accommodation from {day_in_words(day)}."
    return _twice(doubt, day, [reporting.cite_stay(one), reporting.cite_stay(other)], why, "update_leg")


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
            _number(stay.source.confirmation_number), what, partial(reporting.cite_stay, stay, field), stay.first
        )
    for rental in journey.rentals:
        what = ("rental", plain(rental.company) or rental.leg_id)
        day = rental.pick_up.day if isinstance(rental.pick_up, Moment) else None
        yield _Confirmed(
            _number(rental.source.confirmation_number), what, partial(reporting.cite_rental, rental, field), day
        )
    for move in journey.moves:
        number, day = _number(move.source.confirmation_number), move.departs.day if move.departs else None
        yield _Confirmed(number, ("flight", ""), partial(reporting.cite_flight, move, field), day)


def _number(text: str | None) -> str | None:
    number = plain(text)
    return number if len(number) >= _SHORTEST and number not in _NO_NUMBER else None


def _same_confirmation(sharing: list[_Confirmed]) -> Finding:
    days = [one.day for one in sharing if one.day]
    kinds = {"stay": "accommodation", "rental": "rental car", "flight": "flight"}
    what = _listed(sorted({kinds[one.what[0]] for one in sharing}))
    why = f"{len(sharing)} bookings ({what}) have one confirmation number; one may have been entered for another."
    doubt = "one number may cover several bookings"
    return _twice(doubt, min(days) if days else None, [one.cite() for one in sharing], why, "update_leg")


def _twice(doubt: str, day: date | None, about: Sequence[CitedPart], why: str, fix_with: str) -> Finding:
    return reporting.doubtful(doubt, _TWICE, day, about, reporting.begin(why), fix_with)


def _times(many: Sequence[object]) -> str:
    return "twice" if len(many) == 2 else f"{len(many)} times"


def _listed(names: list[str]) -> str:
    shown = names if len(names) <= reporting.MOST_PARTS else [*names[: reporting.MOST_PARTS], "others"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
