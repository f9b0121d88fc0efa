"""README's links that put the server into a client by a click, made of the entries that `trips-mcp install` writes."""

import json
from base64 import b64encode
from typing import Any
from urllib.parse import quote, urlencode

from trips_mcp.cli.install.clients import CLIENTS, Client
from trips_mcp.cli.install.entries import TRIPS_KEY, LocalServer

NAME = "trips"
_CURSOR, _VSCODE = CLIENTS["cursor"], CLIENTS["vscode"]


def links() -> str:
    """The web forms, as pages such as GitHub's drop links to programs."""
    return (
        f"[![Add to Cursor](https://cursor.com/deeplink/mcp-install-dark.svg)]({cursor_link()})\n"
        f"[Install in VS Code](https://insiders.vscode.dev/redirect?url={quote(vscode_link(), safe='')})\n"
    )


def cursor_link() -> str:
    """Without a variable, as Cursor has no way to ask for one, and one that is not set would switch the API off."""
    config = b64encode(compact(_entry(_CURSOR, {})).encode()).decode()
    return f"https://cursor.com/en/install-mcp?{urlencode({'name': NAME, 'config': config})}"


def vscode_link() -> str:
    env = {TRIPS_KEY: _VSCODE.reference.to(TRIPS_KEY)}
    whole = json.loads(_VSCODE.render(_VSCODE.section, NAME, _entry(_VSCODE, env)))
    config = {"name": NAME, **whole[_VSCODE.section][NAME], "inputs": whole["inputs"]}
    return f"vscode:mcp/install?{quote(compact(config), safe='')}"


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _entry(client: Client, env: dict[str, str]) -> dict[str, Any]:
    return client.entry(LocalServer("uvx", ("trips-mcp",), env))
