"""Findings on zones that contradict a leg, an airport or each other, and on hours that a clock change skips or repeats.

Offsets from UTC at that time are compared, not names.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from trips_mcp.itinerary.check import findings
from trips_mcp.itinerary.check.findings import CitedPart, Finding
from trips_mcp.itinerary.check.flights import connections
from trips_mcp.itinerary.check.intervals import exists, offset_at
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment
from trips_mcp.itinerary.model import Appointment, Move, Stretch
from trips_mcp.itinerary.text_match import airport
from trips_mcp.places.cities import find_cities
from trips_mcp.places.stops import Stop

_LONGEST_LAYOVER: Final = timedelta(hours=24)
"""A traveller who departs again within this time only changes planes."""
_OTHER_CLOCK: Final = "the clocks of another place may be meant"
_Timed = tuple[Moment | str | None, CitedPart, str, str]
"""A time, the part that has it, its description, and the tool that changes it. A text is not a time."""


def check_zones(journey: Journey) -> Iterator[Finding]:
    yield from _destinations(journey)
    legs = _ByDay(journey)
    ends = [*_own_ends(journey)]
    yield from _commitments(journey, legs)
    odd = _of_two_zones(ends)
    yield from map(_airport, odd)
    reported = {id(end) for one in odd for end in one.odd}
    yield from _flight_ends(journey, legs, [end for end in ends if id(end) not in reported])


@dataclass(frozen=True, slots=True)
class _End:
    """An end of a flight that has its own zone."""

    move: Move
    arrives: bool
    moment: Moment
    zone: str
    instant: datetime

    @property
    def stop(self) -> Stop | None:
        return self.move.arrives_at if self.arrives else self.move.departs_from

    @property
    def contradicts_its_airport(self) -> bool:
        stop = self.stop
        return stop is not None and stop.is_by_code and not _is_any_of(self.zone, [stop.zone], self.instant)

    @property
    def part(self) -> CitedPart:
        return findings.cite_flight(self.move, "arrivalTimezone" if self.arrives else "departureTimezone")

    @property
    def said(self) -> str:
        """`flight JL44 arrives Friday 2027-03-26 17:30 Asia/Tokyo (UTC+9)`"""
        verb = "arrives" if self.arrives else "departs"
        return f"{findings.flight(self.move)} {verb} {findings.at(self.moment)} ({_offset(self.zone, self.instant)})"


def _destinations(journey: Journey) -> Iterator[Finding]:
    """A leg in Lisbon with the zone of Madrid. If several cities share the name, none of them may fit."""
    for leg in journey.stretches:
        middle = _middle_of(leg)
        cities = find_cities(leg.destination or leg.title) if leg.zone and middle else ()
        if not cities or middle is None or leg.zone is None:
            continue
        if _is_any_of(leg.zone, [city.zone for city in cities], middle):
            continue
        city = cities[0]
        others = " or another city of that name" if len(cities) > 1 else ""
        expected = f"{city.name} ({city.country}){others} is in {city.zone} ({_offset(city.zone, middle)})"
        why = f"{findings.begin(_in_zone(leg, middle))}, but {expected}."
        about = [findings.cite_leg(leg, "timezone")]
        doubt = "the destination may mean another place"
        yield findings.doubtful(doubt, "zone_contradicts", leg.starts, about, why, "update_leg")


def _middle_of(leg: Stretch) -> datetime | None:
    """Noon of its middle day, when the traveller is surely there."""
    days = leg.days
    if days is None or leg.zone is None:
        return None
    return Moment(days.first + timedelta(len(days) // 2), time(12), leg.zone).instant


def _of_another_place(end: _End) -> Finding:
    stop = end.stop
    expected = f"{stop.name} is in {stop.zone} ({_offset(stop.zone, end.instant)})" if stop else ""
    why = f"{findings.begin(end.said)}, but {expected}."
    return findings.doubtful(_OTHER_CLOCK, "zone_contradicts", end.moment.day, [end.part], why, "update_leg")


def _own_ends(journey: Journey) -> Iterator[_End]:
    for move in journey.moves:
        for moment, own, arrives in (
            (move.departs, move.source.departure_timezone, False),
            (move.arrives, move.source.arrival_timezone, True),
        ):
            if own and moment and moment.zone and (at := moment.instant):
                yield _End(move, arrives, moment, moment.zone, at)


class _ByDay:
    """One leg for each zone of a day, as there are far fewer zones than legs."""

    def __init__(self, journey: Journey) -> None:
        self._journey = journey
        self._known: dict[date, list[Stretch]] = {}
        self._flown: dict[date, set[str | None]] = {}

    def on(self, day: date) -> list[Stretch]:
        return [*{stretch.zone: stretch for stretch in self._on(day)}.values()]

    def before(self, day: date) -> list[Stretch]:
        """Legs where the traveller wakes up."""
        return [stretch for stretch in self._on(day) if stretch.days and stretch.days.first < day]

    def after(self, day: date) -> list[Stretch]:
        """Legs where the traveller goes to bed."""
        return [stretch for stretch in self._on(day) if stretch.days and day < stretch.days.last]

    def flown(self, day: date) -> set[str | None]:
        """Zones of both ends of the day's flights."""
        if day not in self._flown:
            moves = self._journey.moves_on(day)
            self._flown[day] = {end.zone for move in moves for end in (move.departs, move.arrives) if end}
        return self._flown[day]

    def _on(self, day: date) -> list[Stretch]:
        if day not in self._known:
            found: dict[tuple[str | None, bool, bool], Stretch] = {}
            for stretch in self._journey.stretches_on(day):
                if stretch.zone and (days := stretch.days):
                    found.setdefault((stretch.zone, days.first < day, day < days.last), stretch)
            self._known[day] = [*found.values()]
        return self._known[day]


