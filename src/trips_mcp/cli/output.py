"""Lines for the person at the terminal: answers on stdout, everything else on stderr."""

import io
import sys


def say(line: str = "") -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def remark(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def never_fail_on_a_character() -> None:
    """A terminal with a small character set shows a question mark, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
