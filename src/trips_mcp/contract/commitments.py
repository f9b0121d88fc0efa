"""Commitments, plans with people at a date and time: /trips/{tripId}/commitments (docs/contract.md)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from pydantic_core import MISSING

from trips_mcp.contract.fields import WHOLE, Cursor, Id, LocalDate, LocalTime, Text, Title, Zone
from trips_mcp.contract.models import Deleted, OfTrip, Page, Resource, UpdateOfTrip
from trips_mcp.contract.operation import Operation

Category = Literal["dinner", "activity", "birthday", "meeting", "other"]
EndTime = Annotated[LocalTime, Field(description="HH:mm; earlier than startTime = next day")]


class Commitment(Resource):
    own_names: ClassVar = ("commitment",)

    trip_id: str | None = None
    title: str | None = None
    start_date: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    is_all_day: bool | None = None
    timezone: str | None = None
    category: str | None = None
    leg_id: str | None = None
    map_pin_id: str | None = None
    notes: str | None = None


class CommitmentPage(Page[Commitment]):
    plural_names: ClassVar = ("commitments",)


class ListCommitments(OfTrip):
    limit: Annotated[int, Field(ge=1, le=200, description="1-200"), WHOLE] | MISSING = MISSING
    cursor: Cursor | MISSING = MISSING


class CreateCommitment(OfTrip):
    title: Title
    start_date: LocalDate
    category: Category
    start_time: LocalTime | MISSING = MISSING
    end_time: EndTime | MISSING = MISSING
    is_all_day: bool | MISSING = MISSING
    timezone: Zone | MISSING = MISSING
    leg_id: Id | MISSING = MISSING
    map_pin_id: Id | MISSING = MISSING
    notes: Text | MISSING = MISSING


class UpdateCommitment(UpdateOfTrip):
    creates: ClassVar = CreateCommitment

    commitment_id: Id
    title: Title | MISSING = MISSING
    start_date: LocalDate | MISSING = MISSING
    category: Category | MISSING = MISSING
    start_time: LocalTime | MISSING = MISSING
    end_time: EndTime | MISSING = MISSING
    is_all_day: bool | MISSING = MISSING
    timezone: Zone | MISSING = MISSING
    leg_id: Id | MISSING = MISSING
    map_pin_id: Id | MISSING = MISSING
    notes: Text | MISSING = MISSING


class DeleteCommitment(OfTrip):
    commitment_id: Id


LIST_COMMITMENTS = Operation(
    "list_commitments", "GET", "/trips/{tripId}/commitments", "trips:read", ListCommitments, CommitmentPage
)
CREATE_COMMITMENT = Operation(
    "create_commitment",
    "POST",
    "/trips/{tripId}/commitments",
    "trips:write",
    CreateCommitment,
    Commitment,
    201,
)
UPDATE_COMMITMENT = Operation(
    "update_commitment",
    "PATCH",
    "/trips/{tripId}/commitments/{commitmentId}",
    "trips:write",
    UpdateCommitment,
    Commitment,
)
DELETE_COMMITMENT = Operation(
    "delete_commitment",
    "DELETE",
    "/trips/{tripId}/commitments/{commitmentId}",
    "trips:write",
    DeleteCommitment,
    Deleted,
    204,
    lambda asked: Deleted(deleted=asked.commitment_id),
)
