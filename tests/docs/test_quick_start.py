"""docs/quick-start.md, done line by line by somebody who has nothing yet."""

import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest

from trips_mcp.cli.commands import run

from .pages import ROOT, blocks

PAGE = ROOT / "docs/quick-start.md"
Fields = dict[str, Any]

PROGRAM = ["uvx", "trips-mcp"]


def test_every_line_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    of_nobody(tmp_path, monkeypatch)
    lines = [line for block in blocks("sh") if block.page == PAGE for line in block.text.splitlines()]
    seen: dict[str, list[str]] = {"claude": [], "cursor": []}

    for line in lines:
        done(line, monkeypatch)
        seen["claude"] += servers_in(tmp_path / ".config/Claude/claude_desktop_config.json")
        seen["cursor"] += servers_in(tmp_path / ".cursor/mcp.json")

    said = capsys.readouterr()
    assert "osk_your_key" not in said.out + said.err
    assert '"kind": "embedded"' in said.out
    assert set(seen["claude"]) == {"", "with a key"}
    assert set(seen["cursor"]) == {"--read-only", "--trip=jx7abc --no-outbound"}
    assert servers_in(tmp_path / ".config/Claude/claude_desktop_config.json") == []


def of_nobody(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_"))]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(home))
    uvx = home / "bin/uvx"  # what its first step installs
    uvx.parent.mkdir()
    uvx.touch(0o755)
    monkeypatch.setenv("PATH", str(uvx.parent))


def done(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = shlex.split(line)
    start = words.index(PROGRAM[0])
    assert words[start : start + 2] == PROGRAM
    command = words[start + 2 :]
    if command == ["doctor"]:
        return  # with a key it asks a service elsewhere
    with monkeypatch.context() as here:
        for name, _, value in (word.partition("=") for word in words[:start]):
            here.setenv(name, value)
        if command == ["--version"]:
            with pytest.raises(SystemExit, match="0"):
                run(command)
        else:
            assert run(command) == 0, line


def servers_in(file: Path) -> list[str]:
    """The flags of each server, or that it has a key. It is the program of the environment that the tests run in."""
    config: Fields = json.loads(file.read_text("utf-8")) if file.exists() else {}
    found: dict[str, Fields] = config.get("mcpServers", {})
    return [
        "with a key" if server.get("env", {}).get("OSOTO_API_KEY") == "osk_your_key" else " ".join(server["args"])
        for server in found.values()
    ]
