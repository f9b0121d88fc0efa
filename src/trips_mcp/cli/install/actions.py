"""The three actions of `install`: show the entry, add it, remove it. No message has the value of a secret variable."""

from collections.abc import Iterator
from pathlib import Path

from trips_mcp.cli.command import CommandError
from trips_mcp.cli.install import client_cli, config_file
from trips_mcp.cli.install.client_cli import OwnCommand
from trips_mcp.cli.install.clients import Client
from trips_mcp.cli.install.config_file import (
    ConfigFile,
    InstallRefusedError,
    NameTakenError,
    OwnCommandError,
    others_may_read,
    with_member,
    without_member,
)
from trips_mcp.cli.install.entries import (
    EVENTS_KEY,
    KEYS,
    TRIPS_KEY,
    Entry,
    LocalServer,
    Remote,
    Server,
    secret_variables,
    without_secrets,
)
from trips_mcp.cli.install.launch import DoesNotStartError, count_tools
from trips_mcp.cli.install.machine import Machine
from trips_mcp.cli.install.ownership import amended, kept, our_entry, remember, same
from trips_mcp.cli.output import remark, say
from trips_mcp.json_values import is_object
from trips_mcp.settings import Settings


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


def entry_text(client: Client, name: str, server: Server) -> str:
    """The entry as a complete file, with references instead of keys."""
    shown = without_secrets(server, client.reference.to)
    return client.render(client.section, name, client.entry(shown))


# `server` is what `wanted` gave, so its settings are known to be good; what was kept of an earlier entry is not.


def about_the_entry(client: Client, name: str, server: Server, machine: Machine) -> Iterator[str]:
    yield f"It belongs in {client.place(machine)}, under {client.section}."
    if client.own is not None and not client.has_windows:
        yield f"The same with a command of {client.title}: {client.own.as_typed(name, server)}"
    yield from _about_the_command(server)
    for variable in secret_variables(server):
        yield f"{variable} is not shown. {client.reference.meaning}."
    if missing := missing_program(client, server, machine):
        yield f"Note that {missing}."
    yield from Settings.from_env(server.env).notices
    yield from _about_the_keys(server)


def about_the_change(
    client: Client, server: Server, whole: Server, backup: Path | None, written: Path | None
) -> Iterator[str]:
    """`whole`: includes variables kept from an earlier entry. `written`: the file, unless the client wrote it."""
    earlier = [variable for variable in whole.env if variable not in server.env]
    yield from _about_the_command(server)
    if server.env:
        yield f"Taken from this environment: {', '.join(server.env)}."
    if earlier:
        yield f"Kept from before: {', '.join(earlier)}."
    yield from Settings.from_env(server.env).notices
    yield from _about_the_keys(whole)
    if isinstance(whole, Remote) and client.own is not None and client.own.passes_no_headers:
        yield from _about_missing_headers(client, whole)
    if backup is not None:
        yield f"The file as it was before: {backup}."
    if written is not None and secret_variables(whole) and others_may_read(written):
        yield f"Note that others on this computer may read {written}, which holds keys now: chmod 600 keeps them out."
    yield client.then


def missing_program(client: Client, server: Server, machine: Machine) -> str | None:
    if isinstance(server, LocalServer):
        return None if machine.find(server.command) else "uvx was not found: install uv (https://docs.astral.sh/uv)"
    if client.starts_only and not machine.find(server.bridge):
        return f"npx was not found: install Node.js, as {client.title} needs mcp-remote to reach an address"
    return None


def refusal(error: InstallRefusedError, client: Client, name: str, server: Server, machine: Machine) -> str:
    """The lines below the entry."""
    match error:
        case NameTakenError():
            advice = "choose another name with --name, or put the entry above in its place"
        case OwnCommandError() if client.own is not None and not client.has_windows:
            advice = f"see why with: {client.own.as_typed(name, server)}"
        case DoesNotStartError():
            advice = "run that command in a shell to see more"
        case _:
            advice = f"paste the entry above into {client.place(machine)}, under {client.section}"
    return f"{error}, so {error.consequence}; {advice}."


def refusal_to_remove(error: InstallRefusedError, client: Client, name: str) -> str:
    if isinstance(error, NameTakenError):
        return f"{error}, so {error.consequence}; name the one to remove with --name, or with the --url it is at."
    return f"{error}, so {error.consequence}; take {name} out of {client.section} there yourself."


def _about_the_command(server: Server) -> Iterator[str]:
    """A warning that the entry breaks if its environment moves."""
    if (
        isinstance(server, LocalServer)
        and Path(server.command).is_absolute()
        and Path(server.command).stem not in ("uv", "uvx")
    ):
        yield f"It starts {server.command}: keep that environment, or run this again after a move."


def _about_the_keys(server: Server) -> Iterator[str]:
    if isinstance(server, LocalServer) and not any(key in server.env for key in KEYS):
        yield "No key is set, so trips are kept on this computer. For an account set OSOTO_API_KEY and run this again."
    if isinstance(server, Remote) and server.env and server.is_open_to_readers:
        yield f"Warning: {' and '.join(server.env)} will travel unencrypted; use an https address."


def _about_missing_headers(client: Client, server: Remote) -> Iterator[str]:
    if TRIPS_KEY in server.env:
        yield f"{client.title} reads {TRIPS_KEY} from its own environment at each start."
    if EVENTS_KEY in server.env:
        yield f'For event tools add env_http_headers = {{ "X-Travelmode-Token" = "{EVENTS_KEY}" }} to its entry.'
