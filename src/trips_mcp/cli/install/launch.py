"""The command that starts this same trips-mcp again, for a client's configuration, and a trial of it."""

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from trips_mcp.cli.install.config_file import InstallRefusedError
from trips_mcp.cli.install.entries import LocalServer, secret_variables
from trips_mcp.cli.install.machine import Machine
from trips_mcp.json_values import is_object
from trips_mcp.redaction import without_secrets

PROGRAM: Final = "trips-mcp"
_PACKAGE: Final = re.compile(r"trips[-_]mcp")
_UV: Final = re.compile(r"(?:^|[\\/])uvx?(?:\.exe)?$")
_CACHED: Final = re.compile(r"(?:archive|builds|environments)-v[0-9]+")
"""Folders of environments in uv's cache. uv may delete them at any time."""
_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Launch:
    words: tuple[str, ...]
    """The arguments of `uvx`, or the whole command."""
    by_uvx: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """How this process was started."""

    argv: tuple[str, ...]
    parent: tuple[str, ...]
    """The command line of the parent process; empty if the system does not provide it."""
    prefix: str
    """The folder of the Python environment."""
    executable: str
    scripts: str
    source: str | None
    """The path or URL that the package was installed from; None if from an index."""

    @classmethod
    def this(cls) -> Self:
        return cls(
            argv=tuple(sys.argv),
            parent=_words_of(os.getppid()),
            prefix=sys.prefix,
            executable=sys.executable,
            scripts=sysconfig.get_path("scripts"),
            source=_source(),
        )

    def launch(self) -> Launch:
        if any(map(_CACHED.fullmatch, Path(self.prefix).parts)):
            words = self._words_behind_uvx()
            return Launch(words or (*(("--from", self.source) if self.source else ()), PROGRAM), by_uvx=True)
        return Launch(self._own_program(), by_uvx=False)

    def _words_behind_uvx(self) -> tuple[str, ...]:
        """Includes the versions, indexes and extras of the user's command."""
        words, ours = self.parent, self.argv[1:]
        if len(words) <= len(ours) or words[len(words) - len(ours) :] != ours or not _UV.search(words[0]):
            return ()
        told = words[1 : len(words) - len(ours)]
        tool = next((place for place, word in enumerate(told) if word == "tool"), None)
        if tool is not None and told[tool + 1 : tool + 2] in (("run",), ("uvx",)):
            told = (*told[:tool], *told[tool + 2 :])
        elif not re.search(r"uvx(?:\.exe)?$", words[0]):
            return ()
        return tuple(map(_absolute, told)) if any(map(_PACKAGE.search, told)) else ()

    def _own_program(self) -> tuple[str, ...]:
        file = f"{PROGRAM}.exe" if os.name == "nt" else PROGRAM
        for program in (Path(self.argv[0]), Path(self.scripts) / file):
            if program.name in (PROGRAM, file) and program.is_file():
                return (os.path.abspath(program),)  # noqa: PTH100 - keeps links
        return (self.executable, "-m", "trips_mcp")


def is_place(source: str) -> bool:
    """Whether it names a file or a folder, not a package or a URL."""
    if "://" in source or source.startswith(("git+", f"{PROGRAM}[", f"{PROGRAM} @")):
        return False
    return source.startswith((".", "~")) or bool(set(source) & set("/\\")) or source.endswith((".whl", ".tar.gz"))


def _absolute(word: str) -> str:
    """Absolute, because a client starts the server in any folder."""
    name, equals, value = word.partition("=") if word.startswith("-") else ("", "", word)
    path, bracket, extras = value.partition("[")
    if is_place(value) and os.path.exists(path):  # noqa: PTH110 - as light as it gets
        return f"{name}{equals}{Path(path).absolute()}{bracket}{extras}"
    return word


def _words_of(process: int) -> tuple[str, ...]:
    """From the system's process table. Windows has none; macOS does not show where an argument ends."""
    try:
        if sys.platform == "linux":
            return tuple(Path(f"/proc/{process}/cmdline").read_text("utf-8").split("\0")[:-1])
        if sys.platform == "darwin":
            import subprocess

            asked = ["/bin/ps", "-ww", "-o", "args=", "-p", str(process)]
            told = subprocess.run(asked, capture_output=True, text=True, timeout=_SECONDS, check=True)  # noqa: S603
            return tuple(told.stdout.split())
    except (OSError, ValueError, RuntimeError):
        pass
    return ()


