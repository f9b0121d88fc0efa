"""The server for the entry, from the command's flags, this environment and this computer."""

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from trips_mcp.cli.command import CommandError
from trips_mcp.cli.install.clients import Client
from trips_mcp.cli.install.entries import LocalServer, Remote, Server
from trips_mcp.cli.install.launch import PROGRAM, Process, is_place
from trips_mcp.cli.install.machine import Machine
from trips_mcp.cli.settings import given
from trips_mcp.setting_values import SettingsError, has_reference, variable
from trips_mcp.settings import Settings
from trips_mcp.settings_table import KEYS, NAMES, PREFIX, SETTINGS
from trips_mcp.tools.selection import choose

_PATHS: Final = tuple(setting.name for setting in SETTINGS if setting.kind in ("database", "file"))
_VARIABLES: Final = {setting.flag: setting.name for setting in SETTINGS if setting.group}
_NO_FILES: Final = ("off", ":memory:")


def wanted(arguments: Namespace, client: Client, machine: Machine) -> Server:
    """Raises: CommandError if a server could not start with these settings."""
    flags = given(arguments, "offer")
    if arguments.url is None:
        env = taken_along(machine)
        _check(env, flags)
        command, *args = _command(arguments.package, client, machine)
        return LocalServer(command, (*args, *_words(flags)), env)
    if flags or arguments.package:
        raise CommandError(
            "what is offered at --url is settled where that server is started; leave the other flags out."
        )
    env = {name: value for name, value in taken_along(machine).items() if name in KEYS}
    _check(env, {})
    return Remote(arguments.url, env, _npx(client, machine))


def taken_along(machine: Machine) -> dict[str, str]:
    """Unknown names of ours too, which `_check` then refuses."""
    services = [name for name in NAMES if not name.startswith(PREFIX)]
    ours = sorted(name for name in machine.env if name.startswith(PREFIX))
    given = {name: variable(machine.env, name, is_key=name in KEYS) for name in (*services, *ours)}
    return {name: _from_anywhere(name, value) for name, value in given.items() if value}


def _from_anywhere(name: str, value: str) -> str:
    """Makes paths absolute, because a client starts the server in any folder."""
    if name not in _PATHS or value.lower() in _NO_FILES or "://" in value or has_reference(value):
        return value
    try:
        return str(Path(value).expanduser().absolute())
    except RuntimeError:
        return value  # no such user; the server reports it


def _check(env: Mapping[str, str], flags: Mapping[str, str]) -> None:
    try:
        choose(Settings.from_env(env, flags))
    except SettingsError as error:
        raise CommandError(str(error)) from None


def _words(flags: Mapping[str, str]) -> list[str]:
    switched_on = {name for name, value in flags.items() if value == "on"}
    given = {name: _from_anywhere(_VARIABLES.get(name, name), value) for name, value in flags.items()}
    return [name if name in switched_on else f"{name}={value}" for name, value in given.items()]


def _command(package: str | None, client: Client, machine: Machine) -> tuple[str, ...]:
    """The command for --from, else the command that starts this process."""
    if package is not None:
        return (*_uvx(client, machine), "--from", _package(package), PROGRAM)
    launch = Process.this().launch()
    return (*_uvx(client, machine), *launch.words) if launch.by_uvx else launch.words


def _package(source: str) -> str:
    if not is_place(source):
        return source
    path, bracket, extras = source.partition("[")
    try:
        place = Path(path).expanduser().absolute()
    except RuntimeError:
        place = Path(path)
    if not place.exists():
        raise CommandError(f"--from {source}: there is no such file or folder; name a wheel, a clone, or a package.")
    return f"{place}{bracket}{extras}"


def _uvx(client: Client, machine: Machine) -> tuple[str, ...]:
    """The plain name if the client has the shell's PATH, because it stays valid when uv moves."""
    if machine.find("uvx") and not client.has_windows:
        return ("uvx",)
    if found := machine.find_uvx():
        return (found,)
    uv = machine.find("uv")
    return (uv, "tool", "run") if uv else ("uvx",)


def _npx(client: Client, machine: Machine) -> str:
    return (machine.find("npx") if client.starts_only else None) or "npx"
