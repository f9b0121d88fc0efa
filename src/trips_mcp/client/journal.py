"""The journal of writes in progress, with which a repeated call completes a write.

An identical call finds the note of a write whose answer was lost, and completes that write.
`connect` passes an implementation to the client: `SqliteJournal`, or `MemoryJournal` without a file. The protocol is
small so that replicas could share their notes in another implementation.
"""

import os
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from logging import getLogger
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar
from uuid import uuid4

import anyio
import anyio.to_thread

if TYPE_CHECKING:
    from trips_mcp.client.journal_store import Notes

S = TypeVar("S")
T = TypeVar("T")

KEPT: Final = 24 * 3600.0 - 60
"""Seconds. The service keeps a key for 24 hours after the first request; the last request needs time to arrive."""
TIMEOUT: Final = 2.0
"""Seconds that a call waits for the disk; longer than SQLite waits for another process."""
_IDLE_SECONDS: Final = 1.0
"""How long the thread that removes settled notes waits for more."""
RETRY_AFTER: Final = 60.0
"""Seconds before a failed file is tried again, so that not every write waits for it."""

logger = getLogger("trips_mcp.client.journal")


@dataclass(frozen=True, slots=True)
class Intent:
    """A write that is about to be sent."""

    key: str = field(repr=False)
    """The Idempotency-Key, the same for every attempt and for every later call that resumes it."""
    resumed: bool
    """Whether an earlier identical call used this key and its outcome is unknown."""
    note: str
    """The note of the first call with this key."""
    superseded: bool = False
    """Whether another write to the same resource was answered since, so this call may be a new one."""
    noted_at: float = field(default=0.0, compare=False)


class Journal(Protocol):
    """No method raises or waits for long. A journal that fails only remembers less."""

    async def begin(self, digest: str, operation: str, note: str = "", target: str | None = None) -> Intent:
        """Resumes a call with this digest whose outcome is unknown, or notes a new one.

        On return the note outlives this process if the journal is a file. `note`: what a later call must know, never a
        secret. `target`: the resource that is written to, if it already has a name.
        """
        ...

    async def annotate(self, intent: Intent, note: str) -> None:
        """Replaces the note."""
        ...

    async def settle(self, intent: Intent, written: Collection[str] = ()) -> None:
        """The outcome is known, so the next identical call is a new one.

        `written`: the resources that the answered write changed.
        """
        ...

    async def leave_unknown(self, intent: Intent) -> None:
        """The outcome is unknown, so the next identical call resumes the intent."""
        ...

    async def written_since(self, intent: Intent, targets: Collection[str]) -> set[str]:
        """The targets that an answered write changed since the intent was first noted."""
        ...

    async def aclose(self) -> None: ...


@dataclass(slots=True)
class _Entry:
    key: str
    note: str
    noted_at: float
    unknown: bool = False


