"""Handlers of legs (docs/contract.md)."""

from pydantic_core import MISSING
from sqlalchemy import bindparam

from trips_mcp.backend.callers.access import trip_to_read, trip_to_write
from trips_mcp.backend.handler import Call, HandlerResult
from trips_mcp.backend.resources.trip_parts import creator, upserter
from trips_mcp.backend.rows.mapping import LEG
from trips_mcp.backend.rows.paging import Paging
from trips_mcp.backend.rows.update import change_row, delete_row
from trips_mcp.backend.rows.upsert import Mergeable
from trips_mcp.backend.store.tables import legs
from trips_mcp.contract.legs import DeleteLeg, Leg, LegPage, ListLegs, UpdateLeg
from trips_mcp.contract.models import Deleted

LEGS = Mergeable(LEG)
IN_ORDER = (legs.c.order, legs.c.seq)
_PAGING = Paging("legs", LEG.select, legs.c.trip_id == bindparam("owner"), {legs.c.order: float, legs.c.seq: int})


async def list_legs(call: Call, asked: ListLegs) -> HandlerResult[LegPage]:
    await trip_to_read(call, asked.trip_id)
    limit = 100 if asked.limit is MISSING else asked.limit
    page = await _PAGING.page(call, asked.trip_id, limit, asked.cursor)
    return HandlerResult(LegPage, page.told())


create_leg = creator(LEGS, Leg)
upsert_legs = upserter(LEGS)


async def update_leg(call: Call, asked: UpdateLeg) -> HandlerResult[Leg]:
    await trip_to_write(call, asked.trip_id)
    return HandlerResult(Leg, await change_row(call, LEG, asked.trip_id, asked.leg_id, asked))


async def delete_leg(call: Call, asked: DeleteLeg) -> HandlerResult[Deleted]:
    await trip_to_write(call, asked.trip_id)
    await delete_row(call, LEG, asked.trip_id, asked.leg_id)
    return HandlerResult(Deleted)
