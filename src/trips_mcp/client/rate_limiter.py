"""The rate limiter of an account, which delays requests that the service would refuse with a 429.

`RequestBudget` estimates how many requests the service still allows. `RateLimiter` queues the callers, first come first
served: each sleeps until its turn is due. A caller whose turn would come too late gets an error at once.

The service counts in fixed windows (docs/contract.md#rate-limit), but does not say when one begins. Two rules stay
within its limit whatever the latency:

- A window is known from its first answer until 60 seconds later. The lowest remaining count in its answers is an upper
  bound that does not yet include the requests in progress.
- Otherwise at most `limit` requests may be in progress or have ended in the last 60 seconds. Any window that counts a
  request sent under this rule began after all older requests had ended.

Other processes of the same account show up in the headers, or as a 429.
"""

import re
from bisect import insort
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from math import ceil, inf
from typing import Any, Final

import anyio

from trips_mcp.client.errors import RateLimitedError, UnavailableError
from trips_mcp.client.outcome import RateLimit
from trips_mcp.contract.operation import Operation

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]

WINDOW: Final = 60.0
"""Seconds. Also the longest time that one answer may hold back all requests, as the answer may be wrong."""
LEAST_TIME: Final = 1.0
"""Minimum seconds for an attempt, as cutting one short leaves the outcome of a write unknown."""

_COUNT = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Turn:
    """Permission to send one request; `RateLimiter.close` ends it."""

    sent_at: float
    remaining: int | None
    """The known remaining count when it was sent. Later answers of the same window can only name less."""
    resets_at: float
    """Identifies the window that was known when it was sent."""


class RequestBudget:
    """The number of requests that the service still allows, estimated from its answers. Times are in seconds."""

    def __init__(self) -> None:
        self.limit = 0
        """Requests per window; 0 until an answer names the limit."""
        self.probing = True
        """Whether nothing is known yet, so that a single request is sent first."""
        self._in_progress = 0
        self._ended: deque[float] = deque()
        """End times within the last 60 seconds of requests that the service may have counted."""
        self._remaining: int | None = None
        """The lowest remaining count in the answers of the known window; None between windows."""
        self._uncertain = 0
        """Ended requests that the window may have counted after that answer."""
        self._resets_at = -inf
        """The latest time at which the known window ends."""

    @property
    def unlimited(self) -> bool:
        """Whether the service answers without naming a limit."""
        return not self.probing and not self.limit

    def allows(self, now: float) -> bool:
        if self.probing:
            return self._in_progress == 0
        return self.unlimited or self.room(now) > 0

    def room(self, now: float) -> int:
        """The number of requests that may be sent now. Only meaningful once a limit is known."""
        self._forget_what_is_over(now)
        if self._remaining is None:
            return self.limit - len(self._ended) - self._in_progress
        return self._remaining - self._uncertain - self._in_progress

    def next_window(self, now: float) -> float:
        """The time when the next window begins; infinite if it depends on requests in progress."""
        self._forget_what_is_over(now)
        if self._remaining is not None:
            return self._resets_at
        return self._ended[0] + WINDOW if self._ended else inf

    def known(self, now: float) -> RateLimit | None:
        if self.probing or self.unlimited:
            return None
        room = max(0, self.room(now))
        next_window = self.next_window(now)
        return RateLimit(self.limit, room, WINDOW if next_window == inf else next_window - now)

    def send(self, now: float) -> Turn:
        self._forget_what_is_over(now)
        self._in_progress += 1
        return Turn(now, self._remaining, self._resets_at)

    def cancel(self) -> None:
        """Returns a turn that was not used."""
        self._in_progress -= 1

    def end(self, now: float, *, counted: bool) -> None:
        """A request ended without a remaining count. `counted`: whether the service may have counted it."""
        self._in_progress -= 1
        if counted and not self.unlimited:
            self._ended.append(now)
            self._uncertain += 1

    def answer(self, turn: Turn, limit: int, remaining: int, now: float) -> None:
        """A request was answered with the remaining count of the window that counted it."""
        self._in_progress -= 1
        self._forget_what_is_over(now)
        remaining = min(remaining, limit)
        sent_in_window = turn.resets_at == self._resets_at
        if self._remaining is None or (sent_in_window and turn.remaining is not None and remaining >= turn.remaining):
            # The first answer of a new window. Requests that ended after this one was sent may count after it.
            self._remaining, self._resets_at = remaining, now + WINDOW
            self._uncertain = sum(ended >= turn.sent_at for ended in self._ended)
        elif sent_in_window:
            self._remaining = min(self._remaining, remaining)
        else:  # sent before the known window began, so counted in this one or in an earlier one
            self._uncertain += 1
        self.limit, self.probing = limit, False
        self._ended.append(now)

    def no_limit(self) -> None:
        """An answer named no limit, so none applies while nothing else is known."""
        if self.probing:
            self.limit, self.probing = 0, False

    def start_over(self) -> None:
        """The service refused a request as one too many, so the estimate is discarded."""
        self.probing, self._remaining = True, None
        self._ended.clear()

    def _forget_what_is_over(self, now: float) -> None:
        if now >= self._resets_at:
            self._remaining = None
        while self._ended and now >= self._ended[0] + WINDOW:
            self._ended.popleft()


@dataclass(slots=True, order=True)
class _Waiter:
    place: int
    until: float = field(compare=False)
    turn: Turn | None = field(default=None, compare=False)
    refused_for: float | None = field(default=None, compare=False)
    """Seconds until its turn; 0 if unknown. None while it is not refused."""
    wakes_at: float = field(default=0, compare=False)
    sleeping: anyio.CancelScope | None = field(default=None, compare=False)


