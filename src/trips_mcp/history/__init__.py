"""The history of writes: what each one changed, with the items before and after, and the plans.

`connect` passes an implementation to the client: the one here keeps it in memory for an hour, `sqlite.py` in a file.
"""

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, replace
from itertools import dropwhile, islice
from typing import Any, Final, Generic, Literal, Protocol, TypeVar

from trips_mcp.json_values import JsonObject, is_unicode

ItemKind = Literal["trip", "leg", "commitment", "action_item", "map_pin", "event", "message", "share_token"]
ChangeState = Literal["unknown", "done"]
"""A change is unknown until its outcome is known; a write that was not carried out leaves no change."""


class HistoryError(Exception):
    """The history cannot be read. The message is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemChange:
    """One item of a write. Items are the objects of the wire, without empty values."""

    kind: ItemKind
    id: str
    """Empty while the outcome of a creation is unknown."""
    before: JsonObject | None = None
    """None if the item did not exist, or if it is not known."""
    after: JsonObject | None = None
    """None if the item no longer exists, or if it is not known."""
    before_is_known: bool = True
    fields: tuple[str, ...] = ()
    """The fields that the write named, as dotted paths; empty for a whole item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedChange:
    id: str
    account: str = field(repr=False)
    """A digest of the service and its key."""
    tool: str
    arguments: JsonObject = field(repr=False)
    made_at: float
    """Seconds since 1970."""
    trip: str = ""
    """The tripId; empty for an event, which is on the trips with these `numbers`."""
    numbers: tuple[int, ...] = ()
    state: ChangeState = "unknown"
    items: tuple[ItemChange, ...] = field(default=(), repr=False)
    digest: str = field(default="", repr=False)
    """Equal for calls that the journal would join."""
    plan: str = ""
    """The plan that made it."""
    undoes: str = ""
    """The change that it undoes."""
    replaces: str = ""
    """The id of the deleted item that it created again."""
    undone: bool = False
    """Whether a later change undid it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeQuery:
    """Which changes to read; all that is set must hold."""

    accounts: tuple[str, ...] = field(repr=False)
    trip: str = ""
    number: int | None = None
    """The trip's number in the Events API; then the changes of its events belong to it too."""
    id: str = ""
    plan: str = ""
    replacing: bool = False
    """Only those that created a deleted item again."""
    before: str = ""
    """Only those that are older than the change with this id."""
    limit: int = 1000

    def matches(self, change: RecordedChange) -> bool:
        """`before` and `limit` aside."""
        return (
            change.account in self.accounts
            and self._is_of_trip(change)
            and (not self.id or change.id == self.id)
            and (not self.plan or change.plan == self.plan)
            and (not self.replacing or bool(change.replaces))
        )

    def _is_of_trip(self, change: RecordedChange) -> bool:
        return not self.trip or change.trip == self.trip or self.number in change.numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRecord:
    id: str
    account: str = field(repr=False)
    trip: str
    format: int
    """The version of the body."""
    made_at: float
    expires: float
    """Seconds since 1970. The record is kept for a day longer, so that what became of the plan can be told."""
    state: str
    body: JsonObject = field(repr=False)


class History(Protocol):
    """No method waits for long. A write never fails because of its history."""

    @property
    def records(self) -> bool:
        """Whether changes are kept at all."""
        ...

    async def begin(self, change: RecordedChange) -> str | None:
        """Adds a change before its write is sent. If that fails, the reason as part of a sentence."""
        ...

    async def finish(self, change: RecordedChange) -> str | None:
        """Replaces the change, and marks the one that it undoes. If that fails, the reason."""
        ...

    async def discard(self, change: RecordedChange) -> None:
        """Removes a change whose write was not carried out."""
        ...

    async def earlier(self, change: RecordedChange) -> RecordedChange | None:
        """The latest other change of the last day with the same digest that was not undone."""
        ...

    async def changes(self, query: ChangeQuery) -> list[RecordedChange]:
        """Newest first. Raises: HistoryError."""
        ...

    async def put_plan(self, plan: PlanRecord) -> None: ...

    async def get_plan(self, account: str, plan_id: str) -> PlanRecord | None: ...

    async def update_plan(
        self, account: str, plan_id: str, change: Callable[[PlanRecord], PlanRecord]
    ) -> PlanRecord | None:
        """Replaces a plan in one transaction and returns the new one; None if there is no such plan.

        `change` may run in a worker thread. What it raises passes through, and nothing is changed then.
        """
        ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Why a write is made, if a plan makes it."""

    plan: str = ""
    undoes: str = ""
    replaces: str = ""


_BY_HAND: Final = Origin()
_origin: ContextVar[Origin] = ContextVar("origin", default=_BY_HAND)


def current_origin() -> Origin:
    return _origin.get()


@contextmanager
def made_by(origin: Origin) -> Generator[None]:
    """Writes in this block are recorded with this origin."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


