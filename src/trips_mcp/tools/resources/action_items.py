"""Checklist tools."""

from collections.abc import Sequence

from pydantic_core import MISSING

from trips_mcp.contract.action_items import (
    CREATE_ACTION_ITEM,
    DELETE_ACTION_ITEM,
    LIST_ACTION_ITEMS,
    UPDATE_ACTION_ITEM,
    UPSERT_ACTION_ITEMS,
    ActionItem,
    Urgency,
)
from trips_mcp.contract.models import Params
from trips_mcp.tools.tool import tool
from trips_mcp.tools.views import Filter, Listed, shown_batch


class ActionItemFilter(Params):
    completed: bool | MISSING = MISSING
    urgency: Urgency | MISSING = MISSING


def _matching(asked: ActionItemFilter, items: Sequence[ActionItem]) -> Sequence[ActionItem]:
    if asked.completed is not MISSING:
        items = [item for item in items if bool(item.completed) is asked.completed]
    return items if asked.urgency is MISSING else [item for item in items if item.urgency == asked.urgency]


ACTION_ITEMS = Listed(
    item=ActionItem,
    usual={"completed": False},
    on_request=frozenset({"owner", "clientRef"}),
    brief=("text", "urgency", "completed"),
    filter=Filter(ActionItemFilter, _matching),
)

list_action_items = tool(
    LIST_ACTION_ITEMS,
    title="List action items",
    description="Read a trip's checklist: open and completed to-dos. Name owner or clientRef in fields to see them.",
    lookup="list_trips",
    asked_for="packing to-do reminder",
    view=ACTION_ITEMS,
)
create_action_item = tool(
    CREATE_ACTION_ITEM,
    title="Create action item",
    description="Add a to-do to a trip's checklist. For something with a date and time use create_commitment. A "
    "clientRef used before updates that item instead.",
    lookup="list_trips",
    repeatable=True,
)
upsert_action_items = tool(
    UPSERT_ACTION_ITEMS,
    title="Upsert action items",
    description="Fill a trip's checklist with 1-500 action items in one call. With legs and pins as well use "
    "sync_trip. Repeating the call is safe: items are matched by clientRef, else by content unless autoClientRef is "
    "false.",
    lookup="list_trips",
    overwrites=True,
    repeatable=True,
    shown=shown_batch,
)
update_action_item = tool(
    UPDATE_ACTION_ITEM,
    title="Update action item",
    description="Tick off, reword or reassign a checklist item. Omitted fields stay.",
    lookup="list_action_items",
)
delete_action_item = tool(
    DELETE_ACTION_ITEM,
    title="Delete action item",
    description="Delete a checklist item for good. To tick it off use update_action_item.",
    lookup="list_action_items",
)
