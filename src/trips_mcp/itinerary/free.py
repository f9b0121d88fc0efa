"""Free time of a day: between two things whose times are both known. What is not known is not called free."""

from collections.abc import Iterable, Iterator
from datetime import date, time
from typing import Final

from trips_mcp.itinerary.answers import Gap
from trips_mcp.itinerary.moments import Moment
from trips_mcp.itinerary.things import Placed
from trips_mcp.itinerary.wording import clock

_FROM: Final = time(8)
_UNTIL: Final = time(22)
_LEAST: Final = 120
"""Minutes."""


def free(day: date, placed: Iterable[Placed]) -> list[Gap]:
    """`placed` in the order of time. None of a day that something takes whole; a birthday does not."""
    things = [one for one in placed if one.fills]
    if any(one.thing.all_day and one.thing.category != "birthday" for one in things):
        return []
    return list(_gaps(day, [one for one in things if one.at is not None and one.at.time is not None]))


def _gaps(day: date, timed: list[Placed]) -> Iterator[Gap]:
    over: Moment | None = None
    for index, one in enumerate(timed):
        if index and one.at is not None and (gap := _gap(day, over, one.at)):
            yield gap.model_copy(update={"before": "flight"}) if one.thing.kind == "flight" else gap
        over = _later(over, one.until)


def _gap(day: date, over: Moment | None, at: Moment) -> Gap | None:
    """Between two places of different zones one has yet to travel."""
    if over is None or over.time is None or at.time is None or over.zone != at.zone:
        return None
    if over.day > day or at.day != day:
        return None
    start = max(_FROM, over.time) if over.day == day else _FROM
    end = min(_UNTIL, at.time)
    if _minutes(end) - _minutes(start) < _LEAST:
        return None
    return Gap(time=clock(start), until=clock(end), zone=at.zone)


def _later(over: Moment | None, until: Moment | None) -> Moment | None:
    """Of two ends the one that comes later; where they cannot be compared, that of the thing that began later."""
    if over is None or until is None or over.zone != until.zone or over.time is None or until.time is None:
        return until
    return max(over, until, key=lambda end: (end.day, end.time or time()))


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute
