"""Findings on hops that are too far for their time, between places and within a flight.

Distances are straight lines and speeds are upper bounds, so a real journey takes longer. A place known by its city's
name alone may be anywhere around it.
"""

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from math import isfinite
from operator import itemgetter
from typing import Final

from trips_mcp.itinerary.check import findings
from trips_mcp.itinerary.check.findings import CitedPart, Finding, Found, Grade, Quota
from trips_mcp.itinerary.check.flights import (
    arrives_too_early,
    connections,
    flights_by_another_name,
    may_part,
)
from trips_mcp.itinerary.check.intervals import offset_at, wall, when
from trips_mcp.itinerary.formatting import length
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment
from trips_mcp.itinerary.model import Appointment, Move, Rental, Stretch, is_free, is_ride, is_stay, is_travel
from trips_mcp.places.cities import distance_km, find_cities
from trips_mcp.places.stops import Stop, find_stop

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)

FLIGHT_KMH: Final = 900.0
AT_AIRPORTS: Final = _HOUR
LAND_KMH: Final = 300.0
WALK_KMH: Final = 6.0
WALK_DELAY: Final = timedelta(minutes=5)
LONGEST_WALK_KM: Final = 2.0
"""A ride takes less time than a longer walk."""
SAME_PLACE_KM: Final = 0.3
FASTEST_FLIGHT_KMH: Final = 1_200.0
"""No airliner is faster over the ground, even in a jet stream."""
FAST_FLIGHT_KMH: Final = 1_000.0
"""Faster than any scheduled flight."""
CITY_KM: Final = 75.0
"""Kilometres from its middle within which a place of a city may be, such as its airport."""
FAR_FROM_LEG_KM: Final = 500.0
"""An arrival farther away needs another flight or a day on trains."""


def check_hops(journey: Journey) -> Iterator[Found]:
    yield from _too_fast(journey)
    yield from _far_arrivals(journey)
    yield from _hops(journey)


@dataclass(frozen=True, slots=True)
class _Spot:
    position: tuple[float, float]
    slack_km: float
    """How far the real place may be from the position."""
    doubt: str
    """Why the place is not certain; empty if it is."""


def _spot_at(stop: Stop | None) -> _Spot | None:
    if stop is None:
        return None
    doubt = "" if stop.is_by_code else f"{stop.name} is known by its name alone"
    return _Spot(stop.position, 0.0 if stop.code else CITY_KM, doubt)


def _apart(one: _Spot, other: _Spot) -> float:
    """Minimum distance in kilometres."""
    return max(0.0, distance_km(one.position, other.position) - one.slack_km - other.slack_km)


def _hours(km: float, kmh: float) -> timedelta:
    return timedelta(hours=km / kmh)


def _shortest(km: float) -> timedelta:
    """The time that even the fastest journey takes, by land or by air."""
    return min(_hours(km, LAND_KMH), AT_AIRPORTS + _hours(km, FLIGHT_KMH))


def _likely(km: float) -> timedelta:
    """The time that a traveller is likely to need, with short ways on foot."""
    return max(_shortest(km), WALK_DELAY + _hours(min(km, LONGEST_WALK_KM), WALK_KMH))


# Flights in too little time


def _too_fast(journey: Journey) -> Iterator[Finding]:
    for move in journey.moves:
        here, there = _spot_at(move.departs_from), _spot_at(move.arrives_at)
        departs, arrives = when(move.departs), when(move.arrives)
        if not (here and there and departs and arrives) or arrives_too_early(move) or _has_a_foreign_zone(move):
            continue
        km, taken = _apart(here, there), arrives.latest - departs.earliest
        if taken < _hours(km, FAST_FLIGHT_KMH):
            yield _impossible_flight(move, km, taken, here.doubt or there.doubt)


def _has_a_foreign_zone(move: Move) -> bool:
    """Whether an end has another zone than its airport, which has a finding of its own."""
    ends = (
        (move.departs, move.source.departure_timezone, move.departs_from),
        (move.arrives, move.source.arrival_timezone, move.arrives_at),
    )
    return any(
        own and stop and moment and moment.zone and _differ(moment.zone, stop.zone, moment.instant)
        for moment, own, stop in ends
    )


def _differ(zone: str, other: str, at: datetime | None) -> bool:
    return at is not None and zone != other and offset_at(zone, at) != offset_at(other, at)


def _impossible_flight(move: Move, km: float, taken: timedelta, doubt: str) -> Finding:
    needed = _hours(km, FASTEST_FLIGHT_KMH)
    if taken >= needed:
        doubt = doubt or "a strong tailwind may carry it"
        needed = _hours(km, FAST_FLIGHT_KMH)
    why = (
        f"{findings.begin(findings.flight(move))} takes {length(taken)} for {_km(km)}, "
        f"which take at least {length(needed)}."
    )
    day = move.departs.day if move.departs else None
    about = [findings.cite_flight(move, "arrival")]
    return findings.doubtful(doubt, "too_short_under_way", day, about, why, "update_leg")


