"""Calls of the Events API, which has no Idempotency-Key, so lost writes are looked up by reading.

The lookup runs within the same call while there is time, and again in the next identical call.
"""

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

import httpx
from pydantic_core import MISSING
from typing_extensions import override

from trips_mcp.client.errors import (
    ApiError,
    ForbiddenError,
    GoneError,
    MissingScopeError,
    NotFoundError,
    OutcomeUnknownError,
)
from trips_mcp.client.outcome import Outcome
from trips_mcp.client.rate_limiter import LEAST_TIME, Clock, Sleep
from trips_mcp.client.writes import JOINED, Recovery
from trips_mcp.contract.events import (
    CREATE_EVENT,
    GET_EVENT,
    LIST_TRIP_EVENTS,
    UPDATE_EVENT,
    CreateEvent,
    Event,
    GetEvent,
    Itinerary,
    ListTripEvents,
    UpdateEvent,
)
from trips_mcp.contract.models import Params, Result
from trips_mcp.contract.operation import Operation, P, R

_REMEMBERED: Final = 1000
_IDENTIFYING: Final = ("type", "title", "date", "time", "location", "description")
_TEXTS: Final = (*_IDENTIFYING, "importance")
_SECOND_LOOKUP_AFTER: Final = 3.0
"""Seconds between the two lookups before an event is sent again, as a late request may still arrive."""
FOUND: Final = "The answer was lost; found an event just like it, which is taken for the one that this call made."
MAY_COME_TWICE: Final = (
    "An earlier attempt got no answer and was not found, so the event was sent again. If that attempt still arrives, "
    "there will be two: look with list_trip_events."
)
_CLOSED: Final = (ForbiddenError, MissingScopeError, NotFoundError, GoneError)
"""Reading was refused, and will be refused the next time too."""
_TOOK_TOO_LONG: Final = frozenset({408, 504, 522, 524})
"""Statuses after which the service may still be at work."""
_NOWHERE: Final = "an event on no trip cannot be looked up, so that sending it again may make a second one"


class Read(Protocol):
    async def __call__(self, operation: Operation[P, R], params: P) -> R: ...


class Seen:
    """The latest state of each event that this client has read, and the ids of those it created."""

    def __init__(self) -> None:
        self._events: OrderedDict[int, Event] = OrderedDict()
        self.made: set[int] = set()

    def take(self, result: Result) -> None:
        for event in _events_in(result):
            if event.event_id is not None:
                self._events[event.event_id] = event
                self._events.move_to_end(event.event_id)
        while len(self._events) > _REMEMBERED:
            self._events.popitem(last=False)

    def remember_as_made(self, result: Result) -> None:
        self.made.update(event.event_id for event in _events_in(result) if event.event_id is not None)

    def revision(self, event_id: int) -> int | None:
        event = self._events.get(event_id)
        return None if event is None else event.revision

    def alike(self, params: CreateEvent) -> list[int]:
        return [event_id for event_id, event in self._events.items() if _may_be(event, params)]


