"""Sums and differences of stretches of days, whatever their length: a trip may span four thousand years by mistake."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, time, timedelta
from operator import itemgetter
from typing import Any, Final, TypeVar

from trips_mcp.itinerary.day_index import Days
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment

T = TypeVar("T")
At = TypeVar("At", bound=Any)

DAY: Final = timedelta(days=1)
_NOON: Final = time(12)
_COMPANIONS: Final = 3
"""With how many of those that are still going on a new one is paired; so 10,000 at once give no 50 million pairs."""


def own_days(journey: Journey) -> Days | None:
    """The trip's, if it has both dates in order."""
    if journey.starts is None or journey.ends is None or journey.ends < journey.starts:
        return None
    return Days(journey.starts, journey.ends)


def trip_days(journey: Journey) -> Days | None:
    """The trip's own, else those from its first leg to its last."""
    legs = [days for stretch in journey.stretches if (days := stretch.days)]
    if own := own_days(journey):
        return own
    return Days(min(days.first for days in legs), max(days.last for days in legs)) if legs else None


def merged(many: Iterable[Days | None]) -> list[Days]:
    """The same days in as few stretches as it takes, in order."""
    result: list[Days] = []
    for days in sorted((days for days in many if days), key=lambda days: days.first):
        if result and days.first <= result[-1].last + DAY:
            result[-1] = Days(result[-1].first, max(result[-1].last, days.last))
        else:
            result.append(days)
    return result


def without(days: Days, taken: Sequence[Days]) -> Iterator[Days]:
    """What is left of `days` when those of `taken`, which is `merged`, are gone."""
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
    """Whether one of `many`, which is `merged`, has all of the days."""
    return next(without(days, many), None) is None


def exists(day: date, zone: str | None) -> bool:
    """Whether the zone has this day at all; Samoa has no 30 December 2011."""
    return not Moment(day, _NOON, zone).gap


def overlapping_pairs(stretches: Iterable[tuple[T, At, At]]) -> Iterator[tuple[T, T]]:
    """Pairs of things whose half-open stretches `[from, to)` overlap, the one that starts earlier first.

    Of what starts at the same moment, what was given earlier counts as earlier. Where very many overlap, each is
    paired with those that last longest.
    """
    going_on: list[tuple[At, T]] = []
    for thing, starts, ends in sorted(stretches, key=itemgetter(1, 2)):
        if ends <= starts:
            continue
        if going_on and going_on[0][0] <= starts:
            del going_on[: bisect_right(going_on, starts, key=itemgetter(0))]
        for _, other in going_on[: -_COMPANIONS - 1 : -1]:
            yield other, thing
        insort(going_on, (ends, thing), key=itemgetter(0))
