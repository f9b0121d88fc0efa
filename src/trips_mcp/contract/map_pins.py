"""Map pins, places on a trip's map: /trips/{tripId}/map-pins (docs/contract.md)."""

from typing import Annotated, ClassVar

from pydantic import Field
from pydantic_core import MISSING

from trips_mcp.contract.batches import BATCH, MANY, AutoClientRef, BatchReport
from trips_mcp.contract.fields import ClientRef, Id, Latitude, Longitude, Text, Title
from trips_mcp.contract.models import Deleted, Item, OfTrip, Page, Resource, UpdateOfTrip
from trips_mcp.contract.operation import Operation


class MapPinItem(Item):
    name: Title
    lat: Latitude
    lng: Longitude
    category: Title | MISSING = MISSING
    notes: Text | MISSING = MISSING
    client_ref: ClientRef | MISSING = MISSING


class MapPin(Resource):
    own_names: ClassVar = ("mapPin", "pin")

    trip_id: str | None = None
    name: str | None = None
    lat: float | None = None
    lng: float | None = None
    category: str | None = None
    notes: str | None = None
    client_ref: str | None = None


class MapPinPage(Page[MapPin]):
    plural_names: ClassVar = ("mapPins", "map-pins", "pins")


class ListMapPins(OfTrip):
    pass


class CreateMapPin(MapPinItem, OfTrip):
    pass


class UpsertMapPins(OfTrip):
    items: Annotated[list[MapPinItem], MANY, BATCH, Field(description="As create_map_pin takes them")]
    auto_client_ref: AutoClientRef = MISSING


class UpdateMapPin(UpdateOfTrip):
    creates: ClassVar = MapPinItem

    pin_id: Id
    name: Title | MISSING = MISSING
    lat: Latitude | MISSING = MISSING
    lng: Longitude | MISSING = MISSING
    category: Title | MISSING = MISSING
    notes: Text | MISSING = MISSING
    client_ref: ClientRef | MISSING = MISSING


class DeleteMapPin(OfTrip):
    pin_id: Id


LIST_MAP_PINS = Operation("list_map_pins", "GET", "/trips/{tripId}/map-pins", "trips:read", ListMapPins, MapPinPage)
CREATE_MAP_PIN = Operation(
    "create_map_pin", "POST", "/trips/{tripId}/map-pins", "trips:write", CreateMapPin, MapPin, 201, other_success=200
)
UPSERT_MAP_PINS = Operation(
    "upsert_map_pins",
    "POST",
    "/trips/{tripId}/map-pins:batch",
    "trips:write",
    UpsertMapPins,
    BatchReport,
    other_success=207,
)
UPDATE_MAP_PIN = Operation(
    "update_map_pin", "PATCH", "/trips/{tripId}/map-pins/{pinId}", "trips:write", UpdateMapPin, MapPin
)
DELETE_MAP_PIN = Operation(
    "delete_map_pin",
    "DELETE",
    "/trips/{tripId}/map-pins/{pinId}",
    "trips:write",
    DeleteMapPin,
    Deleted,
    204,
    lambda asked: Deleted(deleted=asked.pin_id),
)
