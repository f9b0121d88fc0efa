"""A worker thread that does together what several callers wait for at the same time.

Each change of threads takes several turns of the event loop, which are long while it is busy.
"""

import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import anyio
import anyio.to_thread

S = TypeVar("S")


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
    """Runs jobs in a worker thread that is never interrupted; the wait for it is bounded."""

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
