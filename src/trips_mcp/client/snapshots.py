"""The items of trips as they were before a write: from a read of a minute ago at most, and our own answers since."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import anyio

from trips_mcp.client.errors import TripsError
from trips_mcp.client.outcome import RateLimit
from trips_mcp.client.rate_limiter import Clock
from trips_mcp.contract.events import GET_EVENT, LIST_TRIP_EVENTS, Event, GetEvent, Itinerary, ListTripEvents
from trips_mcp.contract.models import Params, Resource, Result
from trips_mcp.contract.operation import Operation, P, R
from trips_mcp.contract.trips import EXPORT_TRIP, ExportTrip, Trip, TripExport, TripPage
from trips_mcp.history import ItemKind
from trips_mcp.json_values import JsonObject, is_object

FRESH_SECONDS: Final = 60.0
_READ_SECONDS: Final = 5.0
"""Seconds for a read. The write waits no longer."""
_LEAST_REMAINING: Final = 3
"""With fewer requests left, nothing is read, so that the write need not wait for the rate limit."""
_MOST_TRIPS: Final = 4
_MOST_EVENTS: Final = 1000

ATTACHED: Final = "attached_trips"
"""The trips of an event; an itinerary leaves them out."""

Key = tuple[ItemKind, str]

_ATTRIBUTES: Final = {"clientRef": "client_ref", "legId": "leg_id", "mapPinId": "map_pin_id"}
"""The fields that items are looked for by, as the models call them."""


class TimedRead(Protocol):
    async def __call__(self, operation: Operation[P, R], params: P, seconds: float) -> R: ...


def as_item(result: Result) -> JsonObject:
    """The object on the wire, without empty values. An event on no trip has an empty list of them."""
    item = without_empty(result.model_dump(mode="json", exclude_none=True, exclude_unset=True))
    if isinstance(result, Event) and result.attached_trips is not None:
        item[ATTACHED] = list(result.attached_trips)
    return item


def without_empty(found: JsonObject) -> JsonObject:
    kept = {name: without_empty(value) if is_object(value) else value for name, value in found.items()}
    return {name: value for name, value in kept.items() if value not in (None, "", {}, [])}


@dataclass(slots=True)
class TripSnapshot:
    read_at: float
    export: TripExport
    changed: dict[Key, JsonObject | None] = field(default_factory=dict[Key, Any])
    """What our own writes answered since; None for what they deleted."""
    read_twice: bool = False
    """Whether it was read again for an item that was not there."""
    _index: dict[Key, Resource] | None = None
    _by_value: dict[tuple[ItemKind, str], dict[str, list[Key]]] = field(
        default_factory=dict[tuple[ItemKind, str], dict[str, list[Key]]]
    )

    def item(self, kind: ItemKind, id_: str) -> JsonObject | None:
        if (kind, id_) in self.changed:
            return self.changed[kind, id_]
        found = self._indexed.get((kind, id_))
        return None if found is None else as_item(found)

    def of_client_ref(self, kind: ItemKind, ref: str) -> JsonObject | None:
        return next(self._holding(kind, "clientRef", ref), None)

    def commitments_of(self, name: str, id_: str) -> list[JsonObject]:
        """The commitments that are linked to this item by their field `name`."""
        return [*self._holding("commitment", name, id_)]

    def _holding(self, kind: ItemKind, name: str, value: str) -> Iterator[JsonObject]:
        """The items with this value in this field."""
        for key in self._keys_by(kind, name).get(value, ()):
            if key not in self.changed:
                yield as_item(self._indexed[key])
        for (of, _), item in self.changed.items():
            if of == kind and item is not None and item.get(name) == value:
                yield item

    def _keys_by(self, kind: ItemKind, name: str) -> dict[str, list[Key]]:
        """By value of the field: a large import asks for each of its items."""
        known = self._by_value.get((kind, name))
        if known is None:
            known = self._by_value[kind, name] = {}
            attribute = _ATTRIBUTES[name]
            for key, found in self._indexed.items():
                if key[0] == kind and (value := getattr(found, attribute)):
                    known.setdefault(value, []).append(key)
        return known

    @property
    def _indexed(self) -> dict[Key, Resource]:
        if self._index is None:
            self._index = dict(_resources(self.export))
        return self._index


class Snapshots:
    def __init__(self, read: TimedRead, clock: Clock, rate_limit: Callable[[], RateLimit | None]) -> None:
        self._read = read
        self._clock = clock
        self._rate_limit = rate_limit
        self._trips: OrderedDict[str, TripSnapshot] = OrderedDict()
        self._events: OrderedDict[int, tuple[float, JsonObject]] = OrderedDict()
        self._itineraries: dict[int, float] = {}
        """When each trip's events were read."""
        self._unreadable: dict[str, float] = {}
        """When a read failed last, so that not every write waits for it."""
        self._trip_ids: dict[int, str] = {}
        self._lock = anyio.Lock(fast_acquire=True)

    def saw(self, params: Params, result: Result) -> None:
        """Takes what others read, which saves a read."""
        match result:
            case TripExport():
                if isinstance(params, ExportTrip):
                    self._take_trip(params.trip_id, result)
            case Event():
                self._take_event(result)
            case Itinerary():
                self._itineraries[getattr(params, "trip_id", 0)] = self._clock()
                for event in result.events:
                    self._take_event(event)
            case Trip():
                self._take_number(result)
            case TripPage():
                for trip in result.items:
                    self._take_number(trip)
            case _:
                pass

    def trip_ids(self, numbers: tuple[int, ...]) -> list[str]:
        """The known tripIds of trips with these numbers."""
        return [self._trip_ids[number] for number in numbers if number in self._trip_ids]

    async def trip(self, trip_id: str, kind: ItemKind | None = None, id_: str = "") -> TripSnapshot | None:
        """The trip, read again if it has no such item; None if it cannot be read."""
        async with self._lock:  # a burst of writes shares one read
            known = self._known(trip_id)
            if known is not None and (kind is None or known.item(kind, id_) is not None or known.read_twice):
                return known
            if known is not None and (kind, id_) in known.changed:
                return known  # we deleted it ourselves
            export = await self._attempt(trip_id, EXPORT_TRIP, ExportTrip(trip_id=trip_id))
            if export is None:
                return known
            snapshot = self._take_trip(trip_id, export)
            snapshot.read_twice = known is not None
            return snapshot

    async def event(self, event_id: int, *, with_trips: bool) -> JsonObject | None:
        """The event; None if it cannot be read. In a burst the whole itinerary is read once.

        `with_trips`: whether its trips must be known, which an itinerary does not tell.
        """
        async with self._lock:
            trip = None if with_trips else self._trip_of_last_event()
            if (found := self._known_event(event_id)) is None and trip is not None:
                itinerary = await self._attempt(f"#{trip}", LIST_TRIP_EVENTS, ListTripEvents(trip_id=trip))
                if itinerary is not None:
                    self.saw(ListTripEvents(trip_id=trip), itinerary)
                    found = self._known_event(event_id)
            if found is None or (with_trips and ATTACHED not in found):
                event = await self._attempt("events", GET_EVENT, GetEvent(event_id=event_id))
                found = None if event is None else self._take_event(event)
            return found

    def put(self, trip_id: str, kind: ItemKind, id_: str, item: JsonObject | None) -> None:
        """Notes what our own write answered; None for a deletion."""
        if kind == "event":
            if item is None:
                self._events.pop(int(id_), None)
            else:
                self._events[int(id_)] = (self._clock(), item)
        elif (known := self._trips.get(trip_id)) is not None:
            known.changed[kind, id_] = item

    def forget(self, trip_id: str) -> None:
        """Forgets a trip, or all events, after a write whose outcome is unknown."""
        if trip_id:
            self._trips.pop(trip_id, None)
        else:
            self._events.clear()
            self._itineraries.clear()

    async def _attempt(self, what: str, operation: Operation[P, R], params: P) -> R | None:
        limit = self._rate_limit()
        is_scarce = limit is not None and limit.remaining < _LEAST_REMAINING
        if is_scarce or self._clock() - self._unreadable.get(what, -FRESH_SECONDS) < FRESH_SECONDS:
            return None
        try:
            with anyio.fail_after(_READ_SECONDS):
                return await self._read(operation, params, _READ_SECONDS)
        except (TripsError, TimeoutError):
            self._unreadable = {name: at for name, at in self._unreadable.items() if self._is_fresh(at)}
            self._unreadable[what] = self._clock()
            return None

    def _known(self, trip_id: str) -> TripSnapshot | None:
        known = self._trips.get(trip_id)
        return known if known is not None and self._is_fresh(known.read_at) else None

    def _known_event(self, event_id: int) -> JsonObject | None:
        at, found = self._events.get(event_id, (-FRESH_SECONDS, None))
        return found if self._is_fresh(at) else None

    def _trip_of_last_event(self) -> int | None:
        """The trip of the event that was read last, if its other events were not read within the minute."""
        at, last = next(reversed(self._events.values()), (-FRESH_SECONDS, JsonObject()))
        trip = next(iter(last.get(ATTACHED, ())), None)
        is_due = trip is not None and not self._is_fresh(self._itineraries.get(trip, -FRESH_SECONDS))
        return trip if is_due and self._is_fresh(at) else None

    def _is_fresh(self, at: float) -> bool:
        return self._clock() - at < FRESH_SECONDS

    def _take_trip(self, trip_id: str, export: TripExport) -> TripSnapshot:
        snapshot = self._trips[trip_id] = TripSnapshot(self._clock(), export)
        self._trips.move_to_end(trip_id)
        if len(self._trips) > _MOST_TRIPS:
            self._trips.popitem(last=False)
        if export.trip is not None:
            self._take_number(export.trip)
        self._unreadable.pop(trip_id, None)
        return snapshot

    def _take_event(self, event: Event) -> JsonObject | None:
        if event.event_id is None:
            return None
        item = as_item(event)
        if ATTACHED not in item and (known := self._known_event(event.event_id)) is not None and ATTACHED in known:
            item[ATTACHED] = known[ATTACHED]
        self._events[event.event_id] = (self._clock(), item)
        self._events.move_to_end(event.event_id)
        if len(self._events) > _MOST_EVENTS:
            self._events.popitem(last=False)
        return item

    def _take_number(self, trip: Trip) -> None:
        if trip.number is not None and trip.id:
            self._trip_ids[trip.number] = trip.id


def _resources(export: TripExport) -> Iterator[tuple[Key, Resource]]:
    """All that the export has but its members."""
    if export.trip is not None:
        yield ("trip", export.trip.id), export.trip
    lists: tuple[tuple[ItemKind, list[Any]], ...] = (
        ("leg", export.legs),
        ("commitment", export.commitments),
        ("action_item", export.action_items),
        ("map_pin", export.map_pins),
    )
    for kind, items in lists:
        for item in items:
            yield (kind, item.id), item
