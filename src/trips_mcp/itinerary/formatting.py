"""Formatting of days, times, lengths and one-line texts."""

from datetime import date, time, timedelta
from typing import Final

from trips_mcp.itinerary.local_time import WEEKDAYS, Moment

_MINUTE: Final = timedelta(minutes=1)


def day_in_words(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()]} {day}"


def clock(at: time) -> str:
    return f"{at:%H:%M}"


def clock_of(moment: Moment | None) -> str | None:
    return None if moment is None or moment.time is None else clock(moment.time)


def length(span: timedelta) -> str:
    """`1 h 05 min`"""
    hours, minutes = divmod(round(abs(span) / _MINUTE), 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes:02} min" if minutes else f"{hours} h"


def one_line(text: str) -> str:
    """Collapse white space, so that a line break in a title cannot fake a line of ours."""
    return " ".join(text.split())


def short(text: str | None, most: int) -> str | None:
    """Cut a longer text to `most` characters, `…` included. None for an empty text."""
    if not text or not text.strip():
        return None
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
