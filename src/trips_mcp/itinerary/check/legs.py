"""Findings on legs, and on items outside their leg or the trip: gaps, overlaps, ends before starts, broken links.

Stays, cars and flights may exceed their leg by a day on either side: people fly in overnight, book a room for an
early arrival, or leave after midnight.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from trips_mcp.contract.commitments import Commitment
from trips_mcp.itinerary.check import findings
from trips_mcp.itinerary.check.findings import CitedPart, Finding, Found, Quota
from trips_mcp.itinerary.check.flights import lived_twice
from trips_mcp.itinerary.check.intervals import (
    DAY,
    exists,
    is_within,
    merged,
    overlapping_pairs,
    own_days,
    trip_days,
    wall,
    without,
)
from trips_mcp.itinerary.check.missing_facts import all_dated
from trips_mcp.itinerary.formatting import day_in_words
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment, zone_info
from trips_mcp.itinerary.model import DAWN, Appointment, Days, Move, Stretch, is_travel

_FEW_DAYS: Final = 3
"""A longer gap calls for a new leg, and is no calendar day that a zone skipped."""
_ONE_JOURNEY: Final = 2 * DAY
"""Flights with at most this gap between them are one journey."""


def check_legs(journey: Journey) -> Iterator[Found]:
    yield from _backwards(journey)
    yield from _outside_the_trip(journey)
    yield from _overlaps(journey)
    yield from _gaps(journey)


def gaps(journey: Journey) -> list[Days]:
    """Days of the trip that no leg and no flight covers."""
    trip = trip_days(journey)
    legs = merged(stretch.days for stretch in journey.stretches)
    if trip is None or not legs:
        return []
    flown = merged(move.days for move in journey.moves)
    holes = [rest for hole in without(trip, legs) for rest in without(hole, flown)]
    return [hole for hole in holes if not _is_skipped_by_the_calendar(journey, hole)]


def _backwards(journey: Journey) -> Iterator[Finding]:
    if journey.starts and journey.ends and journey.ends < journey.starts:
        why = f"The trip ends on {day_in_words(journey.ends)}, before it starts on {day_in_words(journey.starts)}."
        yield findings.finding("certain", "end_before_start", journey.ends, [], why, "update_trip")
    for stretch in journey.stretches:
        if stretch.starts and stretch.ends and stretch.ends < stretch.starts:
            dates = f"ends on {day_in_words(stretch.ends)}, before it starts on {day_in_words(stretch.starts)}"
            about = [findings.cite_leg(stretch, "endDate")]
            why = f"{findings.begin(findings.leg(stretch))} {dates}."
            yield findings.finding("certain", "end_before_start", stretch.ends, about, why, "update_leg")


def _outside_the_trip(journey: Journey) -> Iterator[Finding]:
    trip = own_days(journey)
    for stretch in journey.stretches:
        days = stretch.days
        if trip is None or days is None or (days.first in trip and days.last in trip):
            continue
        apart = days.last < trip.first or days.first > trip.last
        leg = findings.begin(findings.leg(stretch))
        why = f"{leg} ({findings.days(days)}) is {'' if apart else 'partly '}outside the trip ({findings.days(trip)})."
        fix_with = "update_leg" if apart else "update_trip"
        yield findings.finding("certain", "leg_outside_trip", days.first, [findings.cite_leg(stretch)], why, fix_with)


def _overlaps(journey: Journey) -> Iterator[Found]:
    legs = [((stretch, days), days.first, days.last + DAY) for stretch in journey.stretches if (days := stretch.days)]
    twice = lived_twice(journey)
    quota = Quota()
    for (one, first), (other, second) in overlapping_pairs(legs):
        if not _share_the_change_over_alone(first, second):
            shared = Days(max(first.first, second.first), min(first.last, second.last))
            if not (twice and is_within(shared, twice)):
                inside = shared in (first, second)
                build = partial(_overlap, one, other, shared, inside=inside)
                yield quota.of("possible" if inside else "certain", build)


def _share_the_change_over_alone(one: Days, other: Days) -> bool:
    return one.last == other.first or other.last == one.first


def _overlap(one: Stretch, other: Stretch, shared: Days, *, inside: bool) -> Finding:
    legs = f"{findings.begin(findings.leg(one))} and {findings.leg(other)}"
    why = f"{legs} both cover {findings.days(shared)}."
    doubt = "one may be a trip within the other" if inside else ""
    about = [findings.cite_leg(one), findings.cite_leg(other)]
    return findings.doubtful(doubt, "leg_overlap", shared.first, about, why, "update_leg")


def _gaps(journey: Journey) -> Iterator[Finding]:
    travels = merged(one.days for one in journey.appointments if is_travel(one))
    legs = merged(stretch.days for stretch in journey.stretches)
    dated = all_dated(journey)
    for gap in gaps(journey):
        at_an_end = gap.last < legs[0].first or gap.first > legs[-1].last
        explained = next(without(gap, travels), None) != gap
        doubt = "" if dated else "a leg, a stay or a flight without dates may cover it"
        if at_an_end:
            doubt = "the trip's own dates may be wider than its legs"
        elif explained:
            doubt = "a journey of that time may fill it"
        what = "starts before its first leg" if gap.last < legs[0].first else "goes on after its last leg"
        why = f"No leg covers {findings.days(gap)}{f': the trip {what}' if at_an_end else ''}."
        fix_with = "update_leg" if at_an_end or len(gap) <= _FEW_DAYS else "create_leg"
        about = [findings.cite_leg(stretch) for stretch in _beside(journey, gap)]
        yield findings.doubtful(doubt, "leg_gap", gap.first, about, why, fix_with)


def _beside(journey: Journey, gap: Days) -> list[Stretch]:
    """The leg before the gap and the leg after it."""
    before = journey.stretches_on(gap.first - DAY)
    after = journey.stretches_on(gap.last + DAY)
    return [*before[-1:], *after[:1]]


def _is_skipped_by_the_calendar(journey: Journey, gap: Days) -> bool:
    zones = {stretch.zone for stretch in _beside(journey, gap)}
    return len(gap) <= _FEW_DAYS and bool(zones) and not any(exists(day, zone) for day in gap for zone in zones)


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
                why = f"{findings.begin(findings.appointment(one))} is linked to a {what} that is not in the trip."
                about = [findings.cite_appointment(one, field)]
                day = one.starts.day if one.starts else None
                yield findings.finding("certain", "unknown_link", day, about, why, "update_commitment")


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
            name, span = findings.appointment(one), findings.days(trip)
            why = f"{name} ({findings.at(one.starts)}) is outside the trip ({span})."
            doubt = _doubt(one.starts, trip)
            about = [findings.cite_appointment(one)]
            fix_with = findings.update_tool(one)
            yield findings.doubtful(doubt, "outside_trip", one.starts.day, about, findings.begin(why), fix_with)


def _is_on(starts: Moment, days: Days, zone: str | None) -> bool:
    """Whether it starts on one of these days in its own zone or in the leg's; the two may be a day apart."""
    if starts.day in days:
        return True
    instant = starts.instant
    return instant is not None and zone is not None and instant.astimezone(zone_info(zone)).date() in days