class MemoryJournal:
    """Lasts as long as its process."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._entries: dict[str, list[_Entry]] = {}
        """By digest, oldest first."""
        self._written: dict[str, float] = {}
        """When an answered write last changed each resource."""

    async def begin(self, digest: str, operation: str, note: str = "", target: str | None = None) -> Intent:
        self._forget_expired()
        for entry in self._entries.get(digest, ()):
            if entry.unknown:
                entry.unknown = False
                superseded = target is not None and self._is_written_since(target, entry.noted_at)
                return Intent(entry.key, True, entry.note, superseded, entry.noted_at)
        fresh = Intent(uuid4().hex, False, note, noted_at=self._clock())
        self._entries.setdefault(digest, []).append(_Entry(fresh.key, note, fresh.noted_at))
        return fresh

    async def annotate(self, intent: Intent, note: str) -> None:
        for entries in self._entries.values():
            for entry in entries:
                if entry.key == intent.key:
                    entry.note = note

    async def settle(self, intent: Intent, written: Collection[str] = ()) -> None:
        self._keep(lambda entry: entry.key != intent.key)
        self.remember(written)

    async def leave_unknown(self, intent: Intent) -> None:
        for entries in self._entries.values():
            for entry in entries:
                entry.unknown = entry.unknown or entry.key == intent.key

    async def written_since(self, intent: Intent, targets: Collection[str]) -> set[str]:
        return {target for target in targets if self._is_written_since(target, intent.noted_at)}

    async def aclose(self) -> None:
        self._entries.clear()
        self._written.clear()

    def remember(self, written: Collection[str]) -> None:
        """Remembers the resources while any note is open; without notes nobody asks for them."""
        if self._entries:
            self._written.update(dict.fromkeys(written, self._clock()))
        else:
            self._written.clear()

    def _is_written_since(self, target: str, noted_at: float) -> bool:
        return self._written.get(target, -inf) >= noted_at

    def take_over(self, intent: Intent, digest: str) -> None:
        """Keeps an unknown intent that another journal could not store."""
        self._entries.setdefault(digest, []).append(_Entry(intent.key, intent.note, intent.noted_at, unknown=True))

    def has_unknown(self, digest: str) -> bool:
        self._forget_expired()
        return any(entry.unknown for entry in self._entries.get(digest, ()))

    def _forget_expired(self) -> None:
        now = self._clock()
        self._keep(lambda entry: abs(now - entry.noted_at) < KEPT)

    def _keep(self, wanted: Callable[[_Entry], bool]) -> None:
        kept = {digest: [entry for entry in entries if wanted(entry)] for digest, entries in self._entries.items()}
        self._entries = {digest: entries for digest, entries in kept.items() if entries}


class SqliteJournal:
    """Outlives its process, and falls back to memory if the file fails. Opens the file with the first write."""

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
        self._wanted = threading.Event()
        """Set while there are notes to remove."""

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
        from trips_mcp.client.journal_store import FAILURES, Notes

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
        from trips_mcp.client.journal_store import FAILURES

        with self._in_use, suppress(*FAILURES):
            if self._notes is not None:
                self._notes.close()
                self._notes = None

    def _remove_soon(self, digest: str, key: str, written: Collection[str] = ()) -> None:
        """Removes settled notes in a thread of its own, so that no answer waits for the disk."""
        self._settled[digest, key] = written, self._clock()
        self._wanted.set()
        if self._removal is None:
            self._removal = threading.Thread(target=self._remove_when_wanted, name="journal", daemon=True)
            self._removal.start()

    def _remove_when_wanted(self) -> None:
        """Ends after a pause; a thread for each write would take longer than the write."""
        while self._wanted.wait(_IDLE_SECONDS):
            self._wanted.clear()
            self._remove_now()
        self._removal = None
        if self._wanted.is_set():  # since the pause, when the thread still seemed to run
            self._remove_now()

    def _remove_now(self) -> None:
        """If this fails, the next write tries again."""
        from trips_mcp.client.journal_store import FAILURES

        with self._in_use, suppress(*FAILURES):
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


class Job(Generic[S]):
    """Work on a store of type S."""

    def __init__(self, work: Callable[[S], object]) -> None:
        self.work = work
        self.failure: Exception | None = None
        self.is_done = False
        """Whether the work has succeeded."""
        self.is_over = False
        self.woken = anyio.Event()


class BatchWorker(Generic[S]):
    """Runs the jobs that several callers wait for together, in a worker thread that is never interrupted.

    Each change of threads takes several turns of the event loop, which are long while it is busy. The wait is bounded.
    """

    def __init__(self, run: Callable[[list[Job[S]]], None], timeout: float) -> None:
        """`run`, in the thread: does the jobs and notes what came of each."""
        self._run: Final = run
        self._timeout = timeout
        self._lock = threading.Lock()
        """For `_waiting`, which the thread takes."""
        self._waiting: list[Job[S]] = []
        self._taken: list[Job[S]] = []
        self._is_running = False

    async def do(self, job: Job[S]) -> None:
        """Returns when the job is over, or after the timeout; the call cannot be cancelled meanwhile."""
        with self._lock:
            self._waiting.append(job)
        try:
            with anyio.move_on_after(self._timeout, shield=True):
                while not job.is_over:
                    if self._is_running:
                        await job.woken.wait()
                        job.woken = anyio.Event()
                    else:
                        await self._run_waiting()
        finally:
            with self._lock:
                if job in self._waiting:
                    self._waiting.remove(job)
            self._wake_next()

    async def _run_waiting(self) -> None:
        self._is_running = True
        try:
            await anyio.to_thread.run_sync(self._in_thread, abandon_on_cancel=True)
        finally:
            self._is_running = False
            for job in self._taken:
                job.is_over = True
                job.woken.set()
            self._wake_next()

    def _in_thread(self) -> None:
        with self._lock:  # includes what came while the thread was starting
            self._taken, self._waiting = self._waiting, []
        self._run(self._taken)

    def _wake_next(self) -> None:
        """Lets one of those who wait run the next batch."""
        if self._waiting and not self._is_running:
            self._waiting[0].woken.set()
