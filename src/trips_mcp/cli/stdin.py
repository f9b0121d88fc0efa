"""Standard input for commands."""

import sys
from typing import TextIO

from trips_mcp.cli.command import CommandError


def standard_input() -> TextIO:
    """Raises: CommandError if the process has no standard input."""
    if sys.stdin is None:
        raise CommandError("standard input is closed; pipe something into the command, or redirect it from a file.")
    return sys.stdin
