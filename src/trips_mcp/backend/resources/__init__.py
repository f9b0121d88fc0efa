"""The resources; each module has the handlers of one."""

from typing import Final

from trips_mcp.backend.handler import Served
from trips_mcp.backend.resources import (
    action_items,
    commitments,
    events,
    exports,
    legs,
    map_pins,
    me,
    members,
    messages,
    shares,
    sync,
    trips,
)

_RESOURCES: Final = (
    me,
    trips,
    exports,
    sync,
    legs,
    action_items,
    commitments,
    map_pins,
    messages,
    members,
    shares,
    events,
)
HANDLERS: Final[tuple[Served, ...]] = tuple(served for resource in _RESOURCES for served in resource.HANDLERS)
