"""What the questions about days are answered with. What is absent is not so, or not known; then `unclear` says it."""

from typing import Annotated

from pydantic import Field

from trips_mcp.contract.models import Result
from trips_mcp.contract.untrusted import BY_MEMBERS, OTHERS

Text = Annotated[str | None, BY_MEMBERS]
"""Written by a member of the trip."""
OthersText = Annotated[str | None, OTHERS]


class End(Result):
    """Of a move: departure or arrival, by the local clock."""

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
    """One line of a day, with the id to act on."""

    kind: str
    """flight, flight_arrival, flight_under_way, check_in, check_out, pick_up, drop_off, commitment, event."""
    time: str | None = None
    until: str | None = None
    until_date: str | None = None
    """Where it ends on another day; with its weekday."""
    since: str | None = None
    """When it began, where that was on an earlier day; with its weekday."""
    zone: str | None = None
    zone_from: list[str] | None = None
    """What zones that are not given are inferred from: `airport code HND`, `pin near Kyoto`."""
    all_day: bool | None = None
    missing: list[str] | None = None
    """What is not set or not known: date, time, zone."""
    title: Text = None
    category: str | None = None
    event_type: str | None = None
    """Instead of the category, where it is none of the usual ones."""
    departs: End | None = None
    arrives: End | None = None
    duration: str | None = None
    seat: Text = None
    written: Text = None
    """What stands in the place of a time."""
    place: Text = None
    pin: Pin | None = None
    transfer: str | None = None
    """How far it is from the place of the thing before, in a straight line."""
    remark: str | None = None
    notes: Text = None
    leg_id: str | None = None
    flight: int | None = None
    """Its place in the leg's flights, from 0."""
    commitment_id: str | None = None
    event_id: Annotated[int | None, Field(alias="event_id")] = None
    """As the tools of events take it."""


class EventThing(Thing):
    """What stands on a shared itinerary; whoever planned it may be a stranger."""

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
    """Where a night is spent: a stay, a move that is under way, or what is scheduled all night."""

    kind: str
    """stay, flight, commitment."""
    name: Text = None
    address: Text = None
    until: str | None = None
    """The day of leaving, with its weekday."""
    night: int | None = None
    """Which of the stay's nights it is, from 1, and of how many."""
    of: int | None = None
    leg_id: str | None = None
    flight: int | None = None
    commitment_id: str | None = None


class Gap(Result):
    """Time between two things with nothing in it."""

    time: str
    until: str
    zone: str | None = None
    before: str | None = None
    """A flight, which one must be at earlier."""


class Due(Result):
    item_id: str
    text: Text = None
    urgency: str | None = None
    owner: str | None = None


class DayChoice(Result):
    """One of the days that may have been meant."""

    date: str
    weekday: str
    where: Text = None


class Day(Result):
    date: str | None = None
    weekday: str | None = None
    number: int | None = None
    """The trip's first day is 1."""
    of: int | None = None
    zone: str | None = None
    """Of all that names no other, and does not say that it is missing."""
    legs: list[LegHere] | None = None
    more_legs: int | None = None
    wake: list[Bed] | None = None
    sleep: list[Bed] | None = None
    things: list[Thing] | None = None
    more_things: int | None = None
    """So many did not fit in."""
    free: list[Gap] | None = None
    due: list[Due] | None = None
    more_due: int | None = None
    unclear: list[str] | None = None
    choices: list[DayChoice] | None = None
    """Instead of all the rest, where more than one day may be meant."""


class LegLine(Result):
    leg_id: str | None = None
    title: Text = None
    destination: Text = None
    starts: str | None = None
    ends: str | None = None
    zone: str | None = None
    stay: Text = None


class Row(Result):
    """A day of the timeline; or, with `until`, days on which nothing is planned."""

    date: str
    weekday: str
    until: str | None = None
    zone: str | None = None
    """Of all that names no other, and does not say that it is missing."""
    sleep: list[Bed] | None = None
    no_bed: bool | None = None
    """A night of the trip of which nothing says where it is spent."""
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
    """The day from which the rest is to be asked for."""
