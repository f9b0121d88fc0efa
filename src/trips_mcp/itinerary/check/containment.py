"""Findings on items outside their leg or trip, ends before starts, and broken links.

Stays, cars and flights may exceed their leg by a day on either side: people fly in overnight, book a room for an
early arrival, or leave after midnight.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from trips_mcp.contract.commitments import Commitment
from trips_mcp.itinerary.check import reporting
from trips_mcp.itinerary.check.dst import wall
from trips_mcp.itinerary.check.findings import CitedPart, Finding
from trips_mcp.itinerary.check.intervals import DAY, own_days
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment, zone_info
from trips_mcp.itinerary.model import DAWN, Appointment, Days, Move, Stretch

_ONE_JOURNEY: Final = 2 * DAY
"""Flights with at most this gap between them are one journey."""


def check_containment(journey: Journey) -> Iterator[Finding]:
    yield from _links(journey)
    yield from _appointments(journey)
    yield from _flights(journey)
    yield from _stays(journey)
    yield from _rentals(journey)


def _links(journey: Journey) -> Iterator[Finding]:
    for one in journey.appointments:
        if not isinstance(one.source, Commitment):
            continue
        for field, linked, found in (
            ("legId", one.source.leg_id, one.leg_id),
            ("mapPinId", one.source.map_pin_id, one.pin_id),
        ):
            if linked and not found:
                what = "leg" if field == "legId" else "map pin"
                why = f"{reporting.begin(reporting.appointment(one))} is linked to a {what} that is not in the trip."
                about = [reporting.cite_appointment(one, field)]
                day = one.starts.day if one.starts else None
                yield reporting.finding("certain", "unknown_link", day, about, why, "update_commitment")


def _appointments(journey: Journey) -> Iterator[Finding]:
    trip = own_days(journey)
    for one in journey.appointments:
        stretch = journey.stretch.get(one.leg_id)
        if one.starts is None:
            continue
        if stretch and stretch.days:
            if not _is_on(one.starts, stretch.days, stretch.zone):
                yield _outside_its_leg(one, one.starts, stretch, stretch.days, trip)
        elif trip and one.starts.day not in trip:
            name, span = reporting.appointment(one), reporting.days(trip)
            why = f"{name} ({reporting.at(one.starts)}) is outside the trip ({span})."
            doubt = _doubt(one.starts, trip)
            about = [reporting.cite_appointment(one)]
            fix_with = reporting.update_tool(one)
            yield reporting.doubtful(doubt, "outside_trip", one.starts.day, about, reporting.begin(why), fix_with)


def _is_on(starts: Moment, days: Days, zone: str | None) -> bool:
    """Whether it starts on one of these days in its own zone or in the leg's; the two may be a day apart."""
    if starts.day in days:
        return True
    instant = starts.instant
    return instant is not None and zone is not None and instant.astimezone(zone_info(zone)).date() in days


def _outside_its_leg(one: Appointment, starts: Moment, stretch: Stretch, days: Days, trip: Days | None) -> Finding:
    leg = f"its {reporting.leg(stretch)} ({reporting.days(days)}){_and_the_trip(trip, Days(starts.day, starts.day))}"
    why = f"{reporting.appointment(one)} ({reporting.at(starts)}) is outside {leg}."
    about = [reporting.cite_appointment(one), reporting.cite_leg(stretch)]
    doubt = _doubt(starts, days)
    return reporting.doubtful(doubt, "outside_leg", starts.day, about, reporting.begin(why), "update_commitment")


def _and_the_trip(trip: Days | None, days: Days) -> str:
    """Words to add if it is outside the whole trip, not only outside its leg."""
    if trip is None or not _are_apart(days, trip):
        return ""
    return f" and the whole trip ({reporting.days(trip)})"


def _doubt(starts: Moment, days: Days) -> str:
    return "it may belong to the evening of the last day" if _ends_the_last_day(starts, days) else ""


def _ends_the_last_day(starts: Moment | None, days: Days) -> bool:
    return starts is not None and starts.time is not None and starts.time < DAWN and starts.day - DAY == days.last


def _flights(journey: Journey) -> Iterator[Finding]:
    of_leg: defaultdict[str, list[Move]] = defaultdict(list)
    for move in journey.moves:
        of_leg[move.leg_id].append(move)
    trip = own_days(journey)
    for leg_id, moves in of_leg.items():
        stretch = journey.stretch.get(leg_id)
        days = stretch.days if stretch else None
        around = days or trip
        if around is None:
            continue
        for travel in _travels(moves):
            if not any(_touches(move, around) for move in travel):
                yield _travel_outside(travel, around, stretch if days else None, trip)


def _travels(moves: Sequence[Move]) -> Iterator[list[Move]]:
    """Group consecutive flights. The first of three may be long before the leg that they lead to."""
    travel: list[Move] = []
    for move in moves:
        days = move.days
        if days is None:
            continue
        before = travel[-1].days if travel else None
        if before and days.first - before.last > _ONE_JOURNEY:
            yield travel
            travel = []
        travel.append(move)
    if travel:
        yield travel


