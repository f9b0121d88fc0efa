"""The settings as commands read them: a mistake in them ends the command with its sentence."""

import os

from trips_mcp.cli.command import CommandError
from trips_mcp.settings import Settings, SettingsError


def settings_of_the_environment() -> Settings:
    try:
        return Settings.from_env(os.environ)
    except SettingsError as error:
        raise CommandError(str(error)) from None


def database_of(flag: str | None) -> str:
    """The database a `backend` command works on: its flag, else the setting. Keys and URLs don't matter to it."""
    variable = "TRIPS_MCP_DATABASE"
    given = {variable: flag} if flag else {name: os.environ[name] for name in os.environ if name == variable}
    try:
        return Settings.from_env(given).database
    except SettingsError as error:
        raise CommandError(str(error)) from None
