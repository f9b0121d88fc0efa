"""Findings on flights: arrival before departure, too long, connection too short."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from trips_mcp.itinerary.check import findings
from trips_mcp.itinerary.check.findings import Finding
from trips_mcp.itinerary.check.intervals import merged, wall, when
from trips_mcp.itinerary.formatting import length
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment
from trips_mcp.itinerary.model import Days, Move, is_travel
from trips_mcp.itinerary.text_match import airport, city, plain

_DATE_LINE: Final = timedelta(hours=26)
"""Maximum difference between two zones."""
_LIKELY: Final = timedelta(hours=20)
"""Longest flight that a corrected arrival date may suggest."""
_LONGEST: Final = timedelta(hours=30)
"""Longest plausible flight, stops included. A longer one is a wrong date that would hide gaps and missing beds."""


def check_flights(journey: Journey, minimum_connection: timedelta) -> Iterator[Finding]:
    for move in journey.moves:
        if arrives_too_early(move):
            yield _arrival_before_departure(move)
        elif (time := _under_way(move)) and time > _LONGEST:
            yield _too_long(move, time)
    yield from _connections(journey, minimum_connection)


def arrives_too_early(move: Move) -> bool:
    """Whether it arrives before it departs for every zone, time or fold that the plan leaves open."""
    departs, arrives = when(move.departs), when(move.arrives)
    if departs and arrives:
        return arrives.latest < departs.earliest
    left, landed = wall(move.departs), wall(move.arrives)
    if left and landed:
        return landed + _DATE_LINE < left
    if move.departs and move.arrives:
        return (move.departs.day - move.arrives.day) > timedelta(days=2)
    return False


def may_part(one: Move, other: Move) -> bool:
    """Whether the flights share an origin or a destination: travellers may take them separately."""
    here, there = city(one.source.from_), city(one.source.to)
    return (here != "" and here == city(other.source.from_)) or (there != "" and there == city(other.source.to))


def lived_twice(journey: Journey) -> list[Days]:
    """Days that a traveller has twice, because they cross the date line eastwards."""
    return merged(
        Days(move.arrives.day, move.departs.day)
        for move in journey.moves
        if move.departs and move.arrives and move.arrives.day < move.departs.day and not arrives_too_early(move)
    )


def flights_by_another_name(journey: Journey) -> set[int]:
    """`id()` of each appointment that duplicates a flight: same start, and a travel type or the flight's number."""
    numbers: defaultdict[datetime, set[str]] = defaultdict(set)
    for move in journey.moves:
        if at := wall(move.departs):
            numbers[at].add(plain(move.source.flight_number))
    found: set[int] = set()
    for one in journey.appointments:
        departing = numbers.get(at) if (at := wall(one.starts)) else None
        if departing and (is_travel(one) or any(number and number in plain(one.title) for number in departing)):
            found.add(id(one))
    return found


def _arrival_before_departure(move: Move) -> Finding:
    ends = ""
    if move.departs and move.arrives:
        ends = f"arrives {findings.at(move.arrives)}, before it departs {findings.at(move.departs)}"
    by = ""
    if (departs := when(move.departs)) and (arrives := when(move.arrives)):
        by = f" ({length(departs.earliest - arrives.latest)} earlier in UTC)"
    why = f"{findings.begin(findings.flight(move))} {ends}{by}."
    day = move.departs.day if move.departs else None
    about = [findings.cite_flight(move, "arrival")]
    inferred = [stop.known_by for stop in move.inferred_zones]
    if inferred:
        why = f"{why} Its zones are from {' and '.join(inferred)}."
    if (later := _a_day_later(move)) is not None:
        why = f"{why} If it arrives a day later, it takes {length(later)}."
    doubt = "" if move.zones_are_sure or not inferred else "a zone is inferred from the name of a place"
    return findings.doubtful(doubt, "arrival_before_departure", day, about, why, "update_leg")


