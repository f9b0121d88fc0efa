"""The history in memory: for an hour, and bounded for each account and in all."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import dropwhile, islice
from typing import Any, Final, Generic, TypeVar

from trips_mcp.history import ChangeQuery, PlanRecord, RecordedChange
from trips_mcp.history.rows import JOINED_WITHIN, PLAN_KEPT, change_row, plan_row, size

T = TypeVar("T", RecordedChange, PlanRecord)

KEPT: Final = 3600.0
"""Seconds."""
LARGEST: Final = 50_000_000
LARGEST_OF_AN_ACCOUNT: Final = 5_000_000
"""Bytes of changes, and as many of plans."""


@dataclass(slots=True)
class _Shelf(Generic[T]):
    """Records by account and id, oldest first; the oldest go when there are too many."""

    row: Callable[[T], tuple[Any, ...]]
    records: OrderedDict[tuple[str, str], T] = field(default_factory=OrderedDict[tuple[str, str], Any])
    sizes: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    totals: dict[str, int] = field(default_factory=dict[str, int])
    """Bytes of each account."""
    total: int = 0

    def put(self, record: T) -> None:
        """A record that is replaced keeps its place."""
        key = record.account, record.id
        self._count(key, size(self.row(record)))
        self.records[key] = record
        while self.totals.get(record.account, 0) > LARGEST_OF_AN_ACCOUNT:
            self.remove(next(one for one in self.records if one[0] == record.account))
        while self.total > LARGEST:
            self.remove(next(iter(self.records)))

    def remove(self, key: tuple[str, str]) -> None:
        if self.records.pop(key, None) is not None:
            self._count(key, 0)

    def _count(self, key: tuple[str, str], bytes_: int) -> None:
        account = key[0]
        more = bytes_ - self.sizes.pop(key, 0)
        self.total += more
        self.totals[account] = self.totals.get(account, 0) + more
        if bytes_:
            self.sizes[key] = bytes_
        elif not self.totals[account]:
            del self.totals[account]


class MemoryHistory:
    def __init__(self, *, records: bool = True, clock: Callable[[], float] = time.time) -> None:
        """`records`: whether changes are kept; plans always are."""
        self._records = records
        self._clock = clock
        self._changes = _Shelf(change_row)
        self._plans = _Shelf(plan_row)

    @property
    def records(self) -> bool:
        return self._records

    async def begin(self, change: RecordedChange) -> str | None:
        self._forget_old()
        if self._records:
            self._changes.put(change)
        return None

    async def finish(self, change: RecordedChange) -> str | None:
        if (change.account, change.id) in self._changes.records:
            self._changes.put(change)
            if undone := self._changes.records.get((change.account, change.undoes)):
                self._changes.put(replace(undone, undone=True))
        return None

    async def discard(self, change: RecordedChange) -> None:
        self._changes.remove((change.account, change.id))

    async def earlier(self, change: RecordedChange) -> RecordedChange | None:
        found = (
            other
            for other in reversed(self._changes.records.values())
            if other.account == change.account and other.digest == change.digest and other.id != change.id
        )
        return next((one for one in found if not one.undone and change.made_at - one.made_at < JOINED_WITHIN), None)

    async def changes(self, query: ChangeQuery) -> list[RecordedChange]:
        self._forget_old()
        newest_first = reversed(self._changes.records.values())
        if query.before:
            newest_first = iter(list(dropwhile(lambda change: change.id != query.before, newest_first))[1:])
        return list(islice(filter(query.matches, newest_first), query.limit))

    async def put_plan(self, plan: PlanRecord) -> None:
        self._forget_old()
        self._plans.put(plan)

    async def get_plan(self, account: str, plan_id: str) -> PlanRecord | None:
        self._forget_old()
        return self._plans.records.get((account, plan_id))

    async def update_plan(
        self, account: str, plan_id: str, change: Callable[[PlanRecord], PlanRecord]
    ) -> PlanRecord | None:
        plan = await self.get_plan(account, plan_id)
        if plan is None:
            return None
        plan = change(plan)
        self._plans.put(plan)
        return plan

    async def aclose(self) -> None:
        self._changes = _Shelf(change_row)
        self._plans = _Shelf(plan_row)

    def _forget_old(self) -> None:
        now = self._clock()
        for key, change in list(self._changes.records.items()):
            if abs(now - change.made_at) >= KEPT:
                self._changes.remove(key)
        for key, plan in list(self._plans.records.items()):
            if now >= plan.expires + min(KEPT, PLAN_KEPT):
                self._plans.remove(key)
