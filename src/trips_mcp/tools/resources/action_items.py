"""What an agent reads about the checklist."""

from trips_mcp.contract.action_items import (
    CREATE_ACTION_ITEM,
    DELETE_ACTION_ITEM,
    LIST_ACTION_ITEMS,
    UPDATE_ACTION_ITEM,
    UPSERT_ACTION_ITEMS,
    ActionItem,
)
from trips_mcp.tools.results.import_report import of_batch
from trips_mcp.tools.results.lists import Listed
from trips_mcp.tools.tool import tool

ACTION_ITEMS = Listed(
    item=ActionItem,
    usual={"completed": False},
    on_request=frozenset({"owner", "clientRef"}),
    brief=("text", "urgency", "completed"),
)

list_action_items = tool(
    LIST_ACTION_ITEMS,
    title="List action items",
    description="Read a trip's checklist: what is still to do, and what is completed (tripId from list_trips). Owner "
    "and clientRef come when fields names them.",
    lookup="list_trips",
    asked_for="packing to-do reminder",
    view=ACTION_ITEMS,
)
create_action_item = tool(
    CREATE_ACTION_ITEM,
    title="Create action item",
    description="Put a to-do on a trip's checklist (tripId from list_trips); for things with a date and time use "
    "create_commitment. A clientRef used before updates that item instead.",
    lookup="list_trips",
    repeatable=True,
)
upsert_action_items = tool(
    UPSERT_ACTION_ITEMS,
    title="Upsert action items",
    description="Fill a trip's checklist: 1-500 action items at once (tripId from list_trips; sync_trip takes legs "
    "and pins along). Sending the list again is safe: to-dos are recognised by clientRef, else by their content, "
    "which autoClientRef: false turns off.",
    lookup="list_trips",
    overwrites=True,
    repeatable=True,
    shown=of_batch,
)
update_action_item = tool(
    UPDATE_ACTION_ITEM,
    title="Update action item",
    description="Tick off, reword or reassign a checklist item (itemId from list_action_items). What is left out "
    "stays; delete_action_item is for what was never to be done.",
    lookup="list_action_items",
)
delete_action_item = tool(
    DELETE_ACTION_ITEM,
    title="Delete action item",
    description="Remove a checklist item for good (itemId from list_action_items); to tick it off use "
    "update_action_item.",
    lookup="list_action_items",
)
