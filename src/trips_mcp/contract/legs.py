"""Legs, the stretches of a trip with lodging and transport: /trips/{tripId}/legs (docs/contract.md)."""

from typing import Annotated, ClassVar

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import MISSING

from trips_mcp.contract.batches import BATCH, MANY, AutoClientRef, BatchReport
from trips_mcp.contract.fields import (
    WHOLE,
    ClientRef,
    Cursor,
    Id,
    LocalDate,
    LocalDateTime,
    Order,
    Text,
    Title,
    Zone,
    not_before,
)
from trips_mcp.contract.models import Deleted, Item, OfTrip, OpenObject, Page, Resource, Result, UpdateOfTrip
from trips_mcp.contract.operation import Operation


class Accommodation(OpenObject):
    name: Text | MISSING = MISSING
    address: Text | MISSING = MISSING
    check_in: Text | MISSING = MISSING
    check_out: Text | MISSING = MISSING
    confirmation_number: Text | MISSING = MISSING
    host_name: Text | MISSING = MISSING
    host_phone: Text | MISSING = MISSING
    wifi_name: Text | MISSING = MISSING
    wifi_password: Text | MISSING = MISSING
    door_code: Text | MISSING = MISSING
    check_in_instructions: Text | MISSING = MISSING
    notes: Text | MISSING = MISSING


class Flight(OpenObject):
    airline: Text | MISSING = MISSING
    flight_number: Text | MISSING = MISSING
    from_: Annotated[Text | MISSING, Field(alias="from")] = MISSING
    to: Text | MISSING = MISSING
    departure: LocalDateTime | MISSING = MISSING
    arrival: LocalDateTime | MISSING = MISSING
    departure_timezone: Zone | MISSING = MISSING
    arrival_timezone: Zone | MISSING = MISSING
    confirmation_number: Text | MISSING = MISSING
    seat: Text | MISSING = MISSING


class RentalCar(OpenObject):
    company: Text | MISSING = MISSING
    pick_up: Text | MISSING = MISSING
    drop_off: Text | MISSING = MISSING
    location: Text | MISSING = MISSING
    confirmation_number: Text | MISSING = MISSING


Flights = Annotated[
    list[Flight],
    Field(max_length=50, description="departure, arrival: YYYY-MM-DDTHH:mm, local to each end's timezone"),
]


class LegItem(Item):
    order: Order
    title: Title
    destination: Title
    start_date: LocalDate
    end_date: LocalDate
    timezone: Zone
    accommodation: Accommodation | MISSING = MISSING
    flights: Flights | MISSING = MISSING
    rental_car: RentalCar | MISSING = MISSING
    client_ref: ClientRef | MISSING = MISSING

    @field_validator("end_date")
    @classmethod
    def _ends_after_start(cls, end: str, info: ValidationInfo) -> str:
        return not_before(info.data.get("start_date"), end, "startDate")


class LegAccommodation(Result):
    name: str | None = None
    address: str | None = None
    check_in: str | None = None
    check_out: str | None = None
    confirmation_number: str | None = None
    host_name: str | None = None
    host_phone: str | None = None
    wifi_name: str | None = None
    wifi_password: str | None = None
    door_code: str | None = None
    check_in_instructions: str | None = None
    notes: str | None = None


class LegFlight(Result):
    airline: str | None = None
    flight_number: str | None = None
    from_: Annotated[str | None, Field(alias="from")] = None
    to: str | None = None
    departure: str | None = None
    arrival: str | None = None
    departure_timezone: str | None = None
    arrival_timezone: str | None = None
    confirmation_number: str | None = None
    seat: str | None = None


class LegRentalCar(Result):
    company: str | None = None
    pick_up: str | None = None
    drop_off: str | None = None
    location: str | None = None
    confirmation_number: str | None = None


class Leg(Resource):
    own_names: ClassVar = ("leg",)

    trip_id: str | None = None
    order: Order | None = None
    title: str | None = None
    destination: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    timezone: str | None = None
    accommodation: LegAccommodation | None = None
    flights: list[LegFlight] | None = None
    rental_car: LegRentalCar | None = None
    client_ref: str | None = None


class LegPage(Page[Leg]):
    plural_names: ClassVar = ("legs",)


class ListLegs(OfTrip):
    limit: Annotated[int, Field(ge=1, le=200, description="1-200"), WHOLE] | MISSING = MISSING
    cursor: Cursor | MISSING = MISSING


class CreateLeg(LegItem, OfTrip):
    pass


class UpsertLegs(OfTrip):
    items: Annotated[list[LegItem], MANY, BATCH, Field(description="Legs as create_leg takes them")]
    auto_client_ref: AutoClientRef = MISSING


class UpdateLeg(UpdateOfTrip):
    creates: ClassVar = LegItem
    nested: ClassVar = frozenset({"accommodation", "rentalCar"})

    leg_id: Id
    order: Order | MISSING = MISSING
    title: Title | MISSING = MISSING
    destination: Title | MISSING = MISSING
    start_date: LocalDate | MISSING = MISSING
    end_date: LocalDate | MISSING = MISSING
    timezone: Zone | MISSING = MISSING
    accommodation: Accommodation | MISSING = MISSING
    flights: Flights | MISSING = MISSING
    rental_car: RentalCar | MISSING = MISSING
    client_ref: ClientRef | MISSING = MISSING

    @field_validator("end_date")
    @classmethod
    def _ends_after_start(cls, end: str, info: ValidationInfo) -> str:
        return not_before(info.data.get("start_date"), end, "startDate")


class DeleteLeg(OfTrip):
    leg_id: Id


LIST_LEGS = Operation("list_legs", "GET", "/trips/{tripId}/legs", "trips:read", ListLegs, LegPage)
CREATE_LEG = Operation(
    "create_leg", "POST", "/trips/{tripId}/legs", "trips:write", CreateLeg, Leg, 201, other_success=200
)
UPSERT_LEGS = Operation(
    "upsert_legs", "POST", "/trips/{tripId}/legs:batch", "trips:write", UpsertLegs, BatchReport, other_success=207
)
UPDATE_LEG = Operation("update_leg", "PATCH", "/trips/{tripId}/legs/{legId}", "trips:write", UpdateLeg, Leg)
DELETE_LEG = Operation(
    "delete_leg",
    "DELETE",
    "/trips/{tripId}/legs/{legId}",
    "trips:write",
    DeleteLeg,
    Deleted,
    204,
    lambda asked: Deleted(deleted=asked.leg_id),
)
