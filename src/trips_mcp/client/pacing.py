"""One limiter per account: no request is sent that the service would only refuse for being one too many.

What is known comes from the headers of each answer. Until the first of them one request goes ahead alone.
Then requests go while there is room; the others queue, first come first served, for the next window. One
that cannot have its turn in time is told so at once. Nothing polls: each who waits sleeps to the moment at
which something is due for it, and is woken where that moment moves.

Everything errs to the safe side: the window is counted from the arrival of its first answer, a request under
way counts as one the last answer had not counted yet, and one that was lost as one that was counted. What
another process uses up of the same account shows in the headers, or as a 429.
"""

import re
from bisect import insort
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
"""Seconds. Also the longest that others are held back by what one answer said, as it may be wrong."""
LEAST_TIME: Final = 1.0
"""Seconds an attempt should have at least: one that is cut short leaves a write's outcome unknown."""

_COUNT = re.compile(r"[0-9]{1,9}")


@dataclass(slots=True)
class Turn:
    """Leave to send one request; it is given back with `Limiter.close`."""

    window: int
    told: int
    """What was known to remain when it was sent: an answer of the same window can only tell less."""
    sent_at: float
    ended: int
    """How many requests had ended when it was sent: those, and no others, were surely counted before it."""


@dataclass(slots=True, order=True)
class _Waiter:
    place: int
    until: float = field(compare=False)
    turn: Turn | None = field(default=None, compare=False)
    refused_for: float | None = field(default=None, compare=False)
    """Seconds; 0 where it cannot be told."""
    wakes_at: float = field(default=0, compare=False)
    sleeping: anyio.CancelScope | None = field(default=None, compare=False)


