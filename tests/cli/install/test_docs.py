"""docs/clients.md and README name every client, its word, its file on each system, and examples that exist."""

from pathlib import Path, PurePosixPath

import pytest

from trips_mcp.cli.install.clients import CLIENTS, Client
from trips_mcp.cli.install.machine import Machine

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/clients.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
HOME = Path("/home/ada")


def folder(client: Client, system: str) -> str:
    """As people write it there."""
    below = PurePosixPath(client.place(Machine(system, HOME, {})).relative_to(HOME)).parent
    if system == "win32" and below.is_relative_to("AppData/Roaming"):
        return "%APPDATA%\\" + str(below.relative_to("AppData/Roaming")).replace("/", "\\")
    return f"~/{below}" if below.parts else "~"


def file(client: Client) -> str:
    systems = {"macOS": "darwin", "Windows": "win32", "Linux": "linux"}
    folders = {name: f"`{folder(client, system)}`" for name, system in systems.items()}
    everywhere = folders["Linux"] if len(set(folders.values())) == 1 else ""
    name = client.place(Machine("linux", HOME, {})).name
    return f"`{name}` in {everywhere or ', '.join(f'{place} ({system})' for system, place in folders.items())}"


def written_by(client: Client) -> str:
    if client.own is None:
        return "us"
    return f"`{' '.join((client.own.program, *client.own.adding))}`{', else us' if client.writable else ''}"


@pytest.mark.parametrize("client", CLIENTS.values(), ids=list(CLIENTS))
def test_the_page_has_its_row(client: Client) -> None:
    kind = "toml" if client.name == "codex" else "json"
    started, reached = (f"../examples/clients/{client.name}{way}.{kind}" for way in ("", "-http"))

    assert (
        f"| {client.title} | `{client.name}` | {file(client)} | {written_by(client)} | "
        f"[started]({started}), [over HTTP]({reached}) |\n"
    ) in PAGE


@pytest.mark.parametrize("client", CLIENTS.values(), ids=list(CLIENTS))
def test_readme_has_its_line(client: Client) -> None:
    assert f"| {client.title} | `{client.name}` |\n" in README
