"""The journal in a file, which outlives its process and falls back to memory if the file fails."""

import os
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from logging import getLogger
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import anyio
import anyio.to_thread

from trips_mcp.batch_worker import BatchWorker, Job
from trips_mcp.client.journal import Intent
from trips_mcp.client.journal.memory import MemoryJournal

if TYPE_CHECKING:
    from trips_mcp.client.journal.store import Notes

T = TypeVar("T")

TIMEOUT: Final = 2.0
"""Seconds that a call waits for the disk; longer than SQLite waits for another process."""
RETRY_AFTER: Final = 60.0
"""Seconds before a failed file is tried again, so that not every write waits for it."""

logger = getLogger("trips_mcp.client.journal")


class SqliteJournal:
    """Opens the file, and imports sqlite3, with the first write."""

    def __init__(
        self,
        file: Path,
        *,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = file
        self._clock = clock
        self._timer = timer
        self._warned = False
        self._start()

    def _start(self) -> None:
        self._process = os.getpid()
        self._notes: Notes | None = None
        self._worker: BatchWorker[Notes] = BatchWorker(self._work, TIMEOUT)
        self._in_use = threading.Lock()
        self._failed_until = -inf
        self._memory = MemoryJournal(self._clock)
        self._under_way: dict[str, str] = {}
        """The notes of this process in the file: key → digest."""
        self._settled: dict[tuple[str, str], tuple[Collection[str], float]] = {}
        """Notes to remove from the file: (digest, key) → the resources changed, and when the write was answered."""
        self._removal: threading.Thread | None = None

    async def begin(self, digest: str, operation: str, note: str = "", target: str | None = None) -> Intent:
        self._leave_to_parent()
        if not self._memory.has_unknown(digest):
            intent = await self._in_file(lambda notes: notes.begin(digest, operation, note, target))
            if intent is not None:
                self._under_way[intent.key] = digest
                return intent
        return await self._memory.begin(digest, operation, note, target)

    async def annotate(self, intent: Intent, note: str) -> None:
        digest = self._under_way.get(intent.key)
        if digest is None:
            await self._memory.annotate(intent, note)
        else:
            await self._in_file(lambda notes: notes.annotate(digest, intent.key, note))

    async def settle(self, intent: Intent, written: Collection[str] = ()) -> None:
        digest = self._under_way.pop(intent.key, None)
        await self._memory.settle(intent, written)
        if digest is not None:
            self._remove_soon(digest, intent.key, written)

    async def leave_unknown(self, intent: Intent) -> None:
        digest = self._under_way.pop(intent.key, None)
        if digest is None:
            await self._memory.leave_unknown(intent)
        elif not await self._in_file(lambda notes: notes.leave_unknown(digest, intent.key)):
            self._memory.take_over(intent, digest)
            self._remove_soon(digest, intent.key)

    async def written_since(self, intent: Intent, targets: Collection[str]) -> set[str]:
        found = await self._in_file(lambda notes: notes.written_since(targets, intent.noted_at))
        return (found or set()) | await self._memory.written_since(intent, targets)

    async def aclose(self) -> None:
        self._leave_to_parent()
        if self._notes is not None:
            await self._in_file(lambda _: None)
            with anyio.move_on_after(TIMEOUT, shield=True):
                await anyio.to_thread.run_sync(self._close, abandon_on_cancel=True)

    async def _in_file(self, work: "Callable[[Notes], T]") -> T | None:
        """The result of the work; None if the file fails.

        Runs in a worker thread that is never interrupted; the wait for it is bounded.
        """
        if self._timer() < self._failed_until:
            return None
        result: list[T] = []
        job: Job[Notes] = Job(lambda notes: result.append(work(notes)))
        await self._worker.do(job)
        if job.is_done:
            return result[0]
        self._report_failure(job.failure or f"it took longer than {TIMEOUT:.0f} seconds")
        return None

    def _work(self, jobs: "list[Job[Notes]]") -> None:
        """Runs in a worker thread, in one transaction."""
        from trips_mcp.client.journal.store import FAILURES, Notes

        try:
            with self._in_use:
                if self._notes is None:
                    self._notes = Notes.open(self._file, self._clock)
                self._remove_settled(self._notes)
                with self._notes.together():
                    for job in jobs:
                        job.work(self._notes)
        except FAILURES as error:
            for job in jobs:
                job.failure = error
        else:
            for job in jobs:
                job.is_done = True

    def _close(self) -> None:
        from trips_mcp.client.journal.store import FAILURES

        with self._in_use, suppress(*FAILURES):
            if self._notes is not None:
                self._notes.close()
                self._notes = None

    def _remove_soon(self, digest: str, key: str, written: Collection[str] = ()) -> None:
        """Removes settled notes in a thread of its own, so that no answer waits for the disk."""
        self._settled[digest, key] = written, self._clock()
        if self._removal is None:
            self._removal = threading.Thread(target=self._remove_now, name="journal", daemon=True)
            self._removal.start()

    def _remove_now(self) -> None:
        """If this fails, the next write tries again."""
        from trips_mcp.client.journal.store import FAILURES

        with self._in_use, suppress(*FAILURES):
            self._removal = None
            if self._notes is not None:
                self._remove_settled(self._notes)

    def _remove_settled(self, notes: "Notes") -> None:
        writes = self._settled.copy()
        if writes:
            notes.remove(writes)
        for write in writes:
            self._settled.pop(write, None)

    def _report_failure(self, why: object) -> None:
        self._failed_until = self._timer() + RETRY_AFTER
        if not self._warned:
            self._warned = True
            logger.warning(
                "The journal %s cannot be used (%s): unfinished writes are remembered in memory only, until this "
                "process ends. Fix it, or name another file in TRIPS_MCP_JOURNAL.",
                self._file,
                why,
            )

    def _leave_to_parent(self) -> None:
        """After a fork, the open file and the notes belong to the parent process."""
        if self._process != os.getpid():
            self._not_ours_to_close = self._notes
            self._start()
