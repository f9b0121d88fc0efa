"""Days, and the parts of a trip that cover them: stretches (legs), stays, moves (flights), cars and appointments.

Unknown values are None or an empty text. Nothing is filled in. The types of events and the titles of rides are free
text, so their spellings vary.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Final, Generic, Literal, TypeVar, overload

from typing_extensions import override

from trips_mcp.contract.commitments import Commitment
from trips_mcp.contract.events import Event
from trips_mcp.contract.legs import Leg, LegAccommodation, LegFlight, LegRentalCar
from trips_mcp.itinerary.local_time import Moment
from trips_mcp.places.stops import Stop
from trips_mcp.places.tables import fold

T = TypeVar("T")

ZoneFrom = Literal["own", "leg", "place", "unknown"]
"""Source of a zone. `place` is a pin's position or an event's location."""
Kind = Literal["trip", "leg", "stay", "flight", "rental", "commitment", "event"]

DAWN: Final = time(5)
"""A departure before it belongs to the night before. An end before it is a late evening, not a night."""
_BEDTIME: Final = time(2)
"""A plan that starts between this time and dawn is an early morning, not a night."""

_DAY: Final = timedelta(days=1)
_LONG: Final = 100
"""Days. Longer items are kept in a list instead of under each day."""
_TRAVEL: Final = frozenset(
    {"flight", "train", "bus", "ferry", "boat", "cruise", "drive", "transport", "transit", "travel"}
)
_STAYS: Final = frozenset({"accommodation", "stay", "hotel", "lodging"})
_FREE: Final = frozenset({"free_block", "free", "free_time"})
_EVENING: Final = time(17)
_RIDES: Final = frozenset({
    "train", "shinkansen", "bus", "coach", "ferry", "boat", "ship", "cruise", "drive", "transfer", "flight", "taxi",
    "sleeper", "railway", "tram", "hike", "trek", "ride", "sail", "roadtrip", "tgv", "ice", "nightjet", "eurostar",
    "zug", "nachtzug", "fahre", "faehre", "schiff", "fahrt", "abfahrt", "flug", "wanderung", "traversier", "bateau",
    "trajet", "vol", "randonnee", "tren", "autobus", "barco", "vuelo", "traslado", "treno", "traghetto", "nave",
    "volo", "trasferimento", "trem", "comboio", "balsa", "voo", "onibus", "trein", "veerboot", "boot", "vlucht",
    "rit", "電車", "列車", "新幹線", "バス", "フェリー", "船",
})  # fmt: skip
"""Words of titles after which a traveller may be in another place."""
_SPACELESS_RIDES: Final = tuple(word for word in _RIDES if not word.isascii())
"""Words of languages that put no spaces between them."""
_ARROW: Final = re.compile("→|->|➔|⇒")


@dataclass(frozen=True, slots=True)
class Days(Sequence[date]):
    """The days from first to last, both included. Empty if last is before first."""

    first: date
    last: date

    @override
    def __len__(self) -> int:
        return max(0, (self.last - self.first).days + 1)

    @overload
    def __getitem__(self, index: int) -> date: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[date]: ...

    @override
    def __getitem__(self, index: int | slice) -> date | Sequence[date]:
        if isinstance(index, slice):
            return [self.first + timedelta(days) for days in range(*index.indices(len(self)))]
        return self.first + timedelta(range(len(self))[index])

    @override
    def __contains__(self, value: object) -> bool:
        return isinstance(value, date) and self.first <= value <= self.last

    @override
    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days) for days in range(len(self)))


class Spans(Generic[T]):
    """Items by the days they cover, in the given order on each day."""

    def __init__(self, things: Iterable[tuple[T, Days]]) -> None:
        self._short: dict[date, list[tuple[int, T]]] = {}
        self._long: list[tuple[int, T, Days]] = []
        for place, (thing, days) in enumerate(things):
            if len(days) > _LONG:
                self._long.append((place, thing, days))
                continue
            for day in days:
                self._short.setdefault(day, []).append((place, thing))

    def on(self, day: date) -> tuple[T, ...]:
        here = list(self._short.get(day, ()))
        if not self._long:
            return tuple(thing for _, thing in here)
        here += [(place, thing) for place, thing, days in self._long if day in days]
        return tuple(thing for _, thing in sorted(here, key=lambda found: found[0]))


class Agreed(Generic[T]):
    """The value that all items covering a day agree on. Each item is read once, however long it is."""

    def __init__(self, said: Iterable[tuple[T | None, Days]]) -> None:
        changes: dict[date, Counter[T | None]] = {}
        for value, days in said:
            changes.setdefault(days.first, Counter())[value] += 1
            changes.setdefault(days.last + timedelta(1), Counter())[value] -= 1
        self._from = sorted(changes)
        self._values: list[T | None] = []
        now: Counter[T | None] = Counter()
        for day in self._from:
            for value, change in changes[day].items():
                now[value] += change
                if not now[value]:
                    del now[value]
            self._values.append(next(iter(now)) if len(now) == 1 else None)

    def on(self, day: date) -> T | None:
        """None if they disagree, if none covers the day, or if None is their value."""
        place = bisect_right(self._from, day)
        return self._values[place - 1] if place else None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A field with a value that cannot be parsed."""

    kind: Kind
    id: str
    field: str
    """By its name in the tools, such as `flights.0.departure`."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A leg."""

    id: str
    order: float | None
    title: str
    destination: str
    starts: date | None
    ends: date | None
    zone: str | None
    source: Leg = field(repr=False)

    @property
    def days(self) -> Days | None:
        """Both ends included. A leg without an end, or with an end before its start, covers only its start."""
        if self.starts is None:
            return None
        return Days(self.starts, self.starts if self.ends is None else max(self.starts, self.ends))


