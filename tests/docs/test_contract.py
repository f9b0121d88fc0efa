"""docs/contract.md is the rule book: every reference to it resolves, and it lists the operations that there are."""

import re
from typing import Any

import pytest

from trips_mcp.contract import OPERATIONS, Operation

from .pages import ROOT, anchors

PAGE = ROOT / "docs/contract.md"
SOURCES = sorted(
    path
    for folder in ("src", "tests", "scripts", "benchmarks", "examples")
    for path in (ROOT / folder).glob("**/*.py")
    if path.name != "test_contract.py"
)
REFERENCE = re.compile(r"docs/contract\.md(?:#([\w-]+))?")


def test_every_reference_to_the_contract_resolves() -> None:
    known = anchors(PAGE)
    found = [(path.name, anchor) for path in SOURCES for anchor in REFERENCE.findall(path.read_text("utf-8"))]

    assert found
    assert [(name, anchor) for name, anchor in found if anchor and anchor not in known] == []


def test_no_reference_names_a_section_by_number() -> None:
    numbered = re.compile(r"\bCONTRACT\b\s*(§|\.md|,)")

    assert [path.name for path in SOURCES if numbered.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_the_contract_lists_every_operation_as_it_is(operation: Operation[Any, Any]) -> None:
    """A row has the name, the method, the path and, for the Trips API, the scope."""
    row = next(line for line in PAGE.read_text("utf-8").splitlines() if line.startswith(f"| `{operation.name}` |"))

    assert f"{operation.method} `{operation.path}`" in row
    if operation.api == "trips" and operation.scope in ("trips:read", "trips:write", "messages:read", "messages:write"):
        assert f"| `{operation.scope}` |" in row


def test_the_contract_lists_no_other_operation() -> None:
    operations = re.findall(r"^\| `(\w+)` \| (?:GET|POST|PATCH|DELETE) `", PAGE.read_text("utf-8"), re.MULTILINE)

    assert operations == [operation.name for operation in OPERATIONS]
