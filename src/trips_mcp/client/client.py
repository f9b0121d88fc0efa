"""The client, which runs any operation of the contract by `call` or by a named method."""

from collections.abc import AsyncGenerator, Collection
from dataclasses import replace
from time import monotonic
from typing import Any, Self

import anyio

from trips_mcp.client import resources
from trips_mcp.client.batch_writes import in_parts
from trips_mcp.client.endpoint import Endpoint
from trips_mcp.client.errors import (
    CannotConnectError,
    MissingScopeError,
    NotConfiguredError,
    TripsError,
    UnauthorizedError,
)
from trips_mcp.client.event_calls import EventCalls
from trips_mcp.client.journal import Journal, MemoryJournal
from trips_mcp.client.outcome import Outcome, RateLimit, Report
from trips_mcp.client.rate_limiter import Clock, Sleep
from trips_mcp.client.recorder import Recorder
from trips_mcp.client.resources import each
from trips_mcp.client.session import ApiSession, Attempts, Course
from trips_mcp.client.snapshots import Snapshots
from trips_mcp.client.writes import PartNotes, Recovery, Writing, digest_of, is_dry_run
from trips_mcp.contract.action_items import LIST_ACTION_ITEMS, ActionItem, ListActionItems
from trips_mcp.contract.batches import limits
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
from trips_mcp.contract.models import Params
from trips_mcp.contract.operation import Api, Operation, P, R
from trips_mcp.contract.trips import LIST_TRIPS, ListTrips, Trip
from trips_mcp.history import History, MemoryHistory
from trips_mcp.scopes import BaseScope, Scope, allows


class TripsClient:
    """A client of both APIs. Pass None for an API that is not available.

        async with TripsClient(trips=Endpoint(url, key), events=None) as client:
            async for leg in client.iterate_legs(trip_id): ...

    Every call that fails raises TripsError. An argument that cannot be valid (an id with a slash, a date that does
    not exist) raises pydantic's ValidationError before anything is sent.
    """

    def __init__(
        self,
        *,
        trips: Endpoint | None,
        events: Endpoint | None,
        journal: Journal | None = None,
        history: History | None = None,
        scopes: Collection[str] | None = None,
        deadline: float = 45.0,
        clock: Clock = monotonic,
        sleep: Sleep = anyio.sleep,
    ) -> None:
        """`deadline`: the seconds within which each call ends. `scopes`: what the trips key allows, if known.

        The caller closes the journal and the history. Raises: ValueError for an invalid scope.
        """
        self._sessions: dict[Api, ApiSession] = {}
        if trips is not None:
            self._sessions["trips"] = ApiSession(trips, clock, sleep)
        if events is not None:
            self._sessions["events"] = ApiSession(events, clock, sleep)
        self._deadline = deadline
        self._clock = clock
        self._permissions = Permissions(scopes)
        self._attempts = Attempts(clock, sleep)
        self._writing = Writing(self._attempts, journal or MemoryJournal())
        self.history = history or MemoryHistory(records=False)
        """The changes made, and the plans."""
        self._recorder = Recorder(self.history, Snapshots(self._read_for_history, clock, lambda: self.rate_limit))
        self._event_calls = EventCalls(self._one, clock, sleep, self._attempts.backoff)
        self._closed = False
        self.key_refused = False
        """Whether the Trips API refused the key and has not accepted it in `me` since."""
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
        for session in self._sessions.values():
            await session.aclose()

    async def call(self, operation: Operation[P, R], params: P) -> R:
        """`await client.call(GET_TRIP, GetTrip(trip_id="jx7…"))`."""
        return (await self.outcome(operation, params)).result

    async def outcome(self, operation: Operation[P, R], params: P, report: Report | None = None) -> Outcome[R]:
        """`call` with notes and rate limit besides the result. `report` receives the progress of a long call."""
        ends = self._clock() + self._deadline
        if operation.reads or is_dry_run(params) or not self.history.records:
            outcome = await self._sent(operation, params, ends, report)
            self._recorder.saw(params, outcome.result)
            return outcome
        session = self._session(operation)
        self._permissions.check(operation, params)
        return await self._recorder.recorded(
            operation,
            params,
            lambda: self._sent(operation, params, ends, report),
            account=session.history_account,
            digest=digest_of(session, operation, params),
        )

    async def _sent(self, operation: Operation[P, R], params: P, ends: float, report: Report | None) -> Outcome[R]:
        if limits(operation.params):  # a batch

            async def send(part: P, notes: PartNotes | None) -> Outcome[R]:
                return await self._one(operation, part, ends, parts=notes)

            return await in_parts(operation, params, send, self._writing.parts(), report)
        if operation.api == "events":
            return await self._event_calls.outcome(operation, params, ends)
        return await self._one(operation, params, ends)

    async def _read_for_history(self, operation: Operation[P, R], params: P, seconds: float) -> R:
        return (await self._sent(operation, params, self._clock() + seconds, None)).result

    @property
    def accounts(self) -> list[str]:
        """The accounts of the Trips API and the Events API, to which changes and plans belong."""
        return [session.history_account for session in self._sessions.values()]

    @property
    def account(self) -> str:
        """The account that plans belong to."""
        return self.accounts[0]

    @property
    def rate_limit(self) -> RateLimit | None:
        """The Trips API's; None until an answer names one."""
        session = self._sessions.get("trips")
        return session.rate_limiter.known if session is not None else None

    async def _one(
        self,
        operation: Operation[P, R],
        params: P,
        ends: float,
        recovery: Recovery[R] | None = None,
        parts: PartNotes | None = None,
    ) -> Outcome[R]:
        """One request, sent as often as needed."""
        session = self._session(operation)
        self._permissions.check(operation, params)
        try:
            if operation.reads or is_dry_run(params):
                result = await self._attempts.result(session, operation, params, Course(ends))
                outcome = Outcome(result)
            else:
                outcome = await self._writing.outcome(session, operation, params, ends, recovery, parts)
        except TripsError as error:
            if session.key is not None and session is self._sessions.get("trips") and _refuses_the_key(error):
                self.key_refused = True
            raise
        if isinstance(outcome.result, Me):
            self.key_refused = False
            self._permissions.learn(outcome.result.scopes)
        rate_limit = session.limiter(operation).known
        return outcome if rate_limit is None else replace(outcome, rate_limit=rate_limit)

    def _session(self, operation: Operation[Any, Any]) -> ApiSession:
        if self._closed:
            raise CannotConnectError("This client was closed; open another one.")
        session = self._sessions.get(operation.api)
        if session is None:
            raise NotConfiguredError(operation)
        return session

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
        """Newest first, across pages too."""

        async def newest_first(params: ListMessages) -> MessagePage:
            page = await self.call(LIST_MESSAGES, params)
            return page.model_copy(update={"items": page.items[::-1]})

        return each(LIST_MESSAGES, ListMessages(trip_id=trip_id, channel_id=channel_id), newest_first)

    def iterate_members(self, trip_id: str) -> AsyncGenerator[Member]:
        first = ListMembers(trip_id=trip_id)
        return each(LIST_MEMBERS, first, lambda asked: self.call(LIST_MEMBERS, asked))

    async def iterate_trip_events(self, trip_id: int) -> AsyncGenerator[Event]:
        itinerary = await self.events.list(trip_id)
        for event in itinerary.events:
            yield event


