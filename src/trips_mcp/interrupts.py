"""Interrupts, which end a command also during an import or while an event loop is created or closed."""

import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final, NoReturn

_IMPORT_FILE: Final = "<frozen importlib._bootstrap>"


def is_importing(frame: FrameType | None) -> bool:
    """Whether an import is under way in this frame.

    A signal handler must not raise there: a compiled module that meets an exception while it loads prints a
    traceback or a panic of its own, which no `except` of ours can prevent.
    """
    while frame is not None:
        if frame.f_code.co_filename == _IMPORT_FILE:
            return True
        frame = frame.f_back
    return False


def exit_on_interrupt_in_imports() -> None:
    """An interrupt in an import cannot become an exception, so it ends the process at once."""
    signal.signal(signal.SIGINT, _interrupt)


@contextmanager
def handled_by(handler: Callable[[int, FrameType | None], object]) -> Generator[None]:
    """Sets the handler of interrupts while the block runs. In another thread than the main one it changes nothing."""
    import threading  # asyncio has loaded it; the start path need not

    if threading.current_thread() is not threading.main_thread():  # only that one may set a handler
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class DeferredInterrupt:
    """A handler that records an interrupt and cancels what runs. A second interrupt is not deferred.

    asyncio handles interrupts only while its loop runs. An exception while the loop is created or closed leaves it
    incomplete, and Python reports that on stderr.
    """

    def __init__(self) -> None:
        self.received = False
        self._cancel: Callable[[], object] | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.received:
            _interrupt(number, frame)
        self.received = True
        if self._cancel is not None:
            self._cancel()

    @contextmanager
    def cancelling(self, cancel: Callable[[], object]) -> Generator[None]:
        """An interrupt calls `cancel` while the block runs; one that was received before calls it at once."""
        self._cancel = cancel
        if self.received:
            cancel()
        try:
            yield
        finally:
            self._cancel = None


def end_interrupted() -> NoReturn:
    """Ends the process without the interpreter's teardown, which would report what the interrupt left incomplete."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for stream, last in ((sys.stdout, ""), (sys.stderr, "trips-mcp: interrupted.\n")):
        with suppress(OSError, ValueError):  # it is closed, or nobody reads it
            if stream is not None:
                stream.write(last)
                stream.flush()
    os._exit(130)


def _interrupt(_: int, frame: FrameType | None) -> None:
    if is_importing(frame):
        end_interrupted()
    raise KeyboardInterrupt
