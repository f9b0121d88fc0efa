"""A trip, parsed from its export and events, with indexes for repeated questions about its days."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from functools import cached_property
from math import inf
from typing import Final, TypeVar

from trips_mcp.contract.action_items import ActionItem
from trips_mcp.contract.commitments import Commitment
from trips_mcp.contract.events import Event
from trips_mcp.contract.legs import Leg, LegFlight
from trips_mcp.contract.map_pins import MapPin
from trips_mcp.contract.members import Member
from trips_mcp.contract.models import Result
from trips_mcp.contract.trips import Trip, TripExport
from trips_mcp.itinerary.local_time import Moment, read_date, read_moment, read_time, read_zone
from trips_mcp.itinerary.model import (
    Agreed,
    Appointment,
    Days,
    Kind,
    Move,
    Rental,
    Spans,
    Stay,
    Stretch,
    Unreadable,
    known_days,
)
from trips_mcp.places.cities import Nearest, zone_at
from trips_mcp.places.stops import Stop, find_stop

T = TypeVar("T")

_DAY: Final = timedelta(days=1)
_FAR: Final = date(9999, 1, 1)
_POLE: Final = 90.0


@dataclass(frozen=True)
class Journey:
    """A parsed trip, and the items of each of its days. Each list is sorted by time, whatever the service's order."""

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
    pins: Mapping[str, MapPin] = field(default_factory=dict[str, MapPin])
    todos: tuple[ActionItem, ...] = ()
    members: tuple[Member, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()

    @staticmethod
    def of(export: TripExport, events: Sequence[Event] = ()) -> "Journey":
        return _Parser(export, events).journey()

    @property
    def others_write(self) -> bool:
        """Whether other travellers may have written in the trip. False only for exactly one member."""
        return len(self.members) != 1

    @cached_property
    def dates(self) -> Days | None:
        """The trip's own dates, else those that its parts span. None if nothing has a date."""
        if self.starts is not None and self.ends is not None and self.starts <= self.ends:
            return Days(self.starts, self.ends)
        return self.extent

    @cached_property
    def extent(self) -> Days | None:
        """From the earliest to the latest dated part, including the trip's own dates."""
        return _spanned([self.starts, self.ends], [*self._parts()])

    def stretches_on(self, day: date) -> tuple[Stretch, ...]:
        return self._stretches.on(day)

    def zone_on(self, day: date) -> str | None:
        """The zone that all legs of this day share."""
        return self._zones.on(day)

    def beds(self, day: date) -> tuple[Stay, ...]:
        """Stays that cover the night after this day."""
        return self._beds.on(day)

    def under_way(self, day: date) -> tuple[Move, ...]:
        """Moves that last through the night after this day."""
        return self._under_way.on(day)

    def overnight(self, day: date) -> tuple[Appointment, ...]:
        """Appointments that last through the night after this day."""
        return self._overnight.on(day)

    def stays_at(self, day: date) -> tuple[Stay, ...]:
        """Stays that begin or end on this day."""
        return self._stays_at.on(day)

    def rentals_at(self, day: date) -> tuple[Rental, ...]:
        """Cars picked up or dropped off on this day; without dates, on their leg's first and last day."""
        return self._rentals_at.on(day)

    def moves_on(self, day: date) -> tuple[Move, ...]:
        return self._moves.on(day)

    def appointments_on(self, day: date) -> tuple[Appointment, ...]:
        return self._appointments.on(day)

    @cached_property
    def stretch(self) -> Mapping[str, Stretch]:
        """Legs by id, if they have one."""
        return {stretch.id: stretch for stretch in self.stretches if stretch.id}

    @cached_property
    def _stretches(self) -> Spans[Stretch]:
        return Spans((stretch, days) for stretch in self.stretches if (days := stretch.days))

    @cached_property
    def _zones(self) -> Agreed[str]:
        return Agreed((stretch.zone, days) for stretch in self.stretches if (days := stretch.days))

    @cached_property
    def _beds(self) -> Spans[Stay]:
        return Spans((stay, nights) for stay in self.stays if (nights := stay.nights))

    @cached_property
    def _under_way(self) -> Spans[Move]:
        return Spans((move, nights) for move in self.moves if (nights := move.nights))

    @cached_property
    def _overnight(self) -> Spans[Appointment]:
        return Spans((one, nights) for one in self.appointments if (nights := one.nights))

    @cached_property
    def _stays_at(self) -> Spans[Stay]:
        return Spans((stay, Days(day, day)) for stay in self.stays for day in sorted(known_days(stay.first, stay.end)))

    @cached_property
    def _rentals_at(self) -> Spans[Rental]:
        return Spans((rental, Days(day, day)) for rental in self.rentals for day in sorted(rental.days))

    @cached_property
    def _moves(self) -> Spans[Move]:
        return Spans((move, days) for move in self.moves if (days := move.days))

    @cached_property
    def _appointments(self) -> Spans[Appointment]:
        return Spans((one, days) for one in self.appointments if (days := one.days))

    def _parts(self) -> Iterable[Days | None]:
        for parts in (self.stretches, self.moves):
            yield from (part.days for part in parts)
        yield from (one.own_days for one in self.appointments)
        yield from (stay.nights for stay in self.stays if stay.nights)
        yield from (Days(day, day) for part in (*self.stays, *self.rentals) for day in part.days)


def _spanned(days: Iterable[date | None], parts: Iterable[Days | None]) -> Days | None:
    known = [day for day in days if day is not None]
    known += [end for part in parts if part is not None for end in (part.first, part.last)]
    return Days(min(known), max(known)) if known else None


class _Parser:
    """One pass over an export. Records the fields that it cannot read."""

    def __init__(self, export: TripExport, events: Sequence[Event]) -> None:
        self._export = export
        self._events = events
        self._unreadable: list[Unreadable] = []
        self._pins = {pin.id: pin for pin in export.map_pins if pin.id}
        self._stretches = sorted(map(self._stretch, export.legs), key=_of_stretch)
        self._stretch_of = {stretch.id: stretch for stretch in self._stretches if stretch.id}
        self._zones = Agreed((stretch.zone, days) for stretch in self._stretches if (days := stretch.days))

    def journey(self) -> Journey:
        trip = self._export.trip or Trip()
        stretches = self._stretches
        stays = [stay for stretch in stretches if (stay := self._stay(stretch))]
        moves = [
            self._move(stretch, index, flight)
            for stretch in stretches
            for index, flight in enumerate(stretch.source.flights or ())
        ]
        rentals = [rental for stretch in stretches if (rental := self._rental(stretch))]
        appointments = [*map(self._commitment, self._export.commitments), *map(self._event, self._events)]
        return Journey(
            trip_id=trip.id,
            number=trip.number,
            title=trip.title or "",
            starts=self._date("trip", trip.id, "startDate", trip.start_date),
            ends=self._date("trip", trip.id, "endDate", trip.end_date),
            stretches=tuple(stretches),
            stays=tuple(sorted(stays, key=_of_stay)),
            moves=tuple(sorted(moves, key=_of_move)),
            rentals=tuple(rentals),
            appointments=tuple(sorted(appointments, key=_of_appointment)),
            pins=self._pins,
            todos=tuple(sorted(self._export.action_items, key=lambda item: (item.text or "", item.id))),
            members=tuple(sorted(self._export.members, key=lambda member: (member.name or "", member.user_id or ""))),
            unreadable=tuple(sorted(self._unreadable, key=lambda found: (found.kind, found.id, found.field))),
        )

    def _stretch(self, leg: Leg) -> Stretch:
        return Stretch(
            id=leg.id,
            order=leg.order,
            title=leg.title or "",
            destination=leg.destination or "",
            starts=self._date("leg", leg.id, "startDate", leg.start_date),
            ends=self._date("leg", leg.id, "endDate", leg.end_date),
            zone=self._zone("leg", leg.id, "timezone", leg.timezone),
            source=leg,
        )

    def _stay(self, stretch: Stretch) -> Stay | None:
        source = stretch.source.accommodation
        if source is None or not _says_something(source):
            return None
        first, end, zone = stretch.starts, stretch.ends, self._zone_of(stretch, stretch.starts)
        check_in, check_out = read_moment(source.check_in, zone), read_moment(source.check_out, zone)
        first = check_in.day if check_in else first
        end = check_out.day if check_out else end
        return Stay(
            leg_id=stretch.id,
            name=source.name or "",
            address=source.address or "",
            first=first,
            end=end,
            zone=zone,
            check_in=check_in or _time_of_day(source.check_in, first, zone),
            check_out=check_out or _time_of_day(source.check_out, end, zone),
            source=source,
        )

    def _move(self, stretch: Stretch, index: int, flight: LegFlight) -> Move:
        path = f"flights.{index}"
        leaves = self._zone("flight", stretch.id, f"{path}.departureTimezone", flight.departure_timezone)
        lands = self._zone("flight", stretch.id, f"{path}.arrivalTimezone", flight.arrival_timezone)
        departs_from, arrives_at = find_stop(flight.from_ or ""), find_stop(flight.to or "")
        departs = self._end(stretch, f"{path}.departure", flight.departure, leaves or _zone_at(departs_from))
        arrives = self._end(stretch, f"{path}.arrival", flight.arrival, lands or _zone_at(arrives_at))
        return Move(
            leg_id=stretch.id,
            index=index,
            label=_label(flight),
            departs=departs,
            arrives=_after(departs, arrives),
            source=flight,
            departs_from=departs_from,
            arrives_at=arrives_at,
        )

    def _end(self, stretch: Stretch, field: str, text: str | None, zone: str | None) -> Moment | None:
        """The leg's zone applies only between its first and last day, as those two are days of travel."""
        at = read_moment(text, zone)
        if at is None:
            if text:
                self._unreadable.append(Unreadable("flight", stretch.id, field))
            return None
        if zone is not None or stretch.starts is None or stretch.ends is None:
            return at
        inside = stretch.starts < at.day < stretch.ends and self._zones.on(at.day) is not None
        return read_moment(text, stretch.zone) if inside else at

    def _rental(self, stretch: Stretch) -> Rental | None:
        source = stretch.source.rental_car
        if source is None or not _says_something(source):
            return None
        zone = self._zone_of(stretch, stretch.starts)
        return Rental(
            leg_id=stretch.id,
            company=source.company or "",
            location=source.location or "",
            pick_up=read_moment(source.pick_up, zone) or source.pick_up or None,
            drop_off=read_moment(source.drop_off, zone) or source.drop_off or None,
            first=stretch.starts,
            last=stretch.ends,
            source=source,
        )

    def _commitment(self, source: Commitment) -> Appointment:
        day = self._date("commitment", source.id, "startDate", source.start_date)
        all_day = source.is_all_day is True
        starts_at = self._time("commitment", source.id, "startTime", source.start_time)
        ends_at = self._time("commitment", source.id, "endTime", source.end_time)
        own = self._zone("commitment", source.id, "timezone", source.timezone)
        of_leg = self._zone_of(self._stretch_of.get(source.leg_id or ""), day)
        nearest = None if own or of_leg else _nearest(self._pins.get(source.map_pin_id or ""))
        zone = own or of_leg or (nearest.zone if nearest else None)
        return Appointment(
            kind="commitment",
            id=source.id,
            title=source.title or "",
            category=source.category or "",
            starts=None if day is None else Moment(day, None if all_day else starts_at, zone),
            ends=None if all_day else _end_of(day, starts_at, ends_at, zone),
            all_day=all_day,
            zone_from="own" if own else "leg" if of_leg else "place" if nearest else "unknown",
            zone_by=f"pin near {nearest.name}" if nearest else "",
            leg_id=source.leg_id if source.leg_id and source.leg_id in self._stretch_of else "",
            pin_id=source.map_pin_id if source.map_pin_id and source.map_pin_id in self._pins else "",
            place="",
            notes=source.notes or "",
            source=source,
        )

    def _event(self, source: Event) -> Appointment:
        """Events have no own zone and no end."""
        event_id = "" if source.event_id is None else str(source.event_id)
        day = read_date(source.date)
        written = read_moment(source.date, None) if day is None else None
        on = day or (written.day if written else None)
        of_leg = None if on is None else self._zones.on(on)
        place = None if of_leg else find_stop(source.location or "")
        zone = of_leg or _zone_at(place)
        starts = Moment(day, self._time("event", event_id, "time", source.time), zone) if day else None
        if written is not None:
            starts = read_moment(source.date, zone)
        if starts is None and source.date:
            self._unreadable.append(Unreadable("event", event_id, "date"))
        return Appointment(
            kind="event",
            id=event_id,
            title=source.title or "",
            category=source.type or "",
            starts=starts,
            ends=None,
            all_day=False,
            zone_from="leg" if of_leg else "place" if place else "unknown",
            zone_by=f"location, {place.known_by}" if place else "",
            leg_id="",
            pin_id="",
            place=source.location or "",
            notes=source.description or "",
            source=source,
        )

    def _zone_of(self, stretch: Stretch | None, day: date | None) -> str | None:
        """The linked leg's zone, else the one shared by the legs that cover the day."""
        if stretch is not None and stretch.zone is not None:
            return stretch.zone
        return None if day is None else self._zones.on(day)

    def _date(self, kind: Kind, whose: str, field: str, text: str | None) -> date | None:
        return self._noted(kind, whose, field, text, read_date(text))

    def _time(self, kind: Kind, whose: str, field: str, text: str | None) -> time | None:
        return self._noted(kind, whose, field, text, read_time(text))

    def _zone(self, kind: Kind, whose: str, field: str, text: str | None) -> str | None:
        return self._noted(kind, whose, field, text, read_zone(text))

    def _noted(self, kind: Kind, whose: str, field: str, text: str | None, read: T | None) -> T | None:
        if text and read is None:
            self._unreadable.append(Unreadable(kind, whose, field))
        return read


def _zone_at(stop: Stop | None) -> str | None:
    return stop.zone if stop else None


def _nearest(pin: MapPin | None) -> Nearest | None:
    """None for 0, 0, which is a pin nobody placed, and for coordinates off the globe."""
    if pin is None or pin.lat is None or pin.lng is None or not (pin.lat or pin.lng):
        return None
    if not (abs(pin.lat) <= _POLE and abs(pin.lng) <= 2 * _POLE):
        return None
    return zone_at(pin.lat, pin.lng)


def _after(departs: Moment | None, arrives: Moment | None) -> Moment | None:
    """The arrival. If its hour exists twice and the first is before the departure, the second."""
    if departs is None or arrives is None or not arrives.fold:
        return arrives
    left, landed = departs.instant, arrives.instant
    return replace(arrives, second=True) if left is not None and landed is not None and landed < left else arrives


def _label(flight: LegFlight) -> str:
    """`JL44 LHR → HND`, or the known parts of it."""
    airline, number = (flight.airline or "").strip(), (flight.flight_number or "").strip()
    is_whole = any(letter.isalpha() for letter in number)
    name = number if is_whole else f"{airline} {number}".strip()
    ends = (flight.from_ or "").strip(), (flight.to or "").strip()
    route = " → ".join(end or "?" for end in ends) if any(ends) else ""
    return f"{name} {route}".strip()


def _time_of_day(text: str | None, day: date | None, zone: str | None) -> Moment | str | None:
    """A check-in at `15:00` is on the first day. A value that is not a time stays a text."""
    at = read_time(text)
    if at is None or day is None:
        return text or None
    return Moment(day, at, zone)


def _end_of(day: date | None, starts: time | None, ends: time | None, zone: str | None) -> Moment | None:
    """An end earlier than the start is on the next day (docs/contract.md#validation)."""
    if day is None or ends is None:
        return None
    return Moment(day + _DAY if starts is not None and ends < starts else day, ends, zone)


def _says_something(source: Result) -> bool:
    named = (getattr(source, name) for name in type(source).model_fields)
    return any(named) or any((source.model_extra or {}).values())


def _of_stretch(stretch: Stretch) -> tuple[object, ...]:
    order = stretch.order if stretch.order is not None else inf
    return (stretch.starts or _FAR, order, stretch.ends or _FAR, stretch.title, stretch.id)


def _of_stay(stay: Stay) -> tuple[object, ...]:
    return (stay.first or _FAR, stay.end or _FAR, stay.name, stay.leg_id)


def _of_move(move: Move) -> tuple[object, ...]:
    at = move.departs or move.arrives
    return (at.day if at else _FAR, (at.time if at else None) or time.min, move.label, move.leg_id, move.index)


def _of_appointment(one: Appointment) -> tuple[object, ...]:
    """The service's order: those without a time of day first."""
    at = one.starts
    return (at.day if at else _FAR, (at.time if at else None) or time.min, one.title, one.kind, one.id)
