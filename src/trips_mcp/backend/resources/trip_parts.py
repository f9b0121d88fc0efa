"""Handlers of a trip's parts: legs, action items, map pins and commitments (docs/contract.md#trips-api-operations).

List, create, upsert, update and delete are the same for each of them.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from pydantic_core import MISSING
from sqlalchemy import Executable, bindparam, case, func

from trips_mcp.backend.callers import trip_to_read, trip_to_write
from trips_mcp.backend.errors import ProblemError
from trips_mcp.backend.handler import BackendResponse, Call, serve, serve_items, serve_read
from trips_mcp.backend.paging import Paging
from trips_mcp.backend.resources.batches import BatchBody, report, status_of
from trips_mcp.backend.rows import (
    ACTION_ITEM,
    COMMITMENT,
    LEG,
    MAP_PIN,
    ResourceMapping,
    add,
    change_row,
    check_references,
    delete_row,
    listed,
    merge_items,
    new_row,
)
from trips_mcp.backend.store.tables import action_items, commitments, legs, map_pins
from trips_mcp.contract.action_items import (
    CREATE_ACTION_ITEM,
    DELETE_ACTION_ITEM,
    LIST_ACTION_ITEMS,
    UPDATE_ACTION_ITEM,
    UPSERT_ACTION_ITEMS,
    ActionItem,
    ActionItemPage,
    DeleteActionItem,
    UpdateActionItem,
)
from trips_mcp.contract.batches import BatchReport
from trips_mcp.contract.commitments import (
    CREATE_COMMITMENT,
    DELETE_COMMITMENT,
    LIST_COMMITMENTS,
    UPDATE_COMMITMENT,
    Commitment,
    CommitmentPage,
    CreateCommitment,
    DeleteCommitment,
    UpdateCommitment,
)
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
from trips_mcp.contract.models import Deleted, OfTrip, Page, Resource, Result, UpdateOfTrip

L = TypeVar("L", bound=Page[Any])
T = TypeVar("T", bound=Resource)
R = TypeVar("R", bound=Result)
U = TypeVar("U", bound=UpdateOfTrip)
D = TypeVar("D", bound=OfTrip)

TripHandler = Callable[[Call, OfTrip], Awaitable[BackendResponse[R]]]


class Paged(Protocol):
    """Parameters of a list of a trip with pages."""

    @property
    def trip_id(self) -> str: ...
    @property
    def limit(self) -> int | MISSING: ...
    @property
    def cursor(self) -> str | MISSING: ...


def pager(paging: Paging, page: type[L], default: int = 100) -> Callable[[Call, Paged], Awaitable[BackendResponse[L]]]:
    """A handler that returns one page of a list; `default` is its length if the request has no limit."""

    async def list_page(call: Call, params: Paged) -> BackendResponse[L]:
        await trip_to_read(call, params.trip_id)
        limit = default if params.limit is MISSING else params.limit
        rows = await paging.page(call, params.trip_id, limit, params.cursor)
        return BackendResponse(page, rows.told())

    return list_page


def lister(query: Executable, page: type[L]) -> TripHandler[L]:
    """A handler that returns all rows of `query`, which selects by `bindparam("trip")`, in one page."""

    async def list_all(call: Call, params: OfTrip) -> BackendResponse[L]:
        await trip_to_read(call, params.trip_id)
        rows = await listed(call.db, query, trip=params.trip_id)
        return BackendResponse(page, {"items": rows, "nextCursor": None})

    return list_all


def creator(mapping: ResourceMapping, resource: type[T]) -> TripHandler[T]:
    """A handler that creates a row, or merges into the one with its clientRef."""

    async def create(call: Call, params: OfTrip) -> BackendResponse[T]:
        await trip_to_write(call, params.trip_id)
        (outcome,) = await merge_items(call, mapping, params.trip_id, [params.model_dump(exclude={"trip_id"})])
        if isinstance(outcome, ProblemError):
            raise outcome
        return BackendResponse(resource, outcome.row, 201 if outcome.status == "created" else 200)

    return create


def upserter(mapping: ResourceMapping) -> Callable[[Call, BatchBody], Awaitable[BackendResponse[BatchReport]]]:
    """A handler that upserts a batch and reports on each item."""

    async def upsert(call: Call, params: BatchBody) -> BackendResponse[BatchReport]:
        await trip_to_write(call, params.trip_id)
        outcomes = await report(call, mapping, params.trip_id, params.items)
        return BackendResponse(BatchReport, outcomes, status_of(outcomes))

    return upsert


def updater(
    mapping: ResourceMapping, resource: type[T], row_id: Callable[[U], str]
) -> Callable[[Call, U], Awaitable[BackendResponse[T]]]:
    """A handler that updates one row; `row_id` reads its id from the parameters."""

    async def update(call: Call, params: U) -> BackendResponse[T]:
        await trip_to_write(call, params.trip_id)
        return BackendResponse(resource, await change_row(call, mapping, params.trip_id, row_id(params), params))

    return update


def deleter(
    mapping: ResourceMapping, row_id: Callable[[D], str]
) -> Callable[[Call, D], Awaitable[BackendResponse[Deleted]]]:
    """A handler that deletes one row; `row_id` reads its id from the parameters."""

    async def delete(call: Call, params: D) -> BackendResponse[Deleted]:
        await trip_to_write(call, params.trip_id)
        await delete_row(call, mapping, params.trip_id, row_id(params))
        return BackendResponse(Deleted)

    return delete


_IN_ORDER = (legs.c.order, legs.c.seq)
_LEGS = Paging("legs", LEG.select, legs.c.trip_id == bindparam("owner"), {legs.c.order: float, legs.c.seq: int})
list_legs = pager(_LEGS, LegPage)
create_leg = creator(LEG, Leg)
upsert_legs = upserter(LEG)


def _leg_id(asked: UpdateLeg | DeleteLeg) -> str:
    return asked.leg_id


update_leg = updater(LEG, Leg, _leg_id)
delete_leg = deleter(LEG, _leg_id)


_ACTION_ITEMS = ACTION_ITEM.select.where(action_items.c.trip_id == bindparam("trip")).order_by(action_items.c.seq)
list_action_items = lister(_ACTION_ITEMS, ActionItemPage)
create_action_item = creator(ACTION_ITEM, ActionItem)
upsert_action_items = upserter(ACTION_ITEM)


def _item_id(asked: UpdateActionItem | DeleteActionItem) -> str:
    return asked.item_id


update_action_item = updater(ACTION_ITEM, ActionItem, _item_id)
delete_action_item = deleter(ACTION_ITEM, _item_id)


_MAP_PINS = MAP_PIN.select.where(map_pins.c.trip_id == bindparam("trip")).order_by(map_pins.c.seq)
list_map_pins = lister(_MAP_PINS, MapPinPage)
create_map_pin = creator(MAP_PIN, MapPin)
upsert_map_pins = upserter(MAP_PIN)


def _pin_id(asked: UpdateMapPin | DeleteMapPin) -> str:
    return asked.pin_id


update_map_pin = updater(MAP_PIN, MapPin, _pin_id)
delete_map_pin = deleter(MAP_PIN, _pin_id)


# commitments without a time come first in a day; the times of an all-day one are ignored
_STARTS = case((commitments.c.is_all_day, ""), else_=func.coalesce(commitments.c.start_time, ""))
_BY_START = (commitments.c.start_date, _STARTS, commitments.c.seq)
_COMMITMENTS = Paging(
    "commitments",
    COMMITMENT.select,
    commitments.c.trip_id == bindparam("owner"),
    dict(zip(_BY_START, (str, str, int), strict=True)),
)
list_commitments = pager(_COMMITMENTS, CommitmentPage)


async def create_commitment(call: Call, new: CreateCommitment) -> BackendResponse[Commitment]:
    await trip_to_write(call, new.trip_id)
    fields = new.model_dump(exclude={"trip_id"})
    await check_references(call, COMMITMENT, new.trip_id, fields)
    row = new_row(COMMITMENT, new.trip_id, fields)
    await add(call.db, COMMITMENT, [row])
    return BackendResponse(Commitment, row)


def _commitment_id(asked: UpdateCommitment | DeleteCommitment) -> str:
    return asked.commitment_id


update_commitment = updater(COMMITMENT, Commitment, _commitment_id)
delete_commitment = deleter(COMMITMENT, _commitment_id)

PARTS = {
    "legs": LEG.select.where(legs.c.trip_id == bindparam("trip")).order_by(*_IN_ORDER),
    "mapPins": _MAP_PINS,
    "actionItems": _ACTION_ITEMS,
    "commitments": COMMITMENT.select.where(commitments.c.trip_id == bindparam("trip")).order_by(*_BY_START),
}
"""The parts of a trip by their name in an export → the query for all of them, by `bindparam("trip")`."""

HANDLERS = (
    serve_read(LIST_LEGS, list_legs),
    serve(CREATE_LEG, create_leg),
    serve_items(UPSERT_LEGS, BatchBody, upsert_legs),
    serve(UPDATE_LEG, update_leg),
    serve(DELETE_LEG, delete_leg),
    serve_read(LIST_ACTION_ITEMS, list_action_items),
    serve(CREATE_ACTION_ITEM, create_action_item),
    serve_items(UPSERT_ACTION_ITEMS, BatchBody, upsert_action_items),
    serve(UPDATE_ACTION_ITEM, update_action_item),
    serve(DELETE_ACTION_ITEM, delete_action_item),
    serve_read(LIST_COMMITMENTS, list_commitments),
    serve(CREATE_COMMITMENT, create_commitment),
    serve(UPDATE_COMMITMENT, update_commitment),
    serve(DELETE_COMMITMENT, delete_commitment),
    serve_read(LIST_MAP_PINS, list_map_pins),
    serve(CREATE_MAP_PIN, create_map_pin),
    serve_items(UPSERT_MAP_PINS, BatchBody, upsert_map_pins),
    serve(UPDATE_MAP_PIN, update_map_pin),
    serve(DELETE_MAP_PIN, delete_map_pin),
)
