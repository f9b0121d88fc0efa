"""What an agent reads about trips."""

from trips_mcp.contract.trips import ARCHIVE_TRIP, CREATE_TRIP, GET_TRIP, LIST_TRIPS, UPDATE_TRIP, Trip
from trips_mcp.tools.results.lists import Listed
from trips_mcp.tools.tool import tool

list_trips = tool(
    LIST_TRIPS,
    title="List trips",
    description="Find a trip and the tripId that most tools take (number is its id for the event tools).",
    apart="Find a trip and the tripId that most tools take.",
    view=Listed(item=Trip, known=frozenset()),
)
create_trip = tool(
    CREATE_TRIP,
    title="Create trip",
    description="Start planning a new trip, in a group from get_me (defaultGroupId if the user names none).",
    lookup="get_me",
)
get_trip = tool(
    GET_TRIP,
    title="Get trip",
    description="Read one trip's title, dates and status, by the tripId of list_trips; export_trip has its contents.",
    lookup="list_trips",
)
update_trip = tool(
    UPDATE_TRIP,
    title="Update trip",
    description="Rename a trip, move its dates or change its status (tripId from list_trips). What is left out stays; "
    "legs and commitments keep their own dates.",
    lookup="list_trips",
)
archive_trip = tool(
    ARCHIVE_TRIP,
    title="Archive trip",
    description="Archive a trip when the user is done with it (tripId from list_trips). Sets its status to completed; "
    "nothing is erased and update_trip reopens it.",
    lookup="list_trips",
)
