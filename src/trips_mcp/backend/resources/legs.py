"""Handlers of legs (docs/contract.md)."""

from sqlalchemy import bindparam

from trips_mcp.backend.handler import serve, serve_items, serve_read
from trips_mcp.backend.resources.trip_parts import creator, deleter, pager, updater, upserter
from trips_mcp.backend.rows.batch import BatchBody
from trips_mcp.backend.rows.mapping import LEG
from trips_mcp.backend.rows.paging import Paging
from trips_mcp.backend.rows.upsert import Mergeable
from trips_mcp.backend.store.tables import legs
from trips_mcp.contract.legs import (
    CREATE_LEG,
    DELETE_LEG,
    LIST_LEGS,
    UPDATE_LEG,
    UPSERT_LEGS,
    DeleteLeg,
    Leg,
    LegPage,
    UpdateLeg,
)

LEGS = Mergeable(LEG)
IN_ORDER = (legs.c.order, legs.c.seq)
_PAGING = Paging("legs", LEG.select, legs.c.trip_id == bindparam("owner"), {legs.c.order: float, legs.c.seq: int})
list_legs = pager(_PAGING, LegPage)
create_leg = creator(LEGS, Leg)
upsert_legs = upserter(LEGS)


def _id(asked: UpdateLeg | DeleteLeg) -> str:
    return asked.leg_id


update_leg = updater(LEG, Leg, _id)
delete_leg = deleter(LEG, _id)


HANDLERS = (
    serve_read(LIST_LEGS, list_legs),
    serve(CREATE_LEG, create_leg),
    serve_items(UPSERT_LEGS, BatchBody, upsert_legs),
    serve(UPDATE_LEG, update_leg),
    serve(DELETE_LEG, delete_leg),
)
