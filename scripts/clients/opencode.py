"""opencode: the entry that `trips-mcp install` writes, and whether it connects."""

import re
from pathlib import Path

from clients.desk import OURS, Desk, desk
from clients.our_server import Served
from clients.tally import Tally


def check(modules: Path, served: Served, tally: Tally) -> None:
    for how, words, env in (
        ("stdio", (), {}),
        ("HTTP with a key", ("--url", served.url), {"OSOTO_API_KEY": served.key()}),
    ):
        with desk() as at:
            at.program("opencode", _program(modules))
            installed = at.run(OURS, "install", "opencode", *words, env=env)
            tally.claim(f"{how}: `trips-mcp install opencode` succeeds", installed.code == 0, installed.err)
            listed = _listed(at)
            tally.claim(f"{how}: `opencode mcp list` says connected", "✓ trips connected" in listed, listed)
            at.run(OURS, "install", "opencode", "--remove", *words)
            tally.claim(f"{how}: after `--remove` it has no such server", "trips" not in (gone := _listed(at)), gone)


def _program(modules: Path) -> Path:
    """That which asks least of a processor, where there are several."""
    found = sorted(modules.glob("opencode-*/bin/opencode*"), key=lambda path: "baseline" not in str(path))
    return found[0]


def _listed(at: Desk) -> str:
    """Without the colours, which it always has."""
    ended = at.run("opencode", "mcp", "list")
    return re.sub(r"\x1b\[[0-9;]*m", "", ended.out + ended.err)
