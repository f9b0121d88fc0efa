"""What an agent reads about a whole trip."""

from trips_mcp.contract.exports import EXPORT_TRIP
from trips_mcp.tools.tool import tool

export_trip = tool(
    EXPORT_TRIP,
    title="Export trip",
    description="Read everything of a trip in one call: legs with stays and flights, pins, action items, "
    "commitments, members (tripId from list_trips). Best for questions like where am I staying on Tuesday.",
    lookup="list_trips",
)
