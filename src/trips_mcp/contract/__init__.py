"""The two REST APIs as data; it does no I/O, and every other layer imports it."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final, cast

from trips_mcp.contract import action_items, commitments, events, legs, map_pins, me, members, messages, shares, trips
from trips_mcp.contract.operation import Operation

_RESOURCES: Final = (
    me,
    trips,
    legs,
    action_items,
    commitments,
    map_pins,
    messages,
    members,
    shares,
    events,
)


def _rows(resource: ModuleType) -> Iterator[Operation[Any, Any]]:
    for value in vars(resource).values():
        row: object = value
        if isinstance(row, Operation):
            yield cast("Operation[Any, Any]", row)


OPERATIONS: Final = tuple(row for resource in _RESOURCES for row in _rows(resource))
"""Every row of the resources, in their order."""

__all__ = ["OPERATIONS", "Operation"]
