"""Findings of what does not fit in a trip, in families with one module each.

Each family is a function from a journey to findings. No family compares all pairs: it first sorts by time or groups
by a key, so that 10,000 items take seconds, not hours.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from trips_mcp.itinerary.check.findings import (
    GRADES,
    MOST,
    Checked,
    CheckReport,
    CitedPart,
    Finding,
    Found,
    Grade,
    in_words,
)
from trips_mcp.itinerary.check.flights import check_flights
from trips_mcp.itinerary.check.hops import check_hops
from trips_mcp.itinerary.check.legs import check_containment, check_legs
from trips_mcp.itinerary.check.missing_facts import check_missing_facts, notes
from trips_mcp.itinerary.check.nights import check_nights, night_notes
from trips_mcp.itinerary.check.overlaps import check_double_bookings, check_overlaps
from trips_mcp.itinerary.check.pins import check_pins, pin_notes
from trips_mcp.itinerary.check.zones import check_dst, check_zones
from trips_mcp.itinerary.formatting import fitting
from trips_mcp.itinerary.journey import Journey

__all__ = ["MINIMUM_CONNECTION", "CheckReport", "CitedPart", "Finding", "check", "every_finding", "in_words"]

MINIMUM_CONNECTION: Final = 60
"""Default, in minutes."""
_ROOM: Final = 15_000
"""Characters of all findings. A result may have 40,000, and its text repeats the findings."""


def check(journey: Journey, minimum_connection: int = MINIMUM_CONNECTION) -> CheckReport:
    """Report what does not fit, or may not fit, in this trip. `minimum_connection` is in minutes."""
    every: list[Found] = list(_findings(journey, timedelta(minutes=minimum_connection)))
    count: Counter[Grade] = Counter()
    for found in every:
        count[found.grade if isinstance(found, Finding) else found] += 1
    shown = fitting(_most_certain_first(every)[:MOST], _ROOM, journey.others_write)
    return CheckReport(
        trip_id=journey.trip_id,
        certain=count["certain"],
        possible=count["possible"],
        not_checkable=count["not_checkable"],
        minimum_connection_minutes=minimum_connection,
        findings=sorted(shown, key=_by_date),
        not_shown=count.total() - len(shown) or None,
        checked=_checked(journey),
        notes=[*notes(journey), *night_notes(journey), *pin_notes(journey)],
    )


def every_finding(journey: Journey) -> list[Finding]:
    """Also those that a report has no room for; the most certain come first."""
    return _most_certain_first(_findings(journey, timedelta(minutes=MINIMUM_CONNECTION)))


def _most_certain_first(found: Iterable[Found]) -> list[Finding]:
    return sorted((one for one in found if isinstance(one, Finding)), key=_by_grade)


def _findings(journey: Journey, minimum_connection: timedelta) -> Iterator[Found]:
    yield from check_legs(journey)
    yield from check_nights(journey)
    yield from check_containment(journey)
    yield from check_overlaps(journey)
    yield from check_flights(journey, minimum_connection)
    yield from check_hops(journey)
    yield from check_zones(journey)
    yield from check_dst(journey)
    yield from check_double_bookings(journey)
    yield from check_pins(journey)
    yield from check_missing_facts(journey)


def _by_grade(finding: Finding) -> tuple[object, ...]:
    return (GRADES.index(finding.grade), *_by_date(finding))


def _by_date(finding: Finding) -> tuple[object, ...]:
    """Undated findings come last. Within a date, the most certain come first."""
    parts = finding.model_dump_json(include={"about"})
    return (finding.date is None, finding.date or "", GRADES.index(finding.grade), finding.kind, finding.why, parts)


def _checked(journey: Journey) -> Checked:
    events = sum(one.kind == "event" for one in journey.appointments)
    return Checked(
        legs=len(journey.stretches),
        stays=len(journey.stays),
        flights=len(journey.moves),
        rentals=len(journey.rentals),
        commitments=len(journey.appointments) - events,
        events=events,
        pins=len(journey.pins),
    )
