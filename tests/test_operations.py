"""Adding an operation takes five edits, each in the file that a failing test here names (docs/architecture.md)."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from trips_mcp.backend.resources import HANDLERS
from trips_mcp.client import resources
from trips_mcp.contract import OPERATIONS, Operation
from trips_mcp.tools import TOOLS

ROOT = Path(__file__).parent.parent
IN_THE_METHODS = {
    node.attr
    for node in ast.walk(ast.parse(Path(resources.__file__).read_text("utf-8")))
    if isinstance(node, ast.Attribute) and node.attr.isupper()
}
IN_THE_CLIENT = {
    node.id
    for node in ast.walk(ast.parse(Path(resources.__file__).with_name("client.py").read_text("utf-8")))
    if isinstance(node, ast.Name) and node.id.isupper()
}
each = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


def test_first_its_row_in_the_contract_is_enough_to_be_known() -> None:
    """Edit 1: contract/<resource>.py."""
    text = "".join(path.read_text("utf-8") for path in (ROOT / "src/trips_mcp/contract").glob("*.py"))

    assert {operation.name.upper() for operation in OPERATIONS} == set(
        re.findall(r"^([A-Z_]+)(?:: [^=\n]+)? = Operation\(", text, re.MULTILINE)
    )


@each
def test_second_its_handler_stands_in_the_backend(operation: Operation[Any, Any]) -> None:
    """Edit 2: the handler and its line in HANDLERS, backend/resources/<resource>.py."""
    [served] = [served for served in HANDLERS if served.operation is operation]

    assert served.run.__module__.startswith("trips_mcp.backend.resources.")


@each
def test_third_a_tool_calls_it(operation: Operation[Any, Any]) -> None:
    """Edit 3: tools/resources/<resource>.py."""
    assert [tool.name for tool in TOOLS if tool.name == operation.name and tool.uses[0] is operation]


@each
def test_fourth_the_client_has_a_method_for_it(operation: Operation[Any, Any]) -> None:
    """Edit 4: client/resources.py."""
    assert operation.name.upper() in IN_THE_METHODS | IN_THE_CLIENT


@each
def test_fifth_the_examples_call_it(operation: Operation[Any, Any]) -> None:
    """Edit 5: scripts/every_call.py. `make generate` refuses to write docs/examples.md without the call."""
    assert f'"{operation.name}"' in (ROOT / "scripts/every_call.py").read_text("utf-8")
