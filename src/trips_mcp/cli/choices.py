"""The flags that choose what is offered, for every command that offers or shows it.

What they mean, and the variable that stands for each (TRIPS_MCP_READ_ONLY for --read-only), is in `settings`.
"""

from argparse import ArgumentParser, Namespace
from typing import Final

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


def flags_that_choose(parser: ArgumentParser) -> None:
    group = parser.add_argument_group(
        "what is offered", "Each may also be set as a variable, --read-only as TRIPS_MCP_READ_ONLY; the flag wins."
    )
    for flag, value, text in _TEXTS:  # a list may also be given flag by flag
        group.add_argument(flag, metavar=value, help=text, action="append" if "," in value else "store")
    for flag, text in _SWITCHES:
        group.add_argument(flag, nargs="?", const="on", metavar="on|off", help=text)


def words_behind_switches(arguments: Namespace) -> list[str]:
    """KEY=VALUE is no value of a switch, though argparse takes it for one; it leaves the switch on."""
    found: list[str] = []
    for flag, _ in _SWITCHES:
        value: str | None = getattr(arguments, _attribute(flag))
        if value is not None and "=" in value:
            found.append(value)
            setattr(arguments, _attribute(flag), "on")
    return found


def chosen(arguments: Namespace) -> dict[str, str]:
    """Those that were given, by their own names, as Settings takes them."""
    found: dict[str, str] = {}
    for flag, *_ in (*_TEXTS, *_SWITCHES):
        value: str | list[str] | None = getattr(arguments, _attribute(flag))
        if value is not None:
            found[flag] = value if isinstance(value, str) else ",".join(value)
    return found


def _attribute(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")
