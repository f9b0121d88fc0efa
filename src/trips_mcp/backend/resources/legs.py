"""Handlers of legs (docs/contract.md)."""

from pydantic_core import MISSING
from sqlalchemy import bindparam

from trips_mcp.backend.callers.access import trip_to_read, trip_to_write
from trips_mcp.backend.handler import Call, HandlerResult
from trips_mcp.backend.rows.batch import Batch, merge_one, report, status_of
from trips_mcp.backend.rows.mapping import LEG
from trips_mcp.backend.rows.paging import Paging
from trips_mcp.backend.rows.update import change_row, delete_row
from trips_mcp.backend.rows.upsert import Mergeable
from trips_mcp.backend.store.tables import legs
from trips_mcp.contract.batches import BatchReport
from trips_mcp.contract.legs import CreateLeg, DeleteLeg, Leg, LegPage, ListLegs, UpdateLeg
from trips_mcp.contract.models import Deleted

LEGS = Mergeable(LEG)
IN_ORDER = (legs.c.order, legs.c.seq)
_PAGING = Paging("legs", LEG.select, legs.c.trip_id == bindparam("owner"), {legs.c.order: float, legs.c.seq: int})


async def list_legs(call: Call, asked: ListLegs) -> HandlerResult[LegPage]:
    await trip_to_read(call, asked.trip_id)
    limit = 100 if asked.limit is MISSING else asked.limit
    page = await _PAGING.page(call, asked.trip_id, limit, asked.cursor)
    return HandlerResult(LegPage, page.told())


async def create_leg(call: Call, new: CreateLeg) -> HandlerResult[Leg]:
    await trip_to_write(call, new.trip_id)
    row, status = await merge_one(call, LEGS, new.trip_id, new.model_dump(exclude={"trip_id"}))
    return HandlerResult(Leg, row, status)


async def upsert_legs(call: Call, asked: Batch) -> HandlerResult[BatchReport]:
    await trip_to_write(call, asked.trip_id)
    told = await report(call, LEGS, asked.trip_id, asked.items)
    return HandlerResult(BatchReport, told, status_of(told))


async def update_leg(call: Call, asked: UpdateLeg) -> HandlerResult[Leg]:
    await trip_to_write(call, asked.trip_id)
    return HandlerResult(Leg, await change_row(call, LEG, asked.trip_id, asked.leg_id, asked))


async def delete_leg(call: Call, asked: DeleteLeg) -> HandlerResult[Deleted]:
    await trip_to_write(call, asked.trip_id)
    await delete_row(call, LEG, asked.trip_id, asked.leg_id)
    return HandlerResult(Deleted)
