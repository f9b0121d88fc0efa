"""Finding out whether an event whose answer was lost has been made, or changed."""

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final, Protocol

from pydantic_core import MISSING
from typing_extensions import override

from trips_mcp.client.errors import (
    ForbiddenError,
    GoneError,
    MissingScopeError,
    NotFoundError,
    OutcomeUnknownError,
)
from trips_mcp.client.rate_limiter import Sleep
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
_TELLING_APART: Final = ("type", "title", "date", "time", "location", "description")
_TEXTS: Final = (*_TELLING_APART, "importance")
_PATIENCE: Final = 3.0
"""Seconds between the two looks for an event before it is sent again: one that is late may still arrive."""
FOUND: Final = "The answer was lost; found an event just like it, which is taken for the one that this call made."
MAY_COME_TWICE: Final = (
    "An earlier attempt got no answer and was not found, so the event was sent again. If that attempt still arrives, "
    "there will be two: look with list_trip_events."
)
_CLOSED: Final = (ForbiddenError, MissingScopeError, NotFoundError, GoneError)
"""Reading was refused, and will be the next time too."""
_NOWHERE: Final = "an event on no trip cannot be looked up, so that sending it again may make a second one"


class Read(Protocol):
    async def __call__(self, operation: Operation[P, R], asked: P) -> R: ...


class Seen:
    """What this client has last seen of each event, and which ones it has made."""

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

    def alike(self, asked: CreateEvent) -> list[int]:
        return [event_id for event_id, event in self._events.items() if _may_be(event, asked)]


class Lookup(ABC):
    """A `Recovery` for the Events API, of one call."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.was_asked = False
        self.may_be_under_way = False
        """Whether the service may be carrying out an earlier attempt of this very call."""
        self.remarks: list[str] = []
        """What the caller has to know besides the result."""

    @property
    @abstractmethod
    def repeatable(self) -> bool: ...

    @abstractmethod
    async def note(self) -> str: ...

    async def found(self, note: str) -> Any:
        """Raises: OutcomeUnknownError where that cannot be told, TripsError where it cannot be told now."""
        self.was_asked = True
        return await self._found(note)

    @abstractmethod
    async def _found(self, note: str) -> Event | None: ...

    def explained(self, unknown: OutcomeUnknownError) -> OutcomeUnknownError:
        return unknown


class Creation(Lookup):
    """A new event is in the itinerary of each of its trips; one of no trip is nowhere to be found."""

    def __init__(self, asked: CreateEvent, read: Read, seen: Seen, sleep: Sleep) -> None:
        super().__init__(read)
        self._asked = asked
        self._seen = seen
        self._sleep = sleep
        self._trips: list[int] = [] if asked.trip_ids is MISSING else sorted(set(asked.trip_ids))

    @property
    @override
    def repeatable(self) -> bool:
        return bool(self._trips)

    @override
    async def note(self) -> str:
        """The ids of those that are just like it, but were there before."""
        return " ".join(map(str, self._seen.alike(self._asked)))

    @override
    async def _found(self, note: str) -> Event | None:
        if not self._trips:
            raise OutcomeUnknownError(CREATE_EVENT, _NOWHERE, repeatable=False)
        older = self._seen.made.union(map(int, note.split()))
        found = await self._newest_but(older)
        if found is None and not self.may_be_under_way:
            await self._sleep(_PATIENCE)
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
        """Those that are like it and in every itinerary."""
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
        """Of a list that shows less than there is, the event itself is read."""
        if _untold(event, self._asked) and _may_be(event, self._asked):
            try:
                event = await self._read(GET_EVENT, GetEvent(event_id=event.event_id or 0))
            except _CLOSED:
                return False
        return _is_like(event, self._asked)


class EventUpdate(Lookup):
    """A change that was made has moved the event's revision, and left the fields as they were sent."""

    def __init__(self, asked: UpdateEvent, read: Read, seen: Seen) -> None:
        super().__init__(read)
        self._asked = asked
        self._seen = seen

    @property
    @override
    def repeatable(self) -> bool:
        return True

    @override
    async def note(self) -> str:
        """The revision before; empty where it cannot be known.

        Raises: TripsError of get_event, and then the change was not sent.
        """
        revision = self._seen.revision(self._asked.event_id)
        if revision is None:
            try:
                revision = (await self._event()).revision
            except (ForbiddenError, MissingScopeError):  # who may not read may write nevertheless
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
        if not not_as_sent(self._asked, event):
            return event
        why = (
            f"event {self._asked.event_id} is not as this call wants it, and may have been changed by somebody "
            f"since (revision {note or 'unknown'}, now {event.revision}); read it with get_event before changing it"
        )
        raise OutcomeUnknownError(UPDATE_EVENT, why, repeatable=False)

    async def _event(self) -> Event:
        return await self._read(GET_EVENT, GetEvent(event_id=self._asked.event_id))


def not_as_sent(asked: UpdateEvent, event: Event) -> list[str]:
    """The fields that the event tells of, and that are not what the change made them."""
    found = [
        name
        for name in _TEXTS
        if _is_set(asked, name) and name in event.model_fields_set and not _same(name, event, asked)
    ]
    if (
        asked.trip_ids is not MISSING
        and event.attached_trips is not None
        and set(event.attached_trips) != set(asked.trip_ids)
    ):
        found.append("trip_ids")
    cleared = [] if asked.clear is MISSING else asked.clear
    return found + [name for name in cleared if getattr(event, "attached_trips" if name == "trip_ids" else name, None)]


def _is_like(event: Event, asked: CreateEvent) -> bool:
    return all(_same(name, event, asked) for name in _compared(asked))


def _may_be(event: Event, asked: CreateEvent) -> bool:
    """Going by what is told of it."""
    untold = _untold(event, asked)
    return all(_same(name, event, asked) for name in _compared(asked) if name not in untold)


def _untold(event: Event, asked: CreateEvent) -> list[str]:
    """Lists need not show everything, least of all descriptions."""
    return [
        name
        for name in _TEXTS
        if name not in event.model_fields_set and (_is_set(asked, name) or name == "description")
    ]


def _compared(asked: CreateEvent) -> tuple[str, ...]:
    """An importance that was not sent may be the service's own."""
    return _TEXTS if _is_set(asked, "importance") else _TELLING_APART


def _same(name: str, event: Event, asked: Params) -> bool:
    return _plain(name, getattr(event, name)) == _plain(name, getattr(asked, name))


def _plain(name: str, value: object) -> str:
    """As it is compared: a service may trim a text, and give a date with a time or a time with seconds."""
    text = value.strip() if isinstance(value, str) else ""
    return text[: {"date": 10, "time": 5}.get(name)]


def _is_set(asked: Params, name: str) -> bool:
    return getattr(asked, name) is not MISSING


def _events_in(result: Result) -> Sequence[Event]:
    match result:
        case Event():
            return [result]
        case Itinerary():
            return result.events
        case _:
            return []
