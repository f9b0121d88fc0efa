"""Handlers of map pins (docs/contract.md)."""

from sqlalchemy import bindparam

from trips_mcp.backend.callers.access import trip_to_read, trip_to_write
from trips_mcp.backend.handler import Call, HandlerResult
from trips_mcp.backend.rows.batch import Batch, merge_one, report, status_of
from trips_mcp.backend.rows.mapping import MAP_PIN, listed
from trips_mcp.backend.rows.update import change_row, delete_row
from trips_mcp.backend.rows.upsert import Mergeable
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


async def list_map_pins(call: Call, asked: ListMapPins) -> HandlerResult[MapPinPage]:
    await trip_to_read(call, asked.trip_id)
    found = await listed(call.db, OF_TRIP, trip=asked.trip_id)
    return HandlerResult(MapPinPage, {"items": found, "nextCursor": None})


async def create_map_pin(call: Call, new: CreateMapPin) -> HandlerResult[MapPin]:
    await trip_to_write(call, new.trip_id)
    row, status = await merge_one(call, MAP_PINS, new.trip_id, new.model_dump(exclude={"trip_id"}))
    return HandlerResult(MapPin, row, status)


async def upsert_map_pins(call: Call, asked: Batch) -> HandlerResult[BatchReport]:
    await trip_to_write(call, asked.trip_id)
    told = await report(call, MAP_PINS, asked.trip_id, asked.items)
    return HandlerResult(BatchReport, told, status_of(told))


async def update_map_pin(call: Call, asked: UpdateMapPin) -> HandlerResult[MapPin]:
    await trip_to_write(call, asked.trip_id)
    return HandlerResult(MapPin, await change_row(call, MAP_PIN, asked.trip_id, asked.pin_id, asked))


async def delete_map_pin(call: Call, asked: DeleteMapPin) -> HandlerResult[Deleted]:
    await trip_to_write(call, asked.trip_id)
    await delete_row(call, MAP_PIN, asked.trip_id, asked.pin_id)
    return HandlerResult(Deleted)
