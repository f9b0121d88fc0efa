"""Trip tools."""

from trips_mcp.contract.trips import ARCHIVE_TRIP, CREATE_TRIP, GET_TRIP, LIST_TRIPS, UPDATE_TRIP, Trip
from trips_mcp.tools.results.lists import Listed
from trips_mcp.tools.tool import tool

list_trips = tool(
    LIST_TRIPS,
    title="List trips",
    description="Find a trip and its tripId. Its number is its id for the event tools.",
    apart="Find a trip and its tripId.",
    view=Listed(item=Trip, known=frozenset()),
)
create_trip = tool(
    CREATE_TRIP,
    title="Create trip",
    description="Start a new trip in one of the user's groups (get_me lists them). Use defaultGroupId if the user "
    "names none.",
    lookup="get_me",
)
get_trip = tool(
    GET_TRIP,
    title="Get trip",
    description="Read one trip's title, dates and status. Its contents are in export_trip.",
    lookup="list_trips",
)
update_trip = tool(
    UPDATE_TRIP,
    title="Update trip",
    description="Rename a trip, move its dates or change its status. Omitted fields stay; legs and commitments keep "
    "their own dates.",
    lookup="list_trips",
)
archive_trip = tool(
    ARCHIVE_TRIP,
    title="Archive trip",
    description="Archive a trip when it is over. Its status becomes completed. Nothing is erased; update_trip "
    "reopens it.",
    lookup="list_trips",
)
