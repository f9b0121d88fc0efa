"""The life of a write, from its note in the journal to the outcome.

A write is noted, then attempted, and its note is removed when the caller knows the outcome. If the outcome stays
unknown, the note stays, and the next identical call resumes it with the same Idempotency-Key. The service then replays
its answer if it carried the write out, and carries it out if not. A replayed answer may be outdated, so it is returned
only if it still holds (`_after_earlier`).
"""

import hmac
import json
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Generator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, partial
from hashlib import sha256
from typing import Any, Final, Generic, Protocol, TypeVar
from urllib.parse import quote

import anyio
from pydantic_core import MISSING

from trips_mcp import delivery
from trips_mcp.client.errors import (
    ApiError,
    BadAnswerError,
    ConflictError,
    ForbiddenError,
    GoneError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitedError,
    ServerFaultError,
    TripsError,
    UnauthorizedError,
    UnavailableError,
)
from trips_mcp.client.journal import Intent, Journal
from trips_mcp.client.outcome import Outcome
from trips_mcp.client.session import ApiSession, Attempts, Course
from trips_mcp.contract import OPERATIONS
from trips_mcp.contract.batches import BatchReport, limits
from trips_mcp.contract.events import Event
from trips_mcp.contract.models import Deleted, Params, Resource, Result
from trips_mcp.contract.operation import Operation, P, R, place
from trips_mcp.contract.shares import GET_SHARED_TRIP, GetSharedTrip, ShareToken
from trips_mcp.contract.trips import SyncReport

JOINED: Final = "This completed an earlier call whose answer was lost."
_SINCE: Final = "Since then "
"""Begins the note of a joined call whose items were changed in part since."""

_KINDS_IN_SYNC: Final = {"legs": "legs", "action_items": "action-items", "map_pins": "map-pins"}

_step: ContextVar[str] = ContextVar("step", default="")

R_co = TypeVar("R_co", bound=Result, covariant=True)


@contextmanager
def as_step(name: str) -> Generator[None]:
    """Writes in this block are one step of a plan, whose name is unique.

    Its Idempotency-Key follows from the name, so that the step is carried out once, even if several callers repeat it,
    and whatever was written since. Its first answer is returned each time.
    """
    token = _step.set(name)
    try:
        yield
    finally:
        _step.reset(token)


def digest_of(session: ApiSession, operation: Operation[Any, Any], params: Params) -> str:
    """Equal for calls that are one write if the outcome of the first is unknown."""
    plain = digest(session.secret, operation, params)
    return _keyed(session.secret, f"step\0{step}\0{plain}") if (step := _step.get()) else plain


class Recovery(Protocol[R_co]):
    """The lookup of a write with unknown outcome, for an API without Idempotency-Key."""

    @property
    def repeatable(self) -> bool:
        """Whether `found` can find the write."""
        ...

    async def note(self) -> str:
        """The state before the write, which `found` needs. Called before the write is sent."""
        ...

    async def found(self, note: str) -> R_co | None:
        """The result of the write; None if it must be sent (again).

        Raises: TripsError; the outcome then stays unknown.
        """
        ...


class PartNotes:
    """The notes of a call in several requests, kept until all are done so that none is sent twice."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._answered: list[tuple[Intent, list[str]]] = []

    async def add(self, intent: Intent, result: Result, written: list[str]) -> None:
        """Keeps the report of an answered part in its note for a repeated call, unless it contains errors."""
        self._answered.append((intent, written))
        if not any(report.errors for report in _reports(result)):
            await self._journal.annotate(intent, result.model_dump_json(exclude_unset=True))

    async def end(self, *, complete: bool) -> None:
        answered, self._answered = self._answered, []
        for intent, written in answered:
            if complete:
                await _settle_when_delivered(self._journal, intent, written)
            else:
                await self._journal.leave_unknown(intent)


@dataclass(slots=True)
class _Write(Generic[P, R]):
    """One call with all the Idempotency-Keys that it uses."""

    session: ApiSession
    operation: Operation[P, R]
    params: P
    ends: float
    recovery: Recovery[R] | None
    parts: PartNotes | None
    earlier: R | None = None
    """The answer to an earlier call's key, kept if the write is sent again with a new key."""
    notes: list[str] = field(default_factory=list[str])

    digest: str = field(init=False)
    target: str | None = field(init=False)
    key: str | None = field(init=False, default=None)
    """The Idempotency-Key of a plan's step; None for other writes, whose key is in their note."""

    def __post_init__(self) -> None:
        self.digest = digest_of(self.session, self.operation, self.params)
        if _step.get():
            self.key = self.digest[:32]
        self.target = target(self.session.secret, self.operation, self.params)

    def made(self, result: R) -> list[str]:
        return made(self.session.secret, self.operation, self.params, result)

    def join(self, note: str = JOINED) -> None:
        if note not in self.notes:
            self.notes.append(note)


