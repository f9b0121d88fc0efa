"""Import or preview of a snapshot: /trips/{tripId}/sync (docs/contract.md#sync)."""

from typing import Annotated

from pydantic import Field
from pydantic_core import MISSING

from trips_mcp.contract.action_items import ActionItemItem
from trips_mcp.contract.batches import SYNC, AutoClientRef, BatchReport
from trips_mcp.contract.legs import LegItem
from trips_mcp.contract.map_pins import MapPinItem
from trips_mcp.contract.models import OfTrip, Result
from trips_mcp.contract.operation import InQuery, Operation

_MANY = Field(max_length=5000)


class SyncTrip(OfTrip):
    dry_run: Annotated[bool | MISSING, InQuery()] = MISSING
    legs: Annotated[Annotated[list[LegItem], _MANY] | MISSING, SYNC] = MISSING
    action_items: Annotated[Annotated[list[ActionItemItem], _MANY] | MISSING, SYNC] = MISSING
    map_pins: Annotated[Annotated[list[MapPinItem], _MANY] | MISSING, SYNC] = MISSING
    auto_client_ref: AutoClientRef = MISSING


class SyncReport(Result):
    dry_run: bool | None = None
    legs: BatchReport | None = None
    action_items: BatchReport | None = None
    map_pins: BatchReport | None = None


SYNC_TRIP = Operation(
    "sync_trip", "POST", "/trips/{tripId}/sync", "trips:write", SyncTrip, SyncReport, other_success=207
)
