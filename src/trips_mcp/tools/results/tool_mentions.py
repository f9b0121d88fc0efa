"""What answers and errors say of other tools, on a server that does not offer every one.

Descriptions are reworded once (`rewording`); what is said as things happen goes through here.
"""

import re
from collections.abc import Callable, Collection
from typing import Any

from trips_mcp.client.errors import TripsError
from trips_mcp.contract.operation import Operation
from trips_mcp.tools.selection.descriptions import with_its_first, without

Hint = Callable[[str], str]
"""A sentence of ours as it may be said; empty where nothing of it is left."""


def hints_without(absent: Collection[str]) -> Hint:
    """Only for words of ours: of other people's nothing may be left out."""
    return lambda sentence: without(sentence, absent)


def refusal_without(said: str, absent: Collection[str]) -> str:
    """What is wrong stays whatever it names, what to do about it goes."""
    return with_its_first(said, absent) if absent else said


def failure_without(said: str, error: TripsError, tool: str, absent: Collection[str]) -> str:
    """An operation that failed on the way to a tool's answer is that tool's failure, where it is not offered itself."""
    operation: Operation[Any, Any] | None = getattr(error, "operation", None)
    if operation is not None and operation.name in absent:
        said = re.sub(rf"\b{operation.name}\b", tool, said)
    return refusal_without(said, [name for name in absent if name != tool])
