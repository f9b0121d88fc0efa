"""Parts of a trip: stretches (legs), stays, moves (flights), cars and appointments.

Unknown values are None or an empty text. Nothing is filled in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Final, Literal

from trips_mcp.contract.action_items import ActionItem
from trips_mcp.contract.commitments import Commitment
from trips_mcp.contract.events import Event
from trips_mcp.contract.legs import Leg, LegAccommodation, LegFlight, LegRentalCar
from trips_mcp.contract.map_pins import MapPin
from trips_mcp.contract.members import Member
from trips_mcp.itinerary.day_index import Days
from trips_mcp.itinerary.local_time import Moment
from trips_mcp.places.stops import Stop

ZoneFrom = Literal["own", "leg", "place", "unknown"]
"""Source of a zone. `place` is a pin's position or an event's location."""
Kind = Literal["trip", "leg", "stay", "flight", "rental", "commitment", "event"]

DAWN: Final = time(5)
"""A departure before it belongs to the night before. An end before it is a late evening, not a night."""
_BEDTIME: Final = time(2)
"""A plan that starts between this time and dawn is an early morning, not a night."""

_DAY: Final = timedelta(days=1)
_NONE: Final[Mapping[str, MapPin]] = {}


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


@dataclass(frozen=True)
class TripParts:
    """All parts of a trip, each list sorted by time whatever order the service used."""

    trip_id: str
    number: int | None
    """The trip's id in the Events API, if both APIs show the same trips."""
    title: str
    starts: date | None
    ends: date | None
    stretches: tuple[Stretch, ...] = ()
    stays: tuple[Stay, ...] = ()
    moves: tuple[Move, ...] = ()
    rentals: tuple[Rental, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    pins: Mapping[str, MapPin] = field(default_factory=lambda: _NONE)
    todos: tuple[ActionItem, ...] = ()
    members: tuple[Member, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()


def known_days(*days: date | None) -> frozenset[date]:
    return frozenset(day for day in days if day is not None)
