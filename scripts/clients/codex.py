"""Codex: the entry that `trips-mcp install` makes it write. Connecting needs an account, so only the entry is read."""

import json
from pathlib import Path
from typing import Any

from clients.desk import OURS, Desk, desk
from clients.our_server import Served
from clients.tally import Tally


def check(modules: Path, served: Served, tally: Tally) -> None:
    with desk() as at:
        (program,) = modules.glob("@openai/codex-*/vendor/*/bin/codex")
        at.program("codex", program)
        at.run(OURS, "install", "codex")
        read = _read(at)
        started = (read["transport"]["command"], read["transport"]["args"]) == (str(OURS), [])
        tally.claim(
            "`trips-mcp install codex`, then `codex mcp get --json`: enabled", started and read["enabled"], read
        )
        at.run(OURS, "install", "codex", "--remove")
        tally.claim("after `--remove` it has no such server", at.run("codex", "mcp", "get", "trips").code != 0)
        key = served.key()
        at.run(OURS, "install", "codex", "--url", served.url, env={"OSOTO_API_KEY": key})
        read = _read(at)["transport"]
        reached = (read["url"], read["bearer_token_env_var"]) == (served.url, "OSOTO_API_KEY")
        tally.claim("with --url it has the address, and the variable to take the key from", reached, read)
        written = (at.home / ".codex/config.toml").read_text("utf-8")
        tally.claim("the key itself is not in its file", key not in written, written)


def _read(at: Desk) -> Any:
    return json.loads(at.run("codex", "mcp", "get", "trips", "--json").out)
