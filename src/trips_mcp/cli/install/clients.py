"""The supported clients, and the properties in which they differ."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trips_mcp.cli.install import client_cli, entries
from trips_mcp.cli.install.client_cli import OwnCommand
from trips_mcp.cli.install.entries import Entry, Refer, Server, as_json

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


def _claude_code(machine: "Machine") -> tuple[Path, ...]:
    return (Path(machine.env.get("CLAUDE_CONFIG_DIR") or machine.home) / ".claude.json",)


def _gemini(machine: "Machine") -> tuple[Path, ...]:
    return (Path(machine.env.get("GEMINI_CLI_HOME") or machine.home) / ".gemini/settings.json",)


def _antigravity(machine: "Machine") -> tuple[Path, ...]:
    """Its desktop application, IDE and command line share one file; versions before 2.0 used the second path."""
    return (machine.home / ".gemini/config/mcp_config.json", machine.home / ".gemini/antigravity/mcp_config.json")


def _codex(machine: "Machine") -> tuple[Path, ...]:
    return (Path(machine.env.get("CODEX_HOME") or machine.home / ".codex") / "config.toml",)


def _opencode(machine: "Machine") -> tuple[Path, ...]:
    folder = machine.dot_config / "opencode"
    return (folder / "opencode.json", folder / "opencode.jsonc")


_ALL: Final = (
    Client(
        name="claude-desktop",
        title="Claude Desktop",
        files=lambda machine: (machine.claude_desktop() / "claude_desktop_config.json",),
        entry=entries.bridged,
        reference=key_itself("Claude Desktop"),
        has_windows=True,
        starts_only=True,
        then="Quit Claude Desktop and start it again.",
    ),
    Client(
        name="claude-code",
        title="Claude Code",
        files=_claude_code,
        entry=entries.typed,
        reference=from_environment("Claude Code", "${{{}}}"),
        own=client_cli.CLAUDE,
        writable=False,
        then="`claude mcp list` shows whether it connects.",
    ),
    Client(
        name="cursor",
        title="Cursor",
        files=lambda machine: (machine.home / ".cursor/mcp.json",),
        entry=entries.plain,
        reference=from_environment("Cursor", "${{env:{}}}"),
        has_windows=True,
        then="See Cursor Settings, MCP, whether it connects.",
    ),
    Client(
        name="windsurf",
        title="Windsurf",
        files=lambda machine: (machine.home / ".codeium/windsurf/mcp_config.json",),
        entry=entries.server_url,
        reference=from_environment("Windsurf", "${{env:{}}}"),
        has_windows=True,
        then="Refresh the MCP servers in Cascade's panel.",
    ),
    Client(
        name="vscode",
        title="VS Code",
        files=lambda machine: (machine.settings / "Code/User/mcp.json",),
        section="servers",
        entry=entries.typed,
        render=entries.as_json_with_inputs,
        reference=VariableReference("${{input:{}}}".format, "VS Code asks for it once and keeps it safe"),
        own=client_cli.CODE,
        has_windows=True,
        then="Run `MCP: List Servers` in VS Code to start it.",
    ),
    Client(
        name="gemini-cli",
        title="Gemini CLI",
        files=_gemini,
        entry=entries.typed_if_remote,
        reference=from_environment("Gemini CLI", "${{{}}}"),
        own=client_cli.GEMINI,
        then="`gemini mcp list`, in a folder that you trust, shows whether it connects.",
    ),
    Client(
        name="antigravity",
        title="Antigravity",
        files=_antigravity,
        entry=entries.server_url,
        reference=key_itself("Antigravity"),
        has_windows=True,
        then="In Antigravity see Manage MCP Servers, and refresh; `/mcp` shows it on the command line.",
    ),
    Client(
        name="codex",
        title="Codex",
        files=_codex,
        section="mcp_servers",
        entry=entries.codex,
        render=entries.as_toml,
        reference=VariableReference("${{{}}}".format, "Codex passes it on from its own environment"),
        own=client_cli.CODEX,
        writable=False,
        then="`codex mcp list` shows it.",
    ),
    Client(
        name="zed",
        title="Zed",
        files=lambda machine: (machine.zed() / "settings.json",),
        section="context_servers",
        entry=entries.plain,
        reference=key_itself("Zed"),
        has_windows=True,
        then="See Zed's Agent Panel settings, whether it connects.",
    ),
    Client(
        name="opencode",
        title="opencode",
        files=_opencode,
        section="mcp",
        entry=entries.opencode,
        reference=from_environment("opencode", "{{env:{}}}"),
        then="`opencode mcp list` shows whether it connects.",
    ),
)

CLIENTS: Final = {client.name: client for client in _ALL}
