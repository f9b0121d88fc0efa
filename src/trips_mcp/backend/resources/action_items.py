"""Handlers of action items (docs/contract.md)."""

from sqlalchemy import bindparam

from trips_mcp.backend.callers.access import trip_to_read, trip_to_write
from trips_mcp.backend.handler import Call, HandlerResult
from trips_mcp.backend.rows.batch import Batch, merge_one, report, status_of
from trips_mcp.backend.rows.mapping import ACTION_ITEM, listed
from trips_mcp.backend.rows.references import OWNER
from trips_mcp.backend.rows.update import change_row, delete_row
from trips_mcp.backend.rows.upsert import Mergeable
from trips_mcp.backend.store.tables import action_items
from trips_mcp.contract.action_items import (
    ActionItem,
    ActionItemPage,
    CreateActionItem,
    DeleteActionItem,
    ListActionItems,
    UpdateActionItem,
)
from trips_mcp.contract.batches import BatchReport
from trips_mcp.contract.models import Deleted

ACTION_ITEMS = Mergeable(ACTION_ITEM, (OWNER,), {"completed": False})
OF_TRIP = ACTION_ITEM.select.where(action_items.c.trip_id == bindparam("trip")).order_by(action_items.c.seq)


async def list_action_items(call: Call, asked: ListActionItems) -> HandlerResult[ActionItemPage]:
    await trip_to_read(call, asked.trip_id)
    found = await listed(call.db, OF_TRIP, trip=asked.trip_id)
    return HandlerResult(ActionItemPage, {"items": found, "nextCursor": None})


async def create_action_item(call: Call, new: CreateActionItem) -> HandlerResult[ActionItem]:
    await trip_to_write(call, new.trip_id)
    row, status = await merge_one(call, ACTION_ITEMS, new.trip_id, new.model_dump(exclude={"trip_id"}))
    return HandlerResult(ActionItem, row, status)


async def upsert_action_items(call: Call, asked: Batch) -> HandlerResult[BatchReport]:
    await trip_to_write(call, asked.trip_id)
    told = await report(call, ACTION_ITEMS, asked.trip_id, asked.items)
    return HandlerResult(BatchReport, told, status_of(told))


async def update_action_item(call: Call, asked: UpdateActionItem) -> HandlerResult[ActionItem]:
    await trip_to_write(call, asked.trip_id)
    row = await change_row(call, ACTION_ITEM, asked.trip_id, asked.item_id, asked, (OWNER,))
    return HandlerResult(ActionItem, row)


async def delete_action_item(call: Call, asked: DeleteActionItem) -> HandlerResult[Deleted]:
    await trip_to_write(call, asked.trip_id)
    await delete_row(call, ACTION_ITEM, asked.trip_id, asked.item_id)
    return HandlerResult(Deleted)
