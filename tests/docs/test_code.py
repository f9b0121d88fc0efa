"""Code in the pages is code that runs, and entries for clients are those that `install` writes."""

import json
from textwrap import dedent
from typing import Any

import pytest

from trips_mcp.json_values import is_object

from .pages import ROOT, Block, blocks

EXAMPLES = ROOT / "examples"
CONTRACT = ROOT / "src/trips_mcp/contract"
SECTIONS = ("mcpServers", "servers", "context_servers", "mcp")
JSON = blocks("json")


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_stands_in_an_example_that_the_tests_run_or_in_the_contract(block: Block) -> None:
    sources = [_flat(path.read_text("utf-8")) for path in (*EXAMPLES.glob("*.py"), *CONTRACT.glob("*.py"))]

    assert any(_flat(block.text) in source for source in sources)


def _flat(text: str) -> str:
    """Without indentation, so that a part of a function can be shown by itself."""
    return "\n".join(line.strip() for line in dedent(text).splitlines())


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
