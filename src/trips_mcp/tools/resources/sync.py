"""The tool that imports a plan."""

from trips_mcp.contract.trips import SYNC_TRIP
from trips_mcp.tools.resources.legs import sync_with_zones
from trips_mcp.tools.secrets import preview_without_comparing, unmasked_sync
from trips_mcp.tools.tool import tool
from trips_mcp.tools.views import shown_sync

sync_trip = tool(
    SYNC_TRIP,
    title="Import into trip",
    description="Import a whole plan: legs, action items and map pins in one call. For legs alone use upsert_legs. "
    "Preview with dryRun first and show the counts. A known clientRef updates its row; without one, equal content is "
    "not added twice. Nothing is deleted. If the call breaks off, repeat it.",
    lookup="list_trips",
    overwrites=True,
    repeatable=True,
    unmasked=unmasked_sync,
    completed=sync_with_zones,
    shown=shown_sync,
    uncompared=preview_without_comparing,
)