# An arrival far from the leg that it begins


def _far_arrivals(journey: Journey) -> Iterator[Finding]:
    onward = _onward(journey)
    travels = {one.starts.day for one in journey.appointments if one.starts and (is_travel(one) or is_ride(one))}
    for move in journey.moves:
        here, there, lands = _spot_at(move.departs_from), _spot_at(move.arrives_at), move.arrives
        if there is None or lands is None or {lands.day, lands.day + _DAY} & travels:
            continue
        legs = journey.stretches_on(lands.day)
        begun = [leg for leg in legs if leg.days and leg.days.first >= lands.day - _DAY and lands.day < leg.days.last]
        if not begun or _goes_on(move, begun, onward) or not _is_far(there, legs):
            continue
        if (here is None or _is_far(here, begun)) and not _another_arrives(journey, move, lands.day, legs):
            yield _far_arrival(move, begun[0], _km_from(begun[0], there) or 0.0)


def _is_far(spot: _Spot, legs: Sequence[Stretch]) -> bool:
    """Also false if the place of a leg is not known."""
    distances = [_km_from(leg, spot) for leg in legs]
    return all(km is not None and km > FAR_FROM_LEG_KM for km in distances)


def _another_arrives(journey: Journey, move: Move, day: date, legs: Sequence[Stretch]) -> bool:
    """Whether a flight of that day arrives near a leg. Then this one may be that of a fellow traveller."""
    others = [one for one in journey.moves_on(day) if one is not move]
    return any(not _is_far(spot, legs) for one in others if (spot := _spot_at(one.arrives_at)))


def _onward(journey: Journey) -> dict[int, Move]:
    """By `id()` of an arrival, the next departure from its city."""
    return {id(arriving): departing for arriving, departing, _ in connections(journey)}


def _goes_on(move: Move, staying: list[Stretch], onward: dict[int, Move]) -> bool:
    """Whether the arrival is only a stop on the way, or an excursion from the leg."""
    following = onward.get(id(move))
    if following is None or following.departs is None:
        return False
    lasts = [leg.days.last for leg in staying if leg.days]
    return following.departs.day < max(lasts)


def _km_from(leg: Stretch, spot: _Spot) -> float | None:
    """From the nearest city that the leg may mean; None if it names none."""
    cities = find_cities(leg.destination or leg.title)
    return min((_apart(_Spot(city.position, CITY_KM, ""), spot) for city in cities), default=None)


def _far_arrival(move: Move, leg: Stretch, km: float) -> Finding:
    where = move.arrives_at.name if move.arrives_at else ""
    lands = f" {findings.at(move.arrives)}" if move.arrives else ""
    why = (
        f"{findings.begin(findings.flight(move))} arrives at {where}{lands}, {_km(km)} from the destination of "
        f"{findings.leg(leg)}."
    )
    about = [findings.cite_flight(move, "to"), findings.cite_leg(leg, "destination")]
    day = move.arrives.day if move.arrives else None
    doubt = "the journey may go on in a way that the plan does not say"
    return findings.doubtful(doubt, "arrival_far_from_leg", day, about, why, "update_leg")


# From one place to the next


@dataclass(frozen=True, slots=True)
class _Thing:
    """Something with a time, and the places where it starts and ends."""

    what: Move | Appointment | Rental
    starts: Moment
    ends: Moment | None
    place: _Spot
    end_place: _Spot
    zone_doubt: str
    first: datetime
    """The earliest and the latest start: an hour may exist twice."""
    latest_start: datetime
    over: datetime
    """When it is over at the earliest; its start if it has no end."""

    @property
    def leaves(self) -> datetime:
        """The earliest time at which a traveller can leave its place. A plan may end in another place."""
        return self.over if isinstance(self.what, Move) else self.first


def _thing(
    what: Move | Appointment | Rental,
    times: tuple[Moment | str | None, Moment | None],
    places: tuple[_Spot | None, _Spot | None],
    doubt: str = "",
) -> Iterator[_Thing]:
    """Yields nothing if its start or a place is not known."""
    (starts, ends), (place, end_place) = times, places
    if isinstance(starts, Moment) and place and end_place and (start := when(starts)):
        over = end.earliest if (end := when(ends)) else start.earliest
        yield _Thing(what, starts, ends, place, end_place, doubt, start.earliest, start.latest, over)


