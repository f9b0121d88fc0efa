"""Handlers of action items (docs/contract.md)."""

from sqlalchemy import bindparam

from trips_mcp.backend.callers.access import trip_to_write
from trips_mcp.backend.handler import Call, HandlerResult
from trips_mcp.backend.resources.trip_parts import creator, lister, upserter
from trips_mcp.backend.rows.mapping import ACTION_ITEM
from trips_mcp.backend.rows.references import OWNER
from trips_mcp.backend.rows.update import change_row, delete_row
from trips_mcp.backend.rows.upsert import Mergeable
from trips_mcp.backend.store.tables import action_items
from trips_mcp.contract.action_items import (
    ActionItem,
    ActionItemPage,
    DeleteActionItem,
    UpdateActionItem,
)
from trips_mcp.contract.models import Deleted

ACTION_ITEMS = Mergeable(ACTION_ITEM, (OWNER,), {"completed": False})
OF_TRIP = ACTION_ITEM.select.where(action_items.c.trip_id == bindparam("trip")).order_by(action_items.c.seq)
list_action_items = lister(OF_TRIP, ActionItemPage)
create_action_item = creator(ACTION_ITEMS, ActionItem)
upsert_action_items = upserter(ACTION_ITEMS)


async def update_action_item(call: Call, asked: UpdateActionItem) -> HandlerResult[ActionItem]:
    await trip_to_write(call, asked.trip_id)
    row = await change_row(call, ACTION_ITEM, asked.trip_id, asked.item_id, asked, (OWNER,))
    return HandlerResult(ActionItem, row)


async def delete_action_item(call: Call, asked: DeleteActionItem) -> HandlerResult[Deleted]:
    await trip_to_write(call, asked.trip_id)
    await delete_row(call, ACTION_ITEM, asked.trip_id, asked.item_id)
    return HandlerResult(Deleted)
