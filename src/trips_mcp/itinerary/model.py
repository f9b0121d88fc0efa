"""What a trip is made of, as its travellers live it: stretches, stays, moves, cars, appointments.

What the trip leaves open is None or an empty text; nothing here is filled in.
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
"""Of a place: a pin's position, an event's location."""
Kind = Literal["trip", "leg", "stay", "flight", "rental", "commitment", "event"]

DAWN: Final = time(5)
"""What leaves before it belongs to the night before; what ends before it is a late evening, not a night."""
_BEDTIME: Final = time(2)
"""What is scheduled later than this, until after dawn, is an early morning."""

_DAY: Final = timedelta(days=1)
_NONE: Final[Mapping[str, MapPin]] = {}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A field that says something, but not what it should."""

    kind: Kind
    id: str
    field: str
    """As the tools name it, such as `flights.0.departure`."""


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
        """Both ends included. A leg whose end is missing, or before its start, covers its start."""
        if self.starts is None:
            return None
        return Days(self.starts, self.starts if self.ends is None else max(self.starts, self.ends))


@dataclass(frozen=True, slots=True)
class Stay:
    """A leg's accommodation. The night of a day is the one that follows it."""

    leg_id: str
    name: str
    address: str
    first: date | None
    """Of its nights."""
    end: date | None
    """The morning of leaving: no night of it any more."""
    zone: str | None
    check_in: Moment | str | None
    """A text is what stands there and is no time."""
    check_out: Moment | str | None
    source: LegAccommodation = field(repr=False)

    @property
    def nights(self) -> Days | None:
        if self.first is None or self.end is None:
            return None
        return Days(self.first, self.end - _DAY)

    @property
    def days(self) -> frozenset[date]:
        """Of checking in and out, as far as something is said of it."""
        return known_days(
            self.first if self.check_in is not None else None, self.end if self.check_out is not None else None
        )


@dataclass(frozen=True, slots=True)
class Move:
    """One of a leg's flights, or whatever else was put among them: a night train, a ferry."""

    leg_id: str
    index: int
    label: str
    departs: Moment | None
    arrives: Moment | None
    source: LegFlight = field(repr=False)
    departs_from: Stop | None = None
    """Where that is known; its zone is the departure's where none is given. As with arrives_at."""
    arrives_at: Stop | None = None

    @property
    def inferred_zones(self) -> tuple[Stop, ...]:
        """The places that ends without a zone of their own have it from."""
        ends = (
            (self.departs, self.source.departure_timezone, self.departs_from),
            (self.arrives, self.source.arrival_timezone, self.arrives_at),
        )
        return tuple(stop for at, own, stop in ends if stop and at and at.time and at.zone == stop.zone and not own)

    @property
    def zones_are_sure(self) -> bool:
        """Written down, or those of airports by their codes."""
        ends = (
            (self.source.departure_timezone, self.departs_from),
            (self.source.arrival_timezone, self.arrives_at),
        )
        return all(own or (stop is not None and stop.is_by_code) for own, stop in ends)

    @property
    def days(self) -> Days | None:
        """On which it is on the calendar; over the date line it may arrive on the day before it departs."""
        ends = [end.day for end in (self.departs, self.arrives) if end is not None]
        return Days(min(ends), max(ends)) if ends else None

    @property
    def nights(self) -> Days | None:
        """Under way, so that no bed is needed; over the date line also nights that nobody lives through."""
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
    """A text is what stands there and is no time."""
    drop_off: Moment | str | None
    first: date | None
    """Of its leg; as with last."""
    last: date | None
    source: LegRentalCar = field(repr=False)

    @property
    def days(self) -> frozenset[date]:
        """Of picking up and dropping off, as far as they are known."""
        return known_days(
            self.pick_up.day if isinstance(self.pick_up, Moment) else self.first,
            self.drop_off.day if isinstance(self.drop_off, Moment) else self.last,
        )


@dataclass(frozen=True, slots=True)
class Appointment:
    """A commitment, or an event of the shared itinerary."""

    kind: Literal["commitment", "event"]
    id: str
    """An event's is a whole number in the tools."""
    title: str
    category: str
    """A commitment's category, an event's type."""
    starts: Moment | None
    ends: Moment | None
    all_day: bool
    zone_from: ZoneFrom
    zone_by: str
    """What its zone is inferred from, if that is a place: `pin near Kyoto`."""
    leg_id: str
    """The leg it is linked to, if that is one of the trip's; as with pin_id."""
    pin_id: str
    place: str
    notes: str
    source: Commitment | Event = field(repr=False)

    @property
    def days(self) -> Days | None:
        """On which it goes on. What ends at midnight does not reach the day that begins then."""
        return self._days_until(time.min)

    @property
    def own_days(self) -> Days | None:
        """The days it makes part of the trip. What ends before dawn belongs to the evening before."""
        return self._days_until(DAWN)

    def _days_until(self, morning: time) -> Days | None:
        """The last day counts only where it ends later than this."""
        if self.starts is None:
            return None
        if self.ends is None:
            return Days(self.starts.day, self.starts.day)
        is_over = self.ends.time is not None and self.ends.time <= morning
        return Days(self.starts.day, max(self.starts.day, self.ends.day - _DAY if is_over else self.ends.day))

    @property
    def nights(self) -> Days | None:
        """Spent on it: a night train, a party until morning. A midnight dinner is none."""
        if self.starts is None or self.ends is None or self.ends.time is None or self.starts.time is None:
            return None
        last = self.ends.day - _DAY if self.ends.time >= DAWN else self.ends.day - 2 * _DAY
        return Days(self.starts.day - _DAY if self.starts.time < _BEDTIME else self.starts.day, last)


@dataclass(frozen=True)
class TripParts:
    """All of a trip; every list stands in the order of time, whatever order the service gave it in."""

    trip_id: str
    number: int | None
    """The trip's id in the Events API, where both APIs show the same trips."""
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
