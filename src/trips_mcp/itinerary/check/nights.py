"""Findings on nights with two beds or none.

A night has the date of the day before it. A flight under way, or a plan until the morning, replaces a bed.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import date
from functools import partial
from itertools import accumulate
from typing import Final

from trips_mcp.itinerary.check import findings
from trips_mcp.itinerary.check.findings import Finding, Found, Quota
from trips_mcp.itinerary.check.flights import lived_twice
from trips_mcp.itinerary.check.intervals import DAY, exists, is_within, merged, overlapping_pairs, trip_days, without
from trips_mcp.itinerary.check.legs import gaps
from trips_mcp.itinerary.check.missing_facts import all_dated, is_dated
from trips_mcp.itinerary.formatting import day_in_words
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.model import Appointment, Days, Stay, Stretch, is_ride, is_stay, is_travel, night_under_way
from trips_mcp.itinerary.text_match import same

_FEW: Final = 5


def check_nights(journey: Journey) -> Iterator[Found]:
    yield from _two_beds(journey)
    trip = trip_days(journey)
    if trip and journey.stretches and trip.first < trip.last:
        nights = without(Days(trip.first, trip.last - DAY), _accounted_for(journey))
        yield from _Beds(journey).missing(list(nights)) if journey.stays else _no_stay_at_all(list(nights))


def _two_beds(journey: Journey) -> Iterator[Found]:
    stays = [
        ((stay, nights, is_dated(stay)), nights.first, nights.last + DAY)
        for stay in journey.stays
        if (nights := stay.nights)
    ]
    twice = lived_twice(journey)
    quota = Quota()
    for (one, first, one_is_dated), (other, second, other_is_dated) in overlapping_pairs(stays):
        # two stays without own dates overlap because their legs do, which is a finding of its own
        if not (one_is_dated or other_is_dated) or same(one.name, other.name):
            continue
        shared = Days(max(first.first, second.first), min(first.last, second.last))
        if twice and is_within(Days(shared.first, shared.last + DAY), twice):
            continue
        undated = None if one_is_dated and other_is_dated else other if one_is_dated else one
        yield quota.of("possible" if undated else "certain", partial(_beds_of, one, other, shared, undated))


def _beds_of(one: Stay, other: Stay, shared: Days, undated: Stay | None) -> Finding:
    stays_of = f"the stays of {_dated(one)} and {_dated(other)}"
    why = f"There are two beds for {findings.nights(shared)}: {stays_of}."
    about = [findings.cite_stay(one, "checkOut"), findings.cite_stay(other, "checkIn")]
    doubt = ""
    if undated:
        leg = findings.leg_of(undated.leg_id)
        doubt = f"the stay of {leg} lacks a date of its own and is taken to last as long as its leg"
    return findings.doubtful(doubt, "two_beds", shared.first, about, why, "update_leg")


def _dated(stay: Stay) -> str:
    """`leg jx7 (Sunday 2026-07-19 to Friday 2026-07-24)`, from check-in to check-out."""
    leg = findings.leg_of(stay.leg_id)
    return f"{leg} ({findings.days(Days(stay.first, stay.end))})" if stay.first and stay.end else leg


def _accounted_for(journey: Journey) -> list[Days]:
    """Nights that need no bed, or that another finding covers: a missing leg, a missing arrival."""
    return merged(
        [
            *(stay.nights for stay in journey.stays),
            *(move.nights for move in journey.moves),
            *(one.nights for one in journey.appointments),
            *(Days(night, night) for night in _travel_nights(journey)),
            *(Days(gap.first - DAY, gap.last) for gap in gaps(journey)),
        ]
    )


def _travel_nights(journey: Journey) -> dict[date, str]:
    """Nights that a flight without an arrival, or an evening's journey, may take; and its name."""
    open_ended = (move for move in journey.moves if move.departs and not move.arrives)
    flights = {move.departs.day: findings.flight(move) for move in open_ended if move.departs}
    travels = filter(is_travel, journey.appointments)
    return flights | {night: findings.appointment(one) for one in travels if (night := night_under_way(one))}


def night_notes(journey: Journey) -> Iterator[str]:
    """Nights that have no bed and no finding, as a flight, a journey or an event that is a stay may take them."""
    trip = trip_days(journey)
    stays = {one.starts.day: findings.appointment(one) for one in journey.appointments if is_stay(one) and one.starts}
    nights = sorted(
        (night, name)
        for night, name in (stays | _travel_nights(journey)).items()
        if trip and trip.first <= night < trip.last
        if not (journey.beds(night) or journey.under_way(night) or journey.overnight(night))
    )
    if nights:
        first = ", ".join(f"{day_in_words(night)} ({name})" for night, name in nights[:_FEW])
        more = f" and {len(nights) - _FEW} more" if len(nights) > _FEW else ""
        yield f"Nights without a bed that a flight, a journey or a stay among the events may take: {first}{more}."


def _no_stay_at_all(nights: list[Days]) -> Iterator[Finding]:
    """A single finding for a plan without any stay."""
    if nights:
        count = sum(map(len, nights))
        why = f"No leg has an accommodation: there is no bed for {findings.nights(nights[0])}"
        more = f", nor for {count - len(nights[0])} more" if len(nights) > 1 else ""
        doubt = "the trip's beds may be noted elsewhere"
        yield findings.doubtful(doubt, "no_bed", nights[0].first, [], f"{why}{more}.", "update_leg")