class Writing:
    def __init__(self, attempts: Attempts, journal: Journal) -> None:
        self._attempts = attempts
        self._journal = journal
        self._locks: dict[str, anyio.Lock] = {}
        self._users = Counter[str]()

    def parts(self) -> PartNotes:
        return PartNotes(self._journal)

    async def outcome(
        self,
        session: ApiSession,
        operation: Operation[P, R],
        params: P,
        ends: float,
        recovery: Recovery[R] | None = None,
        parts: PartNotes | None = None,
    ) -> Outcome[R]:
        """Raises: OutcomeUnknownError; any other TripsError means that the write was not carried out."""
        write = _Write(session, operation, params, ends, recovery, parts)
        async with self._one_at_a_time(write.target or write.digest, operation, ends):
            result: R | None = None
            while result is None:
                result = await self._with_next_key(write)
        return Outcome(result, tuple(write.notes))

    async def _with_next_key(self, write: _Write[P, R]) -> R | None:
        """The result; None if the write must be sent again with another key.

        Each round removes an open note from the journal or is the last, so the rounds end.
        """
        note = await write.recovery.note() if write.recovery is not None else ""
        intent = await self._journal.begin(write.digest, write.operation.name, note, write.target)
        if intent.superseded and write.recovery is not None and write.key is None:
            await self._journal.settle(intent)
            return None
        course = Course(write.ends, may_be_done=intent.resumed or write.earlier is not None)
        settled = answered = False
        try:
            result = await self._carried_out(write, course, intent)
            if intent.resumed and write.recovery is None and write.key is None:
                result = await self._after_earlier(write, intent, result)
            settled = True
            if result is None:
                return None
            if write.earlier is not None and _changed_nothing(result):
                result = write.earlier  # the report of this call and the earlier one together
            if intent.resumed and not intent.superseded:
                write.join()
            await self._answered(write, intent, result)
            answered = True
            return result
        except OutcomeUnknownError as error:
            settled = not error.repeatable  # no later call could find out either, so it sends anew
            raise
        except TripsError as error:
            settled = not course.may_be_done or _is_final(error)
            if settled:
                raise
            unknown = _unknown(write.operation, error, write.recovery)
            settled = not unknown.repeatable
            raise unknown from error
        finally:  # a cancelled call passes here too
            if not answered:
                known = settled or not course.may_be_done
                await (self._journal.settle if known else self._journal.leave_unknown)(intent)

    async def _answered(self, write: _Write[P, R], intent: Intent, result: R) -> None:
        written = write.made(result)
        if write.target is not None:
            written.append(write.target)
        if write.parts is not None and not is_repeatable(write.operation, write.params):
            await write.parts.add(intent, result, written)
        else:
            await _settle_when_delivered(self._journal, intent, written)

    async def _carried_out(self, write: _Write[P, R], course: Course, intent: Intent) -> R:
        operation = write.operation
        if intent.resumed and write.recovery is not None:
            found = await write.recovery.found(intent.note)
            if found is not None:
                return found
            course.may_be_done = False
        if intent.resumed and write.parts is not None and intent.note:
            return operation.result.model_validate_json(intent.note)
        key = (write.key or intent.key) if operation.api == "trips" else None
        try:
            return await self._attempts.result(write.session, operation, write.params, course, key)
        except GoneError:
            if operation.method == "DELETE" and operation.when_empty is not None and course.may_be_done:
                return operation.when_empty(write.params)
            raise

    async def _after_earlier(self, write: _Write[P, R], intent: Intent, result: R) -> R | None:
        """The answer to an earlier call's key if it still holds; None if the write must be sent again.

        The earlier attempt can no longer be carried out, as its key is answered. An idempotent write is sent again, so
        that its answer is current. A write that creates something is sent again only if a later call changed or removed
        that resource: then the caller knew of it and wants a second one. A share link is opened to check that it still
        works, as any later link ends it.
        """
        if write.operation.api == "events" or isinstance(result, Deleted):
            return result  # a resource with an id of its own does not come back
        targets = write.made(result)
        written = await self._journal.written_since(intent, targets)
        if is_repeatable(write.operation, write.params):
            if _reports(result) and not written:
                return result
            write.earlier = result
            if not intent.superseded and not written:
                write.join()
            return None
        if targets and len(written) == len(targets):
            return None
        if written:
            write.join(f"{_SINCE}{len(written)} of the {len(targets)} items were changed or removed.")
        if isinstance(result, ShareToken) and not await self._opens(write, result.token):
            return None
        return result

    async def _opens(self, write: _Write[Any, Any], token: str) -> bool:
        params = GetSharedTrip(token=token)
        try:
            await self._attempts.result(write.session, GET_SHARED_TRIP, params, Course(write.ends))
        except NotFoundError:
            return False
        return True

    @asynccontextmanager
    async def _one_at_a_time(self, target: str, operation: Operation[Any, Any], ends: float) -> AsyncGenerator[None]:
        """Runs writes of this process to one resource, and identical writes, one after the other.

        Otherwise a call that repeats a cancelled one could begin before the cancelled call has noted its outcome as
        unknown, and would be sent with a new key. A cancelled write could also still be carried out after the next one.
        """
        lock = self._locks.setdefault(target, anyio.Lock())
        self._users[target] += 1
        try:
            try:
                lock.acquire_nowait()
            except anyio.WouldBlock:
                with anyio.move_on_after(ends - self._attempts.clock()) as timeout:
                    await lock.acquire()
                if timeout.cancelled_caught:
                    raise UnavailableError(
                        operation, "another call for the same thing is still under way", sent=False
                    ) from None
            try:
                yield
            finally:
                lock.release()
        finally:
            self._users[target] -= 1
            if not self._users[target]:
                del self._users[target], self._locks[target]


