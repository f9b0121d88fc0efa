"""Union, difference and overlap of intervals, in time independent of their length; and the UTC times of clocks.

A trip may span four thousand years by mistake.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, TypeVar

from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment, zone_info
from trips_mcp.itinerary.model import Days

T = TypeVar("T")
At = TypeVar("At", bound=Any)

DAY: Final = timedelta(days=1)
_NOON: Final = time(12)
_MOST_PARTNERS: Final = 3
"""Maximum partners of each interval, so that 10,000 simultaneous ones do not give 50 million pairs."""
_REMEMBERED: Final = 1000


def own_days(journey: Journey) -> Days | None:
    """The trip's own days; None unless it has both dates, in order."""
    if journey.starts is None or journey.ends is None or journey.ends < journey.starts:
        return None
    return Days(journey.starts, journey.ends)


def trip_days(journey: Journey) -> Days | None:
    """The trip's own days, else those from its first leg to its last."""
    legs = [days for stretch in journey.stretches if (days := stretch.days)]
    if own := own_days(journey):
        return own
    return Days(min(days.first for days in legs), max(days.last for days in legs)) if legs else None


def merged(many: Iterable[Days | None]) -> list[Days]:
    """The union as disjoint intervals, in order."""
    result: list[Days] = []
    for days in sorted((days for days in many if days), key=lambda days: days.first):
        if result and days.first <= result[-1].last + DAY:
            result[-1] = Days(result[-1].first, max(result[-1].last, days.last))
        else:
            result.append(days)
    return result


def without(days: Days, taken: Sequence[Days]) -> Iterator[Days]:
    """`days` minus `taken`. `taken` must come from `merged`."""
    first = days.first
    for gone in taken[bisect_left(taken, first, key=lambda other: other.last) :]:
        if gone.first > days.last:
            break
        if gone.first > first:
            yield Days(first, gone.first - DAY)
        first = gone.last + DAY
    if first <= days.last:
        yield Days(first, days.last)


def is_within(days: Days, many: Sequence[Days]) -> bool:
    """Whether `many`, which must come from `merged`, contains all of the days."""
    return next(without(days, many), None) is None


def exists(day: date, zone: str | None) -> bool:
    """Whether the zone has this day. Samoa skipped 30 December 2011."""
    return not Moment(day, _NOON, zone).gap


def overlapping_pairs(spans: Iterable[tuple[T, At, At]]) -> Iterator[tuple[T, T]]:
    """Pairs of items whose half-open intervals `[start, end)` overlap, the earlier start first.

    A sweep by start time; equal intervals keep their given order. If very many overlap, each is paired only with
    the few that end last.
    """
    active: list[tuple[At, T]] = []
    for thing, starts, ends in sorted(spans, key=itemgetter(1, 2)):
        if ends <= starts:
            continue
        if active and active[0][0] <= starts:
            del active[: bisect_right(active, starts, key=itemgetter(0))]
        for _, other in active[: -_MOST_PARTNERS - 1 : -1]:
            yield other, thing
        insort(active, (ends, thing), key=itemgetter(0))


@dataclass(frozen=True, slots=True)
class When:
    earliest: datetime
    latest: datetime


@lru_cache(_REMEMBERED)
def when(moment: Moment | None) -> When | None:
    """The range in UTC. None if the time or the zone is unknown."""
    if moment is None or moment.time is None or moment.zone is None:
        return None
    local = datetime.combine(moment.day, moment.time, zone_info(moment.zone))
    first, second = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    return When(min(first, second), max(first, second))


def wall(moment: Moment | None) -> datetime | None:
    """Wall-clock time, labelled as UTC so that it can be compared without zones."""
    if moment is None or moment.time is None:
        return None
    return datetime.combine(moment.day, moment.time, UTC)


def offset_at(zone: str, moment: datetime) -> timedelta:
    return moment.astimezone(zone_info(zone)).utcoffset() or timedelta()


def noon(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(12), zone_info(zone))
