"""The record of addresses that `install --url` wrote, so that `--remove` recognises its entries.

An entry that starts trips-mcp is recognisable; an address is not. The record has only hashes.
"""

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from trips_mcp.json_values import is_object


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