class Lookup(ABC):
    """The `Recovery` of one call of the Events API."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.was_asked = False
        self.may_be_under_way = False
        """Whether the service may still be carrying out an earlier attempt of this call."""
        self.remarks: list[str] = []
        """Notes for the caller besides the result."""

    @property
    @abstractmethod
    def repeatable(self) -> bool: ...

    @abstractmethod
    async def note(self) -> str: ...

    async def found(self, note: str) -> Any:
        """Raises: OutcomeUnknownError if the lookup can never tell, TripsError if it cannot tell now."""
        self.was_asked = True
        return await self._found(note)

    @abstractmethod
    async def _found(self, note: str) -> Event | None: ...

    def explained(self, unknown: OutcomeUnknownError) -> OutcomeUnknownError:
        return unknown


class Creation(Lookup):
    """A new event is in the itinerary of each of its trips. An event on no trip cannot be looked up."""

    def __init__(self, params: CreateEvent, read: Read, seen: Seen, sleep: Sleep) -> None:
        super().__init__(read)
        self._params = params
        self._seen = seen
        self._sleep = sleep
        self._trips: list[int] = [] if params.trip_ids is MISSING else sorted(set(params.trip_ids))

    @property
    @override
    def repeatable(self) -> bool:
        return bool(self._trips)

    @override
    async def note(self) -> str:
        """The ids of events that are just like it and existed before."""
        return " ".join(map(str, self._seen.alike(self._params)))

    @override
    async def _found(self, note: str) -> Event | None:
        if not self._trips:
            raise OutcomeUnknownError(CREATE_EVENT, _NOWHERE, repeatable=False)
        older = self._seen.made.union(map(int, note.split()))
        found = await self._newest_but(older)
        if found is None and not self.may_be_under_way:
            await self._sleep(_SECOND_LOOKUP_AFTER)
            found = await self._newest_but(older)
        if found is not None:
            self.remarks = [FOUND]
            return found
        if self.may_be_under_way:
            why = "the service took too long, and may still be at it"
            raise OutcomeUnknownError(CREATE_EVENT, why)
        self.remarks = [MAY_COME_TWICE]
        return None

    async def _newest_but(self, older: set[int]) -> Event | None:
        alike = [event for event in await self._on_all_trips() if event.event_id not in older]
        if not alike:
            return None
        newest = max(alike, key=lambda event: event.event_id or 0)
        return newest.model_copy(update={"attached_trips": newest.attached_trips or self._trips})

    @override
    def explained(self, unknown: OutcomeUnknownError) -> OutcomeUnknownError:
        if self._trips or unknown.why == _NOWHERE:
            return unknown
        return OutcomeUnknownError(CREATE_EVENT, f"{unknown.why}, and {_NOWHERE}", repeatable=False)

    async def _on_all_trips(self) -> list[Event]:
        """Events just like it that are in the itinerary of every trip."""
        alike: list[Event] = []
        for at, trip in enumerate(self._trips):
            before = {event.event_id for event in alike}
            listed = (await self._itinerary(trip)).events
            alike = [
                event
                for event in listed
                if event.event_id is not None and (at == 0 or event.event_id in before) and await self._is_alike(event)
            ]
            if not alike:
                return []
        return alike

    async def _itinerary(self, trip: int) -> Itinerary:
        try:
            return await self._read(LIST_TRIP_EVENTS, ListTripEvents(trip_id=trip))
        except _CLOSED as error:
            why = f"the itinerary of trip {trip}, where it would be, cannot be read"
            raise OutcomeUnknownError(CREATE_EVENT, why, repeatable=False) from error

    async def _is_alike(self, event: Event) -> bool:
        """Reads the event itself if the list leaves out fields that matter."""
        if _left_out(event, self._params) and _may_be(event, self._params):
            try:
                event = await self._read(GET_EVENT, GetEvent(event_id=event.event_id or 0))
            except _CLOSED:
                return False
        return _is_like(event, self._params)


class EventUpdate(Lookup):
    """An update that was carried out changed the event's revision and set the fields to the values sent."""

    def __init__(self, params: UpdateEvent, read: Read, seen: Seen) -> None:
        super().__init__(read)
        self._params = params
        self._seen = seen

    @property
    @override
    def repeatable(self) -> bool:
        return True

    @override
    async def note(self) -> str:
        """The revision before the update; empty if it cannot be read.

        Raises: TripsError of get_event; the update was then not sent.
        """
        revision = self._seen.revision(self._params.event_id)
        if revision is None:
            try:
                revision = (await self._event()).revision
            except (ForbiddenError, MissingScopeError):  # a key that cannot read may still write
                return ""
        return "" if revision is None else str(revision)

    @override
    async def _found(self, note: str) -> Event | None:
        try:
            event = await self._event()
        except (ForbiddenError, MissingScopeError) as error:
            why = "the event cannot be read to see whether it was changed"
            raise OutcomeUnknownError(UPDATE_EVENT, why, repeatable=False) from error
        if note == str(event.revision):
            return None
        if not not_as_sent(self._params, event):
            return event
        why = (
            f"event {self._params.event_id} differs from what this call sent, and may have been changed by somebody "
            f"since (revision {note or 'unknown'}, now {event.revision}); read it with get_event before changing it"
        )
        raise OutcomeUnknownError(UPDATE_EVENT, why, repeatable=False)

    async def _event(self) -> Event:
        return await self._read(GET_EVENT, GetEvent(event_id=self._params.event_id))


def not_as_sent(params: UpdateEvent, event: Event) -> list[str]:
    """The fields whose value in the event differs from the value sent. Fields that the event omits do not count."""
    found = [
        name
        for name in _TEXTS
        if _is_set(params, name) and name in event.model_fields_set and not _same(name, event, params)
    ]
    if (
        params.trip_ids is not MISSING
        and event.attached_trips is not None
        and set(event.attached_trips) != set(params.trip_ids)
    ):
        found.append("trip_ids")
    cleared = [] if params.clear is MISSING else params.clear
    return found + [name for name in cleared if getattr(event, "attached_trips" if name == "trip_ids" else name, None)]


def _is_like(event: Event, params: CreateEvent) -> bool:
    return all(_same(name, event, params) for name in _compared(params))