async def _settle_when_delivered(journal: Journal, intent: Intent, written: list[str]) -> None:
    """Keeps the note until the caller has the answer, so that a repeated call finds it."""
    answer = delivery.current()
    if answer is None:
        await journal.settle(intent, written)
    else:
        answer.add(partial(journal.settle, intent, written), partial(journal.leave_unknown, intent))


def _changed_nothing(result: Result) -> bool:
    return all(report.unchanged == len(report.results) for report in _reports(result)) and bool(_reports(result))


def _reports(result: Result) -> list[BatchReport]:
    match result:
        case BatchReport():
            return [result]
        case SyncReport():
            return [report for report in (result.legs, result.action_items, result.map_pins) if report is not None]
        case _:
            return []


def is_joined(notes: Collection[str]) -> bool:
    """Whether an outcome with these notes completed an earlier call."""
    return any(note == JOINED or note.startswith(_SINCE) for note in notes)


def is_dry_run(params: Params) -> bool:
    return getattr(params, "dry_run", MISSING) is True


def _is_final(error: TripsError) -> bool:
    """Whether the service itself refused the write, whatever happened to earlier attempts.

    A refused key or the rate limit says nothing about the write, as the service checks them first.
    """
    if not isinstance(error, ApiError) or not error.by_service or error.status == 408:
        return False
    if isinstance(error, ConflictError) and error.code != "IDEMPOTENCY_CONFLICT":
        return False  # a conflict with an attempt of our own that may still be in progress
    return not isinstance(error, (ServerFaultError, RateLimitedError, UnauthorizedError, ForbiddenError))


