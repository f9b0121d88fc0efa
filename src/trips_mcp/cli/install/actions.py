"""The three actions of `install`: show the entry, add it, remove it."""

from pathlib import Path

from trips_mcp.cli.command import CommandError
from trips_mcp.cli.install import client_cli, config_file
from trips_mcp.cli.install.client_cli import OwnCommand
from trips_mcp.cli.install.clients import Client
from trips_mcp.cli.install.config_file import (
    ConfigFile,
    InstallRefusedError,
    OwnCommandError,
    with_member,
    without_member,
)
from trips_mcp.cli.install.console_messages import (
    about_the_change,
    about_the_entry,
    entry_text,
    missing_program,
    refusal,
    refusal_to_remove,
)
from trips_mcp.cli.install.entries import Entry, LocalServer, Remote, Server
from trips_mcp.cli.install.launch import DoesNotStartError, count_tools
from trips_mcp.cli.install.machine import Machine
from trips_mcp.cli.install.ownership import amended, kept, our_entry, remember, same
from trips_mcp.cli.output import remark, say
from trips_mcp.json_values import is_object


def show(client: Client, name: str, server: Server, machine: Machine) -> None:
    say(entry_text(client, name, server))
    for line in about_the_entry(client, name, server, machine):
        remark(line)


def install(client: Client, name: str, server: Server, machine: Machine) -> None:
    """Raises: CommandError."""
    if missing := missing_program(client, server, machine):
        raise CommandError(f"{missing}; then run this again.")
    try:
        file = _file(client, name, machine)
        url = server.url if isinstance(server, Remote) else None
        before = our_entry(file.content, client.section, name, url, file.path)
        whole = server if before is None else kept(server, before)
        entry = client.entry(whole) if before is None else amended(before, client.entry(whole))
        if before is not None and same(entry, before):
            say(f"{client.title} already has {name} with this entry ({file.path}).")
            return
        started = _started(whole, machine)
        backup, by_us = _put_in(client, name, whole, entry, machine, file, is_there=before is not None)
    except DoesNotStartError as error:
        raise CommandError(refusal(error, client, name, server, machine)) from None
    except InstallRefusedError as error:
        say(entry_text(client, name, server))
        raise CommandError(refusal(error, client, name, server, machine)) from None
    if url is not None:
        remember(file.path, name, url)
    say(f"{'Added' if before is None else 'Updated'} {name} in {client.title} ({file.path}).{started}")
    for line in about_the_change(client, server, whole, backup, file.path if by_us else None):
        remark(line)


def remove(client: Client, name: str, url: str | None, machine: Machine) -> None:
    """`url`: the server's address, if the client does not start it.

    Raises: CommandError.
    """
    try:
        file = _file(client, name, machine)
        if our_entry(file.content, client.section, name, url, file.path) is None:
            say(f"{client.title} has no {name} ({file.path}).")
            return
        backup = _take_out(client, name, machine, file)
    except InstallRefusedError as error:
        raise CommandError(refusal_to_remove(error, client, name)) from None
    say(f"Removed {name} from {client.title} ({file.path}).")
    if backup is not None:
        remark(f"The file as it was before, with any keys that are in it: {backup}.")


def _started(server: Server, machine: Machine) -> str:
    """Raises: DoesNotStartError."""
    return f" Started once: it offers {count_tools(server, machine)} tools." if isinstance(server, LocalServer) else ""


def _file(client: Client, name: str, machine: Machine) -> ConfigFile:
    """The file that has this server, else an existing file, else the file to create."""
    found = [config_file.look(path) for path in client.files(machine)]
    having = [file for file in found if name in _servers(file, client)]
    existing = [file for file in found if file.bytes is not None]
    return (*having, *existing, *found)[0]


def _servers(file: ConfigFile, client: Client) -> Entry:
    servers = file.content.get(client.section)
    return servers if is_object(servers) else {}


def _put_in(
    client: Client, name: str, server: Server, entry: Entry, machine: Machine, file: ConfigFile, *, is_there: bool
) -> tuple[Path | None, bool]:
    """Uses the client's own command if it is available, else its file. Returns the backup, and whether we wrote."""
    own = client.own
    program = None if own is None else machine.find(own.program)
    if (
        own is not None
        and program is not None
        and (own.can_pass(program, name, server, machine) or not client.writable)
    ):
        _add_by_command(own, program, name, server, machine, is_there=is_there)
        return None, False
    _may_write(client, file)
    return config_file.replace(file, with_member(file.text, (client.section, name), entry)), True


def _add_by_command(
    own: OwnCommand, program: str, name: str, server: Server, machine: Machine, *, is_there: bool
) -> None:
    if not (is_there and own.removes_first):
        client_cli.add(own, program, name, server, machine)
        return
    client_cli.remove(own, program, name, machine)
    try:
        client_cli.add(own, program, name, server, machine)
    except InstallRefusedError as error:
        raise OwnCommandError(str(error), "the earlier entry is gone and the new one not there") from None


def _take_out(client: Client, name: str, machine: Machine, file: ConfigFile) -> Path | None:
    own = client.own
    program = None if own is None else machine.find(own.program)
    if own is not None and own.removing and program is not None:
        client_cli.remove(own, program, name, machine)
        return None
    _may_write(client, file)
    return config_file.replace(file, without_member(file.text, (client.section, name)))


def _may_write(client: Client, file: ConfigFile) -> None:
    if not client.writable and client.own is not None:
        raise InstallRefusedError(f"`{client.own.program}` was not found on the PATH")
    if not file.is_plain:
        raise InstallRefusedError(f"{file.path} has comments or trailing commas, which a rewrite might lose")
