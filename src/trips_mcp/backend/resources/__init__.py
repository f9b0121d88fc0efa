"""The handlers of all operations, collected from the resources."""

from typing import Final

from trips_mcp.backend.handler import Served
from trips_mcp.backend.resources import batches, events, me, messages, trip_parts, trips

_RESOURCES: Final = (me, trips, batches, trip_parts, messages, events)
HANDLERS: Final[tuple[Served, ...]] = tuple(served for resource in _RESOURCES for served in resource.HANDLERS)
