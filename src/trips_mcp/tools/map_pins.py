"""What an agent reads about map pins."""

from trips_mcp.contract.map_pins import (
    CREATE_MAP_PIN,
    DELETE_MAP_PIN,
    LIST_MAP_PINS,
    UPDATE_MAP_PIN,
    UPSERT_MAP_PINS,
    MapPin,
)
from trips_mcp.tools.imports import of_batch
from trips_mcp.tools.listed import Listed
from trips_mcp.tools.tool import tool

MAP_PINS = Listed(item=MapPin, brief=("name",))

list_map_pins = tool(
    LIST_MAP_PINS,
    title="List map pins",
    description="Read the places pinned on a trip's map (tripId from list_trips).",
    lookup="list_trips",
    view=MAP_PINS,
)
create_map_pin = tool(
    CREATE_MAP_PIN,
    title="Create map pin",
    description="Pin a place on a trip's map by its coordinates in degrees (tripId from list_trips). A clientRef used "
    "before updates that pin instead.",
    lookup="list_trips",
    repeatable=True,
)
upsert_map_pins = tool(
    UPSERT_MAP_PINS,
    title="Upsert map pins",
    description="Add or update 1-500 pins in one call (tripId from list_trips). A known clientRef merges into that "
    "pin; without one, the same content is not added twice unless autoClientRef is false. A bad item does not stop the "
    "rest; if it breaks off, repeat the call.",
    lookup="list_trips",
    overwrites=True,
    repeatable=True,
    shown=of_batch,
)
update_map_pin = tool(
    UPDATE_MAP_PIN,
    title="Update map pin",
    description="Move, rename or annotate a pin (pinId from list_map_pins). What is left out stays.",
    lookup="list_map_pins",
)
delete_map_pin = tool(
    DELETE_MAP_PIN,
    title="Delete map pin",
    description="Remove a pin from the map for good (pinId from list_map_pins).",
    lookup="list_map_pins",
)
