"""What an agent reads about a whole trip."""

from dataclasses import replace

from trips_mcp.contract.exports import EXPORT_TRIP
from trips_mcp.tools.answers.exported import Exported
from trips_mcp.tools.resources.action_items import ACTION_ITEMS
from trips_mcp.tools.resources.commitments import COMMITMENTS
from trips_mcp.tools.resources.legs import LEGS
from trips_mcp.tools.resources.map_pins import MAP_PINS
from trips_mcp.tools.resources.members import MEMBERS
from trips_mcp.tools.tool import tool

export_trip = tool(
    EXPORT_TRIP,
    title="Export trip",
    description="Export a trip, everything in one call: legs with stays and flights, pins, action items, commitments, "
    "members (tripId from list_trips). For a question such as where am I staying on Tuesday use get_day, to read "
    "along get_timeline.",
    lookup="list_trips",
    view=Exported(
        sections=(
            replace(LEGS, within="legs"),
            replace(COMMITMENTS, within="commitments"),
            replace(ACTION_ITEMS, within="action_items", on_request=frozenset()),
            replace(MAP_PINS, within="map_pins"),
            replace(MEMBERS, within="members"),
        ),
        parts="list_legs, list_commitments, list_action_items, list_map_pins and list_members have the parts; "
        'so have `fields` that name one section, such as ["legs"].',
    ),
)
