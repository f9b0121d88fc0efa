"""What differs from one MCP client to the next."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from trips_mcp.cli.install.client_cli import OwnCommand
from trips_mcp.cli.install.entries import Entry, as_json
from trips_mcp.cli.install.server_spec import Refer, Server

if TYPE_CHECKING:
    from trips_mcp.cli.install.machine import Machine


@dataclass(frozen=True, slots=True)
class VariableReference:
    """What its configuration can hold in place of a key."""

    to: Refer
    meaning: str
    """What becomes of it there, in a sentence."""


def key_itself(client: str) -> VariableReference:
    return VariableReference("${{{}}}".format, f"Put the key itself in its place, as {client} does not fill it in")


def from_environment(client: str, form: str) -> VariableReference:
    meaning = f"{client} fills it in from its own environment; without it there, put the key itself in its place"
    return VariableReference(form.format, meaning)


@dataclass(frozen=True, kw_only=True)
class Client:
    name: str
    title: str
    files: "Callable[[Machine], tuple[Path, ...]]"
    """Where it may keep its servers; the first is made if there is none."""
    section: str = "mcpServers"
    entry: Callable[[Server], Entry]
    render: Callable[[str, str, Entry], str] = field(default=as_json)
    """A whole file that has nothing but the entry, by section and name."""
    reference: VariableReference
    own: OwnCommand | None = None
    writable: bool = True
    """Whether its file may be written by others: plain JSON, and not the client's own memory."""
    has_windows: bool = False
    """Started from the desktop, where it may not have the shell's PATH."""
    starts_only: bool = False
    """Whether it can't reach an address by itself."""
    then: str
    """What to do for it to take notice."""

    def place(self, machine: "Machine") -> Path:
        files = self.files(machine)
        return next((path for path in files if os.path.lexists(path)), files[0])
