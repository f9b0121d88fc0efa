"""Limits of calls: how many run at once, and how long each may take."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import anyio
import mcp_types as types
from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

from trips_mcp.server.http.request import busy

LAST_SECONDS: Final = 2.5
"""Seconds for running calls after the server is told to end."""

_UNKNOWN = "Whether it took effect is unknown; calling again with the same arguments finishes it, and does it once."


class CallLimit:
    def __init__(self, in_all: int, per_caller: int) -> None:
        self._in_all = in_all
        self._per_caller = per_caller
        self._by_caller = Counter[str]()
        self._total = 0

    def acquire(self, caller: str) -> None:
        """Raises: RefusalError."""
        if self._by_caller[caller] >= self._per_caller:
            raise busy("You have")
        if self._total >= self._in_all:
            raise busy("Others have")
        self._by_caller[caller] += 1
        self._total += 1

    def release(self, caller: str) -> None:
        self._total -= 1
        self._by_caller[caller] -= 1
        if not self._by_caller[caller]:
            del self._by_caller[caller]

    @contextmanager
    def slot(self, caller: str) -> Generator[None]:
        """Raises: RefusalError."""
        self.acquire(caller)
        try:
            yield
        finally:
            self.release(caller)


class Deadlines:
    """Deadlines of the running calls. An SDK middleware for calls over SSE (`sse.py`)."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._active = set[anyio.CancelScope]()
        self._ending: float | None = None

    @contextmanager
    def limit(self) -> Generator[anyio.CancelScope]:
        """Cancels the block at the deadline. Raises: MCPError if the deadline passed."""
        with anyio.CancelScope(deadline=self._latest()) as scope:
            self._active.add(scope)
            try:
                yield scope
            finally:
                self._active.discard(scope)
        if scope.cancelled_caught and anyio.current_time() >= scope.deadline:
            why = "The server is shutting down" if self._ending is not None else f"No answer within {self._seconds:g} s"
            raise MCPError(types.INTERNAL_ERROR, f"{why}. {_UNKNOWN}")

    async def __call__(self, ctx: ServerRequestContext[Any], call_next: CallNext) -> HandlerResult:
        if ctx.request is not None:  # `streamable.py` has set a deadline
            return await call_next(ctx)
        with self.limit():
            return await call_next(ctx)

    def end(self) -> None:
        self._ending = anyio.current_time() + LAST_SECONDS
        for scope in self._active:
            scope.deadline = min(scope.deadline, self._ending)

    def _latest(self) -> float:
        latest = anyio.current_time() + self._seconds
        return latest if self._ending is None else min(latest, self._ending)
