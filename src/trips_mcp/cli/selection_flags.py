"""The flags that choose which tools are offered, for every command that offers or lists them.

`settings` has their meaning and the variable for each (TRIPS_MCP_READ_ONLY for --read-only).
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from typing import Final

from trips_mcp.cli.command import CommandError

_NAMES: Final = "NAME,..."
_TEXTS: Final = (
    ("--toolsets", _NAMES, "offer these sets of tools (and those of --tools) alone; `trips-mcp tools` shows them"),
    ("--tools", _NAMES, "offer these tools (and those of --toolsets) alone"),
    ("--exclude-tools", _NAMES, "never offer these"),
    ("--trip", "ID", "bind the server to this one trip: no tool asks for it, none is about another"),
    ("--event-trips", "ID=NUMBER,...", "the number that each of these trips has in the Events API"),
)
_SWITCHES: Final = (
    ("--read-only", "offer nothing that changes anything, whatever else is chosen"),
    ("--no-outbound", "offer nothing that lets words or data out to other people"),
    ("--mask-secrets", "mask door codes and the like in answers; get_secret then tells one at a time"),
)


FLAGS_WITH_VALUE: Final = tuple(flag for flag, *_ in _TEXTS)
SWITCHES: Final = tuple(flag for flag, _ in _SWITCHES)


def flags_that_choose(parser: ArgumentParser) -> None:
    group = parser.add_argument_group(
        "what is offered", "Each may also be set as a variable, --read-only as TRIPS_MCP_READ_ONLY; the flag wins."
    )
    for flag, value, text in _TEXTS:  # a flag with a list may be repeated
        group.add_argument(flag, metavar=value, help=text, action="append" if "," in value else "store")
    for flag, text in _SWITCHES:
        group.add_argument(flag, nargs="?", const="on", metavar="on|off", help=text)


def chosen(arguments: Namespace) -> dict[str, str]:
    """The given flags, by name, as Settings expects them. Raises: CommandError."""
    return given(arguments, (*FLAGS_WITH_VALUE, *SWITCHES))


def given(arguments: Namespace, flags: Iterable[str]) -> dict[str, str]:
    """The given ones of these flags, lists joined with commas.

    Raises: CommandError for an empty value: `--trip "$TRIP"` with TRIP unset must not remove the limit.
    """
    found: dict[str, str] = {}
    for flag in flags:
        value: str | list[str] | None = getattr(arguments, _attribute(flag))
        if value is None:
            continue
        parts = [value] if isinstance(value, str) else value
        if not all(part.strip() for part in parts):
            raise CommandError(f"{flag} is empty; give it a value, or leave it out.")
        found[flag] = ",".join(parts)
    return found


def _attribute(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")