class RateLimiter:
    def __init__(self, clock: Clock, sleep: Sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._places = count()
        self._queue: list[_Waiter] = []
        self._budget = RequestBudget()
        self._held_until = -inf

    @property
    def known(self) -> RateLimit | None:
        return self._budget.known(self._clock())

    def new_place(self) -> int:
        """A place in the queue, which a call keeps for all its attempts."""
        return next(self._places)

    async def admit(self, operation: Operation[Any, Any], place: int, ends: float) -> Turn:
        """Waits for this request's turn, which comes at least `LEAST_TIME` before `ends`.

        Raises: RateLimitedError or UnavailableError as soon as the turn is known to come too late.
        """
        now = self._clock()
        if not self._queue and self._may_go(now):
            return self._budget.send(now)
        waiter = _Waiter(place, ends - LEAST_TIME)
        insort(self._queue, waiter)
        self._serve()
        try:
            await self._wait(waiter)
        except BaseException:
            self._leave(waiter)
            raise
        if waiter.turn is None:
            raise self._too_late(operation, waiter, self._clock() - now)
        return waiter.turn

    def close(
        self,
        turn: Turn,
        headers: Mapping[str, str] | None = None,
        *,
        status: int = 0,
        counted: bool = True,
        hold: float | None = None,
    ) -> None:
        """Ends the turn, with the headers of the answer if there was one.

        `counted`: whether the service may have counted the request. `hold`: the seconds during which the service
        accepts no other request.
        """
        now = self._clock()
        if hold is not None:
            self._budget.cancel()
            self._budget.start_over()
            self._held_until = max(self._held_until, now + min(hold, WINDOW))
        else:
            self._learn(turn, headers, status, counted, now)
        self._serve()

    def _learn(self, turn: Turn, headers: Mapping[str, str] | None, status: int, counted: bool, now: float) -> None:
        limit = _number(headers, "X-RateLimit-Limit")
        remaining = _number(headers, "X-RateLimit-Remaining")
        if limit and remaining is not None:
            self._budget.answer(turn, limit, remaining, now)
            return
        if headers is not None and 0 < status < 500:
            self._budget.no_limit()
        self._budget.end(now, counted=counted)

    def _may_go(self, now: float) -> bool:
        return now >= self._held_until and self._budget.allows(now)

    def _serve(self) -> None:
        """Admits the callers that may send now, and refuses those whose turn would come too late."""
        if not self._queue:
            return
        now = self._clock()
        while self._queue and self._may_go(now):
            waiter = self._queue.pop(0)
            waiter.turn = self._budget.send(now)
            _wake(waiter)
        staying: list[_Waiter] = []
        for waiter in self._queue:
            earliest = self._earliest_turn(len(staying), now)
            if earliest > waiter.until or now >= waiter.until:
                waiter.refused_for = earliest - now
                _wake(waiter)
            else:
                staying.append(waiter)
        self._queue = staying
        if staying and staying[0].wakes_at != self._due(staying[0], now):
            _wake(staying[0])

    def _earliest_turn(self, ahead: int, now: float) -> float:
        """Earliest admission time for a waiter with `ahead` others before it."""
        earliest = max(now, self._held_until)
        if self._budget.probing or self._budget.unlimited:
            return earliest
        missing = ahead - max(0, self._budget.room(now))
        next_window = self._budget.next_window(now)
        if missing < 0 or next_window == inf:
            return earliest
        return max(earliest, next_window + WINDOW * (missing // self._budget.limit))

    def _due(self, first: _Waiter, now: float) -> float:
        """The time when the first waiter must check again, unless an answer arrives earlier."""
        if now < self._held_until:
            return min(first.until, self._held_until)
        if self._budget.probing:
            return first.until
        return min(first.until, self._budget.next_window(now))

    async def _wait(self, waiter: _Waiter) -> None:
        while waiter.turn is None and waiter.refused_for is None:
            now = self._clock()
            waiter.wakes_at = self._due(waiter, now) if self._queue[0] is waiter else waiter.until
            with anyio.CancelScope() as waiter.sleeping:
                await self._sleep(max(0.0, waiter.wakes_at - now))
            waiter.sleeping = None
            self._serve()

    def _leave(self, waiter: _Waiter) -> None:
        """Removes a cancelled waiter, which may already have its turn."""
        if waiter.turn is not None:
            self._budget.cancel()
        elif waiter.refused_for is None:
            self._queue.remove(waiter)
        self._serve()

    def _too_late(
        self, operation: Operation[Any, Any], waiter: _Waiter, waited: float
    ) -> RateLimitedError | UnavailableError:
        if not waiter.refused_for:
            why = f"it got no turn within {waited:.0f} seconds, as an earlier request had no answer yet"
            return UnavailableError(operation, why, sent=False, retry_after=LEAST_TIME)
        limit = self._budget.limit
        allowed = f"{limit} requests a minute are allowed, and these are used up" if limit else ""
        seconds = float(max(1, ceil(waiter.refused_for)))
        return RateLimitedError(operation, status=429, code="RATE_LIMITED", message=allowed, retry_after=seconds)


def _wake(waiter: _Waiter) -> None:
    if waiter.sleeping is not None:
        waiter.sleeping.cancel()


def _number(headers: Mapping[str, str] | None, name: str) -> int | None:
    text = (headers or {}).get(name, "").strip()
    return int(text) if _COUNT.fullmatch(text) else None
