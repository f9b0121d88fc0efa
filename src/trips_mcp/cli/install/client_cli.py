"""Clients' own commands for adding and removing a server.

The output of such a command is never shown, because it may repeat its arguments, which include keys.
"""

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from trips_mcp.cli.install.config_file import OwnCommandError
from trips_mcp.cli.install.entries import TRIPS_KEY, LocalServer, Server, typed, without_secrets

if TYPE_CHECKING:
    from trips_mcp.cli.install.machine import Machine

_SECONDS: Final = 60
_HIDDEN: Final = "\0"


@dataclass(frozen=True, kw_only=True)
class OwnCommand:
    program: str
    adding: tuple[str, ...] = ("mcp", "add")
    removing: tuple[str, ...] | None = ("mcp", "remove")
    """None if the client has no command for it."""
    to_add: Callable[[str, Server], list[str]]
    """The arguments after `adding`, for a server of this name."""
    to_remove: Callable[[str], list[str]] = lambda name: [name]
    removes_first: bool = False
    """Whether it refuses to add an existing name."""
    passes_no_headers: bool = False
    """Whether it accepts only one key for an address."""

    def as_typed(self, name: str, server: Server) -> str:
        """The command for a shell, which expands the keys."""
        words = self.to_add(name, without_secrets(server, lambda variable: f"{_HIDDEN}{variable}{_HIDDEN}"))
        return " ".join(map(_quoted, (self.program, *self.adding, *words)))

    def can_pass(self, program: str, name: str, server: Server, machine: "Machine") -> bool:
        return machine.can_pass(program, self.to_add(name, server))


def add(own: OwnCommand, program: str, name: str, server: Server, machine: "Machine") -> None:
    """Raises: OwnCommandError."""
    _run(program, own, own.adding, own.to_add(name, server), machine)


def remove(own: OwnCommand, program: str, name: str, machine: "Machine") -> None:
    """Raises: OwnCommandError."""
    _run(program, own, own.removing or (), own.to_remove(name), machine)


def _run(program: str, own: OwnCommand, verbs: tuple[str, ...], words: list[str], machine: "Machine") -> None:
    """Runs in the home folder, because the command may read settings of its working folder."""
    import subprocess

    shown = f"`{' '.join((own.program, *verbs))}`"
    if not machine.can_pass(program, words):
        raise OwnCommandError(f"{shown} is a batch file here, which would misread a character of the entry")
    try:
        ended = subprocess.run(  # noqa: S603 - the client's own command, without a shell
            [program, *verbs, *words],
            cwd=machine.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OwnCommandError(f"{shown} did not end within {_SECONDS} seconds", "it may be there or not") from None
    except OSError:
        raise OwnCommandError(f"{shown} cannot be run") from None
    if ended.returncode != 0:
        raise OwnCommandError(f"{shown} failed with exit code {ended.returncode}")


def _quoted(word: str) -> str:
    if _HIDDEN not in word:
        return shlex.quote(word)
    escaped = re.sub(r'(["\\$`])', r"\\\1", word)
    return '"' + re.sub(f"{_HIDDEN}(\\w+){_HIDDEN}", r"$\1", escaped) + '"'


def _to_claude(name: str, server: Server) -> list[str]:
    if isinstance(server, LocalServer):
        # the name goes first: -e takes every word up to the next flag
        return [name, "--scope", "user", *_pairs("-e", server.env), "--", server.command, *server.args]
    return ["--transport", "http", name, server.url, "--scope", "user", *_headers(server.headers)]


def _to_gemini(name: str, server: Server) -> list[str]:
    if isinstance(server, LocalServer):
        return ["--scope", "user", *_pairs("-e", server.env), name, server.command, "--", *server.args]
    return ["--scope", "user", "--transport", "http", name, server.url, *_headers(server.headers)]


def _to_codex(name: str, server: Server) -> list[str]:
    if isinstance(server, LocalServer):
        return [name, *_pairs("--env", server.env), "--", server.command, *server.args]
    return [name, "--url", server.url, *(["--bearer-token-env-var", TRIPS_KEY] if TRIPS_KEY in server.env else [])]


def _to_code(name: str, server: Server) -> list[str]:
    return [json.dumps({"name": name, **typed(server)}, ensure_ascii=False)]


def _pairs(flag: str, env: Mapping[str, str]) -> list[str]:
    return [word for name, value in env.items() for word in (flag, f"{name}={value}")]


def _headers(headers: Mapping[str, str]) -> list[str]:
    return [word for name, value in headers.items() for word in ("--header", f"{name}: {value}")]


CLAUDE: Final = OwnCommand(
    program="claude", to_add=_to_claude, to_remove=lambda name: ["--scope", "user", name], removes_first=True
)
GEMINI: Final = OwnCommand(program="gemini", to_add=_to_gemini, to_remove=lambda name: ["--scope", "user", name])
CODEX: Final = OwnCommand(program="codex", to_add=_to_codex, passes_no_headers=True)
CODE: Final = OwnCommand(program="code", adding=("--add-mcp",), removing=None, to_add=_to_code)
