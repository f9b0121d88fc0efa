"""The two REST APIs as data; it does no I/O, and every other layer imports it."""

from typing import Any

from trips_mcp.contract.action_items import (
    CREATE_ACTION_ITEM,
    DELETE_ACTION_ITEM,
    LIST_ACTION_ITEMS,
    UPDATE_ACTION_ITEM,
    UPSERT_ACTION_ITEMS,
)
from trips_mcp.contract.commitments import (
    CREATE_COMMITMENT,
    DELETE_COMMITMENT,
    LIST_COMMITMENTS,
    UPDATE_COMMITMENT,
)
from trips_mcp.contract.events import (
    CREATE_EVENT,
    DELETE_EVENT,
    GET_EVENT,
    LIST_TRIP_EVENTS,
    UPDATE_EVENT,
)
from trips_mcp.contract.exports import EXPORT_TRIP
from trips_mcp.contract.legs import CREATE_LEG, DELETE_LEG, LIST_LEGS, UPDATE_LEG, UPSERT_LEGS
from trips_mcp.contract.map_pins import (
    CREATE_MAP_PIN,
    DELETE_MAP_PIN,
    LIST_MAP_PINS,
    UPDATE_MAP_PIN,
    UPSERT_MAP_PINS,
)
from trips_mcp.contract.me import GET_ME
from trips_mcp.contract.members import LIST_MEMBERS
from trips_mcp.contract.messages import LIST_CHANNELS, LIST_MESSAGES, SEND_MESSAGE
from trips_mcp.contract.operation import Operation
from trips_mcp.contract.shares import (
    CREATE_SHARE_TOKEN,
    EXPORT_SHARED_TRIP,
    GET_SHARED_TRIP,
    REVOKE_SHARE_TOKEN,
)
from trips_mcp.contract.sync import SYNC_TRIP
from trips_mcp.contract.trips import ARCHIVE_TRIP, CREATE_TRIP, GET_TRIP, LIST_TRIPS, UPDATE_TRIP

OPERATIONS: tuple[Operation[Any, Any], ...] = (
    GET_ME,
    LIST_TRIPS,
    CREATE_TRIP,
    GET_TRIP,
    UPDATE_TRIP,
    ARCHIVE_TRIP,
    EXPORT_TRIP,
    SYNC_TRIP,
    LIST_LEGS,
    CREATE_LEG,
    UPSERT_LEGS,
    UPDATE_LEG,
    DELETE_LEG,
    LIST_ACTION_ITEMS,
    CREATE_ACTION_ITEM,
    UPSERT_ACTION_ITEMS,
    UPDATE_ACTION_ITEM,
    DELETE_ACTION_ITEM,
    LIST_COMMITMENTS,
    CREATE_COMMITMENT,
    UPDATE_COMMITMENT,
    DELETE_COMMITMENT,
    LIST_MAP_PINS,
    CREATE_MAP_PIN,
    UPSERT_MAP_PINS,
    UPDATE_MAP_PIN,
    DELETE_MAP_PIN,
    LIST_CHANNELS,
    LIST_MESSAGES,
    SEND_MESSAGE,
    LIST_MEMBERS,
    CREATE_SHARE_TOKEN,
    REVOKE_SHARE_TOKEN,
    GET_SHARED_TRIP,
    EXPORT_SHARED_TRIP,
    CREATE_EVENT,
    GET_EVENT,
    UPDATE_EVENT,
    DELETE_EVENT,
    LIST_TRIP_EVENTS,
)

__all__ = ["OPERATIONS", "Operation"]
