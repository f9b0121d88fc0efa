"""Times on the nights when clocks are changed: hours that do not exist, hours that exist twice."""

from collections.abc import Iterator

from trips_mcp.itinerary.check import citations, phrases
from trips_mcp.itinerary.check.findings import CitedPart, Finding
from trips_mcp.itinerary.check.intervals import exists
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment

_Timed = tuple[Moment | str | None, CitedPart, str, str]
"""A time, where it stands, that in words, and the tool that changes it. A text is no time."""


def check_hours(journey: Journey) -> Iterator[Finding]:
    for moment, part, what, mend_with in _times(journey):
        if not isinstance(moment, Moment):
            continue
        if moment.gap:
            why = f"{what} is {phrases.at(moment)}: the clocks are put forward over that time, it does not exist."
            yield citations.finding("certain", "hour_does_not_exist", moment.day, [part], why, mend_with)
        elif moment.time is None and not exists(moment.day, moment.zone):
            why = f"{what} is {phrases.at(moment)}: that day does not exist in {moment.zone}."
            yield citations.finding("certain", "hour_does_not_exist", moment.day, [part], why, mend_with)
        elif moment.fold:
            why = f"{what} is {phrases.at(moment)}: the clocks are put back over that time, it exists twice."
            yield citations.finding("possible", "hour_exists_twice", moment.day, [part], why, mend_with)


def _times(journey: Journey) -> Iterator[_Timed]:
    for move in journey.moves:
        name = phrases.flight(move)
        yield move.departs, citations.flight(move, "departure"), f"The departure of {name}", "update_leg"
        yield move.arrives, citations.flight(move, "arrival"), f"The arrival of {name}", "update_leg"
    for stay in journey.stays:
        leg = phrases.leg_of(stay.leg_id)
        yield stay.check_in, citations.stay(stay, "checkIn"), f"The check-in of {leg}", "update_leg"
        yield stay.check_out, citations.stay(stay, "checkOut"), f"The check-out of {leg}", "update_leg"
    for rental in journey.rentals:
        leg = phrases.leg_of(rental.leg_id)
        yield rental.pick_up, citations.rental(rental, "pickUp"), f"The car's pick-up in {leg}", "update_leg"
        yield rental.drop_off, citations.rental(rental, "dropOff"), f"The car's drop-off in {leg}", "update_leg"
    for one in journey.appointments:
        name, mend_with = phrases.appointment(one), citations.mend_appointment(one)
        field = "time" if one.kind == "event" else "startTime"
        yield one.starts, citations.appointment(one, field), f"The start of {name}", mend_with
        yield one.ends, citations.appointment(one, "endTime"), f"The end of {name}", mend_with
