"""One call, in as many attempts as it takes and its time allows.

A plain loop: the wait comes from the service or from the rate limiter, one that would end too late is not begun, and
whether to retry depends on what is known of a write. A retry library's hooks for these took more lines than the loop.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any, Final

import anyio
import httpx

from trips_mcp.client.error_responses import (
    is_in_progress,
    is_key_conflict,
    is_of_service,
    is_rate_limit,
    request_id,
    says_not_now,
    seconds_to_wait,
)
from trips_mcp.client.errors import ApiError, CannotConnectError, UnavailableError
from trips_mcp.client.httpx_errors import may_pass
from trips_mcp.client.rate_limiter import LEAST_TIME, Clock, RateLimiter, Sleep, Turn
from trips_mcp.client.responses import read
from trips_mcp.client.session import ApiResponse, ApiSession
from trips_mcp.contract.operation import Operation, P, R

LOG = logging.getLogger("trips_mcp.client")

_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 8.0
_MAY_PASS: Final = frozenset({408, 429, 500, 502, 503, 504, *range(520, 525), 529})
"""From 520 on they are Cloudflare's: the origin failed, was down or took too long; 529: it is overloaded."""


@dataclass(slots=True)
class Course:
    """How far one call has come."""

    ends: float
    """Time of the clock by which the caller must have an answer."""
    may_be_done: bool = False
    """Whether a write may have been carried out and no answer has said so."""
    attempts: int = 0
    pause: float = 0.0
    """Seconds to let pass after the latest attempt, if it failed."""
    place: int | None = None
    """In the queue for a turn; kept over all attempts."""


class Attempts:
    def __init__(self, clock: Clock, sleep: Sleep, jitter: Callable[[float, float], float] = random.uniform) -> None:
        self.clock = clock
        self._sleep = sleep
        self._jitter = jitter

    async def result(
        self, account: ApiSession, operation: Operation[P, R], params: P, course: Course, key: str | None = None
    ) -> R:
        """`key` is the Idempotency-Key.

        Raises: TripsError; with the seconds to wait, where there was no time for another attempt.
        """
        request = account.request(operation, params, key)
        found = await self._attempt(account, operation, request, course)
        come_back: float | None = None
        while _is_worth_another(found, operation, course):
            if self.clock() + course.pause > course.ends - LEAST_TIME:
                come_back = course.pause
                break
            await self._sleep(course.pause)
            found = await self._attempt(account, operation, request, course)
        try:
            if isinstance(found, UnavailableError):
                raise found
            return read(operation, params, found, account.key)
        except (UnavailableError, ApiError) as error:
            if error.retry_after is None:
                error.retry_after = come_back
            raise

    async def _attempt(
        self, account: ApiSession, operation: Operation[Any, Any], request: httpx.Request, course: Course
    ) -> ApiResponse | UnavailableError:
        """What came of it; `course.may_be_done` is right at every moment, as it may be cancelled at any.

        Raises: RateLimitedError and UnavailableError where it had no turn, CannotConnectError, BadAnswerError.
        """
        limiter = account.limiter(operation)
        if course.place is None:
            course.place = limiter.new_place()
        turn = await limiter.admit(operation, course.place, course.ends)
        began = self.clock()
        course.attempts += 1
        may_have_been_done, course.may_be_done = course.may_be_done, True
        try:
            found = await _sent(account, operation, request, course.ends - began)
        except CannotConnectError:
            course.may_be_done = may_have_been_done
            limiter.close(turn, counted=False)
            raise
        except BaseException:  # cancelled, or nothing that could be read
            limiter.close(turn)
            raise
        self._give_back(turn, limiter, course, found)
        course.may_be_done = may_have_been_done or _may_be_done(found, operation)
        if LOG.isEnabledFor(logging.DEBUG):
            _log(account, operation, request, course, found, self.clock() - began)
        return found

    def _give_back(
        self, turn: Turn, limiter: RateLimiter, course: Course, found: ApiResponse | UnavailableError
    ) -> None:
        if isinstance(found, UnavailableError):
            course.pause = self.backoff(course.attempts)
            limiter.close(turn, counted=found.sent)
        else:
            hold = None
            if found.status >= 300:
                course.pause = self._pause(found, course, limiter)
                hold = course.pause if is_rate_limit(found) else None  # the limiter bounds it
            limiter.close(turn, found.headers, status=found.status, hold=hold)

    def _pause(self, answer: ApiResponse, course: Course, limiter: RateLimiter) -> float:
        if says_not_now(answer.headers):
            return inf
        named = seconds_to_wait(answer.headers)
        if named is None and is_rate_limit(answer) and answer.headers.get("X-RateLimit-Remaining") == "0":
            named = limiter.known.resets_in if limiter.known else None
        # "at once" from a service that is failing would be a storm
        return named if named is not None and named >= _FIRST_WAIT else self.backoff(course.attempts)

    def backoff(self, attempts: int) -> float:
        """The seconds to let pass after so many attempts."""
        return self._jitter(0, min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(attempts - 1, 10)))


async def _sent(
    account: ApiSession, operation: Operation[Any, Any], request: httpx.Request, seconds: float
) -> ApiResponse | UnavailableError:
    with anyio.move_on_after(seconds):
        try:
            return await account.send(operation, request)
        except UnavailableError as error:
            return error
    return UnavailableError(operation, f"no whole answer came within {max(0.0, seconds):.0f} seconds", sent=True)


def _log(
    account: ApiSession,
    operation: Operation[Any, Any],
    request: httpx.Request,
    course: Course,
    found: ApiResponse | UnavailableError,
    seconds: float,
) -> None:
    path = request.url.raw_path.partition(b"?")[0].decode("ascii")
    if operation.scope == "nobody":
        path = operation.path  # the token in it is all that one needs to read the trip
    status, told = "no answer", None
    if isinstance(found, ApiResponse):
        status, told = str(found.status), request_id(found, account.key)
    LOG.debug(
        "%s %s: %s in %.0f ms, attempt %d, request %s",
        request.method,
        path,
        status,
        seconds * 1000,
        course.attempts,
        told or "-",
    )


def _may_be_done(found: ApiResponse | UnavailableError, operation: Operation[Any, Any]) -> bool:
    """Whether a write may have been carried out, going by this attempt alone."""
    if isinstance(found, UnavailableError):
        return found.sent
    if found.status == 408 or not 300 <= found.status < 500:
        return True
    return is_in_progress(operation, found) or not is_of_service(operation, found)


def _is_worth_another(found: ApiResponse | UnavailableError, operation: Operation[Any, Any], course: Course) -> bool:
    """Whether the failure may pass, and no write can be carried out twice."""
    if isinstance(found, UnavailableError):
        if not may_pass(found):
            return False
    elif found.status < 300 or not _may_pass(found, operation, course):
        return False
    return _is_repeatable(operation) or not _may_be_done(found, operation)


def _may_pass(answer: ApiResponse, operation: Operation[Any, Any], course: Course) -> bool:
    if answer.status == 409 and _has_key(operation):
        # after a lost answer, a conflict is with that attempt of our own
        return is_in_progress(operation, answer) or (course.may_be_done and not is_key_conflict(answer))
    return answer.status in _MAY_PASS or is_rate_limit(answer)


def _is_repeatable(operation: Operation[Any, Any]) -> bool:
    """Reads, what carries an Idempotency-Key, and deleting what may be gone already."""
    return operation.reads or operation.api == "trips" or operation.method == "DELETE"


def _has_key(operation: Operation[Any, Any]) -> bool:
    return operation.api == "trips" and not operation.reads