class Limiter:
    def __init__(self, clock: Clock, sleep: Sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._places = count()
        self._queue: list[_Waiter] = []
        self._asking = True
        """Whether nothing is known, so that one request goes ahead alone."""
        self._unpaced = False
        """Whether the service answers without telling of any limit."""
        self._limit = 0
        self._told = 0
        self._lost = 0
        """Requests that ended without telling what remains, and may have been counted after `_told` was."""
        self._under_way = 0
        self._ended = 0
        self._window = 0
        self._earliest = 0.0
        """When the service's window can have begun at the earliest,"""
        self._latest = 0.0
        """and at the latest; this is known once the first answer is there, and counts."""
        self._answered = False
        self._late = 0
        """Requests that ended when the service's next window could have begun already, and may be counted there;"""
        self._last_late = -inf
        """and when the last of them did."""
        self._held_until = -inf

    @property
    def known(self) -> RateLimit | None:
        now = self._clock()
        self._begin_window_if_due(now)
        if self._asking or self._unpaced:
            return None
        return RateLimit(self._limit, max(0, self._room), self._latest + WINDOW - now)

    def new_place(self) -> int:
        """In the queue: a call keeps it over its attempts."""
        return next(self._places)

    async def admit(self, operation: Operation[Any, Any], place: int, ends: float) -> Turn:
        """Waits for this request's turn, so that some time is left before `ends`.

        Raises: RateLimitedError or UnavailableError, as soon as it is clear that its turn comes too late.
        """
        now = self._clock()
        if self._unpaced:
            return self._given(now)
        self._begin_window_if_due(now)
        if not self._queue and self._may_go(now):
            return self._given(now)
        waiter = _Waiter(place, ends - LEAST_TIME)
        insort(self._queue, waiter)
        self._serve()
        try:
            await self._waited(waiter)
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
        """Takes the turn back, with what the answer said, if there was one.

        `counted`: whether the service may have counted the request. `hold`: it wants no other for so long.
        """
        self._under_way -= 1
        self._ended += 1
        if self._unpaced and hold is None and (headers is None or "X-RateLimit-Limit" not in headers):
            return
        now = self._clock()
        if counted and now >= self._earliest + WINDOW:
            self._late += 1
            self._last_late = now
        if hold is not None:
            self._hold(now, min(hold, WINDOW))
        elif headers is not None:
            self._learn(turn, headers, status, now)
        elif counted:
            self._lost += 1
        self._serve()

    def _given(self, now: float) -> Turn:
        self._under_way += 1
        return Turn(self._window, self._told, now, self._ended)

    def _learn(self, turn: Turn, headers: Mapping[str, str], status: int, now: float) -> None:
        limit, remaining = _number(headers, "X-RateLimit-Limit"), _number(headers, "X-RateLimit-Remaining")
        if not limit or remaining is None:
            if self._asking and status < 500:
                self._asking, self._unpaced = False, True
            self._lost += 1
            return
        self._limit = limit
        remaining = min(remaining, limit)
        if self._asking or self._unpaced:
            self._asking = self._unpaced = False
            self._begin_window_of(turn, remaining, now)
        elif turn.window != self._window:
            self._lost += 1  # sent in an earlier window, and counted in that or in this one
        elif self._answered and remaining >= turn.told:
            self._begin_window_of(turn, remaining, now)  # the service's began before we thought
        else:
            self._told = min(self._told, remaining)
            if not self._answered:
                self._latest, self._answered = now, True

    def _hold(self, now: float, seconds: float) -> None:
        self._held_until = max(self._held_until, now + seconds)
        self._asking, self._unpaced = True, False

    def _begin_window_if_due(self, now: float) -> None:
        if self._asking or self._unpaced:
            return
        if self._answered and now >= self._latest + WINDOW:
            late = self._late if now < self._last_late + WINDOW else 0
            self._earliest = self._earliest + WINDOW if self._under_way or late else now
            self._told, self._answered = self._limit - late, False
            self._window, self._lost, self._late = self._window + 1, 0, 0
            self._latest = now
        if not self._answered and self._room <= 0 and not self._under_way:
            # all of it may have gone to what was still on its way from the window before
            self._latest, self._answered = now, True

    def _begin_window_of(self, turn: Turn, remaining: int, now: float) -> None:
        """The window in which this request was counted, and after it maybe others that have ended before."""
        self._told, self._earliest, self._latest = remaining - (self._ended - turn.ended - 1), turn.sent_at, now
        self._window, self._lost, self._late, self._answered = self._window + 1, 0, 0, True

    @property
    def _room(self) -> int:
        return self._told - self._lost - self._under_way

    def _may_go(self, now: float) -> bool:
        if now < self._held_until:
            return False
        if self._asking:
            return self._under_way == 0
        return self._unpaced or self._room > 0

    def _serve(self) -> None:
        """Gives turns to those who may go, and sends away those who will not be able to in time."""
        now = self._clock()
        self._begin_window_if_due(now)
        while self._queue and self._may_go(now):
            waiter = self._queue.pop(0)
            waiter.turn = self._given(now)
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

    def _earliest_turn(self, place: int, now: float) -> float:
        """When it would be the turn of the one who has so many before him, if all goes well."""
        earliest = max(now, self._held_until)
        if self._asking or self._unpaced or self._room > place:
            return earliest
        windows_before = (place - max(0, self._room)) // self._limit
        return max(earliest, self._latest + WINDOW * (1 + windows_before))

    def _due(self, first: _Waiter, now: float) -> float:
        """When something is due for the first in the queue, unless an answer comes before."""
        if now < self._held_until:
            return min(first.until, self._held_until)
        if not self._asking and self._answered:
            return min(first.until, self._latest + WINDOW)
        return first.until

    async def _waited(self, waiter: _Waiter) -> None:
        while waiter.turn is None and waiter.refused_for is None:
            now = self._clock()
            waiter.wakes_at = self._due(waiter, now) if self._queue[0] is waiter else waiter.until
            with anyio.CancelScope() as waiter.sleeping:
                await self._sleep(max(0.0, waiter.wakes_at - now))
            waiter.sleeping = None
            self._serve()

    def _leave(self, waiter: _Waiter) -> None:
        """For a waiter that was cancelled, maybe in the very moment it was its turn."""
        if waiter.turn is not None:
            self._under_way -= 1
        elif waiter.refused_for is None:
            self._queue.remove(waiter)
        self._serve()

    def _too_late(
        self, operation: Operation[Any, Any], waiter: _Waiter, waited: float
    ) -> RateLimitedError | UnavailableError:
        if not waiter.refused_for:
            why = f"it got no turn within {waited:.0f} seconds, as an earlier request had no answer yet"
            return UnavailableError(operation, why, sent=False, retry_after=LEAST_TIME)
        allowed = f"{self._limit} requests a minute are allowed, and these are used up" if self._limit else ""
        seconds = float(max(1, ceil(waiter.refused_for)))
        return RateLimitedError(operation, status=429, code="RATE_LIMITED", message=allowed, retry_after=seconds)


def _wake(waiter: _Waiter) -> None:
    if waiter.sleeping is not None:
        waiter.sleeping.cancel()


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "").strip()
    return int(text) if _COUNT.fullmatch(text) else None
