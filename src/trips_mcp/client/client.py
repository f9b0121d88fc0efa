"""The client: any operation of the contract, by `call` or by name."""

from collections.abc import AsyncGenerator
from typing import Any, Self

import httpx

from trips_mcp.client import resources
from trips_mcp.client.account import Account, Answer
from trips_mcp.client.endpoint import Endpoint
from trips_mcp.client.errors import CannotConnectError, NotConfiguredError
from trips_mcp.client.paging import each
from trips_mcp.client.reading import read
from trips_mcp.contract.action_items import LIST_ACTION_ITEMS, ActionItem, ListActionItems
from trips_mcp.contract.commitments import LIST_COMMITMENTS, Commitment, ListCommitments
from trips_mcp.contract.events import Event
from trips_mcp.contract.legs import LIST_LEGS, Leg, ListLegs
from trips_mcp.contract.map_pins import LIST_MAP_PINS, ListMapPins, MapPin
from trips_mcp.contract.me import GET_ME, GetMe, Me
from trips_mcp.contract.members import LIST_MEMBERS, ListMembers, Member
from trips_mcp.contract.messages import (
    LIST_CHANNELS,
    LIST_MESSAGES,
    Channel,
    ListChannels,
    ListMessages,
    Message,
    MessagePage,
)
from trips_mcp.contract.operation import Api, Operation, P, R
from trips_mcp.contract.trips import LIST_TRIPS, ListTrips, Trip


class TripsClient:
    """Speaks the two APIs; None for one that is not to be had.

        async with TripsClient(trips=Endpoint(url, key), events=None) as client:
            async for leg in client.iterate_legs(trip_id): ...

    Every call raises TripsError where it fails. An argument that cannot be right (an id with a slash, a
    date that is none) is pydantic's ValidationError, before anything is sent.
    """

    def __init__(self, *, trips: Endpoint | None, events: Endpoint | None) -> None:
        self._accounts: dict[Api, Account] = {}
        if trips is not None:
            self._accounts["trips"] = Account(trips)
        if events is not None:
            self._accounts["events"] = Account(events)
        self._closed = False
        self.trips = resources.Trips(self)
        self.legs = resources.Legs(self)
        self.action_items = resources.ActionItems(self)
        self.commitments = resources.Commitments(self)
        self.map_pins = resources.MapPins(self)
        self.channels = resources.Channels(self)
        self.messages = resources.Messages(self)
        self.members = resources.Members(self)
        self.shares = resources.Shares(self)
        self.events = resources.Events(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        self._closed = True
        for account in self._accounts.values():
            await account.aclose()

    async def call(self, operation: Operation[P, R], params: P) -> R:
        """`await client.call(GET_TRIP, GetTrip(trip_id="jx7…"))`."""
        account = self._account(operation)
        request = account.request(operation, params)
        answer = await self._send(account, operation, request)
        return read(operation, params, answer, account.key)

    async def _send(self, account: Account, operation: Operation[Any, Any], request: httpx.Request) -> Answer:
        """One attempt: an answer of any status, or a TripsError. Trying again belongs here, and nowhere else."""
        return await account.send(operation, request)

    def _account(self, operation: Operation[Any, Any]) -> Account:
        if self._closed:
            raise CannotConnectError("This client was closed; open another one.")
        account = self._accounts.get(operation.api)
        if account is None:
            raise NotConfiguredError(operation)
        return account

    async def me(self) -> Me:
        return await self.call(GET_ME, GetMe())

    def iterate_trips(self) -> AsyncGenerator[Trip]:
        return each(LIST_TRIPS, ListTrips(), lambda asked: self.call(LIST_TRIPS, asked))

    def iterate_legs(self, trip_id: str) -> AsyncGenerator[Leg]:
        return each(LIST_LEGS, ListLegs(trip_id=trip_id), lambda asked: self.call(LIST_LEGS, asked))

    def iterate_action_items(self, trip_id: str) -> AsyncGenerator[ActionItem]:
        first = ListActionItems(trip_id=trip_id)
        return each(LIST_ACTION_ITEMS, first, lambda asked: self.call(LIST_ACTION_ITEMS, asked))

    def iterate_commitments(self, trip_id: str) -> AsyncGenerator[Commitment]:
        first = ListCommitments(trip_id=trip_id)
        return each(LIST_COMMITMENTS, first, lambda asked: self.call(LIST_COMMITMENTS, asked))

    def iterate_map_pins(self, trip_id: str) -> AsyncGenerator[MapPin]:
        first = ListMapPins(trip_id=trip_id)
        return each(LIST_MAP_PINS, first, lambda asked: self.call(LIST_MAP_PINS, asked))

    def iterate_channels(self, trip_id: str) -> AsyncGenerator[Channel]:
        first = ListChannels(trip_id=trip_id)
        return each(LIST_CHANNELS, first, lambda asked: self.call(LIST_CHANNELS, asked))

    def iterate_messages(self, trip_id: str, channel_id: str) -> AsyncGenerator[Message]:
        """The newest first, across pages too."""

        async def newest_first(asked: ListMessages) -> MessagePage:
            page = await self.call(LIST_MESSAGES, asked)
            return page.model_copy(update={"items": page.items[::-1]})

        return each(LIST_MESSAGES, ListMessages(trip_id=trip_id, channel_id=channel_id), newest_first)

    def iterate_members(self, trip_id: str) -> AsyncGenerator[Member]:
        first = ListMembers(trip_id=trip_id)
        return each(LIST_MEMBERS, first, lambda asked: self.call(LIST_MEMBERS, asked))

    async def iterate_trip_events(self, trip_id: int) -> AsyncGenerator[Event]:
        itinerary = await self.events.list(trip_id)
        for event in itinerary.events:
            yield event