def _commitments(journey: Journey, legs: _ByDay) -> Iterator[Finding]:
    for one in journey.appointments:
        at = one.starts.instant if one.starts and one.zone_from == "own" else None
        if at is None or one.starts is None or one.starts.zone is None:
            continue
        linked = journey.stretch.get(one.leg_id)
        here = [*([linked] if linked and linked.zone else []), *legs.on(one.starts.day)]
        if here and not _is_any_of(one.starts.zone, [*(leg.zone for leg in here), *legs.flown(one.starts.day)], at):
            yield _contradicts_leg(one, one.starts, one.starts.zone, here[0], at)


def _contradicts_leg(one: Appointment, starts: Moment, zone: str, leg: Stretch, at: datetime) -> Finding:
    what = f"{findings.appointment(one)} starts {findings.at(starts)} ({_offset(zone, at)})"
    why = f"{findings.begin(what)}, but {_in_zone(leg, at)}."
    about = [findings.cite_appointment(one, "timezone"), findings.cite_leg(leg, "timezone")]
    return findings.doubtful(_OTHER_CLOCK, "zone_contradicts", starts.day, about, why, "update_commitment")


@dataclass(frozen=True, slots=True)
class _Airport:
    """An airport that the trip gives two zones."""

    code: str
    odd: list[_End]
    usual: _End


def _of_two_zones(ends: Sequence[_End]) -> list[_Airport]:
    by_code: defaultdict[str, list[_End]] = defaultdict(list)
    for end in ends:
        if code := airport(end.move.source.to if end.arrives else end.move.source.from_):
            by_code[code].append(end)
    return [one for code, here in sorted(by_code.items()) if (one := _airport_of_two_zones(code, here))]


def _airport_of_two_zones(code: str, ends: Sequence[_End]) -> _Airport | None:
    """The zone that most flights give is taken as right."""
    usual = min(Counter(end.zone for end in ends).items(), key=lambda item: (-item[1], item[0]))[0]
    odd = [end for end in ends if not _is_any_of(end.zone, [usual], end.instant)]
    return _Airport(code, odd, next(end for end in ends if end.zone == usual)) if odd else None


