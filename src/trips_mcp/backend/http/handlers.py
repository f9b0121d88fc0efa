"""The table of operations and their handlers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from trips_mcp.backend.handler import Call, HandlerResult
from trips_mcp.backend.resources import (
    action_items,
    commitments,
    events,
    exports,
    legs,
    map_pins,
    me,
    members,
    messages,
    shares,
    sync,
    trips,
)
from trips_mcp.backend.rows.batch import BatchBody
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
from trips_mcp.contract.models import Params
from trips_mcp.contract.operation import Operation, P, R
from trips_mcp.contract.shares import (
    CREATE_SHARE_TOKEN,
    EXPORT_SHARED_TRIP,
    GET_SHARED_TRIP,
    REVOKE_SHARE_TOKEN,
)
from trips_mcp.contract.sync import SYNC_TRIP
from trips_mcp.contract.trips import ARCHIVE_TRIP, CREATE_TRIP, GET_TRIP, LIST_TRIPS, UPDATE_TRIP

Q = TypeVar("Q", bound=Params)


@dataclass(frozen=True, slots=True)
class Served:
    """An operation, the model that validates its fields, and its handler. The `_serve*` functions check the types."""

    operation: Operation[Any, Any]
    reads: type[Params]
    run: Callable[[Call, Any], Awaitable[HandlerResult[Any]]]
    is_single: bool = False
    """Whether one statement reads the whole result, so that it needs no transaction to be consistent."""


def _serve(operation: Operation[P, R], run: Callable[[Call, P], Awaitable[HandlerResult[R]]]) -> Served:
    return Served(operation, operation.params, run)


def _serve_read(operation: Operation[P, R], run: Callable[[Call, P], Awaitable[HandlerResult[R]]]) -> Served:
    """For a result that one statement reads, after the access check."""
    return Served(operation, operation.params, run, is_single=True)


def _serve_items(
    operation: Operation[Any, R], reads: type[Q], run: Callable[[Call, Q], Awaitable[HandlerResult[R]]]
) -> Served:
    """For requests whose items are validated one by one; `reads` validates only the envelope."""
    return Served(operation, reads, run)


SERVED: tuple[Served, ...] = (
    _serve_read(GET_ME, me.get_me),
    _serve_read(LIST_TRIPS, trips.list_trips),
    _serve(CREATE_TRIP, trips.create_trip),
    _serve_read(GET_TRIP, trips.get_trip),
    _serve(UPDATE_TRIP, trips.update_trip),
    _serve(ARCHIVE_TRIP, trips.archive_trip),
    _serve(EXPORT_TRIP, exports.export_trip),
    _serve_items(SYNC_TRIP, sync.Snapshot, sync.sync_trip),
    _serve_read(LIST_LEGS, legs.list_legs),
    _serve(CREATE_LEG, legs.create_leg),
    _serve_items(UPSERT_LEGS, BatchBody, legs.upsert_legs),
    _serve(UPDATE_LEG, legs.update_leg),
    _serve(DELETE_LEG, legs.delete_leg),
    _serve_read(LIST_ACTION_ITEMS, action_items.list_action_items),
    _serve(CREATE_ACTION_ITEM, action_items.create_action_item),
    _serve_items(UPSERT_ACTION_ITEMS, BatchBody, action_items.upsert_action_items),
    _serve(UPDATE_ACTION_ITEM, action_items.update_action_item),
    _serve(DELETE_ACTION_ITEM, action_items.delete_action_item),
    _serve_read(LIST_COMMITMENTS, commitments.list_commitments),
    _serve(CREATE_COMMITMENT, commitments.create_commitment),
    _serve(UPDATE_COMMITMENT, commitments.update_commitment),
    _serve(DELETE_COMMITMENT, commitments.delete_commitment),
    _serve_read(LIST_MAP_PINS, map_pins.list_map_pins),
    _serve(CREATE_MAP_PIN, map_pins.create_map_pin),
    _serve_items(UPSERT_MAP_PINS, BatchBody, map_pins.upsert_map_pins),
    _serve(UPDATE_MAP_PIN, map_pins.update_map_pin),
    _serve(DELETE_MAP_PIN, map_pins.delete_map_pin),
    _serve_read(LIST_CHANNELS, messages.list_channels),
    _serve_read(LIST_MESSAGES, messages.list_messages),
    _serve(SEND_MESSAGE, messages.send_message),
    _serve_read(LIST_MEMBERS, members.list_members),
    _serve(CREATE_SHARE_TOKEN, shares.create_share_token),
    _serve(REVOKE_SHARE_TOKEN, shares.revoke_share_token),
    _serve_read(GET_SHARED_TRIP, shares.get_shared_trip),
    _serve(EXPORT_SHARED_TRIP, shares.export_shared_trip),
    _serve(CREATE_EVENT, events.create_event),
    _serve(GET_EVENT, events.get_event),
    _serve(UPDATE_EVENT, events.update_event),
    _serve(DELETE_EVENT, events.delete_event),
    _serve(LIST_TRIP_EVENTS, events.list_trip_events),
)
