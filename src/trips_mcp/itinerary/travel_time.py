"""What a move does to the calendar: how long it takes, and the day that the date line gives or takes."""

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
"""No flight lasts longer without a stop; one with stops may have gone round the other side of the world."""


def duration(move: Move) -> timedelta | None:
    """None where an end is not known, and where it would end before it began."""
    taken = _taken(move)
    return None if taken is None or taken < timedelta() else taken


def remark(move: Move) -> str | None:
    """What a traveller would be surprised by."""
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
    """The dates that one does not live through for the date line."""
    departs, arrives, taken = move.departs, move.arrives, _taken(move)
    if departs is None or arrives is None or taken is None or taken < timedelta():
        return ()
    if not _crosses_date_line(_jump(departs, arrives, taken), taken) or arrives.day - departs.day < 2 * _DAY:
        return ()
    return (departs.day + _DAY,)


def comes_twice(move: Move, night: date) -> bool:
    """Whether one lives through it on both sides of the date line: before this move, and after it."""
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
    """How far the clocks of the two ends are apart."""
    return _wall(arrives) - _wall(departs) - taken


def _crosses_date_line(jump: timedelta, taken: timedelta) -> bool:
    """Where clocks are more than half a day apart, the short way leads over it."""
    return abs(jump) >= _SURELY_ACROSS or (abs(jump) >= _LIKELY_ACROSS and taken <= _ONE_HOP)


def _clock_goes_back(departs: Moment, arrives: Moment) -> str | None:
    """By the local clocks, as on the way west, over the date line or not."""
    back = _wall(departs) - _wall(arrives)
    return f"By the local clocks it arrives {length(back)} before it departs." if back > timedelta() else None


def _wall(moment: Moment) -> timedelta:
    at = moment.time or time()
    return timedelta(moment.day.toordinal(), hours=at.hour, minutes=at.minute, seconds=at.second)
