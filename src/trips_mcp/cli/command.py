"""The description of a command: its words, its line in the help, its flags and its function."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

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
