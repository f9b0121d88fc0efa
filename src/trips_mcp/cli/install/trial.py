"""A trial start of the server, as the client will start it, before the entry is written."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from trips_mcp.cli.install.errors import InstallRefusedError
from trips_mcp.cli.install.launch import shown
from trips_mcp.cli.install.machine import Machine
from trips_mcp.cli.install.server_spec import LocalServer, secret_variables
from trips_mcp.json_values import is_object
from trips_mcp.redaction import without_secrets

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
