"""The registry of all tools, by toolset, in the order that agents see them."""

from types import ModuleType
from typing import Any, cast

from trips_mcp.tools.plans import imports, show_trip, undoing
from trips_mcp.tools.plans import tools as plans
from trips_mcp.tools.resources import (
    action_items,
    commitments,
    events,
    exports,
    itinerary,
    legs,
    map_pins,
    members,
    messages,
    shares,
    sync,
    trips,
)
from trips_mcp.tools.tool import Tool


def _tools_in(*resources: ModuleType) -> tuple[Tool[Any, Any], ...]:
    """The public tools of the modules, in their order."""
    public = [value for resource in resources for name, value in vars(resource).items() if not name.startswith("_")]
    return tuple(cast("Tool[Any, Any]", value) for value in public if isinstance(value, Tool))


TOOLSETS: dict[str, tuple[Tool[Any, Any], ...]] = {
    "trips": _tools_in(trips, exports, sync),
    "itinerary": (
        itinerary.get_day,
        itinerary.get_timeline,
        itinerary.check_trip,
        itinerary.search_trip,
        show_trip.show_trip,
        itinerary.get_stay,
    ),
    "legs": _tools_in(legs),
    "action_items": _tools_in(action_items),
    "commitments": _tools_in(commitments),
    "map_pins": _tools_in(map_pins),
    "messages": _tools_in(messages),
    "members": _tools_in(members),
    "shares": _tools_in(shares),
    "events": _tools_in(events),
    "plans": (
        plans.plan_changes,
        plans.apply_plan,
        imports.plan_import,
        plans.plan_move,
        plans.plan_copy,
        *_tools_in(undoing),
    ),
}

TOOLS = tuple(tool for tools in TOOLSETS.values() for tool in tools)
