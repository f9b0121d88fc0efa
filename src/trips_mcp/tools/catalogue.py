"""The tools' listings as they were generated into listing.json: read at start, without importing a model.

`scripts/generate.py` writes the file from TOOLS; `make check` fails where the two differ.
"""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

LISTING = Path(__file__).with_name("listing.json")


def catalogue(apis: Collection[str]) -> list[dict[str, Any]]:
    """The wire listings of the tools that speak to these APIs ("trips", "events"), in their fixed order."""
    by_api: dict[str, list[dict[str, Any]]] = json.loads(LISTING.read_bytes())
    return [listing for api, listings in by_api.items() if api in apis for listing in listings]
