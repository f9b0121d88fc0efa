"""Which of many stretches of time overlap, without comparing each with each."""

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any, Final, TypeVar

T = TypeVar("T")
At = TypeVar("At", bound=Any)

_COMPANIONS: Final = 3
"""With how many of those that are still going on a new one is paired; so 10,000 at once give no 50 million pairs."""


def abreast(stretches: Iterable[tuple[T, At, At]]) -> Iterator[tuple[T, T]]:
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