def _refuses_the_key(error: TripsError) -> bool:
    """True also if the refusal is the cause of a write's unknown outcome."""
    return isinstance(error, UnauthorizedError) or isinstance(error.__cause__, UnauthorizedError)


class Permissions:
    """The known scopes of the trips key, with which a forbidden call is refused before it is sent.

    The scopes are those of docs/contract.md#scopes. Tokens of the Events API have no scopes. While the scopes are
    unknown, every call is sent.
    """

    def __init__(self, scopes: Collection[str] | None) -> None:
        """`scopes`: None uses the scopes that `get_me` reports. Raises: ValueError for an invalid scope."""
        self._set = scopes is not None
        self._scopes = None if scopes is None else [Scope.parse(text) for text in scopes]

    def learn(self, reported: Collection[str] | None) -> None:
        """Takes the scopes that the service reports. An unknown scope may allow anything, so all become unknown."""
        if self._set:
            return
        try:
            self._scopes = None if reported is None else [Scope.parse(text) for text in reported]
        except ValueError:
            self._scopes = None

    def check(self, operation: Operation[P, R], params: P) -> None:
        """Raises: MissingScopeError."""
        needed = operation.scope
        if self._scopes is None or needed == "any key" or needed == "nobody" or operation.api != "trips":
            return
        if not any(scope.base == needed for scope in self._scopes):
            raise MissingScopeError(operation, needed)
        if not self._covers(operation, needed, _trip_of(params)):
            raise MissingScopeError(operation, needed, other_trip=True)

    def _covers(self, operation: Operation[Any, Any], needed: BaseScope, trip_id: str | None) -> bool:
        # a key limited to one trip may list trips; the list shows that trip only
        return allows(self._scopes or (), needed, trip_id) or (trip_id is None and operation.reads)


def _trip_of(params: Params) -> str | None:
    trip_id: object = getattr(params, "trip_id", None)
    return trip_id if isinstance(trip_id, str) else None
