"""Claude Code: runs the commands of README and docs/deploy.md, and checks the connection and the list of tools."""

import re
import shlex
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from clients import claude_model
from clients.desk import OURS, Desk, desk
from clients.our_server import Served, on_this_computer, plan
from clients.tally import Tally

ROOT: Final = Path(__file__).parents[2]
_NOWHERE: Final = {"OSOTO_BASE_URL": "http://127.0.0.1:9/api/v1"}
"""Replaces README's example key."""


def check(modules: Path, served: Served, tally: Tally) -> None:
    (program,) = modules.glob("@anthropic-ai/claude-code-*/claude*")
    with _desk_with(program) as at:
        _as_the_pages_say(at, served, tally)
    with _desk_with(program) as at:
        database = at.home / "trips.db"
        planned = plan(database)
        installed = at.run(OURS, "install", "claude-code", env=on_this_computer(database))
        tally.claim(
            "`trips-mcp install claude-code` writes it down by `claude mcp add`", installed.code == 0, installed
        )
        _claim_connected(at, "as installed", tally)
        claude_model.check_over_stdio(at, database, planned, tally)
        claude_model.check_a_prompt(at, database, planned, tally)
        _check_removing(at, tally)
    with _desk_with(program) as at:
        key = served.key()
        at.run(OURS, "install", "claude-code", "--url", served.url, env={"OSOTO_API_KEY": key})
        _claim_connected(at, "as installed with --url and a key", tally)
        claude_model.check_over_http(at, key, served, tally)


@contextmanager
def _desk_with(program: Path) -> Generator[Desk]:
    quiet = {"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    # A user types while the servers connect; where nobody types it is to wait for them.
    waiting = {"CLAUDE_CODE_MCP_STARTUP_WAIT_MS": "60000", "MCP_TIMEOUT": "60000"}
    with desk(**quiet, **waiting) as at:
        at.program("claude", program)
        yield at


def _as_the_pages_say(at: Desk, served: Served, tally: Tally) -> None:
    local = _line_of("README.md", r"^claude mcp add trips .+$")
    at.run(*shlex.split(local))
    remote = _line_of("docs/deploy.md", r"^claude mcp add --transport http trips .+$")
    shown = re.sub(r"https://\S+", served.url, remote).replace(" trips ", " deployed ")
    at.run(*shlex.split(shown.replace("osk_your_key", served.key())))
    at.run("claude", "mcp", "add", "--transport", "http", "refused", served.url, "--header", "Authorization: Bearer no")
    listed = at.run("claude", "mcp", "list", env=_NOWHERE).out
    tally.claim(f"README: `{local}`: Connected", _is_connected("trips", listed), listed)
    tally.claim(f"docs/deploy.md: `{remote}`: Connected", _is_connected("deployed", listed), listed)
    tally.claim("a wrong key over HTTP: said to be rejected", re.search("refused: .*rejected", listed), listed)


def _claim_connected(at: Desk, how: str, tally: Tally) -> None:
    listed = at.run("claude", "mcp", "list").out
    tally.claim(f"{how}: `claude mcp list` says Connected", _is_connected("trips", listed), listed)


def _check_removing(at: Desk, tally: Tally) -> None:
    at.run(OURS, "install", "claude-code", "--remove")
    listed = at.run("claude", "mcp", "list").out
    tally.claim("after `--remove` it has no such server", "trips" not in listed, listed)


def _is_connected(name: str, listed: str) -> bool:
    return bool(re.search(rf"^{name}: .*✔ Connected$", listed, re.MULTILINE))


def _line_of(page: str, pattern: str) -> str:
    found = re.search(pattern, (ROOT / page).read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise LookupError(f"{page} has no line of the form {pattern}")
    return found[0]