def _airport(one: _Airport) -> Finding:
    why = f"{one.code} has two zones: {one.odd[0].said}, but {one.usual.said}."
    about = [end.part for end in (*one.odd, one.usual)]
    return findings.finding("certain", "zone_contradicts", one.odd[0].moment.day, about, why, "update_leg")


def _flight_ends(journey: Journey, legs: _ByDay, ends: Sequence[_End]) -> Iterator[Finding]:
    """A flight departs in the zone of the leg before it and arrives in the zone of the leg after it."""
    passing: set[tuple[int, bool]] = set()
    for arriving, departing, between in connections(journey):
        if between <= _LONGEST_LAYOVER:
            passing |= {(id(arriving), True), (id(departing), False)}
    for end in ends:
        day = end.moment.day
        staying = legs.after(day) if end.arrives else legs.before(day)
        allowed = [leg.zone for leg in legs.on(day)]
        if staying and (id(end.move), end.arrives) not in passing and not _is_any_of(end.zone, allowed, end.instant):
            why = f"{findings.begin(end.said)}, but {_in_zone(staying[0], end.instant)}."
            about = [end.part, findings.cite_leg(staying[0], "timezone")]
            doubt = "the flight may begin or end outside the leg"
            yield findings.doubtful(doubt, "zone_contradicts", day, about, why, "update_leg")
        elif end.contradicts_its_airport:
            yield _of_another_place(end)


def _is_any_of(zone: str, zones: Sequence[str | None], at: datetime) -> bool:
    return any(zone == other or offset_at(zone, at) == offset_at(other, at) for other in zones if other)


def _in_zone(leg: Stretch, at: datetime) -> str:
    return f"{findings.leg(leg)} is in {leg.zone} ({_offset(leg.zone, at)})" if leg.zone else findings.leg(leg)


def _offset(zone: str, at: datetime) -> str:
    return findings.offset(offset_at(zone, at))


def check_dst(journey: Journey) -> Iterator[Finding]:
    for moment, part, what, fix_with in _times(journey):
        if not isinstance(moment, Moment):
            continue
        if moment.gap:
            why = f"{what} is {findings.at(moment)}: the clocks are put forward over that time, it does not exist."
            yield findings.finding("certain", "hour_does_not_exist", moment.day, [part], why, fix_with)
        elif moment.time is None and not exists(moment.day, moment.zone):
            why = f"{what} is {findings.at(moment)}: that day does not exist in {moment.zone}."
            yield findings.finding("certain", "hour_does_not_exist", moment.day, [part], why, fix_with)
        elif moment.fold:
            why = f"{what} is {findings.at(moment)}: the clocks are put back over that time, it exists twice."
            doubt = "which of the two is meant makes a difference only if something else is near"
            yield findings.doubtful(doubt, "hour_exists_twice", moment.day, [part], why, fix_with)


def _times(journey: Journey) -> Iterator[_Timed]:
    for move in journey.moves:
        name = findings.flight(move)
        yield move.departs, findings.cite_flight(move, "departure"), f"The departure of {name}", "update_leg"
        yield move.arrives, findings.cite_flight(move, "arrival"), f"The arrival of {name}", "update_leg"
    for stay in journey.stays:
        leg = findings.leg_of(stay.leg_id)
        yield stay.check_in, findings.cite_stay(stay, "checkIn"), f"The check-in of {leg}", "update_leg"
        yield stay.check_out, findings.cite_stay(stay, "checkOut"), f"The check-out of {leg}", "update_leg"
    for rental in journey.rentals:
        leg = findings.leg_of(rental.leg_id)
        yield rental.pick_up, findings.cite_rental(rental, "pickUp"), f"The car's pick-up in {leg}", "update_leg"
        yield rental.drop_off, findings.cite_rental(rental, "dropOff"), f"The car's drop-off in {leg}", "update_leg"
    for one in journey.appointments:
        name, fix_with = findings.appointment(one), findings.update_tool(one)
        field = "time" if one.kind == "event" else "startTime"
        yield one.starts, findings.cite_appointment(one, field), f"The start of {name}", fix_with
        yield one.ends, findings.cite_appointment(one, "endTime"), f"The end of {name}", fix_with