def _a_day_later(move: Move) -> timedelta | None:
    """Its duration if it arrived a day later; None if that is not plausible."""
    if not (move.departs and move.arrives) or not (left := move.departs.instant):
        return None
    landed = replace(move.arrives, day=move.arrives.day + timedelta(days=1)).instant
    return landed - left if landed and timedelta() < landed - left < _LIKELY else None


def _under_way(move: Move) -> timedelta | None:
    """Minimum duration."""
    departs, arrives = when(move.departs), when(move.arrives)
    if departs and arrives:
        return arrives.earliest - departs.latest
    left, landed = wall(move.departs), wall(move.arrives)
    return landed - left - _DATE_LINE if left and landed else None


def _too_long(move: Move, time: timedelta) -> Finding:
    why = f"{findings.begin(findings.flight(move))} is under way for {length(time)}"
    ends = f"{_at(move.departs)} to {_at(move.arrives)}"
    day = move.departs.day if move.departs else None
    about = [findings.cite_flight(move, "arrival")]
    doubt = "a ship, a train or long stops take that time"
    return findings.doubtful(doubt, "too_long_under_way", day, about, f"{why} ({ends}).", "update_leg")


def _connections(journey: Journey, minimum: timedelta) -> Iterator[Finding]:
    for arriving, departing, time in connections(journey):
        if time < minimum:
            yield _too_short(arriving, departing, time, minimum)


def connections(journey: Journey) -> Iterator[tuple[Move, Move, timedelta]]:
    """Pair each arrival with the next departure from the same city, however much later."""
    arriving, leaving = _by_city(journey)
    for where, arrivals in arriving.items():
        departures = leaving.get(where, [])
        # a city has one zone, so wall clocks are comparable if a zone is missing
        in_utc = all(when(moment) for _, moment in (*arrivals, *departures))
        timed = [(at, move) for move, moment in departures if (at := _clock(moment, in_utc))]
        timed.sort(key=lambda one: one[0])
        for move, moment in arrivals:
            if landed := _clock(moment, in_utc):
                place = bisect_left(timed, landed, key=lambda one: one[0])
                following = next((one for one in timed[place : place + 2] if one[1] is not move), None)
                if following:
                    yield move, following[1], following[0] - landed


_Ends = defaultdict[str, list[tuple[Move, Moment]]]


def _by_city(journey: Journey) -> tuple[_Ends, _Ends]:
    arriving: _Ends = defaultdict(list)
    leaving: _Ends = defaultdict(list)
    for move in journey.moves:
        if move.arrives and move.arrives.time and (where := city(move.source.to)):
            arriving[where].append((move, move.arrives))
        if move.departs and move.departs.time and (where := city(move.source.from_)):
            leaving[where].append((move, move.departs))
    return arriving, leaving


def _clock(moment: Moment, in_utc: bool) -> datetime | None:
    return moment.instant if in_utc else wall(moment)


def _too_short(arriving: Move, departing: Move, time: timedelta, minimum: timedelta) -> Finding:
    here, there = airport(arriving.source.to), airport(departing.source.from_)
    where = f" at {here}" if here == there else f", from {here} to {there},"
    if not here or not there:
        where = ""
    flights = f"{findings.flight(arriving)} and {findings.flight(departing)}"
    times = f"arrives {_at(arriving.arrives)}, departs {_at(departing.departs)}"
    why = f"{length(time)}{where} between {flights} ({times}), less than {length(minimum)}."
    day = departing.departs.day if departing.departs else None
    about = [findings.cite_flight(arriving, "arrival"), findings.cite_flight(departing, "departure")]
    doubt = "" if here and here == there else "they may be at different places of one city"
    if any(moment and (moment.fold or moment.gap) for moment in (arriving.arrives, departing.departs)):
        doubt = doubt or "the clocks change at that time"
    return findings.doubtful(doubt, "connection_too_short", day, about, why, "update_leg")


def _at(moment: Moment | None) -> str:
    return findings.at(moment) if moment else "at an unknown time"
