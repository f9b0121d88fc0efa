"""Findings on missing or unreadable dates, ends and zones, which leave parts of a trip unchecked.

Items that lack the same share a finding: one for thirty commitments without an end, not thirty.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TypeVar

from trips_mcp.contract.commitments import Commitment
from trips_mcp.itinerary.check import findings
from trips_mcp.itinerary.check.findings import CitedPart, Finding, Kind
from trips_mcp.itinerary.check.flights import arrives_too_early, flights_by_another_name
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment, read_moment
from trips_mcp.itinerary.model import Appointment, Move, Stay, Unreadable

T = TypeVar("T")


def check_missing_facts(journey: Journey) -> Iterator[Finding]:
    yield from map(_unreadable, journey.unreadable)
    yield from _dates(journey)
    yield from _ends(journey)
    yield from _zones(journey)


def notes(journey: Journey) -> Iterator[str]:
    """Limits of the check that no tool can fix, and the case that there is little to check."""
    if not (journey.stretches or journey.appointments or journey.pins):
        yield "There is nothing to check: the trip has no legs, commitments, events or pins."
    elif not journey.stretches:
        yield "The trip has no legs: nights, places and the zones of what has none of its own can't be checked."
    if journey.starts is None or journey.ends is None:
        yield "The trip has no dates of its own: nothing can be outside it."
    if any(one.kind == "event" and one.starts and one.starts.time for one in journey.appointments):
        yield "Events have no end: of each, only the start is compared with what else is going on."


def _unreadable(found: Unreadable) -> Finding:
    kind = found.kind if found.kind in ("trip", "commitment", "event") else "leg"
    what = "the trip" if kind == "trip" else findings.named(kind, found.id)
    why = f"The value of {found.field} of {what} is not a readable date, time or zone."
    return findings.finding("not_checkable", "unreadable", None, [_part_of(kind, found)], why, f"update_{kind}")


def _part_of(kind: str, found: Unreadable) -> CitedPart:
    if kind == "commitment":
        return CitedPart(commitment_id=found.id or None, field=found.field)
    if kind == "event":
        return CitedPart(event_id=int(found.id) if found.id else None, field=found.field)
    return CitedPart(leg_id=found.id or None if kind == "leg" else None, field=found.field)


def _dates(journey: Journey) -> Iterator[Finding]:
    legs = [one for one in journey.stretches if not (one.source.start_date and one.source.end_date)]
    yield from _together(
        "no_date", [(None, findings.cite_leg(leg)) for leg in legs], "leg", "without both dates", "update_leg"
    )
    moves = [move for move in journey.moves if not (move.source.departure or move.source.arrival)]
    flights = [(None, findings.cite_flight(move)) for move in moves]
    yield from _together("no_date", flights, "flight", "without departure and arrival", "update_leg")
    for kind in ("commitment", "event"):
        undated = [
            (None, findings.cite_appointment(one)) for one in journey.appointments if one.kind == kind and _undated(one)
        ]
        yield from _together("no_date", undated, kind, "without a date", f"update_{kind}")


def _undated(one: Appointment) -> bool:
    return not (one.source.start_date if isinstance(one.source, Commitment) else one.source.date)


def _ends(journey: Journey) -> Iterator[Finding]:
    open_ended = [
        (one.starts.day, findings.cite_appointment(one, "endTime"))
        for one in journey.appointments
        if isinstance(one.source, Commitment) and one.starts and one.starts.time and not one.source.end_time
    ]
    lack = "with a start but no end: whether they overlap anything later is not known"
    yield from _together("no_end", open_ended, "commitment", lack, "update_commitment")
    halves = [(_day(move), findings.cite_flight(move)) for move in journey.moves if _is_half(move)]
    lack = "without the time of departure or of arrival: they are not compared with anything"
    yield from _together("no_end", halves, "flight", lack, "update_leg")


def _is_half(move: Move) -> bool:
    """Whether one of its ends is missing or has no time."""
    if not (move.departs or move.arrives):
        return False
    missing = not move.source.departure or not move.source.arrival
    return missing or any(end is not None and end.time is None for end in (move.departs, move.arrives))


def _zones(journey: Journey) -> Iterator[Finding]:
    legs = [(one.starts, findings.cite_leg(one, "timezone")) for one in journey.stretches if not one.source.timezone]
    lack = "without a time zone: its times are compared with each other alone"
    yield from _together("no_zone", legs, "leg", lack, "update_leg")
    flights = [
        (end.day, findings.cite_flight(move, field))
        for move in journey.moves
        for end, own, field in (
            (move.departs, move.source.departure_timezone, "departureTimezone"),
            (move.arrives, move.source.arrival_timezone, "arrivalTimezone"),
        )
        if end and end.time and not end.zone and not own
    ]
    lack = "without a time zone: its length and what it overlaps are not known"
    yield from _together("no_zone", flights, "end of a flight", lack, "update_leg", many="ends of flights")
    duplicates = flights_by_another_name(journey)
    for kind, fix_with in (("commitment", "update_commitment"), ("event", "create_commitment")):
        times = [
            (one.starts.day, findings.cite_appointment(one))
            for one in journey.appointments
            if one.kind == kind
            and one.starts
            and id(one) not in duplicates
            and _lacks_a_zone_of_its_own(journey, one, one.starts)
        ]
        lack = "with a time but no zone, on days that have no leg or legs in more than one zone"
        yield from _together("no_zone", times, kind, lack, fix_with)


def _lacks_a_zone_of_its_own(journey: Journey, one: Appointment, starts: Moment) -> bool:
    """False if its leg lacks the zone, which has a finding of its own."""
    if starts.time is None or starts.zone or (isinstance(one.source, Commitment) and one.source.timezone):
        return False
    linked = journey.stretch.get(one.leg_id)
    return all(leg.zone for leg in ([linked] if linked else journey.stretches_on(starts.day)))


def _day(move: Move) -> date | None:
    return next((end.day for end in (move.departs, move.arrives) if end), None)


def _together(
    kind: Kind,
    found: Sequence[tuple[date | None, CitedPart]],
    one: str,
    lack: str,
    fix_with: str,
    many: str | None = None,
) -> Iterator[Finding]:
    if found:
        what = f"1 {one}" if len(found) == 1 else f"{len(found)} {many or f'{one}s'}"
        days = [day for day, _ in found if day]
        why = f"There {'is' if len(found) == 1 else 'are'} {what} {lack}."
        yield findings.finding(
            "not_checkable", kind, min(days, default=None), [part for _, part in found], why, fix_with
        )


def all_dated(journey: Journey) -> bool:
    """Whether each leg, stay and flight is dated. One without dates may fill any gap."""
    return (
        all(leg.starts and leg.ends and leg.starts <= leg.ends for leg in journey.stretches)
        and all(stay.first and stay.end and stay.first <= stay.end for stay in journey.stays)
        and all(move.days and not arrives_too_early(move) for move in journey.moves)
    )


def is_dated(stay: Stay) -> bool:
    """Whether the stay has a check-in and a check-out that can be read."""
    return all(read_moment(text, None) for text in (stay.source.check_in, stay.source.check_out))
