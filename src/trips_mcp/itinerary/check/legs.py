"""Findings on legs: ends before starts, outside the trip, gaps, overlaps."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from trips_mcp.itinerary.check import reporting
from trips_mcp.itinerary.check.completeness import all_dated
from trips_mcp.itinerary.check.findings import Finding
from trips_mcp.itinerary.check.flights import lived_twice
from trips_mcp.itinerary.check.intervals import (
    DAY,
    exists,
    is_within,
    merged,
    overlapping_pairs,
    own_days,
    trip_days,
    without,
)
from trips_mcp.itinerary.check.reporting import Found, Quota
from trips_mcp.itinerary.event_types import is_travel
from trips_mcp.itinerary.formatting import day_in_words
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.model import Days, Stretch

_FEW_DAYS: Final = 3
"""A longer gap calls for a new leg, and is no calendar day that a zone skipped."""


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
        yield reporting.finding("certain", "end_before_start", journey.ends, [], why, "update_trip")
    for stretch in journey.stretches:
        if stretch.starts and stretch.ends and stretch.ends < stretch.starts:
            dates = f"ends on {day_in_words(stretch.ends)}, before it starts on {day_in_words(stretch.starts)}"
            about = [reporting.cite_leg(stretch, "endDate")]
            why = f"{reporting.begin(reporting.leg(stretch))} {dates}."
            yield reporting.finding("certain", "end_before_start", stretch.ends, about, why, "update_leg")


def _outside_the_trip(journey: Journey) -> Iterator[Finding]:
    trip = own_days(journey)
    for stretch in journey.stretches:
        days = stretch.days
        if trip is None or days is None or (days.first in trip and days.last in trip):
            continue
        apart = days.last < trip.first or days.first > trip.last
        leg = reporting.begin(reporting.leg(stretch))
        why = (
            f"{leg} ({reporting.days(days)}) is {'' if apart else 'partly '}outside the trip ({reporting.days(trip)})."
        )
        fix_with = "update_leg" if apart else "update_trip"
        yield reporting.finding("certain", "leg_outside_trip", days.first, [reporting.cite_leg(stretch)], why, fix_with)


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
    legs = f"{reporting.begin(reporting.leg(one))} and {reporting.leg(other)}"
    why = f"{legs} both cover {reporting.days(shared)}."
    doubt = "one may be a trip within the other" if inside else ""
    about = [reporting.cite_leg(one), reporting.cite_leg(other)]
    return reporting.doubtful(doubt, "leg_overlap", shared.first, about, why, "update_leg")


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
        why = f"No leg covers {reporting.days(gap)}{f': the trip {what}' if at_an_end else ''}."
        fix_with = "update_leg" if at_an_end or len(gap) <= _FEW_DAYS else "create_leg"
        about = [reporting.cite_leg(stretch) for stretch in _beside(journey, gap)]
        yield reporting.doubtful(doubt, "leg_gap", gap.first, about, why, fix_with)


def _beside(journey: Journey, gap: Days) -> list[Stretch]:
    """The leg before the gap and the leg after it."""
    before = journey.stretches_on(gap.first - DAY)
    after = journey.stretches_on(gap.last + DAY)
    return [*before[-1:], *after[:1]]


def _is_skipped_by_the_calendar(journey: Journey, gap: Days) -> bool:
    zones = {stretch.zone for stretch in _beside(journey, gap)}
    return len(gap) <= _FEW_DAYS and bool(zones) and not any(exists(day, zone) for day in gap for zone in zones)
