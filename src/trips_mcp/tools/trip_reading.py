"""Reading of trips, one or several, and what is remembered of them.

A trip is read in one export, and one request more where its events are known. Several are read newest first, a few at a
time, within the rate limit and a time limit. Who may have written a trip's texts comes from answers that contain its
members; otherwise they are listed, at most once in 5 minutes for each trip. Destinations are remembered for 10 minutes.
Long work on a large trip is done in a worker thread, so that the event loop keeps serving others.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import anyio
import anyio.to_thread
from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from pydantic_core import MISSING

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import NotConfiguredError, NotFoundError, RateLimitedError, TripsError, UnauthorizedError
from trips_mcp.client.outcome import Outcome, RateLimit
from trips_mcp.contract.events import LIST_TRIP_EVENTS, Event, ListTripEvents
from trips_mcp.contract.legs import Leg, LegPage, ListLegs
from trips_mcp.contract.members import LIST_MEMBERS, ListMembers, Member, MemberPage
from trips_mcp.contract.messages import Message, MessagePage
from trips_mcp.contract.models import Params
from trips_mcp.contract.operation import R
from trips_mcp.contract.trips import EXPORT_TRIP, LIST_TRIPS, ExportTrip, ListTrips, Trip, TripExport
from trips_mcp.tools.call_context import Conduct

if TYPE_CHECKING:
    from trips_mcp.itinerary.journey import Journey

T = TypeVar("T")
G = ParamSpec("G")

MORE_TRIPS: Final = "The service has more trips than its list shows."

_EVENTS_SECONDS: Final = 10.0
"""Seconds for the events, after those that the export may take: hosts wait no more than a minute."""
_LONGEST_REASON: Final = 300

_MOST_READ: Final = 200
"""Trips read in one call."""
_AT_ONCE: Final = 4
_RESERVE: Final = 10
"""Requests that are left for the calls that follow."""
_READING_SECONDS: Final = 25.0
"""Seconds for several trips, after those that the list of trips may take."""
_MOST_NOTES: Final = 3
_LONGEST_CAUSE: Final = 200

_MEMBERS_VALID: Final = 300.0
"""Seconds. Someone who joined since may have written."""
_MEMBERS_SECONDS: Final = 5.0
"""Seconds. An answer waits no longer for the members."""
_MOST_TRIPS: Final = 1000
"""Trips remembered per client."""
_DESTINATIONS_VALID: Final = 600.0
"""Seconds. Others may have changed the trip since."""

_LARGE: Final = 500
"""Things that are worth a worker thread."""
_turns: RunVar[CapacityLimiter] = RunVar("_turns")


class TripSource(NamedTuple):
    """A trip as its two APIs gave it."""

    export: TripExport
    events: list[Event]


@dataclass(frozen=True, slots=True)
class TripReading:
    """A trip, with what there is to say of how it was read."""

    journey: "Journey"
    things: int
    """How many it holds: what work on it takes."""
    notes: tuple[str, ...]
    rate_limit: RateLimit | None
    lacks_events: bool
    """Whether its events could not be read."""
    state: TripSource

    def outcome(self, result: R) -> Outcome[R]:
        return Outcome(result, self.notes, self.rate_limit)


async def read_trip(client: TripsClient, trip_id: str, conduct: Conduct) -> TripReading:
    """In one export, and one request more where its events are known. Without them an answer is worth having too.

    Raises: TripsError.
    """
    from trips_mcp.itinerary.journey import Journey  # lists and writes do without its tables of places

    asked = ExportTrip(trip_id=trip_id)
    exported = await client.outcome(EXPORT_TRIP, asked)
    note_members(client, trip_id, exported.result)
    note_destinations(client, trip_id, asked, exported.result)
    found = await events_of(client, trip_id, exported.result, conduct)
    events, notes = found.events, (*exported.notes, *filter(None, (found.note,)))
    things = _things(exported.result) + len(events)
    journey = await offload(things, Journey.of, exported.result, events)
    state = TripSource(exported.result, events)
    return TripReading(journey, things, notes, exported.rate_limit, found.note is not None, state)


def _things(export: TripExport) -> int:
    return sum(map(len, (export.legs, export.map_pins, export.action_items, export.commitments)))


@dataclass(frozen=True, slots=True)
class EventsFound:
    events: list[Event]
    note: str | None = None
    """Why there are none, where they could not be read."""
    asked: bool = True
    """False where the trip is not known to have any: its number in the Events API is not."""


async def events_of(client: TripsClient, trip_id: str, export: TripExport, conduct: Conduct) -> EventsFound:
    """Those of the trip's shared itinerary. What goes wrong is told, not raised."""
    linked = conduct.event_trips.get(trip_id)
    number = linked
    if number is None and conduct.one_store and export.trip is not None:
        number = export.trip.number
    if number is None:
        return EventsFound([], asked=False)
    try:
        with anyio.fail_after(_EVENTS_SECONDS):
            return EventsFound((await client.call(LIST_TRIP_EVENTS, ListTripEvents(trip_id=number))).events)
    except TimeoutError:
        return EventsFound([], _without_events(f"the Events API did not answer within {_EVENTS_SECONDS:g} seconds"))
    except NotConfiguredError as error:
        # where the trip was linked they are missed; else nobody has asked for events
        return EventsFound([], None if linked is None else _without_events(str(error)), asked=linked is not None)
    except TripsError as error:
        return EventsFound([], _without_events(str(error)))


