"""Map pin tools."""

from collections.abc import Sequence

from pydantic_core import MISSING

from trips_mcp.contract.map_pins import (
    CREATE_MAP_PIN,
    DELETE_MAP_PIN,
    LIST_MAP_PINS,
    UPDATE_MAP_PIN,
    UPSERT_MAP_PINS,
    MapPin,
)
from trips_mcp.contract.models import Params
from trips_mcp.contract.trips import TripExport
from trips_mcp.tools.resources.commitments import naming_unlinked
from trips_mcp.tools.resources.itinerary import hits_for
from trips_mcp.tools.tool import tool
from trips_mcp.tools.views import Filter, Listed, Query, shown_batch


class MapPinFilter(Params):
    query: Query | MISSING = MISSING


def _matching(asked: MapPinFilter, pins: Sequence[MapPin]) -> Sequence[MapPin]:
    """Raises: ToolRefusedError."""
    if asked.query is MISSING:
        return pins
    found = {hit.pin_id for hit in hits_for(asked.query, TripExport(map_pins=list(pins)))}
    return [pin for pin in pins if pin.id in found]


MAP_PINS = Listed(item=MapPin, brief=("name",), filter=Filter(MapPinFilter, _matching))

list_map_pins = tool(
    LIST_MAP_PINS,
    title="List map pins",
    description="List the places pinned on a trip's map.",
    lookup="list_trips",
    view=MAP_PINS,
)
create_map_pin = tool(
    CREATE_MAP_PIN,
    title="Create map pin",
    description="Pin a place on a trip's map by its coordinates in degrees. A clientRef used before updates that pin "
    "instead.",
    lookup="list_trips",
    repeatable=True,
)
upsert_map_pins = tool(
    UPSERT_MAP_PINS,
    title="Upsert map pins",
    description="Pin 1-500 places on a trip's map in one call. For a whole plan use sync_trip. A known clientRef "
    "updates its pin. A bad item does not stop the rest. If the call breaks off, repeat it: no place is pinned twice "
    "unless autoClientRef is false.",
    lookup="list_trips",
    overwrites=True,
    repeatable=True,
    shown=shown_batch,
)
update_map_pin = tool(
    UPDATE_MAP_PIN,
    title="Update map pin",
    description="Move, rename or annotate a map pin. Omitted fields stay.",
    lookup="list_map_pins",
)
delete_map_pin = naming_unlinked(
    tool(
        DELETE_MAP_PIN,
        title="Delete map pin",
        description="Delete a map pin for good. To move it use update_map_pin. Its commitments stay, unlinked.",
        lookup="list_map_pins",
    ),
    "map pin",
    lambda commitment, asked: commitment.map_pin_id == asked.pin_id,
)
