"""Dates, times and things in the words of a finding: nothing in them is text of the trip's that could give orders."""

import re
from datetime import timedelta
from typing import Final

from trips_mcp.itinerary.day_index import Days
from trips_mcp.itinerary.formatting import clock, day_in_words
from trips_mcp.itinerary.journey import Appointment, Move, Stretch
from trips_mcp.itinerary.local_time import Moment

_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,40}")
_FLIGHT_NUMBER: Final = re.compile(r"[A-Z0-9]{2,3} ?[0-9]{1,4}[A-Z]?")


def at(moment: Moment) -> str:
    """`Tuesday 2027-03-30 18:30 Asia/Tokyo`"""
    if moment.time is None:
        return day_in_words(moment.day)
    return f"{day_in_words(moment.day)} {clock(moment.time)} {moment.zone or '(zone unknown)'}"


def between(starts: Moment, ends: Moment | None) -> str:
    """`Tuesday 2027-03-30 18:30 to 21:00 Asia/Tokyo`, with both dates and zones where they differ."""
    if ends is None or ends.time is None or starts.time is None:
        return at(starts)
    if starts.zone != ends.zone:
        return f"{at(starts)} to {at(ends)}"
    day = "" if ends.day == starts.day else f"{day_in_words(ends.day)} "
    return (
        f"{day_in_words(starts.day)} {clock(starts.time)} to {day}{clock(ends.time)} {starts.zone or '(zone unknown)'}"
    )


def days(these: Days) -> str:
    return (
        day_in_words(these.first)
        if these.first == these.last
        else f"{day_in_words(these.first)} to {day_in_words(these.last)}"
    )


def nights(these: Days) -> str:
    if these.first == these.last:
        return f"the night of {day_in_words(these.first)}"
    return f"the {len(these)} nights from {day_in_words(these.first)} to {day_in_words(these.last)}"


def offset(time: timedelta) -> str:
    """`UTC+9`, `UTC-3:30`"""
    minutes = round(time / timedelta(minutes=1))
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}"


def named(noun: str, which: str) -> str:
    """With its id, if that is one and no message."""
    return f"{noun} {which}" if _PLAIN_ID.fullmatch(which) else f"a {noun}"


def leg(stretch: Stretch) -> str:
    return named("leg", stretch.id)


def leg_of(leg_id: str) -> str:
    return named("leg", leg_id)


def appointment(one: Appointment) -> str:
    return named(one.kind, one.id)


def pin(pin_id: str) -> str:
    return named("pin", pin_id)


def flight(move: Move) -> str:
    """By its number where that is one."""
    number = (move.source.flight_number or "").strip().upper()
    if _FLIGHT_NUMBER.fullmatch(number) and not number.isdecimal():
        return f"flight {number}"
    return f"flight {move.index} of {leg_of(move.leg_id)}"


def begin(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