def _touches(move: Move, days: Days) -> bool:
    ends = [end.day for end in (move.departs, move.arrives) if end]
    return any(day in days for day in ends) or _ends_the_last_day(move.departs, days)


def _travel_outside(travel: list[Move], around: Days, stretch: Stretch | None, trip: Days | None) -> Finding:
    all_days = [days for move in travel if (days := move.days)]
    days = Days(min(one.first for one in all_days), max(one.last for one in all_days))
    flights = f"{reporting.flight(travel[0])}{f' and {len(travel) - 1} more' if len(travel) > 1 else ''}"
    verb = "is" if len(travel) == 1 else "are"
    leg = f"its {reporting.leg(stretch)}" if stretch else "the trip"
    more = _and_the_trip(trip, days) if stretch else ""
    why = f"{reporting.begin(flights)} ({reporting.days(days)}) {verb} outside {leg} ({reporting.days(around)}){more}."
    about = [*(reporting.cite_flight(move) for move in travel)]
    kind = "outside_leg" if stretch else "outside_trip"
    a_day_lies_between = max(days.first - around.last, around.first - days.last) > DAY
    doubt = "" if a_day_lies_between else "the journey there or back may take another day"
    return reporting.doubtful(doubt, kind, days.first, about, why, "update_leg")


def _stays(journey: Journey) -> Iterator[Finding]:
    trip = own_days(journey)
    legs = {id(stretch.source.accommodation): stretch for stretch in journey.stretches}
    for stay in journey.stays:
        check_in, check_out = _moment(stay.check_in), _moment(stay.check_out)
        leg = reporting.leg_of(stay.leg_id)
        if check_in and check_out and _is_before(check_out, check_in):
            times = f"is {reporting.at(check_out)}, before the check-in, {reporting.at(check_in)}"
            why = f"The check-out of {leg} {times}."
            about = [reporting.cite_stay(stay, "checkOut")]
            yield reporting.finding("certain", "end_before_start", check_in.day, about, why, "update_leg")
            continue
        stretch = legs.get(id(stay.source))
        if stretch is None or stay.first is None or stay.end is None or stay.end < stay.first:
            continue
        cite, name, span = partial(reporting.cite_stay, stay), f"The stay of {leg}", Days(stay.first, stay.end)
        if stretch.days:
            yield from _span_outside(cite, name, span, stretch.days, trip)
        elif trip:
            yield from _span_outside_trip(cite, name, span, trip)


def _rentals(journey: Journey) -> Iterator[Finding]:
    trip = own_days(journey)
    legs = {id(stretch.source.rental_car): stretch for stretch in journey.stretches}
    for rental in journey.rentals:
        pick_up, drop_off = _moment(rental.pick_up), _moment(rental.drop_off)
        name = f"The rental car of {reporting.leg_of(rental.leg_id)}"
        if pick_up and drop_off and _is_before(drop_off, pick_up):
            why = f"{name} is returned {reporting.at(drop_off)}, before it is picked up, {reporting.at(pick_up)}."
            about = [reporting.cite_rental(rental, "dropOff")]
            yield reporting.finding("certain", "end_before_start", pick_up.day, about, why, "update_leg")
            continue
        stretch, days = legs.get(id(rental.source)), [moment.day for moment in (pick_up, drop_off) if moment]
        leg = stretch.days if stretch else None
        span, cite = Days(min(days), max(days)) if days else None, partial(reporting.cite_rental, rental)
        if span and leg and _are_apart(span, leg):
            yield from _span_outside(cite, name, span, leg, trip)
        elif span and trip and (leg is None or (leg.first in trip and leg.last in trip)):
            yield from _span_outside_trip(cite, name, span, trip)  # one car may serve several legs


def _span_outside(
    cite: Callable[[], CitedPart], name: str, span: Days, leg: Days, trip: Days | None
) -> Iterator[Finding]:
    if span.first >= leg.first - DAY and span.last <= leg.last + DAY:
        return
    apart = _are_apart(span, leg)
    where = f"{'' if apart else 'partly '}outside the leg ({reporting.days(leg)}){_and_the_trip(trip, span)}"
    doubt = "" if apart else "it may serve the days before or after the leg too"
    why = f"{name} ({reporting.days(span)}) is {where}."
    yield reporting.doubtful(doubt, "outside_leg", span.first, [cite()], why, "update_leg")


def _span_outside_trip(cite: Callable[[], CitedPart], name: str, span: Days, trip: Days) -> Iterator[Finding]:
    if span.first >= trip.first - DAY and span.last <= trip.last + DAY:
        return
    apart = _are_apart(span, trip)
    doubt = "" if apart else "it may begin before the trip or end after it"
    why = f"{name} ({reporting.days(span)}) is {'' if apart else 'partly '}outside the trip ({reporting.days(trip)})."
    yield reporting.doubtful(doubt, "outside_trip", span.first, [cite()], why, "update_leg")


def _are_apart(one: Days, other: Days) -> bool:
    return one.first > other.last or one.last < other.first


def _moment(said: Moment | str | None) -> Moment | None:
    return said if isinstance(said, Moment) else None


def _is_before(end: Moment, start: Moment) -> bool:
    ends, starts = wall(end), wall(start)
    return ends < starts if ends and starts else end.day < start.day
