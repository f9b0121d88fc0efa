"""Removal of absent tools from answers and errors.

Descriptions are reworded once (`selection/descriptions.py`); run-time texts go through here.
"""

import re
from collections.abc import Callable, Collection
from typing import Any

from trips_mcp.client.errors import TripsError
from trips_mcp.contract.operation import Operation
from trips_mcp.tools.selection.descriptions import with_its_first, without

Hint = Callable[[str], str]
"""Removes absent tools from one of our sentences; empty if nothing is left."""


def hints_without(absent: Collection[str]) -> Hint:
    """Only for our own words: other people's must stay complete."""
    return lambda sentence: without(sentence, absent)


def refusal_without(said: str, absent: Collection[str]) -> str:
    """Keeps the error; drops advice that names an absent tool."""
    return with_its_first(said, absent) if absent else said


def failure_without(said: str, error: TripsError, tool: str, absent: Collection[str]) -> str:
    """Names `tool` in place of the failed operation if that is not offered as a tool."""
    operation: Operation[Any, Any] | None = getattr(error, "operation", None)
    if operation is not None and operation.name in absent:
        said = re.sub(rf"\b{operation.name}\b", tool, said)
    return refusal_without(said, [name for name in absent if name != tool])
