"""Settings for commands. An invalid setting ends the command with its error."""

import os
from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from trips_mcp.cli.command import CommandError
from trips_mcp.cli.setting_flags import given
from trips_mcp.settings import Settings, SettingsError
from trips_mcp.settings_table import DATABASE

if TYPE_CHECKING:
    from trips_mcp.server.offer import Offer
    from trips_mcp.tools.selection.rules import Selection


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
    from trips_mcp.tools.selection.rules import choose

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
