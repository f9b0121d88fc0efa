"""The history in a file. If the file fails, changes are not recorded and plans are kept in memory."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from logging import getLogger
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio
import anyio.to_thread

from trips_mcp.history import ChangeQuery, HistoryError, PlanRecord, RecordedChange
from trips_mcp.history.memory import MemoryHistory

if TYPE_CHECKING:
    from trips_mcp.history.store import Store

T = TypeVar("T")

TIMEOUT: Final = 2.0
"""Seconds that a call waits for the disk; longer than SQLite waits for another process."""
_QUICK_SECONDS: Final = 0.02
"""If the last work took longer, the next one is done in a worker thread."""
RETRY_AFTER: Final = 60.0
"""Seconds before a failed file is tried again, so that not every write waits for it."""

logger = getLogger("trips_mcp.history")


class _UnusableError(Exception):
    """The file failed. The message is the reason, as part of a sentence."""


class _RefusedError(Exception):
    """The change of a plan raised, which is no failure of the file."""


class SqliteHistory:
    """Opens the file, and imports sqlite3, with the first write."""

    def __init__(
        self,
        file: Path,
        *,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
        largest: int | None = None,
    ) -> None:
        """`largest`: the bytes that the file may have."""
        self._file = file
        self._clock = clock
        self._timer = timer
        self._largest = largest
        self._warned = False
        self._start()

    def _start(self) -> None:
        self._process = os.getpid()
        self._store: Store | None = None
        self._one_at_a_time = anyio.CapacityLimiter(1)
        self._in_use = threading.Lock()
        self._failed_until = -inf
        self._failure = ""
        self._failures: tuple[type[Exception], ...] = ()
        """Known once the file is open."""
        self._is_slow = False
        self._memory = MemoryHistory(clock=self._clock)

    @property
    def records(self) -> bool:
        return True

    async def begin(self, change: RecordedChange) -> str | None:
        return await self._noted(lambda store: store.begin(change))

    async def finish(self, change: RecordedChange) -> str | None:
        return await self._noted(lambda store: store.finish(change))

    async def discard(self, change: RecordedChange) -> None:
        await self._noted(lambda store: store.discard(change))

    async def earlier(self, change: RecordedChange) -> RecordedChange | None:
        try:
            return await self._in_file(lambda store: store.earlier(change))
        except _UnusableError:
            return None

    async def changes(self, query: ChangeQuery) -> list[RecordedChange]:
        try:
            return await self._in_file(lambda store: store.changes(query))
        except _UnusableError as error:
            raise HistoryError(f"The history cannot be read: {error}.") from error

    async def put_plan(self, plan: PlanRecord) -> None:
        try:
            await self._in_file(lambda store: store.put_plan(plan))
        except _UnusableError:
            await self._memory.put_plan(plan)

    async def get_plan(self, account: str, plan_id: str) -> PlanRecord | None:
        found = await self._memory.get_plan(account, plan_id)
        if found is None:
            with suppress(_UnusableError):
                found = await self._in_file(lambda store: store.get_plan(account, plan_id))
        return found

    async def update_plan(
        self, account: str, plan_id: str, change: Callable[[PlanRecord], PlanRecord]
    ) -> PlanRecord | None:
        if (found := await self._memory.update_plan(account, plan_id, change)) is not None:
            return found
        raised: list[Exception] = []

        def guarded(plan: PlanRecord) -> PlanRecord:
            try:
                return change(plan)
            except Exception as error:
                raised.append(error)
                raise _RefusedError from error

        try:
            return await self._in_file(lambda store: store.update_plan(account, plan_id, guarded))
        except _RefusedError:
            raise raised[0] from None
        except _UnusableError as error:
            raise HistoryError(f"The plan cannot be read or changed: {error}.") from error

    async def aclose(self) -> None:
        self._leave_to_parent()
        if self._store is not None:
            with anyio.move_on_after(TIMEOUT, shield=True):
                await anyio.to_thread.run_sync(self._close, abandon_on_cancel=True, limiter=self._one_at_a_time)

    async def _noted(self, work: "Callable[[Store], object]") -> str | None:
        """The reason if it fails. Runs in the event loop, as a change of threads takes longer than the note."""
        try:
            if not self._at_once(work):
                await self._in_file(work)
        except _UnusableError as error:
            return str(error)
        return None

    def _at_once(self, work: "Callable[[Store], object]") -> bool:
        """Runs in this thread if that should not wait. False, with nothing done, if a worker thread must do it."""
        self._leave_to_parent()
        if self._store is None or self._is_slow or not self._in_use.acquire(blocking=False):
            return False
        started = time.perf_counter()
        try:
            return self._store.without_waiting(work)
        except self._failures as error:
            raise self._failed(str(error)) from error
        finally:
            self._is_slow = time.perf_counter() - started > _QUICK_SECONDS
            self._in_use.release()

    async def _in_file(self, work: "Callable[[Store], T]") -> T:
        """Runs in a worker thread that is never interrupted; the wait for it is bounded. Raises: _UnusableError."""
        self._leave_to_parent()
        if self._timer() < self._failed_until:
            raise _UnusableError(self._failure)
        with anyio.move_on_after(TIMEOUT, shield=True):
            result, failure = await anyio.to_thread.run_sync(
                self._work, work, abandon_on_cancel=True, limiter=self._one_at_a_time
            )
            if failure is None:
                return result
            raise self._failed(str(failure))
        raise self._failed(f"it took longer than {TIMEOUT:.0f} seconds")

    def _work(self, work: "Callable[[Store], T]") -> tuple[Any, Exception | None]:
        from trips_mcp.history.store import FAILURES, LARGEST, Store

        self._failures = FAILURES
        try:
            with self._in_use:
                if self._store is None:
                    self._store = Store.open(self._file, self._clock, self._largest or LARGEST)
                started = time.perf_counter()
                result = work(self._store)
                self._is_slow = time.perf_counter() - started > _QUICK_SECONDS
                return result, None
        except FAILURES as error:
            return None, error

    def _close(self) -> None:
        from trips_mcp.history.store import FAILURES

        with self._in_use, suppress(*FAILURES):
            if self._store is not None:
                self._store.close()
                self._store = None

    def _failed(self, why: str) -> _UnusableError:
        self._failed_until = self._timer() + RETRY_AFTER
        self._failure = f"the history file {self._file} cannot be used ({why})"
        if not self._warned:
            self._warned = True
            logger.warning(
                "The history %s cannot be used (%s): changes are not recorded and cannot be undone. Fix it, or name "
                "another file in TRIPS_MCP_HISTORY.",
                self._file,
                why,
            )
        return _UnusableError(self._failure)

    def _leave_to_parent(self) -> None:
        """After a fork, the open file belongs to the parent process."""
        if self._process != os.getpid():
            self._not_ours_to_close = self._store
            self._start()
