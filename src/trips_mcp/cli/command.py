"""The description of a command: its words, its line in the help, its flags and its function."""

import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TextIO, TypeVar, TypeVarTuple

from trips_mcp.cli.output import remark
from trips_mcp.interrupts import DeferredInterrupt, handled_by

_Result = TypeVar("_Result")
_Args = TypeVarTuple("_Args")

WORDS: Final = "words"
"""The name of an argument that collects words from anywhere between the command's flags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    words: str
    """As typed: `tools`, `backend serve`."""
    summary: str
    flags: Callable[[ArgumentParser], object]
    run: Callable[[Namespace], int]
    """Returns the exit code. Imports its layers itself, so that `--help` loads no database driver."""


class CommandError(Exception):
    """An error for the user, in one sentence; the command exits with code 2."""


def no_flags(_: ArgumentParser) -> None:
    """For a command without flags."""


def run_async(function: Callable[[*_Args], Awaitable[_Result]], *args: *_Args, use_uvloop: bool = False) -> _Result:
    """Runs the function in an event loop. An interrupt cancels it.

    Raises: KeyboardInterrupt after an interrupt, when the loop is closed.
    """
    import asyncio

    import anyio

    interrupt = DeferredInterrupt()
    results: list[_Result] = []

    async def cancellable() -> None:
        loop = asyncio.get_running_loop()
        with anyio.CancelScope() as scope, interrupt.cancelling(lambda: loop.call_soon_threadsafe(scope.cancel)):
            results.append(await function(*args))

    with handled_by(interrupt):
        anyio.run(cancellable, backend_options={"use_uvloop": use_uvloop})
    if interrupt.received:
        raise KeyboardInterrupt
    return results[0]


def standard_input() -> TextIO:
    """Raises: CommandError if the process has no standard input."""
    if sys.stdin is None:
        raise CommandError("standard input is closed; pipe something into the command, or redirect it from a file.")
    return sys.stdin


def agreed(question: str, otherwise: str) -> bool:
    """Also in an event loop, where nothing else may be waiting for it.

    Raises: CommandError with `otherwise` if nobody can be asked.
    """
    stdin = standard_input()
    if not stdin.isatty():
        raise CommandError(otherwise)
    # An interrupt ends the wait: `run_async` would only cancel the function, which goes on reading. This begins before
    # the question, as its answer may be an interrupt.
    with handled_by(signal.default_int_handler):
        remark(f"{question} [y/N]")
        return stdin.readline().strip().lower() in ("y", "yes")