def _source() -> str | None:
    try:
        told = distribution(PROGRAM).read_text("direct_url.json")
        found = json.loads(told) if told else None
    except (PackageNotFoundError, ValueError):
        return None
    return source_of(found) if is_object(found) else None


def source_of(direct_url: dict[str, Any]) -> str | None:
    """The value for `uvx --from`. `direct_url`: the content of direct_url.json of the packaging standard."""
    url, version = direct_url.get("url"), direct_url.get("vcs_info")
    if not isinstance(url, str):
        return None
    if is_object(version):
        commit = version.get("requested_revision") or version.get("commit_id")
        below = direct_url.get("subdirectory")
        return (
            f"{version.get('vcs')}+{url}"
            + (f"@{commit}" if commit else "")
            + (f"#subdirectory={below}" if below else "")
        )
    return url2pathname(unquote(urlsplit(url).path)) if url.startswith("file:") else url


def shown(words: Sequence[str]) -> str:
    """The command as typed in a shell."""
    import shlex

    return shlex.join(words)


SECONDS: Final = 20.0
_OURS: Final = ("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_")
_LONGEST: Final = 300
_INITIALIZE: Final = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "trips-mcp install", "version": "1"},
}
_MESSAGES: Final[tuple[dict[str, object], ...]] = (
    {"id": 0, "method": "initialize", "params": _INITIALIZE},
    {"method": "notifications/initialized"},
    {"id": 1, "method": "tools/list", "params": {}},
)


class DoesNotStartError(InstallRefusedError):
    """The entry does not start a server."""


def count_tools(server: LocalServer, machine: Machine) -> int:
    """Starts the server and returns the number of tools it lists. Raises: DoesNotStartError."""
    sent = "".join(json.dumps({"jsonrpc": "2.0", **message}) + "\n" for message in _MESSAGES)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            code = _run(server, machine, sent.encode(), out.fileno(), err.fileno())
        except OSError as error:
            raise DoesNotStartError(_sentence(server, (error.strerror or "cannot be run").lower())) from None
        for file in (out, err):
            file.seek(0)
        tools = _tools(out.read())
        if tools:
            return len(tools)
        raise DoesNotStartError(_sentence(server, _why(code, err.read().decode("utf-8", "replace"), server)))


def _run(server: LocalServer, machine: Machine, sent: bytes, out: int, err: int) -> int | None:
    """Returns the exit code, or None on timeout. Output goes to files: a grandchild may keep a pipe open."""
    process = subprocess.Popen(  # noqa: S603 - the command that is about to be written down
        [server.command, *server.args],
        cwd=machine.home,
        env=_environment(machine.env, server),
        stdin=subprocess.PIPE,
        stdout=out,
        stderr=err,
        start_new_session=sys.platform != "win32",
    )
    try:
        process.communicate(sent, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _end(process)
    return process.returncode


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and its children."""
    if process.poll() is None:
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _environment(env: Mapping[str, str], server: LocalServer) -> dict[str, str]:
    """Without our variables of the shell, which the client does not have."""
    return {name: value for name, value in env.items() if not name.startswith(_OURS)} | dict(server.env)


def _tools(said: bytes) -> list[Any]:
    for line in said.splitlines():
        try:
            message = json.loads(line)
        except ValueError:
            continue
        result = message.get("result") if is_object(message) else None
        tools = result.get("tools") if is_object(result) else None
        if isinstance(tools, list):
            return tools  # pyright: ignore[reportUnknownVariableType] - of JSON
    return []


def _why(code: int | None, err: str, server: LocalServer) -> str:
    for variable in secret_variables(server):
        err = err.replace(server.env[variable], "…")
    said = [line.strip() for line in err.splitlines() if line.strip()]
    last = without_secrets(said[-1].removeprefix("trips-mcp: "))[:_LONGEST].rstrip(".") if said else ""
    ended = f"no answer within {SECONDS:g} seconds" if code is None else f"exit code {code}"
    return f"{ended}: {last}" if last else ended


def _sentence(server: LocalServer, why: str) -> str:
    return f"`{shown((Path(server.command).name, *server.args))}` does not start as a server ({why})"
