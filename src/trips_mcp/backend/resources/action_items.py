"""Handlers of action items (docs/contract.md)."""

from sqlalchemy import bindparam

from trips_mcp.backend.handler import serve, serve_items, serve_read
from trips_mcp.backend.resources.trip_parts import creator, deleter, lister, updater, upserter
from trips_mcp.backend.rows.batch import BatchBody
from trips_mcp.backend.rows.mapping import ACTION_ITEM
from trips_mcp.backend.rows.references import OWNER
from trips_mcp.backend.rows.upsert import Mergeable
from trips_mcp.backend.store.tables import action_items
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

ACTION_ITEMS = Mergeable(ACTION_ITEM, (OWNER,), {"completed": False})
OF_TRIP = ACTION_ITEM.select.where(action_items.c.trip_id == bindparam("trip")).order_by(action_items.c.seq)
list_action_items = lister(OF_TRIP, ActionItemPage)
create_action_item = creator(ACTION_ITEMS, ActionItem)
upsert_action_items = upserter(ACTION_ITEMS)


def _id(asked: UpdateActionItem | DeleteActionItem) -> str:
    return asked.item_id


update_action_item = updater(ACTION_ITEM, ActionItem, _id, (OWNER,))
delete_action_item = deleter(ACTION_ITEM, _id)


HANDLERS = (
    serve_read(LIST_ACTION_ITEMS, list_action_items),
    serve(CREATE_ACTION_ITEM, create_action_item),
    serve_items(UPSERT_ACTION_ITEMS, BatchBody, upsert_action_items),
    serve(UPDATE_ACTION_ITEM, update_action_item),
    serve(DELETE_ACTION_ITEM, delete_action_item),
)
