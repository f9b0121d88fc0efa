"""Result models of get_day and get_timeline.

An absent value means "no" or "unknown"; `unclear` lists the unknown ones.
"""

from typing import Annotated

from pydantic import Field

from trips_mcp.contract.fields import BY_MEMBERS, OTHERS
from trips_mcp.contract.models import Result

Text = Annotated[str | None, BY_MEMBERS]
"""Written by a member of the trip."""
OthersText = Annotated[str | None, OTHERS]


class End(Result):
    """Departure or arrival of a move, by the local clock."""

    date: str | None = None
    weekday: str | None = None
    time: str | None = None
    zone: str | None = None


class Pin(Result):
    pin_id: str
    name: Text = None
    lat: float | None = None
    lng: float | None = None


class Thing(Result):
    """One line of a day, with the ids to act on."""

    kind: str
    """flight, flight_arrival, flight_under_way, check_in, check_out, pick_up, drop_off, commitment, event."""
    time: str | None = None
    until: str | None = None
    until_date: str | None = None
    """Weekday and date of its end, if that is on another day."""
    since: str | None = None
    """Weekday, date and time of its start, if that was on an earlier day."""
    zone: str | None = None
    zone_from: list[str] | None = None
    """Sources of inferred zones: `airport code HND`, `pin near Kyoto`."""
    all_day: bool | None = None
    missing: list[str] | None = None
    """What is not set or unknown: date, time, zone."""
    title: Text = None
    category: str | None = None
    event_type: str | None = None
    """Replaces the category if the type is not a usual one."""
    departs: End | None = None
    arrives: End | None = None
    duration: str | None = None
    seat: Text = None
    written: Text = None
    """A text given in place of a time."""
    place: Text = None
    pin: Pin | None = None
    transfer: str | None = None
    """Straight-line distance from the place of the thing before."""
    remark: str | None = None
    notes: Text = None
    leg_id: str | None = None
    flight: int | None = None
    """Its index in the leg's flights, from 0."""
    commitment_id: str | None = None
    event_id: Annotated[int | None, Field(alias="event_id")] = None
    """By the name that the event tools use."""


class EventThing(Thing):
    """An event of a shared itinerary. A stranger may have written it."""

    title: OthersText = None
    event_type: OthersText = None
    place: OthersText = None
    notes: OthersText = None


class LegHere(Result):
    leg_id: str | None = None
    title: Text = None
    destination: Text = None
    zone: str | None = None


class Bed(Result):
    """Where a night is spent: a stay, a move under way, or an appointment that lasts all night."""

    kind: str
    """stay, flight, commitment."""
    name: Text = None
    address: Text = None
    until: str | None = None
    """Weekday and date of departure."""
    night: int | None = None
    """Number of this night in the stay, from 1, `of` the total."""
    of: int | None = None
    leg_id: str | None = None
    flight: int | None = None
    commitment_id: str | None = None


class Gap(Result):
    """Free time between two things."""

    time: str
    until: str
    zone: str | None = None
    before: str | None = None
    """What the traveller must leave for before the gap ends: a flight, or a thing in another zone."""


class Due(Result):
    item_id: str
    text: Text = None
    urgency: str | None = None
    owner: str | None = None


class DayChoice(Result):
    """One of the days that an ambiguous expression may mean."""

    date: str
    weekday: str
    where: Text = None
    trip_id: str | None = None
    """Set if the user must choose between trips."""
    trip: Text = None
    """Title of that trip."""


class Day(Result):
    trip_id: str | None = None
    """Set if the trip was found by the day."""
    trip: Text = None
    """Title of that trip."""
    date: str | None = None
    weekday: str | None = None
    number: int | None = None
    """Number of the day in the trip, from 1."""
    of: int | None = None
    zone: str | None = None
    """Zone of everything that neither has another nor lacks one."""
    legs: list[LegHere] | None = None
    more_legs: int | None = None
    wake: list[Bed] | None = None
    sleep: list[Bed] | None = None
    things: list[Thing] | None = None
    more_things: int | None = None
    """Number of things left out for length."""
    free: list[Gap] | None = None
    due: list[Due] | None = None
    more_due: int | None = None
    unclear: list[str] | None = None
    choices: list[DayChoice] | None = None
    """Replaces all other fields if the expression is ambiguous."""


class LegLine(Result):
    leg_id: str | None = None
    title: Text = None
    destination: Text = None
    starts: str | None = None
    ends: str | None = None
    zone: str | None = None
    stay: Text = None


class Row(Result):
    """A day of the timeline. With `until`, a run of days with nothing planned."""

    date: str
    weekday: str
    until: str | None = None
    zone: str | None = None
    """Zone of everything that neither has another nor lacks one."""
    sleep: list[Bed] | None = None
    no_bed: bool | None = None
    """Whether the trip does not say where this night is spent."""
    remark: str | None = None
    things: list[Thing] | None = None
    more_things: int | None = None


class Timeline(Result):
    trip_id: str | None = None
    title: Text = None
    starts: str | None = None
    ends: str | None = None
    days: int | None = None
    legs: list[LegLine] | None = None
    more_legs: int | None = None
    rows: list[Row] | None = None
    undated: list[Thing] | None = None
    more_undated: int | None = None
    due: list[Due] | None = None
    more_due: int | None = None
    unclear: list[str] | None = None
    continues: str | None = None
    """First day of the rest. Pass it as `from`."""
