"""/trips/{tripId}/map-pins (docs/contract.md)."""

from sqlalchemy import bindparam

from trips_mcp.backend.callers.access import trip_to_read, trip_to_write
from trips_mcp.backend.calls import Answer, Call
from trips_mcp.backend.rows.batches import Batch, merge_one, report, status_of
from trips_mcp.backend.rows.changing import change_row, delete_row
from trips_mcp.backend.rows.kinds import MAP_PIN, listed
from trips_mcp.backend.rows.merging import Mergeable
from trips_mcp.backend.store.tables import map_pins
from trips_mcp.contract.batches import BatchReport
from trips_mcp.contract.map_pins import (
    CreateMapPin,
    DeleteMapPin,
    ListMapPins,
    MapPin,
    MapPinPage,
    UpdateMapPin,
)
from trips_mcp.contract.models import Deleted

MAP_PINS = Mergeable(MAP_PIN)
OF_TRIP = MAP_PIN.select.where(map_pins.c.trip_id == bindparam("trip")).order_by(map_pins.c.seq)


async def list_map_pins(call: Call, asked: ListMapPins) -> Answer[MapPinPage]:
    await trip_to_read(call, asked.trip_id)
    found = await listed(call.db, OF_TRIP, trip=asked.trip_id)
    return Answer(MapPinPage, {"items": found, "nextCursor": None})


async def create_map_pin(call: Call, new: CreateMapPin) -> Answer[MapPin]:
    await trip_to_write(call, new.trip_id)
    row, status = await merge_one(call, MAP_PINS, new.trip_id, new.model_dump(exclude={"trip_id"}))
    return Answer(MapPin, row, status)


async def upsert_map_pins(call: Call, asked: Batch) -> Answer[BatchReport]:
    await trip_to_write(call, asked.trip_id)
    told = await report(call, MAP_PINS, asked.trip_id, asked.items)
    return Answer(BatchReport, told, status_of(told))


async def update_map_pin(call: Call, asked: UpdateMapPin) -> Answer[MapPin]:
    await trip_to_write(call, asked.trip_id)
    return Answer(MapPin, await change_row(call, MAP_PIN, asked.trip_id, asked.pin_id, asked))


async def delete_map_pin(call: Call, asked: DeleteMapPin) -> Answer[Deleted]:
    await trip_to_write(call, asked.trip_id)
    await delete_row(call, MAP_PIN, asked.trip_id, asked.pin_id)
    return Answer(Deleted)