# Changes and plans as rows: columns to search by, and a body as JSON

JOINED_WITHIN: Final = 24 * 3600.0
"""Seconds in which a repeated call may complete an earlier one."""
PLAN_KEPT: Final = 24 * 3600.0
"""Seconds after a plan has expired."""

CHANGE_COLUMNS: Final = (
    *("id", "account", "trip", "tool", "made_at", "state", "digest", "plan", "undoes", "undone", "replaces", "numbers"),
)
PLAN_COLUMNS: Final = ("id", "account", "trip", "format", "made_at", "expires", "state")

_BESIDE: Final = 300
"""Bytes of a row's columns, about."""

Row = tuple[Any, ...]


def change_row(change: RecordedChange) -> Row:
    """`CHANGE_COLUMNS` and the body."""
    body = {
        "arguments": change.arguments,
        "items": [_filled_in(item) for item in change.items],
    }
    numbers = "".join(f",{number}" for number in change.numbers) + ","
    return (*(getattr(change, name) for name in CHANGE_COLUMNS[:-1]), numbers, _compact(body))


def change_of(row: Row) -> RecordedChange:
    """Raises: ValueError if the body is not one of ours."""
    *columns, text = row
    try:
        body = json.loads(text)
        items = tuple(map(_item, body["items"]))
        known: dict[str, Any] = dict(zip(CHANGE_COLUMNS, columns, strict=True))
        known["undone"] = bool(known["undone"])
        numbers: str = known["numbers"]
        known["numbers"] = tuple(int(number) for number in numbers.split(",") if number)
        return RecordedChange(**known, arguments=body["arguments"], items=items)
    except (TypeError, KeyError) as error:
        raise ValueError("a change in it cannot be read") from error


def plan_row(plan: PlanRecord) -> Row:
    """`PLAN_COLUMNS` and the body."""
    return (*(getattr(plan, name) for name in PLAN_COLUMNS), _compact(plan.body))


def plan_of(row: Row) -> PlanRecord:
    *columns, text = row
    return PlanRecord(**dict(zip(PLAN_COLUMNS, columns, strict=True)), body=json.loads(text))


def size(row: Row) -> int:
    """Bytes, about."""
    return len(row[-1]) + _BESIDE


def _filled_in(item: ItemChange) -> dict[str, Any]:
    """The fields that differ from their defaults."""
    found = {one.name: getattr(item, one.name) for one in fields(item)}
    return {name: value for name, value in found.items() if value != _ITEM_DEFAULTS.get(name)}


_ITEM_DEFAULTS: Final[Mapping[str, Any]] = {"before": None, "after": None, "before_is_known": True, "fields": ()}


def _item(found: dict[str, Any]) -> ItemChange:
    known: dict[str, Any] = {**found, "fields": tuple(found.get("fields", ()))}
    return ItemChange(**known)


def _compact(body: object) -> str:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return text if is_unicode(text) else json.dumps(body, separators=(",", ":"))


# The history in memory

T = TypeVar("T", RecordedChange, PlanRecord)

KEPT_IN_MEMORY: Final = 3600.0
"""Seconds."""
_LOOK_EVERY: Final = 1.0
"""Seconds between looks for old changes while only new ones are made; each look goes through all."""
_LARGEST: Final = 50_000_000
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
        while self.total > _LARGEST:
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
    """Bounded for each account and in all."""

    def __init__(self, *, records: bool = True, clock: Callable[[], float] = time.time) -> None:
        """`records`: whether changes are kept; plans always are."""
        self._records = records
        self._clock = clock
        self._changes = _Shelf(change_row)
        self._plans = _Shelf(plan_row)
        self._looked_at = clock()

    @property
    def records(self) -> bool:
        return self._records

    async def begin(self, change: RecordedChange) -> str | None:
        if abs(self._clock() - self._looked_at) >= _LOOK_EVERY:
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
        now = self._looked_at = self._clock()
        for key, change in list(self._changes.records.items()):
            if abs(now - change.made_at) >= KEPT_IN_MEMORY:
                self._changes.remove(key)
        for key, plan in list(self._plans.records.items()):
            if now >= plan.expires + min(KEPT_IN_MEMORY, PLAN_KEPT):
                self._plans.remove(key)
