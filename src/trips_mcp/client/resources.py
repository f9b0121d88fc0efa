"""The operations as methods of their resources, such as `client.legs.list(trip_id)`, and iteration over pages.

Ids and paging are arguments. Operations with more parameters take their params object.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError
from pydantic_core import MISSING

from trips_mcp.client.errors import BadAnswerError
from trips_mcp.contract import action_items as items
from trips_mcp.contract import commitments, events, legs, map_pins, members, messages, shares, trips
from trips_mcp.contract.batches import BatchReport
from trips_mcp.contract.models import Deleted, Page, Result
from trips_mcp.contract.operation import Operation, P, R

T = TypeVar("T", bound=Result)


class OperationCaller(Protocol):
    async def call(self, operation: Operation[P, R], params: P) -> R: ...


class _Resource:
    def __init__(self, caller: OperationCaller) -> None:
        self._caller = caller

    async def _call(self, operation: Operation[P, R], params: P) -> R:
        return await self._caller.call(operation, params)


class Trips(_Resource):
    async def list(self) -> trips.TripPage:
        return await self._call(trips.LIST_TRIPS, trips.ListTrips())

    async def create(self, trip: trips.CreateTrip) -> trips.Trip:
        return await self._call(trips.CREATE_TRIP, trip)

    async def get(self, trip_id: str) -> trips.Trip:
        return await self._call(trips.GET_TRIP, trips.GetTrip(trip_id=trip_id))

    async def update(self, change: trips.UpdateTrip) -> trips.Trip:
        return await self._call(trips.UPDATE_TRIP, change)

    async def archive(self, trip_id: str) -> trips.Trip:
        return await self._call(trips.ARCHIVE_TRIP, trips.ArchiveTrip(trip_id=trip_id))

    async def export(self, trip_id: str) -> trips.TripExport:
        return await self._call(trips.EXPORT_TRIP, trips.ExportTrip(trip_id=trip_id))

    async def sync(self, snapshot: trips.SyncTrip) -> trips.SyncReport:
        return await self._call(trips.SYNC_TRIP, snapshot)


class Legs(_Resource):
    async def list(
        self, trip_id: str, *, limit: int | MISSING = MISSING, cursor: str | MISSING = MISSING
    ) -> legs.LegPage:
        return await self._call(legs.LIST_LEGS, legs.ListLegs(trip_id=trip_id, limit=limit, cursor=cursor))

    async def create(self, leg: legs.CreateLeg) -> legs.Leg:
        return await self._call(legs.CREATE_LEG, leg)

    async def upsert(self, batch: legs.UpsertLegs) -> BatchReport:
        return await self._call(legs.UPSERT_LEGS, batch)

    async def update(self, change: legs.UpdateLeg) -> legs.Leg:
        return await self._call(legs.UPDATE_LEG, change)

    async def delete(self, trip_id: str, leg_id: str) -> Deleted:
        return await self._call(legs.DELETE_LEG, legs.DeleteLeg(trip_id=trip_id, leg_id=leg_id))


class ActionItems(_Resource):
    async def list(self, trip_id: str) -> items.ActionItemPage:
        return await self._call(items.LIST_ACTION_ITEMS, items.ListActionItems(trip_id=trip_id))

    async def create(self, item: items.CreateActionItem) -> items.ActionItem:
        return await self._call(items.CREATE_ACTION_ITEM, item)

    async def upsert(self, batch: items.UpsertActionItems) -> BatchReport:
        return await self._call(items.UPSERT_ACTION_ITEMS, batch)

    async def update(self, change: items.UpdateActionItem) -> items.ActionItem:
        return await self._call(items.UPDATE_ACTION_ITEM, change)

    async def delete(self, trip_id: str, item_id: str) -> Deleted:
        return await self._call(items.DELETE_ACTION_ITEM, items.DeleteActionItem(trip_id=trip_id, item_id=item_id))


class Commitments(_Resource):
    async def list(
        self, trip_id: str, *, limit: int | MISSING = MISSING, cursor: str | MISSING = MISSING
    ) -> commitments.CommitmentPage:
        return await self._call(
            commitments.LIST_COMMITMENTS,
            commitments.ListCommitments(trip_id=trip_id, limit=limit, cursor=cursor),
        )

    async def create(self, commitment: commitments.CreateCommitment) -> commitments.Commitment:
        return await self._call(commitments.CREATE_COMMITMENT, commitment)

    async def update(self, change: commitments.UpdateCommitment) -> commitments.Commitment:
        return await self._call(commitments.UPDATE_COMMITMENT, change)

    async def delete(self, trip_id: str, commitment_id: str) -> Deleted:
        return await self._call(
            commitments.DELETE_COMMITMENT,
            commitments.DeleteCommitment(trip_id=trip_id, commitment_id=commitment_id),
        )


class MapPins(_Resource):
    async def list(self, trip_id: str) -> map_pins.MapPinPage:
        return await self._call(map_pins.LIST_MAP_PINS, map_pins.ListMapPins(trip_id=trip_id))

    async def create(self, pin: map_pins.CreateMapPin) -> map_pins.MapPin:
        return await self._call(map_pins.CREATE_MAP_PIN, pin)

    async def upsert(self, batch: map_pins.UpsertMapPins) -> BatchReport:
        return await self._call(map_pins.UPSERT_MAP_PINS, batch)

    async def update(self, change: map_pins.UpdateMapPin) -> map_pins.MapPin:
        return await self._call(map_pins.UPDATE_MAP_PIN, change)

    async def delete(self, trip_id: str, pin_id: str) -> Deleted:
        return await self._call(map_pins.DELETE_MAP_PIN, map_pins.DeleteMapPin(trip_id=trip_id, pin_id=pin_id))


class Channels(_Resource):
    async def list(self, trip_id: str) -> messages.ChannelPage:
        return await self._call(messages.LIST_CHANNELS, messages.ListChannels(trip_id=trip_id))


class Messages(_Resource):
    async def list(
        self,
        trip_id: str,
        channel_id: str,
        *,
        limit: int | MISSING = MISSING,
        cursor: str | MISSING = MISSING,
    ) -> messages.MessagePage:
        """The newest page. Its cursor leads to older messages; within a page the oldest comes first."""
        return await self._call(
            messages.LIST_MESSAGES,
            messages.ListMessages(trip_id=trip_id, channel_id=channel_id, limit=limit, cursor=cursor),
        )

    async def send(self, message: messages.SendMessage) -> messages.Message:
        return await self._call(messages.SEND_MESSAGE, message)


class Members(_Resource):
    async def list(self, trip_id: str) -> members.MemberPage:
        return await self._call(members.LIST_MEMBERS, members.ListMembers(trip_id=trip_id))


class Shares(_Resource):
    """Share links. Reading one needs no key, so none is sent."""

    async def create(self, trip_id: str) -> shares.ShareToken:
        """Makes a new link for the trip. An earlier link stops working."""
        return await self._call(shares.CREATE_SHARE_TOKEN, shares.CreateShareToken(trip_id=trip_id))

    async def revoke(self, trip_id: str) -> shares.Revoked:
        return await self._call(shares.REVOKE_SHARE_TOKEN, shares.RevokeShareToken(trip_id=trip_id))

    async def get(self, token: str) -> shares.SharedTrip:
        return await self._call(shares.GET_SHARED_TRIP, shares.GetSharedTrip(token=token))

    async def export(self, token: str) -> shares.SharedExport:
        return await self._call(shares.EXPORT_SHARED_TRIP, shares.ExportSharedTrip(token=token))


class Events(_Resource):
    async def list(self, trip_id: int) -> events.Itinerary:
        return await self._call(events.LIST_TRIP_EVENTS, events.ListTripEvents(trip_id=trip_id))

    async def create(self, event: events.CreateEvent) -> events.Event:
        return await self._call(events.CREATE_EVENT, event)

    async def get(self, event_id: int) -> events.Event:
        return await self._call(events.GET_EVENT, events.GetEvent(event_id=event_id))

    async def update(self, change: events.UpdateEvent) -> events.Event:
        return await self._call(events.UPDATE_EVENT, change)

    async def delete(self, event_id: int) -> events.DeletedEvent:
        return await self._call(events.DELETE_EVENT, events.DeleteEvent(event_id=event_id))


async def each(operation: Operation[P, Any], first: P, read: Callable[[P], Awaitable[Page[T]]]) -> AsyncGenerator[T]:
    """The items of a paged list; each page is read when its first item is needed.

    Raises: TripsError; BadAnswerError if a cursor repeats or cannot be used.
    """
    followed: set[str] = set()
    params = first
    while True:
        page = await read(params)
        for item in page.items:
            yield item
        cursor = page.next_cursor
        if not cursor:
            return
        if cursor in followed:
            raise BadAnswerError(operation, "with a cursor that it had given before")
        followed.add(cursor)
        params = _after(operation, first, cursor)


def _after(operation: Operation[P, Any], first: P, cursor: str) -> P:
    try:
        return operation.params.model_validate({**first.model_dump(), "cursor": cursor})
    except ValidationError:  # the list takes no cursor, or the cursor is not valid
        raise BadAnswerError(operation, "with a cursor that cannot be followed") from None
