"""Signals that end the process, also while a module is being imported."""

import signal
import sys
from types import FrameType
from typing import Final

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
    """Until `restore_default`, an interrupt ends the process at once where it cannot become an exception."""
    signal.signal(signal.SIGINT, _interrupt)


def restore_default() -> None:
    """asyncio cancels the main task on an interrupt only if it finds Python's own handler."""
    import threading  # asyncio has loaded it; the start path need not

    if threading.current_thread() is threading.main_thread():  # only that one may set a handler
        signal.signal(signal.SIGINT, signal.default_int_handler)


def say_interrupted() -> int:
    """Returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one would only print a traceback at exit
    if sys.stderr is not None:
        sys.stderr.write("trips-mcp: interrupted.\n")
        sys.stderr.flush()
    return 130


def _interrupt(_: int, frame: FrameType | None) -> None:
    if is_importing(frame):
        import os

        os._exit(say_interrupted())
    raise KeyboardInterrupt
