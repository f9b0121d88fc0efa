"""A write's life: it is noted, attempted, and its note removed when the caller knows the outcome.

Where the outcome stays unknown, the note stays, and the next identical call takes up its key: a service that
has carried the write out then replays its answer, and one that has not carries it out.
"""

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import anyio
from pydantic_core import MISSING

from trips_mcp import delivery
from trips_mcp.client.account import Account
from trips_mcp.client.attempts import Attempts, Course
from trips_mcp.client.errors import (
    ApiError,
    BadAnswerError,
    ForbiddenError,
    GoneError,
    OutcomeUnknownError,
    RateLimitedError,
    ServerFaultError,
    TripsError,
    UnauthorizedError,
    UnavailableError,
)
from trips_mcp.client.journal import Intent, Journal
from trips_mcp.client.journal.digest import digest
from trips_mcp.client.outcome import Outcome
from trips_mcp.contract.models import Params, Result
from trips_mcp.contract.operation import Operation, P, R

JOINED: Final = "This completed an earlier call whose answer was lost."

R_co = TypeVar("R_co", bound=Result, covariant=True)


class Recovery(Protocol[R_co]):
    """How to find out what became of a write of unknown outcome, where the API knows no Idempotency-Key."""

    @property
    def repeatable(self) -> bool:
        """Whether `found` can find it."""
        ...

    async def note(self) -> str:
        """What `found` will have to know of the time before the write; asked before the write is sent."""
        ...

    async def found(self, note: str) -> R_co | None:
        """What the write has brought about; None if it is to be sent (again).

        Raises: TripsError; the outcome is then unknown still.
        """
        ...


class Writing:
    def __init__(self, attempts: Attempts, journal: Journal) -> None:
        self._attempts = attempts
        self._journal = journal
        self._locks: dict[str, anyio.Lock] = {}
        self._holding = Counter[str]()

    async def outcome(
        self,
        account: Account,
        operation: Operation[P, R],
        params: P,
        ends: float,
        recovery: Recovery[R] | None = None,
    ) -> Outcome[R]:
        """Raises: OutcomeUnknownError; any other TripsError says that the write was not carried out."""
        noted_as = digest(account.secret, operation, params)
        async with self._one_at_a_time(noted_as, operation, ends):
            note = await recovery.note() if recovery is not None else ""
            intent = await self._journal.begin(noted_as, operation.name, note)
            course = Course(ends, may_be_done=intent.resumed)
            settled = done = False
            try:
                result = await self._carried_out(account, operation, params, course, intent, recovery)
                settled = done = True
            except OutcomeUnknownError as error:
                settled = not error.repeatable  # no later call could tell either, so it shall be free to send
                raise
            except TripsError as error:
                settled = not course.may_be_done or _tells(error)
                if settled:
                    raise
                unknown = _unknown(operation, error, recovery)
                settled = not unknown.repeatable
                raise unknown from error
            finally:  # a cancelled call passes here too
                if done:
                    await self._settle_when_told(intent)
                elif settled or not course.may_be_done:
                    await self._journal.settle(intent)
                else:
                    await self._journal.leave_unknown(intent)
        return Outcome(result, (JOINED,) if intent.resumed else ())

    async def _settle_when_told(self, intent: Intent) -> None:
        """Until the caller has the answer, calling again has to find the note."""
        answer = delivery.current()
        if answer is None:
            await self._journal.settle(intent)
        else:
            answer.add(partial(self._journal.settle, intent), partial(self._journal.leave_unknown, intent))

    async def _carried_out(
        self,
        account: Account,
        operation: Operation[P, R],
        params: P,
        course: Course,
        intent: Intent,
        recovery: Recovery[R] | None,
    ) -> R:
        if intent.resumed and recovery is not None:
            found = await recovery.found(intent.note)
            if found is not None:
                return found
            course.may_be_done = False
        key = intent.key if operation.api == "trips" else None
        try:
            return await self._attempts.result(account, operation, params, course, key)
        except GoneError:
            if operation.method == "DELETE" and operation.when_empty is not None and course.may_be_done:
                return operation.when_empty(params)
            raise

    @asynccontextmanager
    async def _one_at_a_time(self, noted_as: str, operation: Operation[Any, Any], ends: float) -> AsyncGenerator[None]:
        """Identical writes of this process go one after the other.

        Else one that repeats a call which was just cancelled could begin before that one had noted that its
        outcome is unknown, and would be sent with a key of its own.
        """
        lock = self._locks.setdefault(noted_as, anyio.Lock())
        self._holding[noted_as] += 1
        try:
            try:
                lock.acquire_nowait()
            except anyio.WouldBlock:
                with anyio.move_on_after(ends - self._attempts.clock()) as patience:
                    await lock.acquire()
                if patience.cancelled_caught:
                    raise UnavailableError(operation, "an identical call is still under way", sent=False) from None
            try:
                yield
            finally:
                lock.release()
        finally:
            self._holding[noted_as] -= 1
            if not self._holding[noted_as]:
                del self._holding[noted_as], self._locks[noted_as]


def is_dry_run(params: Params) -> bool:
    return getattr(params, "dry_run", MISSING) is True


def _tells(error: TripsError) -> bool:
    """Whether it is the service's word on the write itself, whatever became of earlier attempts.

    A key that is refused, or one request too many, is found before anything is known of the write.
    """
    if not isinstance(error, ApiError) or error.status == 408:
        return False
    return not isinstance(error, (ServerFaultError, RateLimitedError, UnauthorizedError, ForbiddenError))


def _unknown(operation: Operation[Any, Any], error: TripsError, recovery: Recovery[Any] | None) -> OutcomeUnknownError:
    match error:
        case BadAnswerError():
            why = "the answer could not be read, though it was probably done"
        case RateLimitedError():
            why = "the service takes no more requests for now"
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
