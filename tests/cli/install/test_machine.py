"""The locations on systems that the tests do not run on."""

from pathlib import Path

import pytest

from trips_mcp.cli.install import client_cli
from trips_mcp.cli.install.clients import CLIENTS
from trips_mcp.cli.install.config_file import OwnCommandError
from trips_mcp.cli.install.entries import LocalServer
from trips_mcp.cli.install.machine import Machine

PLACES = {
    "darwin": {
        "claude-desktop": "Library/Application Support/Claude/claude_desktop_config.json",
        "claude-code": ".claude.json",
        "cursor": ".cursor/mcp.json",
        "windsurf": ".codeium/windsurf/mcp_config.json",
        "vscode": "Library/Application Support/Code/User/mcp.json",
        "gemini-cli": ".gemini/settings.json",
        "antigravity": ".gemini/config/mcp_config.json",
        "codex": ".codex/config.toml",
        "zed": ".config/zed/settings.json",
        "opencode": ".config/opencode/opencode.json",
    },
    "win32": {
        "claude-desktop": "AppData/Roaming/Claude/claude_desktop_config.json",
        "claude-code": ".claude.json",
        "cursor": ".cursor/mcp.json",
        "windsurf": ".codeium/windsurf/mcp_config.json",
        "vscode": "AppData/Roaming/Code/User/mcp.json",
        "gemini-cli": ".gemini/settings.json",
        "antigravity": ".gemini/config/mcp_config.json",
        "codex": ".codex/config.toml",
        "zed": "AppData/Roaming/Zed/settings.json",
        "opencode": ".config/opencode/opencode.json",
    },
    "linux": {
        "claude-desktop": ".config/Claude/claude_desktop_config.json",
        "claude-code": ".claude.json",
        "cursor": ".cursor/mcp.json",
        "windsurf": ".codeium/windsurf/mcp_config.json",
        "vscode": ".config/Code/User/mcp.json",
        "gemini-cli": ".gemini/settings.json",
        "antigravity": ".gemini/config/mcp_config.json",
        "codex": ".codex/config.toml",
        "zed": ".config/zed/settings.json",
        "opencode": ".config/opencode/opencode.json",
    },
}


@pytest.mark.parametrize("system", PLACES)
def test_every_client_keeps_its_servers_where_its_documents_say(system: str, tmp_path: Path) -> None:
    machine = Machine(system, tmp_path, {})

    assert {name: client.place(machine) for name, client in CLIENTS.items()} == {
        name: tmp_path / place for name, place in PLACES[system].items()
    }


@pytest.mark.parametrize(
    ("system", "variable", "places"),
    [
        ("win32", "APPDATA", {"claude-desktop": "Claude", "vscode": "Code/User", "zed": "Zed"}),
        ("linux", "XDG_CONFIG_HOME", {"claude-desktop": "Claude", "vscode": "Code/User", "zed": "zed"}),
        ("darwin", "XDG_CONFIG_HOME", {"opencode": "opencode"}),
    ],
)
def test_a_settings_folder_that_was_moved_is_found(
    system: str, variable: str, places: dict[str, str], tmp_path: Path
) -> None:
    moved = Machine(system, tmp_path / "home", {variable: str(tmp_path / "moved")})
    relative = Machine(system, tmp_path / "home", {variable: "moved"})

    for client, folder in places.items():
        assert CLIENTS[client].place(moved).parent == tmp_path / "moved" / folder
        assert CLIENTS[client].place(relative).is_relative_to(tmp_path / "home")


def test_claude_desktop_as_a_windows_package_has_its_settings_in_the_package(tmp_path: Path) -> None:
    machine = Machine("win32", tmp_path, {})
    packages = tmp_path / "AppData/Local/Packages"
    older, newer = (packages / f"Claude_{name}/LocalCache/Roaming/Claude" for name in ("a", "b"))

    older.mkdir(parents=True)
    newer.mkdir(parents=True)
    alone = CLIENTS["claude-desktop"].place(machine)
    (newer / "claude_desktop_config.json").touch()

    assert alone.parent == older
    assert CLIENTS["claude-desktop"].place(machine) == newer / "claude_desktop_config.json"


@pytest.mark.parametrize(
    ("system", "program", "word", "passes"),
    [
        ("win32", "C:\\npm\\gemini.CMD", "osk_a-key.1", True),
        ("win32", "C:\\npm\\gemini.CMD", "osk&calc", False),
        ("win32", "C:\\npm\\code.cmd", '{"name":"trips"}', False),
        ("win32", "C:\\npm\\code.bat", "%PATH%", False),
        ("win32", "C:\\bin\\codex.exe", "osk&calc", True),
        ("linux", "/bin/code.cmd", "osk&calc", True),
    ],
)
def test_a_batch_file_gets_no_argument_that_it_would_run(system: str, program: str, word: str, passes: bool) -> None:
    machine, server = Machine(system, Path("/"), {}), LocalServer("uvx", (), {"OSOTO_API_KEY": word})

    assert machine.can_pass(program, ["mcp", "add", word]) is passes
    if not passes:
        with pytest.raises(OwnCommandError, match="`codex mcp add` is a batch file here"):
            client_cli.add(client_cli.CODEX, program, "trips", server, machine)


def test_uvx_has_another_name_on_windows(tmp_path: Path) -> None:
    uvx = tmp_path / ".local/bin/uvx.exe"
    uvx.parent.mkdir(parents=True)
    uvx.touch()

    assert Machine("win32", tmp_path, {"PATH": ""}).find_uvx() == str(uvx)
    assert Machine("linux", tmp_path, {"PATH": ""}).find_uvx() is None
