"""Interrupts that end a command, also while a module is being imported or an event loop is being made or closed."""

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
    """Where an interrupt cannot become an exception, it ends the process at once."""
    signal.signal(signal.SIGINT, _interrupt)


class Interrupt:
    """An interrupt that is noted, and cancels something. A second one ends the command wherever it comes.

    asyncio's own handling begins when the loop runs: an exception before or after that leaves a loop half made or half
    closed, and Python says so on stderr.
    """

    def __init__(self) -> None:
        self.has_come = False
        self._cancel: Callable[[], object] | None = None

    @contextmanager
    def noted(self) -> Generator[None]:
        """While the block runs."""
        import threading  # asyncio has loaded it; the start path need not

        if threading.current_thread() is not threading.main_thread():  # only that one may set a handler
            yield
            return
        before = signal.signal(signal.SIGINT, self._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    @contextmanager
    def cancelling(self, cancel: Callable[[], object]) -> Generator[None]:
        """While the block runs; `cancel` is called at once if the interrupt has already come."""
        self._cancel = cancel
        if self.has_come:
            cancel()
        try:
            yield
        finally:
            self._cancel = None

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.has_come:
            _interrupt(number, frame)
        self.has_come = True
        if self._cancel is not None:
            self._cancel()


def end_interrupted() -> NoReturn:
    """Ends the process without the interpreter's teardown, which would report what the interrupt left half done."""
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