def _unknown(operation: Operation[Any, Any], error: TripsError, recovery: Recovery[Any] | None) -> OutcomeUnknownError:
    match error:
        case BadAnswerError():
            status = "" if error.status is None else f" ({error.status})"
            why = f"the answer{status} does not say what was done"
        case RateLimitedError():
            why = "the service takes no more requests for now"
        case ConflictError():
            why = "the service is still busy with it"
        case ApiError(by_service=False) if error.status < 500 and error.status != 408:
            why = f"something on the way to the service answered instead of it ({error.status})"
        case UnauthorizedError() | ForbiddenError():
            why = "the service no longer accepts the key"
        case ApiError():
            why = f"the service failed ({error.status})"
        case _:
            why = "the service did not answer"
    repeatable = (
        recovery.repeatable if recovery is not None else operation.api == "trips" or operation.method == "DELETE"
    )
    retry_after = error.retry_after if isinstance(error, (UnavailableError, ApiError)) else None
    return OutcomeUnknownError(operation, why, repeatable=repeatable, retry_after=retry_after)


# Keyed digests of calls, and of the resources that they change


def digest(secret: bytes, operation: Operation[P, R], params: P) -> str:
    """Equal for equal arguments of one operation on one account. Keyed, as all values of a door code can be tried."""
    arguments = json.dumps(params.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return _keyed(secret, f"{operation.name}\0{arguments}")


def target(secret: bytes, operation: Operation[P, R], params: P) -> str | None:
    """Equal for writes to the same resource of one account; None for a new resource, which has no name yet."""
    path = place(operation, params).path
    if operation.path in _resource_paths():
        return _keyed(secret, f"target\0{path}")
    ref = getattr(params, "client_ref", None)
    return _keyed(secret, f"target\0{path}#{ref}") if isinstance(ref, str) else None


def made(secret: bytes, operation: Operation[P, R], params: P, result: Result) -> list[str]:
    """The resources that a POST created or changed, as `target` names them for later writes."""
    if operation.method != "POST":
        return []
    path = place(operation, params).path
    return [_keyed(secret, f"target\0{path}/{quote(own, safe='')}") for path, own in _ids(path, result)]


def is_repeatable(operation: Operation[Any, Any], params: Params) -> bool:
    """Whether the write is idempotent without an Idempotency-Key."""
    return operation.method in ("PATCH", "DELETE") or all(
        isinstance(getattr(item, "client_ref", None), str) for item in _items(params)
    )


def _ids(path: str, result: Result) -> Iterator[tuple[str, str]]:
    match result:
        case Resource() if result.id:
            yield path, result.id
        case Event() if result.event_id is not None:
            yield path, str(result.event_id)
        case BatchReport():
            yield from _ids_in({path.removesuffix(":batch"): result})
        case SyncReport():
            trip = path.removesuffix("/sync")
            reports = {kind: getattr(result, name) for name, kind in _KINDS_IN_SYNC.items()}
            yield from _ids_in({f"{trip}/{kind}": report for kind, report in reports.items() if report is not None})
        case _:
            return


def _ids_in(reports: Mapping[str, BatchReport]) -> Iterator[tuple[str, str]]:
    for path, report in reports.items():
        yield from ((path, item.id) for item in report.results if item.id and item.status != "unchanged")


def _items(params: Params) -> list[Params]:
    """The items of a batch, or the params themselves."""
    lists = [getattr(params, name) for name in limits(type(params))]
    return [item for items in lists if items is not MISSING for item in items] or [params]


@cache
def _resource_paths() -> frozenset[str]:
    """The paths of single resources: those that can be changed or deleted."""
    return frozenset(operation.path for operation in OPERATIONS if operation.method in ("PATCH", "DELETE"))


def _keyed(secret: bytes, text: str) -> str:
    return hmac.new(secret, text.encode(), sha256).hexdigest()
