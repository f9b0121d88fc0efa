"""Trips: /trips and /trips/{tripId} (docs/contract.md)."""

from typing import ClassVar, Literal

from pydantic import ValidationInfo, field_validator
from pydantic_core import MISSING

from trips_mcp.contract.fields import Id, LocalDate, Title, not_before
from trips_mcp.contract.models import OfTrip, Page, Params, Resource, UpdateOfTrip
from trips_mcp.contract.operation import Operation

TripStatus = Literal["draft", "active", "completed"]


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


LIST_TRIPS = Operation("list_trips", "GET", "/trips", "trips:read", ListTrips, TripPage)
CREATE_TRIP = Operation("create_trip", "POST", "/trips", "trips:write", CreateTrip, Trip, 201)
GET_TRIP = Operation("get_trip", "GET", "/trips/{tripId}", "trips:read", GetTrip, Trip)
UPDATE_TRIP = Operation("update_trip", "PATCH", "/trips/{tripId}", "trips:write", UpdateTrip, Trip)
ARCHIVE_TRIP = Operation("archive_trip", "DELETE", "/trips/{tripId}", "trips:write", ArchiveTrip, Trip)
