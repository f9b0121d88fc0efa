"""Day ranges, and indexes that find what covers a day without a scan of everything."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Generic, TypeVar, overload

from typing_extensions import override

T = TypeVar("T")

_LONG: Final = 100
"""Days. Longer items are kept in a list instead of under each day."""


@dataclass(frozen=True, slots=True)
class Days(Sequence[date]):
    """The days from first to last, both included. Empty if last is before first."""

    first: date
    last: date

    @override
    def __len__(self) -> int:
        return max(0, (self.last - self.first).days + 1)

    @overload
    def __getitem__(self, index: int) -> date: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[date]: ...

    @override
    def __getitem__(self, index: int | slice) -> date | Sequence[date]:
        if isinstance(index, slice):
            return [self.first + timedelta(days) for days in range(*index.indices(len(self)))]
        return self.first + timedelta(range(len(self))[index])

    @override
    def __contains__(self, value: object) -> bool:
        return isinstance(value, date) and self.first <= value <= self.last

    @override
    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days) for days in range(len(self)))


class Spans(Generic[T]):
    """Items by the days they cover, in the given order on each day."""

    def __init__(self, things: Iterable[tuple[T, Days]]) -> None:
        self._short: dict[date, list[tuple[int, T]]] = {}
        self._long: list[tuple[int, T, Days]] = []
        for place, (thing, days) in enumerate(things):
            if len(days) > _LONG:
                self._long.append((place, thing, days))
                continue
            for day in days:
                self._short.setdefault(day, []).append((place, thing))

    def on(self, day: date) -> tuple[T, ...]:
        here = list(self._short.get(day, ()))
        if not self._long:
            return tuple(thing for _, thing in here)
        here += [(place, thing) for place, thing, days in self._long if day in days]
        return tuple(thing for _, thing in sorted(here, key=lambda found: found[0]))


class Agreed(Generic[T]):
    """The value that all items covering a day agree on. Each item is read once, however long it is."""

    def __init__(self, said: Iterable[tuple[T | None, Days]]) -> None:
        changes: dict[date, Counter[T | None]] = {}
        for value, days in said:
            changes.setdefault(days.first, Counter())[value] += 1
            changes.setdefault(days.last + timedelta(1), Counter())[value] -= 1
        self._from = sorted(changes)
        self._values: list[T | None] = []
        now: Counter[T | None] = Counter()
        for day in self._from:
            for value, change in changes[day].items():
                now[value] += change
                if not now[value]:
                    del now[value]
            self._values.append(next(iter(now)) if len(now) == 1 else None)

    def on(self, day: date) -> T | None:
        """None if they disagree, if none covers the day, or if None is their value."""
        place = bisect_right(self._from, day)
        return self._values[place - 1] if place else None
