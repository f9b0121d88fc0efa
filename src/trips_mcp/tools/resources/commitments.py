"""What an agent reads about commitments."""

from trips_mcp.contract.commitments import (
    CREATE_COMMITMENT,
    DELETE_COMMITMENT,
    LIST_COMMITMENTS,
    UPDATE_COMMITMENT,
    Commitment,
)
from trips_mcp.tools.results.lists import Listed
from trips_mcp.tools.tool import tool

COMMITMENTS = Listed(item=Commitment, usual={"isAllDay": False}, brief=("title", "startDate", "startTime"))

list_commitments = tool(
    LIST_COMMITMENTS,
    title="List commitments",
    description="Read a trip's commitments, what is scheduled by date and time: dinners, activities, birthdays, "
    "meetings (tripId from list_trips; stays and flights are in list_legs). 100 a page unless limit says else; pass "
    "nextCursor as cursor for more.",
    lookup="list_trips",
    view=COMMITMENTS,
)
create_commitment = tool(
    CREATE_COMMITMENT,
    title="Create commitment",
    description="Schedule something at a date on a trip: dinner, activity, birthday, meeting (tripId from list_trips; "
    "legId from list_legs and mapPinId from list_map_pins link it). Times are local to timezone.",
    asked_for="book reservation appointment ticket restaurant",
    lookup="list_trips",
)
update_commitment = tool(
    UPDATE_COMMITMENT,
    title="Update commitment",
    description="Move or change a commitment (commitmentId from list_commitments). What is left out stays.",
    lookup="list_commitments",
)
delete_commitment = tool(
    DELETE_COMMITMENT,
    title="Delete commitment",
    description="Delete a commitment for good (commitmentId from list_commitments); to move it use update_commitment.",
    lookup="list_commitments",
)
