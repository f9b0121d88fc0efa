"""The ownership of an entry in a client's configuration, and the parts of ours that an update keeps.

An entry that starts trips-mcp is recognisable; an address is not. So a record has the hashes of the addresses that
`install --url` wrote, by which `--remove` recognises its entries.
"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from trips_mcp.cli.install.config_file import InstallRefusedError, NameTakenError
from trips_mcp.cli.install.entries import FORM, Entry, LocalServer, Server
from trips_mcp.json_values import is_object

_US: Final = re.compile(r"(?:^|[\\/])trips[-_]mcp(?:\.exe)?(?:$|[\s@:=<>~!\[])")


def our_entry(content: Mapping[str, Any], section: str, name: str, url: str | None, path: Path) -> Entry | None:
    """The entry of this name, if there is one.

    Raises: InstallRefusedError where it does not run this server and its URL is neither this one nor one of ours.
    """
    servers = content.get(section, {})
    if not is_object(servers):
        raise InstallRefusedError(f"{section} in {path} is not an object")
    if name not in servers:
        return None
    entry = servers[name]
    if not is_object(entry) or not any(
        word == url or _US.search(word) or is_remembered(path, name, word) for word in _words(entry)
    ):
        raise NameTakenError(f"{path} has another server called {name}")
    return entry


def kept(server: Server, entry: Entry) -> Server:
    """Keeps the entry's variables, so that a key that is not set today is not lost."""
    if not isinstance(server, LocalServer):
        return server
    env = entry.get("env") or entry.get("environment")
    before = {name: value for name, value in env.items() if isinstance(value, str)} if is_object(env) else {}
    return LocalServer(server.command, server.args, before | dict(server.env))


def amended(entry: Entry, anew: Entry) -> Entry:
    """Replaces the fields that say how to reach the server, and keeps everything else."""
    others = {field: value for field, value in entry.items() if field in anew or field not in FORM}
    return {**others, **anew}


def same(entry: Entry, other: Entry) -> bool:
    """Ignores empty objects, which some clients write and others omit."""
    return _without_nothing(entry) == _without_nothing(other)


def _without_nothing(entry: Entry) -> Entry:
    return {field: value for field, value in entry.items() if value != {}}


def _words(entry: Entry) -> list[str]:
    fields = (entry.get(field) for field in ("command", "args", "url", "serverUrl"))
    lists: list[list[object]] = [field if isinstance(field, list) else [field] for field in fields]
    return [word for words in lists for word in words if isinstance(word, str)]


def remember(config: Path, name: str, url: str) -> None:
    """Best effort: without the record, `--remove` asks for the address."""
    place = _place()
    entries = {**_read(place), _key(config, name): _hash(url)}
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, new = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(entries, file, indent=2)
        Path(new).replace(place)


def is_remembered(config: Path, name: str, url: str) -> bool:
    return _read(_place()).get(_key(config, name)) == _hash(url)


def _place() -> Path:
    from platformdirs import user_state_path

    return user_state_path("trips-mcp", appauthor=False) / "installed.json"


def _read(place: Path) -> dict[str, object]:
    try:
        found = json.loads(place.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if is_object(found) else {}


def _key(config: Path, name: str) -> str:
    return f"{config}#{name}"


def _hash(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()
