"""Action items, a trip's checklist: /trips/{tripId}/action-items (docs/contract.md)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from pydantic_core import MISSING

from trips_mcp.contract.batches import BATCH, MANY, AutoClientRef, BatchReport
from trips_mcp.contract.fields import ClientRef, Id, SaidText
from trips_mcp.contract.models import Deleted, Item, OfTrip, Page, Resource, UpdateOfTrip
from trips_mcp.contract.operation import Operation

Urgency = Literal["now", "before_trip", "nice_to_have"]
Owner = Annotated[Id, Field(description="User id, from list_members")]


class ActionItemItem(Item):
    text: SaidText
    urgency: Urgency
    owner: Owner | MISSING = MISSING
    client_ref: ClientRef | MISSING = MISSING


class ActionItem(Resource):
    own_names: ClassVar = ("actionItem", "item")

    trip_id: str | None = None
    text: str | None = None
    urgency: str | None = None
    owner: str | None = None
    completed: bool | None = None
    client_ref: str | None = None


class ActionItemPage(Page[ActionItem]):
    plural_names: ClassVar = ("actionItems", "action-items")


class ListActionItems(OfTrip):
    pass


class CreateActionItem(ActionItemItem, OfTrip):
    pass


class UpsertActionItems(OfTrip):
    items: Annotated[list[ActionItemItem], MANY, BATCH, Field(description="As create_action_item takes them")]
    auto_client_ref: AutoClientRef = MISSING


class UpdateActionItem(UpdateOfTrip):
    creates: ClassVar = ActionItemItem

    item_id: Id
    text: SaidText | MISSING = MISSING
    urgency: Urgency | MISSING = MISSING
    owner: Owner | MISSING = MISSING
    completed: bool | MISSING = MISSING


class DeleteActionItem(OfTrip):
    item_id: Id


LIST_ACTION_ITEMS = Operation(
    "list_action_items", "GET", "/trips/{tripId}/action-items", "trips:read", ListActionItems, ActionItemPage
)
CREATE_ACTION_ITEM = Operation(
    "create_action_item",
    "POST",
    "/trips/{tripId}/action-items",
    "trips:write",
    CreateActionItem,
    ActionItem,
    201,
    other_success=200,
)
UPSERT_ACTION_ITEMS = Operation(
    "upsert_action_items",
    "POST",
    "/trips/{tripId}/action-items:batch",
    "trips:write",
    UpsertActionItems,
    BatchReport,
    other_success=207,
)
UPDATE_ACTION_ITEM = Operation(
    "update_action_item",
    "PATCH",
    "/trips/{tripId}/action-items/{itemId}",
    "trips:write",
    UpdateActionItem,
    ActionItem,
)
DELETE_ACTION_ITEM = Operation(
    "delete_action_item",
    "DELETE",
    "/trips/{tripId}/action-items/{itemId}",
    "trips:write",
    DeleteActionItem,
    Deleted,
    204,
    lambda asked: Deleted(deleted=asked.item_id),
)
