"""The history of writes: what each one changed, with the items before and after, and the plans.

`connect` passes an implementation to the client: `persistent.py` with a file, or `memory.py` for an hour.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from trips_mcp.json_values import JsonObject

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
