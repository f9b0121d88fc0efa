"""Trips: /trips and /trips/{tripId}, and a whole trip at once: its export and sync (docs/contract.md)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import MISSING

from trips_mcp.contract.action_items import ActionItem, ActionItemItem
from trips_mcp.contract.batches import SYNC, AutoClientRef, BatchReport
from trips_mcp.contract.commitments import Commitment
from trips_mcp.contract.fields import Id, LocalDate, Title, not_before
from trips_mcp.contract.legs import Leg, LegItem
from trips_mcp.contract.map_pins import MapPin, MapPinItem
from trips_mcp.contract.members import Member
from trips_mcp.contract.models import OfTrip, Page, Params, Resource, Result, UpdateOfTrip
from trips_mcp.contract.operation import InQuery, Operation

TripStatus = Literal["draft", "active", "completed"]

_MANY = Field(max_length=5000)


class Trip(Resource):
    own_names: ClassVar = ("trip",)

    number: int | None = None
    """The trip's id in the Events API, if both APIs share one store (docs/contract.md#one-store-for-both)."""
    group_id: str | None = None
    title: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    status: str | None = None


class TripPage(Page[Trip]):
    plural_names: ClassVar = ("trips",)


class ListTrips(Params):
    pass


class GetTrip(OfTrip):
    pass


class ArchiveTrip(OfTrip):
    pass


class CreateTrip(Params):
    group_id: Id
    title: Title
    start_date: LocalDate
    end_date: LocalDate

    @field_validator("end_date")
    @classmethod
    def _ends_after_start(cls, end: str, info: ValidationInfo) -> str:
        return not_before(info.data.get("start_date"), end, "startDate")


class UpdateTrip(UpdateOfTrip):
    creates: ClassVar = CreateTrip

    title: Title | MISSING = MISSING
    start_date: LocalDate | MISSING = MISSING
    end_date: LocalDate | MISSING = MISSING
    status: TripStatus | MISSING = MISSING

    @field_validator("end_date")
    @classmethod
    def _ends_after_start(cls, end: str, info: ValidationInfo) -> str:
        return not_before(info.data.get("start_date"), end, "startDate")


# A whole trip at once: its export, and the import of a snapshot (docs/contract.md#sync)


class TripExport(Result):
    own_names: ClassVar = ("export",)

    trip: Trip | None = None
    legs: list[Leg] = Field(default_factory=list[Leg])
    map_pins: list[MapPin] = Field(default_factory=list[MapPin])
    action_items: list[ActionItem] = Field(default_factory=list[ActionItem])
    commitments: list[Commitment] = Field(default_factory=list[Commitment])
    members: list[Member] = Field(default_factory=list[Member])


class ExportTrip(OfTrip):
    pass


class SyncTrip(OfTrip):
    dry_run: Annotated[bool | MISSING, InQuery()] = MISSING
    legs: Annotated[Annotated[list[LegItem], _MANY] | MISSING, SYNC] = MISSING
    action_items: Annotated[Annotated[list[ActionItemItem], _MANY] | MISSING, SYNC] = MISSING
    map_pins: Annotated[Annotated[list[MapPinItem], _MANY] | MISSING, SYNC] = MISSING
    auto_client_ref: AutoClientRef = MISSING


class SyncReport(Result):
    dry_run: bool | None = None
    legs: BatchReport | None = None
    action_items: BatchReport | None = None
    map_pins: BatchReport | None = None


LIST_TRIPS = Operation("list_trips", "GET", "/trips", "trips:read", ListTrips, TripPage)
CREATE_TRIP = Operation("create_trip", "POST", "/trips", "trips:write", CreateTrip, Trip, 201)
GET_TRIP = Operation("get_trip", "GET", "/trips/{tripId}", "trips:read", GetTrip, Trip)
UPDATE_TRIP = Operation("update_trip", "PATCH", "/trips/{tripId}", "trips:write", UpdateTrip, Trip)
ARCHIVE_TRIP = Operation("archive_trip", "DELETE", "/trips/{tripId}", "trips:write", ArchiveTrip, Trip)
EXPORT_TRIP = Operation("export_trip", "GET", "/trips/{tripId}/export", "trips:read", ExportTrip, TripExport)
SYNC_TRIP = Operation(
    "sync_trip", "POST", "/trips/{tripId}/sync", "trips:write", SyncTrip, SyncReport, other_success=207
)
