"""What an agent reads about importing."""

from trips_mcp.contract.sync import SYNC_TRIP
from trips_mcp.tools.tool import tool

sync_trip = tool(
    SYNC_TRIP,
    title="Import into trip",
    description="Import many legs, action items and map pins at once, up to 500 each (tripId from list_trips). Call "
    "with dryRun true first and show the counts. A known clientRef merges into its row, other items are created; "
    "nothing is deleted.",
    lookup="list_trips",
    overwrites=True,
    repeatable=True,
)
