"""When a moment is, if its hour exists twice or not at all: at the earliest and at the latest."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from trips_mcp.itinerary.local_time import Moment, zone_info

_REMEMBERED: Final = 1000


@dataclass(frozen=True, slots=True)
class When:
    earliest: datetime
    latest: datetime


@lru_cache(_REMEMBERED)
def when(moment: Moment | None) -> When | None:
    """In UTC; None where time or zone is unknown."""
    if moment is None or moment.time is None or moment.zone is None:
        return None
    local = datetime.combine(moment.day, moment.time, zone_info(moment.zone))
    first, second = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    return When(min(first, second), max(first, second))


def wall(moment: Moment | None) -> datetime | None:
    """The date and time on the clock, as if there were no zones."""
    if moment is None or moment.time is None:
        return None
    return datetime.combine(moment.day, moment.time, UTC)


def offset_at(zone: str, moment: datetime) -> timedelta:
    return moment.astimezone(zone_info(zone)).utcoffset() or timedelta()


def noon(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(12), zone_info(zone))