def _without_events(why: str) -> str:
    return f"Events are left out, for they could not be read: {why.rstrip('.')[:_LONGEST_REASON]}."


@dataclass(slots=True)
class AllTrips(Generic[T]):
    """What was read of each trip, newest first."""

    found: list[T] = field(default_factory=list[T])
    left: list[str] = field(default_factory=list[str])
    """Ids of the trips that were not read, newest first."""
    notes: tuple[str, ...] = ()


async def list_newest_first(client: TripsClient) -> tuple[list[Trip], tuple[str, ...]]:
    """The trips by start, the latest first and those without one last, and notes. Raises: TripsError."""
    page = await client.call(LIST_TRIPS, ListTrips())
    trips = [trip for trip in page.items if trip.id]
    trips.sort(key=lambda trip: (trip.start_date or "", trip.id), reverse=True)
    return trips, (MORE_TRIPS,) if page.next_cursor else ()


async def read_each(
    client: TripsClient, trips: Sequence[Trip], conduct: Conduct, work: Callable[[TripReading], T]
) -> AllTrips[T]:
    """`work` on each trip that can be read in time. Raises: TripsError if none can."""
    reading = _Reading(client, trips[: _affordable(client.rate_limit)], conduct, work)
    with anyio.move_on_after(_READING_SECONDS) as scope:
        async with anyio.create_task_group() as tasks:
            for _ in range(_AT_ONCE):
                tasks.start_soon(reading.go_on)
    if reading.error is not None and (not reading.found or isinstance(reading.error, UnauthorizedError)):
        raise reading.error
    notes = list(reading.notes)[:_MOST_NOTES]
    left = [trip.id for index, trip in enumerate(trips) if index not in reading.found and index not in reading.gone]
    if left:
        notes.append(f"{len(left)} of {len(trips)} trips were not searched: {reading.why_not(scope.cancelled_caught)}.")
    return AllTrips([reading.found[index] for index in sorted(reading.found)], left, tuple(notes))


def _affordable(known: RateLimit | None) -> int:
    return _MOST_READ if known is None else min(_MOST_READ, max(1, known.remaining - _RESERVE))


@dataclass(slots=True)
class _Reading(Generic[T]):
    """The state that the tasks of one call share."""

    client: TripsClient
    trips: Sequence[Trip]
    conduct: Conduct
    work: Callable[[TripReading], T]
    next: int = 0
    found: dict[int, T] = field(default_factory=dict[int, T])
    """By index of the trip."""
    gone: set[int] = field(default_factory=set[int])
    """Indexes of trips that were deleted since they were listed."""
    notes: dict[str, None] = field(default_factory=dict[str, None])
    error: TripsError | None = None
    """The first one."""

    async def go_on(self) -> None:
        while self.next < len(self.trips) and not isinstance(self.error, RateLimitedError | UnauthorizedError):
            index = self.next
            self.next += 1
            try:
                read = await read_trip(self.client, self.trips[index].id, self.conduct)
            except NotFoundError:
                self.gone.add(index)
                continue
            except TripsError as error:
                self.error = self.error or error
                continue
            if read.lacks_events:  # not worth another wait
                self.conduct = replace(self.conduct, one_store=False, event_trips={})
            self.notes.update(dict.fromkeys(read.notes))
            self.found[index] = await offload(read.things, self.work, read)

    def why_not(self, is_out_of_time: bool) -> str:
        if is_out_of_time:
            return f"{_READING_SECONDS:g} seconds were not enough"
        if self.error is not None and not isinstance(self.error, RateLimitedError):
            return str(self.error).rstrip(".")[:_LONGEST_CAUSE]
        if self.client.rate_limit is None:
            return f"one call searches at most {_MOST_READ}"
        return "the rate limit allows no more requests this minute"


@dataclass(slots=True)
class _Members:
    others: dict[str, tuple[float, bool]] = field(default_factory=dict[str, tuple[float, bool]])
    """By trip: expiry, and whether others may write to it."""
    names: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """By trip: the names of its members by user id."""

    def note(self, trip_id: str, others: bool, members: Sequence[Member] = ()) -> None:
        self.others.pop(trip_id, None)
        if len(self.others) >= _MOST_TRIPS:
            oldest = next(iter(self.others))
            del self.others[oldest]
            self.names.pop(oldest, None)
        self.others[trip_id] = (time.monotonic() + _MEMBERS_VALID, others)
        self.names[trip_id] = {one.user_id: one.name for one in members if one.user_id and one.name}

    def of(self, trip_id: str) -> bool | None:
        until, others = self.others.get(trip_id, (0.0, False))
        return others if time.monotonic() < until else None


