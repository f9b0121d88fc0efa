"""JSON in the pages is JSON, and entries for clients are those that `install` writes.

That Python stands in a file: tests/examples/test_client_page.py.
"""

import json
from typing import Any

import pytest

from trips_mcp.contract.models import is_object

from .pages import ROOT, blocks

EXAMPLES = ROOT / "examples"
SECTIONS = ("mcpServers", "servers", "context_servers", "mcp")
JSON = blocks("json")


def test_json_is_json() -> None:
    for block in JSON:
        try:
            json.loads(block.text)
        except ValueError as error:
            pytest.fail(f"{block}: {error}")


def test_an_entry_for_clients_is_one_that_install_writes() -> None:
    written = [_without_keys(json.loads(path.read_text("utf-8"))) for path in (EXAMPLES / "clients").glob("*.json")]
    shown = [json.loads(block.text) for block in JSON if block.text.lstrip().startswith("{")]
    entries = [one for one in shown if set(one) & set(SECTIONS)]

    assert entries
    for entry in entries:
        assert _without_keys(entry) in written


def _without_keys(value: Any) -> Any:
    """Whatever stands for the key: the key, or each client's own reference to a variable."""
    if not is_object(value):
        return value
    return {name: "…" if name == "OSOTO_API_KEY" else _without_keys(one) for name, one in value.items()}


def test_every_language_is_one_that_is_looked_at() -> None:
    """`http` is generated, of `nginx` a test of its own takes care; without a language a block is overlooked by all."""
    looked_at = ("python", "json", "sh")
    of_their_own = ("cron", "http", "nginx", "text")

    assert [str(block) for block in blocks() if block.language not in (*looked_at, *of_their_own)] == []
