"""What an agent reads about map pins."""

from trips_mcp.contract.map_pins import (
    CREATE_MAP_PIN,
    DELETE_MAP_PIN,
    LIST_MAP_PINS,
    UPDATE_MAP_PIN,
    UPSERT_MAP_PINS,
    MapPin,
)
from trips_mcp.tools.resources.links import naming_unlinked
from trips_mcp.tools.results.import_report import of_batch
from trips_mcp.tools.results.lists import Listed
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
    description="Put 1-500 places on a trip's map as map pins in one call (tripId from list_trips); for a whole plan, "
    "sync_trip. A place with a clientRef seen before is updated. What is wrong with one of them is reported and the "
    "others stand; after an interruption, repeat all: none is pinned twice, unless autoClientRef is false.",
    lookup="list_trips",
    overwrites=True,
    repeatable=True,
    shown=of_batch,
)
update_map_pin = tool(
    UPDATE_MAP_PIN,
    title="Update map pin",
    description="Update a map pin: move, rename or annotate it (pinId from list_map_pins). What is left out stays.",
    lookup="list_map_pins",
)
delete_map_pin = naming_unlinked(
    tool(
        DELETE_MAP_PIN,
        title="Delete map pin",
        description="Delete a pin from the map for good (pinId from list_map_pins); a misplaced one is better moved "
        "with update_map_pin. Its commitments stay, unlinked.",
        lookup="list_map_pins",
    ),
    "map pin",
    lambda commitment, asked: commitment.map_pin_id == asked.pin_id,
)
