"""Handlers of map pins (docs/contract.md)."""

from sqlalchemy import bindparam

from trips_mcp.backend.handler import serve, serve_items, serve_read
from trips_mcp.backend.resources.trip_parts import creator, deleter, lister, updater, upserter
from trips_mcp.backend.rows.batch import BatchBody
from trips_mcp.backend.rows.mapping import MAP_PIN
from trips_mcp.backend.rows.upsert import Mergeable
from trips_mcp.backend.store.tables import map_pins
from trips_mcp.contract.map_pins import (
    CREATE_MAP_PIN,
    DELETE_MAP_PIN,
    LIST_MAP_PINS,
    UPDATE_MAP_PIN,
    UPSERT_MAP_PINS,
    DeleteMapPin,
    MapPin,
    MapPinPage,
    UpdateMapPin,
)

MAP_PINS = Mergeable(MAP_PIN)
OF_TRIP = MAP_PIN.select.where(map_pins.c.trip_id == bindparam("trip")).order_by(map_pins.c.seq)
list_map_pins = lister(OF_TRIP, MapPinPage)
create_map_pin = creator(MAP_PINS, MapPin)
upsert_map_pins = upserter(MAP_PINS)


def _id(asked: UpdateMapPin | DeleteMapPin) -> str:
    return asked.pin_id


update_map_pin = updater(MAP_PIN, MapPin, _id)
delete_map_pin = deleter(MAP_PIN, _id)


HANDLERS = (
    serve_read(LIST_MAP_PINS, list_map_pins),
    serve(CREATE_MAP_PIN, create_map_pin),
    serve_items(UPSERT_MAP_PINS, BatchBody, upsert_map_pins),
    serve(UPDATE_MAP_PIN, update_map_pin),
    serve(DELETE_MAP_PIN, delete_map_pin),
)
