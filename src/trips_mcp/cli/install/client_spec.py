"""The properties in which MCP clients differ."""

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
    """The reference that its configuration may hold instead of a key."""

    to: Refer
    meaning: str
    """How the client expands the reference, in one sentence."""


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
    """The files that may hold its servers; the first is created if none exists."""
    section: str = "mcpServers"
    entry: Callable[[Server], Entry]
    render: Callable[[str, str, Entry], str] = field(default=as_json)
    """A complete file with only the entry, by section and name."""
    reference: VariableReference
    own: OwnCommand | None = None
    writable: bool = True
    """Whether we may write its file: plain JSON that the client does not use for its own state."""
    has_windows: bool = False
    """Whether it starts from the desktop, possibly without the shell's PATH."""
    starts_only: bool = False
    """Whether it can only start servers, and not connect to an address."""
    then: str
    """What the user must do so that it reads the change."""

    def place(self, machine: "Machine") -> Path:
        files = self.files(machine)
        return next((path for path in files if os.path.lexists(path)), files[0])
