"""Reading and writing descriptors from the event loop.

Pipes and sockets are watched by the loop itself: no thread has to be woken for a message. What a loop cannot
watch (files; anything on Windows) or should not make non-blocking (a terminal) gets a thread.
"""

import asyncio
import os
import queue
import stat
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from trips_mcp.server.wire import CHUNK, POSIX, Wire


class Input(Protocol):
    async def read(self) -> bytes:
        """The next bytes; none at all at the end."""
        ...


class Output(Protocol):
    def put(self, line: bytes) -> None:
        """Accepts the whole line at once, so that no cancellation can tear it."""
        ...

    async def drained(self) -> None:
        """Until all that was put is written, or nobody reads any more."""
        ...


def input_of(wire: Wire) -> Input:
    kind = os.fstat(wire.reading).st_mode
    watchable = stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) or os.isatty(wire.reading)
    return WatchedInput(wire.reading) if POSIX and watchable else ThreadedInput(wire.reading)


def output_of(wire: Wire, on_broken: Callable[[], None]) -> Output:
    """`on_broken` is called when nobody reads any more."""
    kind = os.fstat(wire.writing).st_mode
    watchable = (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)) and not _is_stderr(wire.writing)
    return (WatchedOutput if POSIX and watchable else ThreadedOutput)(wire.writing, on_broken)


def _is_stderr(descriptor: int) -> bool:
    """Non-blocking belongs to the open file: made so, a shared stderr would lose lines."""
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
        # A daemon: nothing can interrupt its read, so the process must be able to end without it.
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


class WatchedOutput:
    def __init__(self, descriptor: int, on_broken: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._on_broken = on_broken
        self._loop = asyncio.get_running_loop()
        self._waiting = bytearray()
        self._empty = asyncio.Event()
        self._empty.set()
        self._broken = False
        os.set_blocking(descriptor, False)

    def put(self, line: bytes) -> None:
        if self._broken:
            return
        self._waiting += line
        if self._empty.is_set():
            self._empty.clear()
            self._write()
            if self._waiting:
                self._loop.add_writer(self._descriptor, self._write_on)

    async def drained(self) -> None:
        await self._empty.wait()

    def _write_on(self) -> None:
        self._write()
        if not self._waiting:
            self._loop.remove_writer(self._descriptor)

    def _write(self) -> None:
        try:
            while self._waiting:
                del self._waiting[: os.write(self._descriptor, self._waiting)]
        except BlockingIOError:
            return
        except OSError:
            self._broken = True
            self._waiting.clear()
            self._on_broken()
        self._empty.set()


class ThreadedOutput:
    def __init__(self, descriptor: int, on_broken: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._on_broken = on_broken
        self._loop = asyncio.get_running_loop()
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._waiting = 0
        self._empty = asyncio.Event()
        self._empty.set()
        threading.Thread(target=self._pump, name="stdout", daemon=True).start()

    def put(self, line: bytes) -> None:
        self._waiting += 1
        self._empty.clear()
        self._lines.put(line)

    async def drained(self) -> None:
        await self._empty.wait()

    def _pump(self) -> None:
        wire = Wire(self._descriptor, self._descriptor)
        with suppress(RuntimeError):  # the loop has ended
            while True:
                try:
                    wire.write(self._lines.get())
                except OSError:
                    self._loop.call_soon_threadsafe(self._on_broken)
                self._loop.call_soon_threadsafe(self._written)

    def _written(self) -> None:
        self._waiting -= 1
        if not self._waiting:
            self._empty.set()