_MEMBERS: Final[WeakKeyDictionary[TripsClient, _Members]] = WeakKeyDictionary()


def note_members(client: TripsClient, trip_id: str, result: object) -> None:
    """Notes the members in a result; a result without any says nothing."""
    members = result.members if isinstance(result, TripExport) else None
    if isinstance(result, MemberPage) and result.next_cursor is None:
        members = result.items
    if members:
        _MEMBERS.setdefault(client, _Members()).note(trip_id, len(members) > 1, members)


def with_author_names(client: TripsClient, trip_id: str, result: R) -> R:
    """Messages of a service that gives only the ids of their authors, with the names of the trip's members."""
    if not isinstance(result, MessagePage) or all(one.author_name for one in result.items):
        return result
    names = _MEMBERS.setdefault(client, _Members()).names.get(trip_id, {})
    return result.model_copy(update={"items": [_with_author_name(one, names) for one in result.items]})


def _with_author_name(message: Message, names: Mapping[str, str]) -> Message:
    name = names.get(message.author_id or "")
    return message if message.author_name or name is None else message.model_copy(update={"author_name": name})


async def others_may_have_written(client: TripsClient, trip_id: str, result: object) -> bool:
    """True also for events, which anybody may have planned, and where the members are unknown."""
    note_members(client, trip_id, result)
    return bool(getattr(result, "events", None)) or await _others_may_write(client, trip_id)


def known_others(client: TripsClient, trip_id: str) -> bool | None:
    """None if it is not known without a request."""
    return _MEMBERS.setdefault(client, _Members()).of(trip_id)


async def _others_may_write(client: TripsClient, trip_id: str) -> bool:
    known = _MEMBERS.setdefault(client, _Members())
    others = known.of(trip_id)
    if others is None:
        others, members = await _members(client, trip_id)
        known.note(trip_id, others, members)
    return others


async def _members(client: TripsClient, trip_id: str) -> tuple[bool, Sequence[Member]]:
    """Whether there are others, and who; without an answer, there may be."""
    try:
        with anyio.fail_after(_MEMBERS_SECONDS):
            page = await client.call(LIST_MEMBERS, ListMembers(trip_id=trip_id))
    except (TripsError, TimeoutError):
        return True, ()
    return len(page.items) != 1 or page.next_cursor is not None, page.items


class Destination(NamedTuple):
    name: str
    zone: str | None


class _Destinations(NamedTuple):
    until: float
    destinations: tuple[Destination, ...]


_DESTINATIONS: Final[WeakKeyDictionary[TripsClient, dict[str, _Destinations]]] = WeakKeyDictionary()


def note_destinations(client: TripsClient, trip_id: str, asked: Params, result: object) -> None:
    """Note them if the result has all legs of the trip."""
    if isinstance(result, TripExport):
        _note(client, trip_id, result.legs)
    elif isinstance(result, LegPage) and _is_whole(asked, result):
        _note(client, trip_id, result.items)


def _is_whole(asked: Params, page: LegPage) -> bool:
    return isinstance(asked, ListLegs) and asked.cursor is MISSING and page.next_cursor is None


def forget_destinations(client: TripsClient, trip_id: str) -> None:
    """For a trip that is about to change."""
    _DESTINATIONS.get(client, {}).pop(trip_id, None)


def known_destinations(client: TripsClient, trip_id: str) -> tuple[Destination, ...] | None:
    """In the order of the legs, each once; None if they are not known."""
    known = _DESTINATIONS.get(client, {}).get(trip_id)
    return known.destinations if known is not None and time.monotonic() < known.until else None


def _note(client: TripsClient, trip_id: str, legs: list[Leg]) -> None:
    trips = _DESTINATIONS.setdefault(client, {})
    trips.pop(trip_id, None)
    if len(trips) >= _MOST_TRIPS:
        del trips[next(iter(trips))]
    ordered = sorted(legs, key=lambda leg: (leg.start_date or "9999", leg.order or 0))
    found = (Destination(name, leg.timezone) for leg in ordered if (name := leg.destination or leg.title))
    trips[trip_id] = _Destinations(time.monotonic() + _DESTINATIONS_VALID, tuple(dict.fromkeys(found)))


async def offload(things: int, work: Callable[G, T], *given: G.args, **named: G.kwargs) -> T:
    """The result of `work` on this number of things. A cancelled caller does not wait for it to end.

    Work on a small trip runs inline, as a thread would take longer than the work. Large trips run one at a time, since
    the GIL lets only one thread run anyway.
    """
    if things < _LARGE:
        return work(*given, **named)
    try:
        turns = _turns.get()
    except LookupError:
        turns = CapacityLimiter(1)
        _turns.set(turns)
    return await anyio.to_thread.run_sync(lambda: work(*given, **named), abandon_on_cancel=True, limiter=turns)