class _Beds:
    def __init__(self, journey: Journey) -> None:
        self._legs = _Legs(journey)
        self._stays = {id(stay.source): stay for stay in journey.stays}
        self._all_dated = all_dated(journey)
        self._travels = merged(one.days for one in journey.appointments if is_ride(one))
        self._among_events = [one for one in journey.appointments if is_stay(one) and one.starts]

    def missing(self, nights: list[Days]) -> Iterator[Finding]:
        for stretch, part in self._legs.parts(nights):
            yield from self._missing(stretch, part)

    def _missing(self, stretch: Stretch | None, nights: Days) -> Iterator[Finding]:
        event = self._stay_among_events(nights)
        if event is None or event.starts is None:
            yield self._no_bed(stretch, nights)
            return
        if nights.first < event.starts.day:
            yield self._no_bed(stretch, Days(nights.first, event.starts.day - DAY))
        if event.starts.day < nights.last:
            yield _open_end(event, Days(event.starts.day + DAY, nights.last))

    def _no_bed(self, stretch: Stretch | None, nights: Days) -> Finding:
        stay = self._stays.get(id(stretch.source.accommodation)) if stretch else None
        if stretch is None:
            because, doubt = "no leg covers it", "it may be spent where no leg is needed"
        elif stay is None:
            because, doubt = f"{findings.leg(stretch)} has no accommodation", "the bed may be noted elsewhere"
        elif not is_dated(stay) or stay.nights is None:
            because = (
                f"the stay of {findings.leg(stretch)} has no dates of its own and is taken to last as long as the leg"
            )
            doubt = "the stay may last longer"
        else:
            dates = f"from {day_in_words(stay.nights.first)} to {day_in_words(stay.nights.last + DAY)}"
            because = f"the stay of {findings.leg(stretch)} is {dates}"
            travels = next(without(nights, self._travels), None) != nights
            doubt = "" if self._all_dated else "a leg, a stay or a flight without dates may cover it"
            doubt = doubt or ("a journey of that time may last through the night" if travels else "")
        about = [findings.cite_stay(stay)] if stay else [findings.cite_leg(stretch)] if stretch else []
        why = f"There is no bed for {findings.nights(nights)}: {because}."
        return findings.doubtful(doubt, "no_bed", nights.first, about, why, "update_leg" if stretch else "create_leg")

    def _stay_among_events(self, nights: Days) -> Appointment | None:
        place = bisect_left(
            self._among_events, nights.first, key=lambda one: one.starts.day if one.starts else nights.first
        )
        found = self._among_events[place : place + 1]
        return found[0] if found and found[0].starts and found[0].starts.day in nights else None


class _Legs:
    """Which leg a night belongs to. The leg's zone decides whether the night exists."""

    def __init__(self, journey: Journey) -> None:
        self._legs = [(stretch, days) for stretch in journey.stretches if (days := stretch.days)]
        self._lasting = [*accumulate(self._legs, _the_longer_lasting)]

    def parts(self, many: list[Days]) -> Iterator[tuple[Stretch | None, Days]]:
        """Split the nights where a leg starts, without days that the leg's zone skips."""
        for nights in many:
            first = nights.first
            for cut in self._cuts(nights):
                if part := _existing(Days(first, cut - DAY), self._zone_before(first)):
                    yield self._on(part.first), part
                first = cut

    def _cuts(self, nights: Days) -> Iterator[date]:
        place = bisect_right(self._legs, nights.first, key=lambda leg: leg[1].first)
        while place < len(self._legs) and self._legs[place][1].first <= nights.last:
            yield self._legs[place][1].first
            place = bisect_right(self._legs, self._legs[place][1].first, key=lambda leg: leg[1].first)
        yield nights.last + DAY

    def _zone_before(self, night: date) -> str | None:
        place = bisect_right(self._legs, night, key=lambda leg: leg[1].first) - 1
        return self._legs[place][0].zone if place >= 0 else None

    def _on(self, night: date) -> Stretch | None:
        """The leg that began last if it covers this night, else the longest-lasting one if that does."""
        place = bisect_right(self._legs, night, key=lambda leg: leg[1].first) - 1
        if place < 0:
            return None
        return next((one for one, days in (self._legs[place], self._lasting[place]) if night in days), None)


def _the_longer_lasting(one: tuple[Stretch, Days], other: tuple[Stretch, Days]) -> tuple[Stretch, Days]:
    return other if other[1].last > one[1].last else one


def _existing(nights: Days, zone: str | None) -> Days | None:
    first, last = nights.first, nights.last
    while first <= last and not exists(first, zone):
        first += DAY
    while first <= last and not exists(last, zone):
        last -= DAY
    return Days(first, last) if first <= last else None


def _open_end(event: Appointment, nights: Days) -> Finding:
    which = findings.nights(nights)
    why = f"{findings.appointment(event)} is a stay without an end: whether it covers {which} is not known."
    return findings.finding(
        "not_checkable", "no_end", nights.first, [findings.cite_appointment(event)], findings.begin(why), "update_leg"
    )
