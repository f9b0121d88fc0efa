"""Formatting of days, times, lengths and one-line texts; and the items that fit in a result."""

from collections.abc import Sequence
from datetime import date, time, timedelta
from typing import Final, TypeVar, cast

from trips_mcp.contract.fields import Others, hidden
from trips_mcp.contract.models import Result
from trips_mcp.itinerary.local_time import WEEKDAYS, Moment

R = TypeVar("R", bound=Result)

_MINUTE: Final = timedelta(minutes=1)
_MARKS: Final = 30
"""Characters of the quotation marks around other people's words."""
_ESCAPED: Final = 9
"""Extra characters of an invisible one when it is escaped."""


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


def fitting(things: Sequence[R], room: int, others_write: bool) -> list[R]:
    """The first items that fit in `room` characters, at least one."""
    kept: list[R] = []
    for thing in things:
        room -= weight(thing, others_write)
        if room < 0 and kept:
            break
        kept.append(thing)
    return kept


def weight(thing: Result, others_write: bool) -> int:
    """Characters of a rendered item. `others_write`: whether members' words are quoted, too."""
    text = thing.model_dump_json(exclude_none=True)
    return len(text) + _ESCAPED * len(hidden().findall(text)) + _MARKS * _marked(thing, others_write)


def _marked(value: object, others_write: bool) -> int:
    """Number of texts that get quotation marks."""
    if isinstance(value, list):
        return sum(_marked(part, others_write) for part in cast("list[object]", value))
    if not isinstance(value, Result):
        return 0
    count = 0
    for name, field in type(value).model_fields.items():
        part: object = getattr(value, name)
        marks = [mark for mark in field.metadata if isinstance(mark, Others)]
        if marks:
            count += 1 if part and (others_write or not marks[0].members_only) else 0
        else:
            count += _marked(part, others_write)
    return count
