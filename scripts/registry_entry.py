"""server.json with the bundle as a second package, by its address and digest, as the MCP Registry requires.

    python scripts/registry_entry.py dist/trips-mcp.mcpb

The digest is known only of the file that is published, so this is left to the release.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

SERVER = Path(__file__).parent.parent / "server.json"


def with_bundle(server: dict[str, Any], bundle: Path) -> dict[str, Any]:
    [package] = server["packages"]
    added = {
        "registryType": "mcpb",
        "identifier": f"{server['repository']['url']}/releases/download/v{server['version']}/{bundle.name}",
        "version": server["version"],
        "fileSha256": hashlib.sha256(bundle.read_bytes()).hexdigest(),
        "transport": package["transport"],
    }
    return {**server, "packages": [package, added]}


if __name__ == "__main__":
    entry = with_bundle(json.loads(SERVER.read_text("utf-8")), Path(sys.argv[1]))
    print(json.dumps(entry, indent=2, ensure_ascii=False))