def _outside_its_leg(one: Appointment, starts: Moment, stretch: Stretch, days: Days, trip: Days | None) -> Finding:
    leg = f"its {findings.leg(stretch)} ({findings.days(days)}){_and_the_trip(trip, Days(starts.day, starts.day))}"
    why = f"{findings.appointment(one)} ({findings.at(starts)}) is outside {leg}."
    about = [findings.cite_appointment(one), findings.cite_leg(stretch)]
    doubt = _doubt(starts, days)
    return findings.doubtful(doubt, "outside_leg", starts.day, about, findings.begin(why), "update_commitment")


def _and_the_trip(trip: Days | None, days: Days) -> str:
    """Words to add if it is outside the whole trip, not only outside its leg."""
    if trip is None or not _are_apart(days, trip):
        return ""
    return f" and the whole trip ({findings.days(trip)})"


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
    flights = f"{findings.flight(travel[0])}{f' and {len(travel) - 1} more' if len(travel) > 1 else ''}"
    verb = "is" if len(travel) == 1 else "are"
    leg = f"its {findings.leg(stretch)}" if stretch else "the trip"
    more = _and_the_trip(trip, days) if stretch else ""
    why = f"{findings.begin(flights)} ({findings.days(days)}) {verb} outside {leg} ({findings.days(around)}){more}."
    about = [*(findings.cite_flight(move) for move in travel)]
    kind = "outside_leg" if stretch else "outside_trip"
    a_day_lies_between = max(days.first - around.last, around.first - days.last) > DAY
    doubt = "" if a_day_lies_between else "the journey there or back may take another day"
    return findings.doubtful(doubt, kind, days.first, about, why, "update_leg")


