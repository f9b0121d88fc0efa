"""What an agent reads about importing."""

from trips_mcp.contract.sync import SYNC_TRIP
from trips_mcp.tools.results import mask_restore
from trips_mcp.tools.results.import_report import of_sync
from trips_mcp.tools.tool import tool

sync_trip = tool(
    SYNC_TRIP,
    title="Import into trip",
    description="Import a plan: legs, action items and map pins at once (tripId from list_trips; upsert_legs for legs "
    "alone). Call with dryRun first and show the counts. A known clientRef updates its row; without, equal content is "
    "not added twice. Nothing is deleted. If it breaks off, repeat it.",
    lookup="list_trips",
    overwrites=True,
    repeatable=True,
    unmasked=mask_restore.of_sync,
    shown=of_sync,
    uncompared=mask_restore.preview_without_comparing,
)
