"""The listing of a server bound to one trip: no tool about other trips, no argument that names a trip.

`single_trip.py` keeps the calls to the trip.
"""

import re
from typing import Any, Final

from trips_mcp.tools.listing import Entry

TRIP_ID: Final = "tripId"
NUMBER: Final = "trip_id"
NUMBERS: Final = "trip_ids"
"""How the Events API names the trip, and the trips, by their numbers."""
FILLED_IN: Final = frozenset({TRIP_ID, NUMBER, NUMBERS})

_OF_NO_TRIP: Final = frozenset({"get_me", "apply_plan", "plan_undo"})
"""`apply_plan` and `plan_undo` themselves check the trip of the plan and of the change."""
_OF_A_NEW_TRIP: Final = frozenset({"plan_copy"})
_SOME_TRIP: Final = re.compile(r"\b(?:one or more trips|(?:one|a single|a)( whole)? trip)\b")


def is_of_one_trip(entry: Entry) -> bool:
    """A tool without an argument for the trip may be about any trip, so it must be known as harmless."""
    listing = entry["listing"]
    if listing["name"] in _OF_A_NEW_TRIP:
        return False
    return entry["api"] == "events" or listing["name"] in _OF_NO_TRIP or TRIP_ID in listing["inputSchema"]["properties"]


def of_one_trip(listing: dict[str, Any]) -> dict[str, Any]:
    """The listing without the arguments that name the trip."""
    schema: dict[str, Any] = dict(listing["inputSchema"])
    schema["properties"] = {name: inner for name, inner in schema["properties"].items() if name not in FILLED_IN}
    schema["required"] = [name for name in schema.get("required", ()) if name not in FILLED_IN]
    if not schema["required"]:
        del schema["required"]
    return {**listing, "description": _SOME_TRIP.sub(_the_trip, listing["description"]), "inputSchema": schema}


def _the_trip(found: re.Match[str]) -> str:
    return f"the{found[1] or ''} trip"