def _may_be(event: Event, params: CreateEvent) -> bool:
    """Whether the event may be like it, judged by the fields that the event shows."""
    left_out = _left_out(event, params)
    return all(_same(name, event, params) for name in _compared(params) if name not in left_out)


def _left_out(event: Event, params: CreateEvent) -> list[str]:
    """The fields to compare that the event lacks. Lists may leave out fields, above all descriptions."""
    return [
        name
        for name in _TEXTS
        if name not in event.model_fields_set and (_is_set(params, name) or name == "description")
    ]


def _compared(params: CreateEvent) -> tuple[str, ...]:
    """The fields to compare. The service may set an importance of its own if none was sent."""
    return _TEXTS if _is_set(params, "importance") else _IDENTIFYING


def _same(name: str, event: Event, params: Params) -> bool:
    return _normalised(name, getattr(event, name)) == _normalised(name, getattr(params, name))


def _normalised(name: str, value: object) -> str:
    """A service may trim texts, add a time to a date, and add seconds to a time."""
    text = value.strip() if isinstance(value, str) else ""
    return text[: {"date": 10, "time": 5}.get(name)]


def _is_set(params: Params, name: str) -> bool:
    return getattr(params, name) is not MISSING


def _events_in(result: Result) -> Sequence[Event]:
    match result:
        case Event():
            return [result]
        case Itinerary():
            return result.events
        case _:
            return []


class One(Protocol):
    """Runs one request, sent as often as needed."""

    async def __call__(
        self, operation: Operation[P, R], params: P, ends: float, recovery: Recovery[R] | None = None
    ) -> Outcome[R]: ...


class EventCalls:
    def __init__(self, one: One, clock: Clock, sleep: Sleep, backoff: Callable[[int], float]) -> None:
        """`backoff`: the seconds to wait after that many attempts."""
        self._one = one
        self._clock = clock
        self._sleep = sleep
        self._backoff = backoff
        self._seen = Seen()

    async def outcome(self, operation: Operation[P, R], params: P, ends: float) -> Outcome[R]:
        lookup = self._lookup(params, ends)
        if lookup is None:
            outcome = await self._one(operation, params, ends)
        else:
            outcome = await self._with_lookup(operation, params, ends, lookup)
        self._seen.take(outcome.result)
        if isinstance(params, CreateEvent):
            self._seen.remember_as_made(outcome.result)
        return replace(outcome, notes=(*outcome.notes, *_remarks(params, outcome.result)))

    def _lookup(self, write: Params, ends: float) -> Lookup | None:
        async def read(operation: Operation[P, R], params: P) -> R:
            result = (await self._one(operation, params, ends)).result
            self._seen.take(result)
            return result

        match write:
            case CreateEvent():
                return Creation(write, read, self._seen, self._sleep)
            case UpdateEvent():
                return EventUpdate(write, read, self._seen)
            case _:
                return None

    async def _with_lookup(self, operation: Operation[P, R], params: P, ends: float, lookup: Lookup) -> Outcome[R]:
        """Repeats the call as its caller would. Each time the lookup first reads what the last attempt did."""
        attempts = 0
        lost_here = False
        while True:
            try:
                outcome = await self._one(operation, params, ends, lookup)
            except OutcomeUnknownError as unknown:
                attempts += 1
                wait = self._backoff(attempts) if unknown.retry_after is None else unknown.retry_after
                if not unknown.repeatable or self._clock() + wait > ends - 2 * LEAST_TIME:
                    raise lookup.explained(unknown) from unknown.__cause__
                lost_here = lost_here or not lookup.was_asked
                lookup.may_be_under_way = lookup.may_be_under_way or _took_too_long(unknown)
                await self._sleep(wait)
                continue
            if lost_here:  # this call was completed, not an earlier one
                outcome = replace(outcome, notes=tuple(note for note in outcome.notes if note != JOINED))
            return replace(outcome, notes=(*outcome.notes, *lookup.remarks))


def _took_too_long(unknown: OutcomeUnknownError) -> bool:
    cause = unknown.__cause__
    while cause is not None:
        if isinstance(cause, httpx.TimeoutException) or (
            isinstance(cause, ApiError) and cause.status in _TOOK_TOO_LONG
        ):
            return True
        cause = cause.__cause__
    return False


def _remarks(params: Params, result: Result) -> tuple[str, ...]:
    if not isinstance(params, UpdateEvent) or not isinstance(result, Event):
        return ()
    if not (fields := not_as_sent(params, result)):
        return ()
    return (f"The service answered with other values than were sent: {', '.join(fields)}. Check with get_event.",)
