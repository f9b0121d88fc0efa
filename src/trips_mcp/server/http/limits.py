"""Limits of calls: how many run at once, and how long each may take."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from mmap import mmap
from typing import Any, Final
from zlib import crc32

import anyio
import mcp_types as types
from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

from trips_mcp.server.http.request import busy

LAST_SECONDS: Final = 2.5
"""Seconds for running calls after the server is told to end."""

_UNKNOWN = "Whether it took effect is unknown; calling again with the same arguments finishes it, and does it once."


_CELLS: Final = 2**16


class SharedCounts:
    """The running calls of several workers (`workers.py`), in shared memory; each worker writes a row of its own.

    Callers whose names have the same hash share a cell, which can make a limit stricter.
    """

    def __init__(self, workers: int) -> None:
        self._rows = [memoryview(mmap(-1, 4 * (_CELLS + 1))).cast("i") for _ in range(workers)]

    def add(self, worker: int, caller: str, calls: int) -> None:
        row = self._rows[worker]
        row[_cell(caller)] += calls
        row[_CELLS] += calls

    def of_others(self, worker: int, caller: str) -> tuple[int, int]:
        """The calls of this caller, and of all, in the other workers."""
        cell = _cell(caller)
        others = [row for number, row in enumerate(self._rows) if number != worker]
        return sum(row[cell] for row in others), sum(row[_CELLS] for row in others)

    def clear(self, worker: int) -> None:
        """Forgets the calls of a worker that has ended."""
        self._rows[worker][:] = memoryview(bytes(4 * (_CELLS + 1))).cast("i")


def _cell(caller: str) -> int:
    return crc32(caller.encode()) % _CELLS


class CallLimit:
    def __init__(self, in_all: int, per_caller: int, shared: tuple[SharedCounts, int] | None = None) -> None:
        """`shared`: the counts of all workers, and the number of this one."""
        self._in_all = in_all
        self._per_caller = per_caller
        self._shared = shared
        self._by_caller = Counter[str]()
        self._total = 0

    def acquire(self, caller: str) -> None:
        """Raises: RefusalError."""
        of_caller, of_all = (0, 0) if self._shared is None else self._shared[0].of_others(self._shared[1], caller)
        if self._by_caller[caller] + of_caller >= self._per_caller:
            raise busy("You have")
        if self._total + of_all >= self._in_all:
            raise busy("Others have")
        self._count(caller, 1)

    def release(self, caller: str) -> None:
        self._count(caller, -1)
        if not self._by_caller[caller]:
            del self._by_caller[caller]

    def _count(self, caller: str, calls: int) -> None:
        self._by_caller[caller] += calls
        self._total += calls
        if self._shared is not None:
            self._shared[0].add(self._shared[1], caller, calls)

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