def _stays(journey: Journey) -> Iterator[Finding]:
    trip = own_days(journey)
    legs = {id(stretch.source.accommodation): stretch for stretch in journey.stretches}
    for stay in journey.stays:
        check_in, check_out = _moment(stay.check_in), _moment(stay.check_out)
        leg = findings.leg_of(stay.leg_id)
        if check_in and check_out and _is_before(check_out, check_in):
            times = f"is {findings.at(check_out)}, before the check-in, {findings.at(check_in)}"
            why = f"The check-out of {leg} {times}."
            about = [findings.cite_stay(stay, "checkOut")]
            yield findings.finding("certain", "end_before_start", check_in.day, about, why, "update_leg")
            continue
        stretch = legs.get(id(stay.source))
        if stretch is None or stay.first is None or stay.end is None or stay.end < stay.first:
            continue
        cite, name, span = partial(findings.cite_stay, stay), f"The stay of {leg}", Days(stay.first, stay.end)
        if stretch.days:
            yield from _span_outside(cite, name, span, stretch.days, trip)
        elif trip:
            yield from _span_outside_trip(cite, name, span, trip)


def _rentals(journey: Journey) -> Iterator[Finding]:
    trip = own_days(journey)
    legs = {id(stretch.source.rental_car): stretch for stretch in journey.stretches}
    for rental in journey.rentals:
        pick_up, drop_off = _moment(rental.pick_up), _moment(rental.drop_off)
        name = f"The rental car of {findings.leg_of(rental.leg_id)}"
        if pick_up and drop_off and _is_before(drop_off, pick_up):
            why = f"{name} is returned {findings.at(drop_off)}, before it is picked up, {findings.at(pick_up)}."
            about = [findings.cite_rental(rental, "dropOff")]
            yield findings.finding("certain", "end_before_start", pick_up.day, about, why, "update_leg")
            continue
        stretch, days = legs.get(id(rental.source)), [moment.day for moment in (pick_up, drop_off) if moment]
        leg = stretch.days if stretch else None
        span, cite = Days(min(days), max(days)) if days else None, partial(findings.cite_rental, rental)
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
    where = f"{'' if apart else 'partly '}outside the leg ({findings.days(leg)}){_and_the_trip(trip, span)}"
    doubt = "" if apart else "it may serve the days before or after the leg too"
    why = f"{name} ({findings.days(span)}) is {where}."
    yield findings.doubtful(doubt, "outside_leg", span.first, [cite()], why, "update_leg")


def _span_outside_trip(cite: Callable[[], CitedPart], name: str, span: Days, trip: Days) -> Iterator[Finding]:
    if span.first >= trip.first - DAY and span.last <= trip.last + DAY:
        return
    apart = _are_apart(span, trip)
    doubt = "" if apart else "it may begin before the trip or end after it"
    why = f"{name} ({findings.days(span)}) is {'' if apart else 'partly '}outside the trip ({findings.days(trip)})."
    yield findings.doubtful(doubt, "outside_trip", span.first, [cite()], why, "update_leg")


def _are_apart(one: Days, other: Days) -> bool:
    return one.first > other.last or one.last < other.first


def _moment(said: Moment | str | None) -> Moment | None:
    return said if isinstance(said, Moment) else None


def _is_before(end: Moment, start: Moment) -> bool:
    ends, starts = wall(end), wall(start)
    return ends < starts if ends and starts else end.day < start.day
