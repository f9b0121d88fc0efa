"""Duration of a move, and the day that it gains or loses at the date line."""

from datetime import date, time, timedelta
from typing import Final

from trips_mcp.itinerary.formatting import day_in_words, length
from trips_mcp.itinerary.journey import Move
from trips_mcp.itinerary.local_time import Moment

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_SURELY_ACROSS: Final = 17 * _HOUR
_LIKELY_ACROSS: Final = 13 * _HOUR
_ONE_HOP: Final = 20 * _HOUR
"""Longest nonstop flight. One with stops may have gone around the other side of the world."""


def duration(move: Move) -> timedelta | None:
    """None if an end is unknown or the arrival is before the departure."""
    taken = _taken(move)
    return None if taken is None or taken < timedelta() else taken


def remark(move: Move) -> str | None:
    """A sentence on what may surprise a traveller; None if there is nothing."""
    departs, arrives, taken = move.departs, move.arrives, _taken(move)
    if departs is None or arrives is None or taken is None:
        return None
    if taken < timedelta():
        return "By these times and zones it arrives before it departs: one of them is wrong."
    jump = _jump(departs, arrives, taken)
    if not _crosses_date_line(jump, taken):
        return _clock_goes_back(departs, arrives)
    if jump < timedelta():
        return " ".join(
            filter(None, ("The date line is crossed: a day is gained.", _clock_goes_back(departs, arrives)))
        )
    lost = lost_days(move)
    return (
        f"The date line is crossed: {day_in_words(lost[0])} is skipped."
        if lost
        else ("The date line is crossed: the calendar goes a day ahead.")
    )


def lost_days(move: Move) -> tuple[date, ...]:
    """Dates that the traveller skips at the date line."""
    departs, arrives, taken = move.departs, move.arrives, _taken(move)
    if departs is None or arrives is None or taken is None or taken < timedelta():
        return ()
    if not _crosses_date_line(_jump(departs, arrives, taken), taken) or arrives.day - departs.day < 2 * _DAY:
        return ()
    return (departs.day + _DAY,)


def comes_twice(move: Move, night: date) -> bool:
    """Whether the traveller has this night twice: before crossing the date line and after."""
    departs, arrives, taken = move.departs, move.arrives, _taken(move)
    if departs is None or arrives is None or taken is None or taken < timedelta():
        return False
    return arrives.day <= night < departs.day and _crosses_date_line(_jump(departs, arrives, taken), taken)


def _taken(move: Move) -> timedelta | None:
    if move.departs is None or move.arrives is None:
        return None
    left, landed = move.departs.instant, move.arrives.instant
    return None if left is None or landed is None else landed - left


def _jump(departs: Moment, arrives: Moment, taken: timedelta) -> timedelta:
    """Difference between the clocks of both ends."""
    return _wall(arrives) - _wall(departs) - taken


def _crosses_date_line(jump: timedelta, taken: timedelta) -> bool:
    """If clocks differ by more than half a day, the short way crosses the date line."""
    return abs(jump) >= _SURELY_ACROSS or (abs(jump) >= _LIKELY_ACROSS and taken <= _ONE_HOP)


def _clock_goes_back(departs: Moment, arrives: Moment) -> str | None:
    """A sentence if the local arrival time is before the local departure time."""
    back = _wall(departs) - _wall(arrives)
    return f"By the local clocks it arrives {length(back)} before it departs." if back > timedelta() else None


def _wall(moment: Moment) -> timedelta:
    at = moment.time or time()
    return timedelta(moment.day.toordinal(), hours=at.hour, minutes=at.minute, seconds=at.second)
