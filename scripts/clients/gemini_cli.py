"""Gemini CLI: the entry that `trips-mcp install` makes it write, and whether it connects."""

import json
from pathlib import Path

from registries import NODE

from clients.desk import OURS, Desk, desk
from clients.our_server import Served
from clients.tally import Tally


def check(modules: Path, served: Served, tally: Tally) -> None:
    for how, words, env in (
        ("stdio", (), {}),
        ("HTTP with a key", ("--url", served.url), {"OSOTO_API_KEY": served.key()}),
    ):
        with desk() as at:
            at.program("gemini", NODE / "node", modules / "@google/gemini-cli/bundle/gemini.js")
            settings = _settings_that_trust_every_folder(at)
            installed = at.run(OURS, "install", "gemini-cli", *words, env=env)
            tally.claim(f"{how}: `trips-mcp install gemini-cli` succeeds", installed.code == 0, installed.err)
            listed = _listed(at)
            tally.claim(
                f"{how}: `gemini mcp list` says Connected", "✓ trips:" in listed and "Connected" in listed, listed
            )
            kept = json.loads(settings.read_text("utf-8"))["security"]["folderTrust"]
            tally.claim(f"{how}: what else was in its settings is there still", kept == {"enabled": False}, kept)
            at.run(OURS, "install", "gemini-cli", "--remove", *words)
            tally.claim(f"{how}: after `--remove` it has no such server", "trips" not in (gone := _listed(at)), gone)


def _settings_that_trust_every_folder(at: Desk) -> Path:
    """Elsewhere it starts no servers."""
    settings = at.home / ".gemini/settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"security": {"folderTrust": {"enabled": False}}}), "utf-8")
    return settings


def _listed(at: Desk) -> str:
    ended = at.run("gemini", "mcp", "list")
    return ended.out + ended.err
