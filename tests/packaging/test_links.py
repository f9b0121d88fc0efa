"""README's links hold the entries that `trips-mcp install` writes."""

import json
import re
from base64 import b64decode
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from trips_mcp.cli.install.clients import CLIENTS
from trips_mcp.cli.install.entries import LocalServer

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def link(host: str) -> dict[str, str]:
    """What is asked of the only link there."""
    found: list[str] = re.findall(rf"\]\((https://{re.escape(host)}/[^)]*\?[^)]*)\)", README)
    [address] = found
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query, strict_parsing=True).items()}


def vscode_entry(address: str) -> Any:
    scheme, _, config = address.partition("?")
    assert scheme == "vscode:mcp/install"
    return json.loads(unquote(config))


def test_cursor_is_given_the_entry_that_install_writes_without_keys() -> None:
    asked = link("cursor.com")

    assert asked["name"] == "trips"
    assert json.loads(b64decode(asked["config"], validate=True)) == CLIENTS["cursor"].entry(
        LocalServer("uvx", ("trips-mcp",), {})
    )


def test_vs_code_is_given_the_entry_and_the_question_for_the_key() -> None:
    pasted = json.loads((ROOT / "examples/clients/vscode.json").read_text("utf-8"))

    assert vscode_entry(link("insiders.vscode.dev")["url"]) == {
        "name": "trips",
        **pasted["servers"]["trips"],
        "inputs": pasted["inputs"],
    }
