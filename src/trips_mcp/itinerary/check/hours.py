"""Times on the nights when clocks are changed: hours that do not exist, hours that exist twice."""

from collections.abc import Iterator

from trips_mcp.itinerary.check import citing, saying
from trips_mcp.itinerary.check.days import exists
from trips_mcp.itinerary.check.findings import Finding, Part
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.moments import Moment

_Timed = tuple[Moment | str | None, Part, str, str]
"""A time, where it stands, that in words, and the tool that changes it. A text is no time."""


def check_hours(journey: Journey) -> Iterator[Finding]:
    for moment, part, what, mend_with in _times(journey):
        if not isinstance(moment, Moment):
            continue
        if moment.gap:
            why = f"{what} is {saying.at(moment)}: the clocks are put forward over that time, it does not exist."
            yield citing.finding("certain", "hour_does_not_exist", moment.day, [part], why, mend_with)
        elif moment.time is None and not exists(moment.day, moment.zone):
            why = f"{what} is {saying.at(moment)}: that day does not exist in {moment.zone}."
            yield citing.finding("certain", "hour_does_not_exist", moment.day, [part], why, mend_with)
        elif moment.fold:
            why = f"{what} is {saying.at(moment)}: the clocks are put back over that time, it exists twice."
            yield citing.finding("possible", "hour_exists_twice", moment.day, [part], why, mend_with)


def _times(journey: Journey) -> Iterator[_Timed]:
    for move in journey.moves:
        name = saying.flight(move)
        yield move.departs, citing.flight(move, "departure"), f"The departure of {name}", "update_leg"
        yield move.arrives, citing.flight(move, "arrival"), f"The arrival of {name}", "update_leg"
    for stay in journey.stays:
        leg = saying.leg_of(stay.leg_id)
        yield stay.check_in, citing.stay(stay, "checkIn"), f"The check-in of {leg}", "update_leg"
        yield stay.check_out, citing.stay(stay, "checkOut"), f"The check-out of {leg}", "update_leg"
    for rental in journey.rentals:
        leg = saying.leg_of(rental.leg_id)
        yield rental.pick_up, citing.rental(rental, "pickUp"), f"The car's pick-up in {leg}", "update_leg"
        yield rental.drop_off, citing.rental(rental, "dropOff"), f"The car's drop-off in {leg}", "update_leg"
    for one in journey.appointments:
        name, mend_with = saying.appointment(one), citing.mend_appointment(one)
        field = "time" if one.kind == "event" else "startTime"
        yield one.starts, citing.appointment(one, field), f"The start of {name}", mend_with
        yield one.ends, citing.appointment(one, "endTime"), f"The end of {name}", mend_with