@dataclass(frozen=True, slots=True)
class Stay:
    """A leg's accommodation. The night of a day is the one after it."""

    leg_id: str
    name: str
    address: str
    first: date | None
    """The first night."""
    end: date | None
    """The day of departure, which is not one of its nights."""
    zone: str | None
    check_in: Moment | str | None
    """A text is a value that is not a time."""
    check_out: Moment | str | None
    source: LegAccommodation = field(repr=False)

    @property
    def nights(self) -> Days | None:
        if self.first is None or self.end is None:
            return None
        return Days(self.first, self.end - _DAY)

    @property
    def days(self) -> frozenset[date]:
        """Days of check-in and check-out, if these have a value."""
        return known_days(
            self.first if self.check_in is not None else None, self.end if self.check_out is not None else None
        )


@dataclass(frozen=True, slots=True)
class Move:
    """One of a leg's flights, or another ride in that list, such as a night train or a ferry."""

    leg_id: str
    index: int
    label: str
    departs: Moment | None
    arrives: Moment | None
    source: LegFlight = field(repr=False)
    departs_from: Stop | None = None
    """None if unknown. Its zone is used if the departure has none. The same holds for arrives_at."""
    arrives_at: Stop | None = None

    @property
    def inferred_zones(self) -> tuple[Stop, ...]:
        """The stops from which the ends without an own zone take theirs."""
        ends = (
            (self.departs, self.source.departure_timezone, self.departs_from),
            (self.arrives, self.source.arrival_timezone, self.arrives_at),
        )
        return tuple(stop for at, own, stop in ends if stop and at and at.time and at.zone == stop.zone and not own)

    @property
    def zones_are_sure(self) -> bool:
        """Whether both zones are given, or belong to airports identified by code."""
        ends = (
            (self.source.departure_timezone, self.departs_from),
            (self.source.arrival_timezone, self.arrives_at),
        )
        return all(own or (stop is not None and stop.is_by_code) for own, stop in ends)

    @property
    def days(self) -> Days | None:
        """Calendar days it touches. Over the date line it may arrive on the day before it departs."""
        ends = [end.day for end in (self.departs, self.arrives) if end is not None]
        return Days(min(ends), max(ends)) if ends else None

    @property
    def nights(self) -> Days | None:
        """Nights under way, which need no bed. Over the date line these include nights that are skipped."""
        if self.departs is None or self.arrives is None:
            return None
        at_night = self.departs.time is not None and self.departs.time < DAWN
        return Days(self.departs.day - _DAY if at_night else self.departs.day, self.arrives.day - _DAY)


