"""Dates and times in a trip's own spelling, some whole days later. The wall clock always stays.

The contract stores local times, so a shift over a clock change needs no correction. Only an instant, which a service
may send with an offset, is first read in its zone and then written as the local time there.
"""

import re
from datetime import date, timedelta
from typing import Final

from trips_mcp.itinerary.formatting import clock
from trips_mcp.itinerary.local_time import Moment, read_time

_OFFSET: Final = re.compile(r"[0-9]\s?(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})$")
_DATE_LENGTH: Final = 10


def day_text(day: date, days: int) -> str:
    return str(day + timedelta(days))


def moment_text(text: str, at: Moment, days: int) -> str:
    """The free text `text`, which was read as `at`."""
    day, text = day_text(at.day, days), text.strip()
    if at.time is not None and at.zone is not None and _OFFSET.search(text):
        return f"{day}T{clock(at.time)}"
    return f"{day}{text[_DATE_LENGTH:]}"


def local_text(at: Moment, days: int) -> str:
    """As a flight has it: `2026-10-16T18:30`. A date alone stays one."""
    day = day_text(at.day, days)
    return day if at.time is None else f"{day}T{clock(at.time)}"


def pinned_text(text: str | None, day: date) -> str | None:
    """A time of day, or nothing, with the date it is meant for. None if the text is neither."""
    if not text or not text.strip():
        return str(day)
    at = read_time(text)
    return None if at is None else f"{day}T{clock(at)}"
