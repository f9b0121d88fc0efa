"""Several processes behind one port (`--workers`): a parent forks them, replaces those that end, and ends them all.

Not uvicorn's Multiprocess: it replaces a worker at once and for ever, also one that cannot start, its workers outlive a
parent that was killed, and each takes every waiting connection, so that one of them gets most.
"""

import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from logging import getLogger
from mmap import mmap
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import anyio

from trips_mcp.client.errors import CannotConnectError
from trips_mcp.server.http.limits import SharedCounts

_ENDINGS: Final = (signal.SIGTERM, signal.SIGINT)
_GONE_SECONDS: Final = 6.0
"""Seconds from a signal until a worker is killed; slightly more than a worker takes (`run.py`)."""
_SETTLED_SECONDS: Final = 60.0
"""A worker that ran this long is replaced without a pause."""
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 30.0
_MOST_FAILURES: Final = 5
"""Failed starts of a worker, after which the server ends if no other worker serves."""
_READY: Final = b"+"
_SECONDS_FOR_EACH: Final = 0.002
"""How long a worker leaves a connection to the others, for each connection that it has more than one of them."""
_LONGEST_WAIT: Final = 0.05
_PART_AT_ONCE: Final = 8
"""At once, a worker accepts at most an eighth of the number of connections that it has, and at least one."""
_ABSENT: Final = 2**31 - 1
_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a private folder in it, made by tempfile

logger = getLogger(__name__)


class WorkersError(Exception):
    """No worker can serve. The message is one sentence."""


