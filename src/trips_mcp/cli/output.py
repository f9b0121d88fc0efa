"""The output of all commands: answers on stdout, everything else on stderr.

A terminal obeys control characters, and trips, paths and responses may contain any. So everything that is
written to a terminal is escaped: by `say`, argparse and the log. Colours are `Painted` parts.
"""

import errno
import os
import re
import shutil
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import Any, Final, TextIO

_OBEYED: Final = re.compile(
    r"[\x00-\x08\x0B-\x1F\x7F-\x9F"  # controls but newline and tab
    r"\u2028\u2029"  # separators of lines and paragraphs
    r"\u202A-\u202E\u2066-\u2069\u206A-\u206F]"  # embeddings, overrides and isolates of direction
)
_WIDEST: Final = 100


class Colour(StrEnum):
    """Colours by meaning. The numbers are SGR codes, which use the terminal's palette."""

    BOLD = "1"
    DIM = "2"
    GOOD = "32"
    BAD = "31"
    WARNING = "33"
    NAME = "36"


class Painted(str):
    """A part of a line with a colour, if the terminal has colours."""

    colour: Colour

    def __new__(cls, text: str, colour: Colour) -> "Painted":
        painted = super().__new__(cls, text)
        painted.colour = colour
        return painted


class OutputError(Exception):
    """Standard output cannot be written. One sentence for the user."""


def is_for_a_person() -> bool:
    """Whether stdout is a terminal; a pipe or a file gets JSON."""
    return sys.stdout is not None and sys.stdout.isatty()


def columns() -> int:
    """The width for texts that are wrapped: 100 columns, or the terminal's if it has fewer."""
    return min(_WIDEST, shutil.get_terminal_size((_WIDEST, 24)).columns) if is_for_a_person() else _WIDEST


def say(*parts: str) -> None:
    """Raises: OutputError; BrokenPipeError if the reader closed the pipe."""
    with _told():
        _write_line(sys.stdout, parts)


def say_file(text: str) -> None:
    """The content of a file, in UTF-8 with its own line ends unless a person reads it. Raises: like `say`."""
    with _told():
        if isinstance(sys.stdout, Terminal):
            _write_line(sys.stdout, (text.replace("\r\n", "\n").rstrip("\n"),))
        elif sys.stdout is None:
            raise OSError(errno.EBADF, "it is closed")
        else:
            sys.stdout.flush()
            sys.stdout.buffer.write(text.encode("utf-8", "replace"))


def finish() -> None:
    """Flushes the buffer. Raises: like `say`."""
    with _told():
        if sys.stdout is not None:
            sys.stdout.flush()


def discard() -> None:
    """Drops unwritable output; otherwise the interpreter retries at exit and prints an error."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def remark(*parts: str) -> None:
    """Does nothing if stderr is missing or full."""
    with suppress(OSError, AttributeError):
        _write_line(sys.stderr, parts)


@contextmanager
def _told() -> Generator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"standard output cannot be written ({(error.strerror or 'it fails').lower()}).") from None


def escaped(text: str) -> str:
    r"""The text with what a terminal would obey written out, as `\u{1B}`."""
    return _OBEYED.sub(lambda found: rf"\u{{{ord(found[0]):X}}}", text)


def set_up_output() -> None:
    """Escapes output to a terminal. Characters outside its encoding become question marks."""
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")
        if stream is not None and not isinstance(stream, Terminal) and stream.isatty():
            setattr(sys, name, Terminal(stream))


class Terminal:
    """A terminal's stream that escapes what is written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._has_colours = _has_colours(os.environ)

    def write(self, text: str, /) -> int:
        self._stream.write(escaped(text))
        return len(text)

    def write_part(self, part: str) -> None:
        if isinstance(part, Painted) and self._has_colours and part:
            self._stream.write(f"\x1b[{part.colour}m{escaped(part)}\x1b[0m")
        else:
            self.write(part)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _has_colours(environment: Mapping[str, str]) -> bool:
    if environment.get("NO_COLOR") or environment.get("TERM") == "dumb":
        return False
    return os.name != "nt" or any(name in environment for name in ("WT_SESSION", "TERM", "ANSICON"))


def _write_line(stream: TextIO | Terminal | None, parts: tuple[str, ...]) -> None:
    if stream is None:
        raise OSError(errno.EBADF, "it is closed")
    for part in parts:
        if isinstance(stream, Terminal):
            stream.write_part(part)
        else:
            stream.write(part)
    stream.write("\n")
    stream.flush()
