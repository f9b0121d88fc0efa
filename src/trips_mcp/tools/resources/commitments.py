"""Commitment tools."""

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
    description="List what is scheduled on a trip: dinners, activities, birthdays, meetings. Stays and flights are "
    "in list_legs. 100 per page unless limit says else; pass nextCursor as cursor for more.",
    lookup="list_trips",
    view=COMMITMENTS,
)
create_commitment = tool(
    CREATE_COMMITMENT,
    title="Create commitment",
    description="Schedule a dinner, activity, birthday or meeting on a trip. Link it with legId or mapPinId. Times "
    "are local to timezone.",
    asked_for="book reservation appointment ticket restaurant",
    lookup="list_trips",
)
update_commitment = tool(
    UPDATE_COMMITMENT,
    title="Update commitment",
    description="Move or change a commitment. Omitted fields stay.",
    lookup="list_commitments",
)
delete_commitment = tool(
    DELETE_COMMITMENT,
    title="Delete commitment",
    description="Delete a commitment for good. To move it use update_commitment.",
    lookup="list_commitments",
)
