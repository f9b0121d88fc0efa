"""The messages of `install`. They never contain the value of a secret variable."""

from collections.abc import Iterator
from pathlib import Path

from trips_mcp.cli.install.clients import Client
from trips_mcp.cli.install.config_file import InstallRefusedError, NameTakenError, OwnCommandError, others_may_read
from trips_mcp.cli.install.entries import (
    EVENTS_KEY,
    KEYS,
    TRIPS_KEY,
    LocalServer,
    Remote,
    Server,
    secret_variables,
    without_secrets,
)
from trips_mcp.cli.install.launch import DoesNotStartError
from trips_mcp.cli.install.machine import Machine
from trips_mcp.settings import Settings


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
