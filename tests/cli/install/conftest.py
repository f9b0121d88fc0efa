"""A user's computer: a home folder, a PATH of stand-ins, and none of the real user's files or settings."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from trips_mcp.cli.commands import run
from trips_mcp.cli.install.clients import CLIENTS
from trips_mcp.cli.install.launch import Process
from trips_mcp.cli.install.machine import Machine

_OURS = ("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_")
_OTHERS = ("XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "UV")
_RECORDER = """\
#!{python}
import json, sys
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
print("told", *sys.argv[1:])
print("told", *sys.argv[1:], file=sys.stderr)
sys.exit({failing!r} in sys.argv[1:])
"""


SERVER = """\
#!/bin/sh
read -r _; echo '{"jsonrpc":"2.0","id":0,"result":{"serverInfo":{"name":"trips-mcp"}}}'
read -r _; read -r _; echo '{"jsonrpc":"2.0","id":1,"result":{"tools":[{},{},{}]}}'
"""
"""What uvx starts: a server of three tools."""
BY_UVX = Process(
    argv=("trips-mcp", "install"),
    parent=("uv", "tool", "uvx", "trips-mcp", "install"),
    prefix="/cache/uv/archive-v0/x",
    executable="/cache/uv/archive-v0/x/bin/python",
    scripts="/cache/uv/archive-v0/x/bin",
    source=None,
)


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The only one, on stderr."""
        assert self.err.startswith("trips-mcp: ")
        assert self.err.count("\n") == 1
        return self.err.removeprefix("trips-mcp: ").rstrip("\n")


@dataclass(frozen=True)
class Desk:
    home: Path
    programs: Path
    install: Callable[..., Ended]
    """`trips-mcp install` with these words; environment variables by keyword."""
    key: str = "osk_a-key-that-nobody-may-see"
    events_key: str = "tok-that-nobody-may-see"
    server: str = SERVER

    def file(self, client: str) -> Path:
        return CLIENTS[client].place(Machine.this())

    def put(self, client: str, content: str | bytes) -> Path:
        file = self.file(client)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def read(self, client: str) -> Any:
        return json.loads(self.file(client).read_bytes().decode("utf-8-sig"))

    def program(self, name: str, *, failing: str = "") -> None:
        """A stand-in on the PATH that notes what it is told, repeats it aloud, and fails where it is told this word."""
        source = _RECORDER.format(python=sys.executable, log=str(self.home / f"{name}.log"), failing=failing)
        self.place(self.programs / name, source)

    def place(self, path: Path, source: str = "#!/bin/sh\n") -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, "utf-8")
        path.chmod(0o755)
        return str(path)

    def told(self, name: str) -> list[list[str]]:
        """What the stand-in was told, call by call."""
        log = self.home / f"{name}.log"
        return [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []

    def files(self) -> set[str]:
        """Everything that lies about in the home."""
        return {str(path.relative_to(self.home)) for path in self.home.rglob("*")}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """With uvx and npx to be found, and none of the clients' own commands; run by uvx."""
    home, programs = tmp_path / "home", tmp_path / "programs"
    home.mkdir()
    for name in [name for name in os.environ if name.startswith(_OURS) or name in _OTHERS]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PATH", str(programs))

    def install(*words: str, **environment: str) -> Ended:
        with pytest.MonkeyPatch.context() as patched:
            for name, value in environment.items():
                patched.setenv(name, value)
            try:
                code = run(["install", *words])
            except SystemExit as usage:
                code = int(usage.code or 0)
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    desk = Desk(home, programs, install)
    desk.place(programs / "uvx", SERVER)
    monkeypatch.setattr(Process, "this", lambda: BY_UVX)
    desk.place(programs / "npx")
    return desk
