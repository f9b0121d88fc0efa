"""Calls of the Events API, which has no Idempotency-Key, so lost writes are looked up by reading.

The lookup runs within the same call while there is time, and again in the next identical call.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

import httpx

from trips_mcp.client.errors import ApiError, OutcomeUnknownError
from trips_mcp.client.event_recovery import Creation, EventUpdate, Lookup, Seen, not_as_sent
from trips_mcp.client.outcome import Outcome
from trips_mcp.client.rate_limiter import LEAST_TIME, Clock, Sleep
from trips_mcp.client.writes import JOINED, Recovery
from trips_mcp.contract.events import CreateEvent, Event, UpdateEvent
from trips_mcp.contract.models import Params, Result
from trips_mcp.contract.operation import Operation, P, R

_TOOK_TOO_LONG: Final = frozenset({408, 504, 522, 524})


class One(Protocol):
    """Runs one request, sent as often as needed."""

    async def __call__(
        self, operation: Operation[P, R], params: P, ends: float, recovery: Recovery[R] | None = None
    ) -> Outcome[R]: ...


class EventCalls:
    def __init__(self, one: One, clock: Clock, sleep: Sleep, backoff: Callable[[int], float]) -> None:
        """`backoff`: the seconds to wait after that many attempts."""
        self._one = one
        self._clock = clock
        self._sleep = sleep
        self._backoff = backoff
        self._seen = Seen()

    async def outcome(self, operation: Operation[P, R], params: P, ends: float) -> Outcome[R]:
        lookup = self._lookup(params, ends)
        if lookup is None:
            outcome = await self._one(operation, params, ends)
        else:
            outcome = await self._with_lookup(operation, params, ends, lookup)
        self._seen.take(outcome.result)
        if isinstance(params, CreateEvent):
            self._seen.remember_as_made(outcome.result)
        return replace(outcome, notes=(*outcome.notes, *_remarks(params, outcome.result)))

    def _lookup(self, write: Params, ends: float) -> Lookup | None:
        async def read(operation: Operation[P, R], params: P) -> R:
            result = (await self._one(operation, params, ends)).result
            self._seen.take(result)
            return result

        match write:
            case CreateEvent():
                return Creation(write, read, self._seen, self._sleep)
            case UpdateEvent():
                return EventUpdate(write, read, self._seen)
            case _:
                return None

    async def _with_lookup(self, operation: Operation[P, R], params: P, ends: float, lookup: Lookup) -> Outcome[R]:
        """Repeats the call as its caller would. Each time the lookup first reads what the last attempt did."""
        attempts = 0
        lost_here = False
        while True:
            try:
                outcome = await self._one(operation, params, ends, lookup)
            except OutcomeUnknownError as unknown:
                attempts += 1
                wait = self._backoff(attempts) if unknown.retry_after is None else unknown.retry_after
                if not unknown.repeatable or self._clock() + wait > ends - 2 * LEAST_TIME:
                    raise lookup.explained(unknown) from unknown.__cause__
                lost_here = lost_here or not lookup.was_asked
                lookup.may_be_under_way = lookup.may_be_under_way or _took_too_long(unknown)
                await self._sleep(wait)
                continue
            if lost_here:  # this call was completed, not an earlier one
                outcome = replace(outcome, notes=tuple(note for note in outcome.notes if note != JOINED))
            return replace(outcome, notes=(*outcome.notes, *lookup.remarks))


def _took_too_long(unknown: OutcomeUnknownError) -> bool:
    cause = unknown.__cause__
    while cause is not None:
        if isinstance(cause, httpx.TimeoutException) or (
            isinstance(cause, ApiError) and cause.status in _TOOK_TOO_LONG
        ):
            return True
        cause = cause.__cause__
    return False


def _remarks(params: Params, result: Result) -> tuple[str, ...]:
    if not isinstance(params, UpdateEvent) or not isinstance(result, Event):
        return ()
    if not (fields := not_as_sent(params, result)):
        return ()
    return (f"The service answered with other values than were sent: {', '.join(fields)}. Check with get_event.",)