def _hops(journey: Journey) -> Iterator[Found]:
    """Compare each thing with the one that was over last when it starts."""
    things = sorted(_things(journey), key=lambda thing: (thing.first, thing.over))
    quota = Quota()
    over: _Thing | None = None
    lasting: list[tuple[datetime, int, _Thing]] = []
    for place, thing in enumerate(things):
        while lasting and lasting[0][0] <= thing.latest_start:
            over = lasting.pop(0)[2]
        if over is not None and (found := _hop(over, thing)):
            grade, why, doubt = found
            yield quota.of(grade, partial(_impossible_hop, over, thing, why, doubt))
        insort(lasting, (thing.over, place, thing), key=itemgetter(0, 1))


def _things(journey: Journey) -> Iterator[_Thing]:
    for move in journey.moves:
        if when(move.arrives) and not arrives_too_early(move):
            places = _spot_at(move.departs_from), _spot_at(move.arrives_at)
            yield from _thing(move, (move.departs, move.arrives), places, "" if move.zones_are_sure else _ZONE)
    twice = flights_by_another_name(journey)
    for one in journey.appointments:
        if id(one) not in twice and not (is_free(one) or is_stay(one)):
            spot = _spot_of(journey, one)
            ends = None if wall(one.ends) == wall(one.starts) or is_ride(one) else one.ends
            yield from _thing(one, (one.starts, ends), (spot, spot), _ZONE if one.zone_from == "place" else "")
    for rental in journey.rentals:
        spot = _spot_at(_stop_in(rental.location, rental.pick_up))
        yield from _thing(rental, (rental.pick_up, None), (spot, spot))


_ZONE: Final = "a time zone is inferred from the name of a place"


def _spot_of(journey: Journey, one: Appointment) -> _Spot | None:
    if one.kind == "event":
        return _spot_at(_stop_in(one.place, one.starts))
    pin = journey.pins.get(one.pin_id)
    if pin is None or pin.lat is None or pin.lng is None or not (pin.lat or pin.lng):
        return None
    on_earth = isfinite(pin.lat) and isfinite(pin.lng) and abs(pin.lat) <= 90 and abs(pin.lng) <= 180
    return _Spot((pin.lat, pin.lng), 0.0, "") if on_earth else None


def _stop_in(text: str, starts: Moment | str | None) -> Stop | None:
    """Free text may name a street. So its place counts only if the clocks there are those of the time."""
    stop = find_stop(text)
    if stop is None or not isinstance(starts, Moment) or starts.zone is None:
        return None
    return None if _differ(starts.zone, stop.zone, starts.instant) else stop


def _hop(one: _Thing, other: _Thing) -> tuple[Grade, str, str] | None:
    """Grade, sentence and doubt, if the time between them is too short."""
    km = _apart(one.end_place, other.place)
    between = other.latest_start - one.over
    if km <= SAME_PLACE_KM or between >= _likely(km):
        return None
    doubt = _doubt(one, other, km, between)
    needed = _likely(km) if between >= _shortest(km) else _shortest(km)
    why = f"{_km(km)} in a straight line in {length(between)}, which take at least {length(needed)}"
    return findings.grade_of(doubt), why, doubt


def _doubt(one: _Thing, other: _Thing, km: float, between: timedelta) -> str:
    if between >= _shortest(km):
        return "a car or a train may be faster than a walk"
    if isinstance(one.what, Move) and isinstance(other.what, Move) and may_part(one.what, other.what):
        return "travellers may take these flights apart"
    if other.latest_start - one.leaves >= _shortest(km):
        return "the first may end in another place than it starts"
    return one.end_place.doubt or other.place.doubt or one.zone_doubt or other.zone_doubt


def _impossible_hop(one: _Thing, other: _Thing, why: str, doubt: str) -> Finding:
    first, second = _described(one), _described(other)
    sentence = f"From {first} to {second}: {why}."
    about = [_cited(one.what), _cited(other.what)]
    fix_with = findings.update_tool(other.what) if isinstance(other.what, Appointment) else "update_leg"
    if fix_with == "update_leg" and isinstance(one.what, Appointment):
        fix_with = findings.update_tool(one.what)
    day = other.starts.day
    return findings.doubtful(doubt, "impossible_hop", day, about, sentence, fix_with)


def _described(thing: _Thing) -> str:
    return f"{_named(thing.what)} ({findings.between(thing.starts, thing.ends)})"


def _named(what: Move | Appointment | Rental) -> str:
    if isinstance(what, Move):
        return findings.flight(what)
    if isinstance(what, Rental):
        return f"the car's pick-up in {findings.leg_of(what.leg_id)}"
    return findings.appointment(what)


def _cited(what: Move | Appointment | Rental) -> CitedPart:
    if isinstance(what, Move):
        return findings.cite_flight(what)
    return findings.cite_rental(what, "pickUp") if isinstance(what, Rental) else findings.cite_appointment(what)


def _km(km: float) -> str:
    return f"{km:,.0f} km" if km >= 10 else f"{km:.1f} km"
