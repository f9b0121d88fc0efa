"""Commitment tools."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from pydantic import Field
from pydantic_core import MISSING

from trips_mcp.contract.commitments import (
    CREATE_COMMITMENT,
    DELETE_COMMITMENT,
    LIST_COMMITMENTS,
    UPDATE_COMMITMENT,
    Category,
    Commitment,
)
from trips_mcp.contract.fields import LocalDate
from trips_mcp.contract.models import Params
from trips_mcp.itinerary.local_time import read_date
from trips_mcp.tools.resources.commitment_shift import shifting
from trips_mcp.tools.results.answer import ToolRefusedError
from trips_mcp.tools.results.lists import Filter, Listed
from trips_mcp.tools.tool import tool


class CommitmentFilter(Params):
    category: Category | MISSING = MISSING
    from_: Annotated[LocalDate | MISSING, Field(alias="from", description="First startDate")] = MISSING
    to: Annotated[LocalDate | MISSING, Field(description="Last startDate")] = MISSING


def _matching(asked: CommitmentFilter, commitments: Sequence[Commitment]) -> Sequence[Commitment]:
    """Raises: ToolRefusedError."""
    first = date.min if asked.from_ is MISSING else date.fromisoformat(asked.from_)
    last = date.max if asked.to is MISSING else date.fromisoformat(asked.to)
    if last < first:
        raise ToolRefusedError("to is before from.")
    if asked.category is not MISSING:
        commitments = [one for one in commitments if one.category == asked.category]
    if asked.from_ is MISSING and asked.to is MISSING:
        return commitments
    return [one for one in commitments if (day := read_date(one.start_date)) and first <= day <= last]


COMMITMENTS = Listed(
    item=Commitment,
    usual={"isAllDay": False},
    brief=("title", "startDate", "startTime"),
    filter=Filter(CommitmentFilter, _matching),
)

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
update_commitment = shifting(
    tool(
        UPDATE_COMMITMENT,
        title="Update commitment",
        description="Move or change a commitment. Omitted fields stay.",
        lookup="list_commitments",
    )
)
delete_commitment = tool(
    DELETE_COMMITMENT,
    title="Delete commitment",
    description="Delete a commitment for good. To move it use update_commitment.",
    lookup="list_commitments",
)
