"""Clock changes: local times that do not exist or exist twice, and the UTC times that they may stand for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from trips_mcp.itinerary.check import reporting
from trips_mcp.itinerary.check.findings import CitedPart, Finding
from trips_mcp.itinerary.check.intervals import exists
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment, zone_info

_REMEMBERED: Final = 1000

_Timed = tuple[Moment | str | None, CitedPart, str, str]
"""A time, the part that has it, its description, and the tool that changes it. A text is not a time."""


def check_dst(journey: Journey) -> Iterator[Finding]:
    for moment, part, what, fix_with in _times(journey):
        if not isinstance(moment, Moment):
            continue
        if moment.gap:
            why = f"{what} is {reporting.at(moment)}: the clocks are put forward over that time, it does not exist."
            yield reporting.finding("certain", "hour_does_not_exist", moment.day, [part], why, fix_with)
        elif moment.time is None and not exists(moment.day, moment.zone):
            why = f"{what} is {reporting.at(moment)}: that day does not exist in {moment.zone}."
            yield reporting.finding("certain", "hour_does_not_exist", moment.day, [part], why, fix_with)
        elif moment.fold:
            why = f"{what} is {reporting.at(moment)}: the clocks are put back over that time, it exists twice."
            doubt = "which of the two is meant makes a difference only if something else is near"
            yield reporting.doubtful(doubt, "hour_exists_twice", moment.day, [part], why, fix_with)


def _times(journey: Journey) -> Iterator[_Timed]:
    for move in journey.moves:
        name = reporting.flight(move)
        yield move.departs, reporting.cite_flight(move, "departure"), f"The departure of {name}", "update_leg"
        yield move.arrives, reporting.cite_flight(move, "arrival"), f"The arrival of {name}", "update_leg"
    for stay in journey.stays:
        leg = reporting.leg_of(stay.leg_id)
        yield stay.check_in, reporting.cite_stay(stay, "checkIn"), f"The check-in of {leg}", "update_leg"
        yield stay.check_out, reporting.cite_stay(stay, "checkOut"), f"The check-out of {leg}", "update_leg"
    for rental in journey.rentals:
        leg = reporting.leg_of(rental.leg_id)
        yield rental.pick_up, reporting.cite_rental(rental, "pickUp"), f"The car's pick-up in {leg}", "update_leg"
        yield rental.drop_off, reporting.cite_rental(rental, "dropOff"), f"The car's drop-off in {leg}", "update_leg"
    for one in journey.appointments:
        name, fix_with = reporting.appointment(one), reporting.update_tool(one)
        field = "time" if one.kind == "event" else "startTime"
        yield one.starts, reporting.cite_appointment(one, field), f"The start of {name}", fix_with
        yield one.ends, reporting.cite_appointment(one, "endTime"), f"The end of {name}", fix_with


@dataclass(frozen=True, slots=True)
class When:
    earliest: datetime
    latest: datetime


@lru_cache(_REMEMBERED)
def when(moment: Moment | None) -> When | None:
    """The range in UTC. None if the time or the zone is unknown."""
    if moment is None or moment.time is None or moment.zone is None:
        return None
    local = datetime.combine(moment.day, moment.time, zone_info(moment.zone))
    first, second = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    return When(min(first, second), max(first, second))


def wall(moment: Moment | None) -> datetime | None:
    """Wall-clock time, labelled as UTC so that it can be compared without zones."""
    if moment is None or moment.time is None:
        return None
    return datetime.combine(moment.day, moment.time, UTC)


def offset_at(zone: str, moment: datetime) -> timedelta:
    return moment.astimezone(zone_info(zone)).utcoffset() or timedelta()


def noon(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(12), zone_info(zone))
