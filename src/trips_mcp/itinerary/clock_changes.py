"""When clocks are changed: a night is then an hour shorter or longer, and a date may be missing altogether."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from trips_mcp.itinerary.formatting import clock, day_in_words, length
from trips_mcp.itinerary.local_time import zone_info

_DAY: Final = timedelta(days=1)
_STEP: Final = timedelta(minutes=30)
_MINUTE: Final = timedelta(minutes=1)
_MORNING: Final = time(6)


def clock_changes(day: date, zones: Iterable[str]) -> list[str]:
    """A sentence for each change of the day and of the night after it."""
    return [said for zone in sorted(set(zones)) if (said := _change(day, zone))]


def _change(day: date, zone: str) -> str | None:
    start = datetime.combine(day, time(), zone_info(zone)).astimezone(UTC)
    end = datetime.combine(day + _DAY, _MORNING, zone_info(zone)).astimezone(UTC)
    before = _offset(start - _MINUTE, zone)
    if before == _offset(end, zone):
        return None
    at = _first_change(start - _MINUTE, end, zone)
    jump = _offset(at, zone) - before
    shown = (at + before).replace(tzinfo=None)
    way = "forward" if jump > timedelta() else "back"
    return f"Clocks go {way} {length(jump)} on {day_in_words(shown.date())} at {clock(shown.time())} in {zone}."


def _first_change(start: datetime, end: datetime, zone: str) -> datetime:
    """The minute from which another offset holds; there is one between the two."""
    before = _offset(start, zone)
    while start + _STEP < end and _offset(start + _STEP, zone) == before:
        start += _STEP
    while _offset(start, zone) == before:
        start += _MINUTE
    return start


def _offset(at: datetime, zone: str) -> timedelta:
    return at.astimezone(zone_info(zone)).utcoffset() or timedelta()