class ConnectionShares:
    """How many connections each worker has, in shared memory; each worker writes its own number."""

    def __init__(self, workers: int) -> None:
        self._counts = memoryview(mmap(-1, 4 * workers)).cast("i")
        for worker in range(workers):
            self.leave(worker)

    def enter(self, worker: int) -> None:
        self._counts[worker] = 0

    def leave(self, worker: int) -> None:
        """Nobody leaves connections to a worker that takes none."""
        self._counts[worker] = _ABSENT

    def set(self, worker: int, connections: int) -> None:
        if self._counts[worker] != _ABSENT:
            self._counts[worker] = connections

    def of(self, worker: int) -> int:
        return self._counts[worker]

    def surplus(self, worker: int) -> int:
        """How many connections this worker has more than the one with the fewest."""
        return self._counts[worker] - min(self._counts)


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process, as it sees itself."""

    number: int
    listener: socket.socket
    shares: ConnectionShares = field(repr=False)
    calls: SharedCounts = field(repr=False)
    """The running calls of all workers."""
    report: int
    """A pipe to the parent."""

    def ready(self) -> None:
        self.shares.enter(self.number)
        os.write(self.report, _READY)

    def close(self) -> None:
        """Takes no more connections."""
        self.shares.leave(self.number)
        self.listener.close()

    def count(self, connections: int) -> None:
        """Tells the other workers how many connections this one has."""
        self.shares.set(self.number, connections)

    async def accept(self) -> list[socket.socket]:
        """The next connections. While others have fewer, they may take them first. Raises: OSError.

        The first ones are accepted one by one, so that a few clients are spread too. A busy worker accepts several at
        once, because it seldom gets here.
        """
        while True:
            await anyio.wait_readable(self.listener)
            surplus = self.shares.surplus(self.number)
            if surplus > 0:
                await anyio.sleep(min(surplus * _SECONDS_FOR_EACH, _LONGEST_WAIT))
            with suppress(BlockingIOError, InterruptedError, ConnectionAbortedError):  # another worker took it
                return self._taken(self.shares.of(self.number) // _PART_AT_ONCE)

    def _taken(self, most: int) -> list[socket.socket]:
        """At least one connection. Raises: OSError."""
        taken = [self.listener.accept()[0]]
        with suppress(OSError):  # nothing waits any more, or the next call reports it
            while len(taken) < most:
                taken.append(self.listener.accept()[0])
        return taken


@contextmanager
def shared_folder() -> Generator[str]:
    """A private folder for what one process would keep in memory; in memory on Linux. It goes with the server."""
    place = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="trips-mcp-", dir=place, ignore_cleanup_errors=True) as folder:
        yield folder


@dataclass(slots=True)
class _Process:
    pid: int
    report: int
    is_ready: bool = False
    since: float = field(default_factory=time.monotonic)
    said: bytes = b""
    """Why it cannot start."""


class Supervisor:
    """The parent, which serves nobody."""

    def __init__(
        self,
        workers: int,
        listener: socket.socket,
        work: Callable[[Worker], object],
        announce: Callable[[], None],
        folder: str,
    ) -> None:
        """`work` serves until a signal, in each worker. `announce` is called once all are ready.

        `folder`: of `shared_folder`; the workers remove it if the parent was killed.
        """
        self._workers = workers
        self._listener = listener
        self._work = work
        self._announce = announce
        self._folder = folder
        self._shares = ConnectionShares(workers)
        self._calls = SharedCounts(workers)
        self._processes: dict[int, _Process] = {}
        """By the worker's number."""
        self._due: dict[int, float] = {}
        """When to start each worker that is to be replaced."""
        self._failures = dict.fromkeys(range(workers), 0)
        self._is_announced = False
        self._lifeline = os.pipe()
        """A pipe whose writing end only the parent holds: the workers read from it when the parent is gone."""

    def run(self) -> None:
        """Returns after SIGTERM or SIGINT, when all workers have ended. Raises: WorkersError."""
        self._listener.setblocking(False)
        self._due[0] = time.monotonic()  # alone: it makes the database, and only one says why it cannot start
        with _signals() as wakeup:
            try:
                self._start_due()
                while not self._is_told_to_end(wakeup):
                    self._start_due()
            finally:
                self._end()

    def _is_told_to_end(self, wakeup: int) -> bool:
        """Waits for something to happen. Raises: WorkersError."""
        reports = {process.report: number for number, process in self._processes.items()}
        pause = max(0.0, min(self._due.values()) - time.monotonic()) if self._due else None
        found, _, _ = select.select([wakeup, *reports], [], [], pause)
        for report in found:
            if report != wakeup:
                self._hear(reports[report])
        return wakeup in found and bool(set(os.read(wakeup, 4096)) & set(_ENDINGS))

    def _hear(self, number: int) -> None:
        process = self._processes[number]
        said = os.read(process.report, 65536)
        if said == _READY:
            process.is_ready = True
            process.since = time.monotonic()
            self._announce_if_ready()
        elif said:
            process.said += said
        else:
            self._replace(number)

    def _announce_if_ready(self) -> None:
        if self._is_announced:
            return
        for number in range(self._workers):
            if number not in self._processes and number not in self._due:
                self._due[number] = time.monotonic()
        if all(process.is_ready for process in self._processes.values()) and not self._due:
            self._is_announced = True
            self._announce()

    def _replace(self, number: int) -> None:
        """Raises: WorkersError if no worker can serve."""
        process = self._processes.pop(number)
        ending = self._reap(number, process)
        why = process.said.decode("utf-8", "replace")
        if not process.is_ready and not self._is_announced:
            raise WorkersError(why or f"a worker {ending} before it could serve; its messages are above.")
        is_settled = process.is_ready and time.monotonic() - process.since >= _SETTLED_SECONDS
        failures = self._failures[number] = 0 if is_settled else self._failures[number] + 1
        is_alone = not any(other.is_ready for other in self._processes.values())
        if failures >= _MOST_FAILURES and not process.is_ready and is_alone:
            raise WorkersError(why or f"no worker starts; the last one {ending}, and its messages are above.")
        pause = min(_FIRST_PAUSE * 2 ** max(0, failures - 1), _LONGEST_PAUSE)
        self._due[number] = time.monotonic() + pause
        what = f"cannot start: {why}" if why else f"{ending}."
        logger.warning("Worker %d %s Another starts in %.1f s.", process.pid, what, pause)

    def _reap(self, number: int, process: _Process) -> str:
        """How it ended. It has, or is about to: its end of the pipe is closed."""
        os.close(process.report)
        self._shares.leave(number)
        code = os.waitstatus_to_exitcode(os.waitpid(process.pid, 0)[1])
        self._calls.clear(number)
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def _start_due(self) -> None:
        for number in [number for number, at in self._due.items() if at <= time.monotonic()]:
            try:
                self._start(number)
            except OSError as error:  # no descriptor, process or memory is left
                logger.warning("A worker cannot be started (%s); it is tried again.", error.strerror)
                self._due[number] = time.monotonic() + _LONGEST_PAUSE
            else:
                del self._due[number]

    def _start(self, number: int) -> None:
        """Raises: OSError."""
        mine, report = os.pipe()
        _flush()
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)  # until the child no longer has the parent's handlers
        try:
            pid = os.fork()
            if not pid:
                os.close(mine)
                self._become(Worker(number, self._listener, self._shares, self._calls, report))
        except OSError:
            os.close(mine)
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)
            os.close(report)
        self._processes[number] = _Process(pid, mine)

    def _become(self, worker: Worker) -> NoReturn:
        """The whole life of a worker. It never returns to the code of the parent."""
        code = 1
        orphaned = threading.Event()
        try:
            signal.set_wakeup_fd(-1)
            for ending in _ENDINGS:
                signal.signal(ending, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)
            os.close(self._lifeline[1])
            for other in self._processes.values():
                os.close(other.report)
            threading.Thread(target=self._end_with_parent, args=(orphaned,), daemon=True).start()
            self._work(worker)
            code = 0
        except CannotConnectError as error:
            os.write(worker.report, str(error).encode("utf-8", "replace")[:60000])
        except KeyboardInterrupt:
            code = 130
        except Exception:  # the outermost boundary of this process
            logger.exception("A worker broke down.")
        finally:
            if orphaned.is_set():
                shutil.rmtree(self._folder, ignore_errors=True)
            _flush()
            os._exit(code)

    def _end_with_parent(self, orphaned: threading.Event) -> None:
        os.read(self._lifeline[0], 1)
        orphaned.set()
        os.kill(os.getpid(), signal.SIGTERM)

    def _end(self) -> None:
        self._listener.close()
        for process in self._processes.values():
            os.kill(process.pid, signal.SIGTERM)
        last = time.monotonic() + _GONE_SECONDS
        while self._processes:
            reports = {process.report: number for number, process in self._processes.items()}
            found, _, _ = select.select(list(reports), [], [], max(0.0, last - time.monotonic()))
            for report in found:
                if not os.read(report, 65536):
                    self._reap(reports[report], self._processes.pop(reports[report]))
            if not found:
                for process in self._processes.values():
                    os.kill(process.pid, signal.SIGKILL)
        for end in self._lifeline:
            os.close(end)


def _flush() -> None:
    """What is still in a buffer would be written by both processes."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.flush()


@contextmanager
def _signals() -> Generator[int]:
    """A pipe from which the numbers of signals can be read."""
    wakeup, told = os.pipe()
    os.set_blocking(told, False)
    before = {ending: signal.signal(ending, _noted) for ending in _ENDINGS}
    former = signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    try:
        yield wakeup
    finally:
        signal.set_wakeup_fd(former)
        for ending, handler in before.items():
            signal.signal(ending, handler)
        os.close(wakeup)
        os.close(told)


def _noted(_: int, frame: FrameType | None) -> None:
    """The signal's number is in the pipe."""
