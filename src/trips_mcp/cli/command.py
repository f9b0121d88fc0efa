"""What a command is: its words, its line in the help, its flags, and what it does."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

WORDS: Final = "words"
"""The name of a command's argument that takes words wherever they stand among its flags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    words: str
    """As it is typed: `tools`, `backend serve`."""
    summary: str
    flags: Callable[[ArgumentParser], object]
    run: Callable[[Namespace], int]
    """Gives the exit code. Imports its layers itself: asking for help should not load a database driver."""


class CommandError(Exception):
    """One sentence for the person at the terminal; the command ends with exit code 2."""


def no_flags(_: ArgumentParser) -> None:
    """For a command that takes none."""