@dataclass(frozen=True, slots=True)
class Rental:
    """A leg's rental car."""

    leg_id: str
    company: str
    location: str
    pick_up: Moment | str | None
    """A text is a value that is not a time."""
    drop_off: Moment | str | None
    first: date | None
    """First day of its leg; `last` is the last one."""
    last: date | None
    source: LegRentalCar = field(repr=False)

    @property
    def days(self) -> frozenset[date]:
        """Days of pick-up and drop-off, if known."""
        return known_days(
            self.pick_up.day if isinstance(self.pick_up, Moment) else self.first,
            self.drop_off.day if isinstance(self.drop_off, Moment) else self.last,
        )


@dataclass(frozen=True, slots=True)
class Appointment:
    """A commitment, or an event of the shared itinerary."""

    kind: Literal["commitment", "event"]
    id: str
    """The tools take an event's as a whole number."""
    title: str
    category: str
    """A commitment's category, an event's type."""
    starts: Moment | None
    ends: Moment | None
    all_day: bool
    zone_from: ZoneFrom
    zone_by: str
    """The place that its zone is inferred from, if any: `pin near Kyoto`."""
    leg_id: str
    """The linked leg if it is in the trip, else empty. The same holds for pin_id."""
    pin_id: str
    place: str
    notes: str
    source: Commitment | Event = field(repr=False)

    @property
    def days(self) -> Days | None:
        """Days it lasts. One that ends at midnight does not reach the day that begins then."""
        return self._days_until(time.min)

    @property
    def own_days(self) -> Days | None:
        """Days it adds to the trip. One that ends before dawn belongs to the evening before."""
        return self._days_until(DAWN)

    def _days_until(self, morning: time) -> Days | None:
        """The last day counts only if it ends after `morning`."""
        if self.starts is None:
            return None
        if self.ends is None:
            return Days(self.starts.day, self.starts.day)
        is_over = self.ends.time is not None and self.ends.time <= morning
        return Days(self.starts.day, max(self.starts.day, self.ends.day - _DAY if is_over else self.ends.day))

    @property
    def nights(self) -> Days | None:
        """Nights it takes: a night train, a party until morning. A dinner past midnight takes none."""
        if self.starts is None or self.ends is None or self.ends.time is None or self.starts.time is None:
            return None
        last = self.ends.day - _DAY if self.ends.time >= DAWN else self.ends.day - 2 * _DAY
        return Days(self.starts.day - _DAY if self.starts.time < _BEDTIME else self.starts.day, last)


def known_days(*days: date | None) -> frozenset[date]:
    return frozenset(day for day in days if day is not None)


def is_ride(one: Appointment) -> bool:
    """Whether the event may end in a different place: travel, or a plan whose title says so."""
    if is_travel(one) or _ARROW.search(one.title):
        return True
    title = fold(one.title)
    return not _RIDES.isdisjoint(title.split()) or any(word in title for word in _SPACELESS_RIDES)


def is_travel(one: Appointment) -> bool:
    """Whether the event may replace a bed for the night or connect two legs."""
    return one.kind == "event" and _type(one) in _TRAVEL


def night_under_way(travel: Appointment) -> date | None:
    """The night that an evening or after-midnight journey without an end may take.

    A journey by day may arrive before the night.
    """
    if travel.starts is None or travel.starts.time is None or travel.ends is not None:
        return None
    day = travel.starts.day
    if travel.starts.time < DAWN:
        return day - timedelta(days=1)
    return day if travel.starts.time >= _EVENING else None


def is_stay(one: Appointment) -> bool:
    """Whether the event is an accommodation."""
    return one.kind == "event" and _type(one) in _STAYS


def is_free(one: Appointment) -> bool:
    """Whether the event only marks free time."""
    return one.kind == "event" and _type(one) in _FREE


def _type(one: Appointment) -> str:
    return one.category.strip().casefold().replace(" ", "_").replace("-", "_")
