"""Asynchronous reading and writing of file descriptors.

The event loop watches pipes and sockets itself, so a message wakes no thread. Descriptors that a loop cannot watch
(files; all on Windows) or should not make non-blocking (a terminal) get a thread.
"""

import asyncio
import os
import queue
import select
import stat
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from trips_mcp.server.stdio.transport import CHUNK, POSIX, ProtocolDescriptors


class Input(Protocol):
    async def read(self) -> bytes:
        """The next bytes; empty at the end of input."""
        ...


class Output(Protocol):
    def put(self, line: bytes) -> int:
        """Queues the whole line, so that cancellation cannot cut it. Returns the position of its end."""
        ...

    async def written(self, position: int | None = None) -> bool:
        """Waits until everything up to `position` (default: everything) is written, or the reader is gone."""
        ...

    def is_read(self, position: int) -> bool:
        """Whether the reader has taken everything up to `position`; on some systems, whether it is written."""
        ...

    def has_reader(self) -> bool: ...


def input_of(wire: ProtocolDescriptors) -> Input:
    kind = os.fstat(wire.reading).st_mode
    watchable = stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) or os.isatty(wire.reading)
    return WatchedInput(wire.reading) if POSIX and watchable else ThreadedInput(wire.reading)


def output_of(wire: ProtocolDescriptors, on_broken: Callable[[], None]) -> Output:
    """`on_broken` is called when the reader is gone."""
    kind = os.fstat(wire.writing).st_mode
    watchable = (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)) and not _is_stderr(wire.writing)
    return (WatchedOutput if POSIX and watchable else ThreadedOutput)(wire.writing, on_broken)


def _is_stderr(descriptor: int) -> bool:
    """Whether it is the same file as stderr. A non-blocking stderr would lose lines."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(descriptor), os.fstat(2))
    return False


class WatchedInput:
    _AHEAD = 4  # chunks

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._chunks: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._watching = False

    async def read(self) -> bytes:
        while not self._chunks:
            if not self._watching:
                self._loop.add_reader(self._descriptor, self._readable)
                self._watching = True
            self._arrived.clear()
            await self._arrived.wait()
        return self._chunks.popleft()

    def _readable(self) -> None:
        try:
            chunk = os.read(self._descriptor, CHUNK)
        except BlockingIOError:
            return
        except OSError:  # reset: the host is gone
            chunk = b""
        self._chunks.append(chunk)
        if not chunk or len(self._chunks) >= self._AHEAD:
            self._loop.remove_reader(self._descriptor)
            self._watching = False
        self._arrived.set()


class ThreadedInput:
    _AHEAD = 4  # chunks

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self._wanted = threading.Semaphore(self._AHEAD)
        # A daemon, because nothing can interrupt its read and the process must be able to exit.
        threading.Thread(target=self._pump, name="stdin", daemon=True).start()

    async def read(self) -> bytes:
        chunk = await self._chunks.get()
        self._wanted.release()
        return chunk

    def _pump(self) -> None:
        chunk = b"-"
        while chunk:
            self._wanted.acquire()
            try:
                chunk = os.read(self._descriptor, CHUNK)
            except OSError:
                chunk = b""
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._chunks.put_nowait, chunk)


class _Output:
    """Counts the bytes that are queued and the bytes that are written."""

    def __init__(self, descriptor: int, on_broken: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._on_broken = on_broken
        self._loop = asyncio.get_running_loop()
        self._put = 0
        self._written = 0
        self._broken = False
        self._progress = asyncio.Event()

    async def written(self, position: int | None = None) -> bool:
        wanted = self._put if position is None else position
        while self._written < wanted and not self._broken:
            self._progress.clear()
            await self._progress.wait()
        return self._written >= wanted

    def is_read(self, position: int) -> bool:
        return self._written - unread(self._descriptor) >= position

    def has_reader(self) -> bool:
        return not self._broken and has_reader(self._descriptor)

    def _advance(self, count: int) -> None:
        self._written += count
        self._progress.set()

    def _break(self) -> None:
        self._broken = True
        self._progress.set()
        self._on_broken()


class WatchedOutput(_Output):
    def __init__(self, descriptor: int, on_broken: Callable[[], None]) -> None:
        super().__init__(descriptor, on_broken)
        self._waiting = bytearray()
        os.set_blocking(descriptor, False)

    def put(self, line: bytes) -> int:
        self._put += len(line)
        if not self._broken:
            idle = not self._waiting
            self._waiting += line
            if idle:
                self._write()
                if self._waiting:
                    self._loop.add_writer(self._descriptor, self._write_on)
        return self._put

    def _write_on(self) -> None:
        self._write()
        if not self._waiting:
            self._loop.remove_writer(self._descriptor)

    def _write(self) -> None:
        try:
            while self._waiting:
                count = os.write(self._descriptor, self._waiting)
                del self._waiting[:count]
                self._advance(count)
        except BlockingIOError:
            return
        except OSError:
            self._waiting.clear()
            self._break()


class ThreadedOutput(_Output):
    def __init__(self, descriptor: int, on_broken: Callable[[], None]) -> None:
        super().__init__(descriptor, on_broken)
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._pump, name="stdout", daemon=True).start()

    def put(self, line: bytes) -> int:
        self._put += len(line)
        self._lines.put(line)
        return self._put

    def _pump(self) -> None:
        wire = ProtocolDescriptors(self._descriptor, self._descriptor)
        with suppress(RuntimeError):  # the loop has ended
            while True:
                line = self._lines.get()
                try:
                    wire.write(line)
                except OSError:
                    self._loop.call_soon_threadsafe(self._break)
                    return
                self._loop.call_soon_threadsafe(self._advance, len(line))


def unread(descriptor: int) -> int:
    """Upper bound of the bytes that the reader has not taken yet. Only Linux reports it; 0 elsewhere."""
    if not POSIX:
        return 0
    import fcntl
    import termios

    kind = os.fstat(descriptor).st_mode
    if not (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)):
        return 0
    request = termios.FIONREAD if stat.S_ISFIFO(kind) else termios.TIOCOUTQ
    try:
        return int.from_bytes(fcntl.ioctl(descriptor, request, bytes(4)), "little")
    except OSError:
        return 0


def has_reader(descriptor: int) -> bool:
    """Whether the other end is still open."""
    if not POSIX:
        return True
    ends = select.poll()
    ends.register(descriptor, 0)
    return not ends.poll(0)
