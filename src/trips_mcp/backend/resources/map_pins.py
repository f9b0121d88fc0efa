"""Handlers of map pins (docs/contract.md)."""

from sqlalchemy import bindparam

from trips_mcp.backend.callers.access import trip_to_write
from trips_mcp.backend.handler import Call, HandlerResult
from trips_mcp.backend.resources.trip_parts import creator, lister, upserter
from trips_mcp.backend.rows.mapping import MAP_PIN
from trips_mcp.backend.rows.update import change_row, delete_row
from trips_mcp.backend.rows.upsert import Mergeable
from trips_mcp.backend.store.tables import map_pins
from trips_mcp.contract.map_pins import (
    DeleteMapPin,
    MapPin,
    MapPinPage,
    UpdateMapPin,
)
from trips_mcp.contract.models import Deleted

MAP_PINS = Mergeable(MAP_PIN)
OF_TRIP = MAP_PIN.select.where(map_pins.c.trip_id == bindparam("trip")).order_by(map_pins.c.seq)
list_map_pins = lister(OF_TRIP, MapPinPage)
create_map_pin = creator(MAP_PINS, MapPin)
upsert_map_pins = upserter(MAP_PINS)


async def update_map_pin(call: Call, asked: UpdateMapPin) -> HandlerResult[MapPin]:
    await trip_to_write(call, asked.trip_id)
    return HandlerResult(MapPin, await change_row(call, MAP_PIN, asked.trip_id, asked.pin_id, asked))


async def delete_map_pin(call: Call, asked: DeleteMapPin) -> HandlerResult[Deleted]:
    await trip_to_write(call, asked.trip_id)
    await delete_row(call, MAP_PIN, asked.trip_id, asked.pin_id)
    return HandlerResult(Deleted)
