"""Flags for settings, derived from the table of settings, and the settings of a command.

An invalid setting ends the command with its error.
"""

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from trips_mcp.cli.command import CommandError
from trips_mcp.settings import Settings, SettingsError
from trips_mcp.settings_table import DATABASE, SETTINGS, Group, Setting

if TYPE_CHECKING:
    from trips_mcp.server.offer import Offer
    from trips_mcp.tools.selection import Selection


SWITCHES: Final = tuple(setting.flag for setting in SETTINGS if setting.group and setting.kind == "switch")
FLAGS_WITH_VALUE: Final = tuple(setting.flag for setting in SETTINGS if setting.group and setting.kind != "switch")
_TITLES: Final[dict[Group, str]] = {"offer": "what is offered", "http": "over HTTP"}


def add_flag(parser: Any, setting: Setting[object], *, default: str = "") -> None:
    """`parser`: an ArgumentParser, or a group of one. `default`: for the help, if the command has its own."""
    default = default or setting.default
    text = f"{setting.help} (default: {default})" if default and setting.kind != "switch" else setting.help
    if setting.kind == "switch":
        parser.add_argument(setting.flag, nargs="?", const="on", metavar=setting.metavar, help=text)
    elif setting.kind == "choice":
        parser.add_argument(setting.flag, choices=setting.metavar.split("|"), help=text)
    else:
        action = "append" if setting.kind == "list" else "store"  # a list may be repeated
        parser.add_argument(setting.flag, metavar=setting.metavar, help=text, action=action)


def add_flags(parser: ArgumentParser, group: Group) -> None:
    rows = [setting for setting in SETTINGS if setting.group == group]
    target: Any = parser
    if group in _TITLES:
        example = rows[0]
        target = parser.add_argument_group(
            _TITLES[group],
            f"Each also has a variable, as {example.name} for {example.flag}; the flag takes precedence.",
        )
    for setting in rows:
        add_flag(target, setting)


def add_server_flags(parser: ArgumentParser) -> None:
    """All flags of a server, over stdio or HTTP."""
    for group in ("start", "offer", "http"):
        add_flags(parser, group)


def add_database_flag(parser: ArgumentParser) -> None:
    add_flag(parser, DATABASE)


def given(arguments: Namespace, *groups: Group) -> dict[str, str]:
    """The given flags of these groups, by name, as Settings expects them; lists are joined with commas.

    Raises: CommandError for an empty value: `--trip "$TRIP"` with TRIP unset must not remove the limit.
    """
    return given_of(arguments, *(setting for setting in SETTINGS if setting.group in groups))


def given_of(arguments: Namespace, *settings: Setting[object]) -> dict[str, str]:
    """Raises: CommandError."""
    found: dict[str, str] = {}
    for setting in settings:
        value: str | list[str] | None = getattr(arguments, setting.flag.removeprefix("--").replace("-", "_"))
        if value is None:
            continue
        parts = [value] if isinstance(value, str) else value
        if not all(part.strip() for part in parts):
            raise CommandError(f"{setting.flag} is empty; give it a value, or leave it out.")
        found[setting.flag] = ",".join(parts)
    return found


def settings_of_the_environment(flags: Mapping[str, str] | None = None) -> Settings:
    try:
        return Settings.from_env(os.environ, flags)
    except SettingsError as error:
        raise CommandError(str(error)) from None


def offer_of(arguments: Namespace) -> "Offer":
    """What a server with these settings and flags offers over stdio."""
    from trips_mcp.server.offer import offer

    try:
        return offer(settings_of_the_environment(given(arguments, "offer")))
    except SettingsError as error:
        raise CommandError(str(error)) from None


def choice_of(settings: Settings) -> "Selection":
    """The tools that a server with these settings offers over stdio."""
    from trips_mcp.tools.selection import choose

    try:
        return choose(settings)
    except SettingsError as error:
        raise CommandError(str(error)) from None


def database_of(flag: str | None) -> str:
    """The database of a `backend` command: its flag, else the setting. Ignores keys and URLs."""
    name = DATABASE.name
    if flag is not None and not flag.strip():
        raise CommandError(f"{DATABASE.flag} is empty; give it a value, or leave it out.")
    try:
        return Settings.from_env({name: flag or os.environ.get(name, "")}).database
    except SettingsError as error:
        raise CommandError(str(error)) from None
