"""A trip without regard to a file format: dated entries, places and the route, with positions where known."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, NamedTuple

from trips_mcp.contract.events import Event
from trips_mcp.contract.map_pins import MapPin
from trips_mcp.contract.shares import SharedExport, projection
from trips_mcp.contract.trips import TripExport
from trips_mcp.itinerary.formatting import clock, one_line
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment
from trips_mcp.itinerary.model import Appointment, Move, Rental, Stay, Stretch
from trips_mcp.places.stops import Stop, find_stop

EntryKind = Literal["flight", "stay", "car", "commitment", "event"]

_PUBLIC_OF_EVENT: Final = {"event_id", "type", "title", "date", "time", "location", "importance", "revision"}
_project = projection(SharedExport)
_WORD: Final = re.compile(r"[^A-Za-z0-9]+")


class Point(NamedTuple):
    """Degrees; WGS 84."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """One dated thing."""

    kind: EntryKind
    key: str
    """Unique in the trip, and the same in each outline for as long as the thing exists."""
    title: str
    starts: Moment
    ends: Moment | None
    """The last moment. Of an entry of whole days: its last day."""
    is_night_count: bool = False
    """Whether the last day is the day of departure, as of a stay."""
    location: str = ""
    point: Point | None = None
    end_location: str = ""
    """Where a flight lands."""
    end_point: Point | None = None
    details: tuple[str, ...] = ()
    category: str = ""
    revision: int = 0
    """Counts changes, where the API counts them."""
    leg_id: str = ""
    pin_id: str = ""
    part: str = ""
    """Of a leg's part, its path in the leg, such as `flights.0`; else the id of a commitment or event."""


@dataclass(frozen=True, slots=True)
class Place:
    """A map pin."""

    key: str
    name: str
    category: str
    notes: str
    point: Point


@dataclass(frozen=True, slots=True)
class RouteStop:
    """A leg with the position of its destination."""

    key: str
    name: str
    starts: date | None
    ends: date | None
    point: Point


@dataclass(frozen=True, slots=True)
class ToDo:
    key: str
    text: str
    done: bool
    urgency: str


@dataclass(frozen=True, slots=True)
class Outline:
    trip_id: str
    title: str
    starts: date | None
    ends: date | None
    entries: tuple[OutlineEntry, ...]
    places: tuple[Place, ...]
    route: tuple[RouteStop, ...]
    """Legs in their order. Those at unknown places are left out."""
    to_dos: tuple[ToDo, ...]
    journey: Journey


def public_export(export: TripExport) -> TripExport:
    """Only what a share link shows: no codes, contacts, notes, confirmation numbers or unknown fields."""
    return TripExport.model_validate(_project(export.model_dump(mode="json", by_alias=True, exclude_unset=True)))


def public_events(events: Iterable[Event]) -> list[Event]:
    return [Event.model_validate(event.model_dump(include=_PUBLIC_OF_EVENT, exclude_unset=True)) for event in events]


def outline_of(export: TripExport, events: Sequence[Event] = ()) -> Outline:
    journey = Journey.of(export, events)
    places = {pin.id: place for pin in journey.pins.values() if (place := _place(pin))}
    named = {_folded(place.name): place.point for place in places.values()}
    points = {stretch.id: point for stretch in journey.stretches if (point := _point_of_leg(stretch))}
    keys = _Keys()
    entries = [
        *_flights(journey.moves, keys),
        *_stays(journey.stays, named, points, keys),
        *_cars(journey.rentals, keys),
        *_appointments(journey.appointments, places, named, keys),
    ]
    return Outline(
        trip_id=journey.trip_id,
        title=one_line(journey.title) or "Trip",
        starts=journey.dates.first if journey.dates else None,
        ends=journey.dates.last if journey.dates else None,
        entries=tuple(sorted(entries, key=_in_order)),
        places=tuple(sorted(places.values(), key=lambda place: (place.category, place.name, place.key))),
        route=tuple(_route(journey.stretches, points)),
        to_dos=tuple(
            ToDo(item.id, one_line(item.text or ""), item.completed is True, item.urgency or "")
            for item in journey.todos
        ),
        journey=journey,
    )


class _Keys:
    """Keys by what a thing is, not by its times. One that comes twice is counted."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def of(self, *parts: str) -> str:
        key = "-".join(parts)
        self._seen[key] += 1
        return key if self._seen[key] == 1 else f"{key}-{self._seen[key]}"

    def of_move(self, move: Move) -> str:
        """Flights have no ids of their own."""
        number = _WORD.sub("", f"{move.source.airline or ''}{move.source.flight_number or ''}")
        return self.of("leg", move.leg_id, "flight", number or "unnumbered")


def _flights(moves: Iterable[Move], keys: _Keys) -> Iterator[OutlineEntry]:
    for move in sorted(moves, key=lambda move: (move.leg_id, move.index)):
        key = keys.of_move(move)
        starts = move.departs or move.arrives
        if starts is None:
            continue
        leaves, lands = move.departs_from, move.arrives_at
        yield OutlineEntry(
            kind="flight",
            key=key,
            title=one_line(move.label) or "Flight",
            starts=starts,
            ends=move.arrives if move.departs else None,
            location=_stop_name(leaves, move.source.from_),
            point=Point(*leaves.position) if leaves else None,
            end_location=_stop_name(lands, move.source.to),
            end_point=Point(*lands.position) if lands else None,
            leg_id=move.leg_id,
            part=f"flights.{move.index}",
            details=tuple(
                _known(
                    ("From", _end(leaves, move.source.from_, move.departs)),
                    ("To", _end(lands, move.source.to, move.arrives)),
                    ("Seat", move.source.seat),
                    ("Confirmation", move.source.confirmation_number),
                )
            ),
        )


def _stays(
    stays: Iterable[Stay], named: dict[str, Point], points: dict[str, Point], keys: _Keys
) -> Iterator[OutlineEntry]:
    for stay in stays:
        starts = stay.first or stay.end
        if starts is None:
            continue
        source = stay.source
        yield OutlineEntry(
            kind="stay",
            key=keys.of("leg", stay.leg_id, "stay"),
            title=one_line(stay.name or stay.address) or "Accommodation",
            starts=Moment(starts, None, stay.zone),
            ends=Moment(max(starts, stay.end or starts), None, stay.zone),
            is_night_count=True,
            location=", ".join(filter(None, (one_line(stay.name), one_line(stay.address)))),
            point=named.get(_folded(stay.name)) or points.get(stay.leg_id),
            leg_id=stay.leg_id,
            part="accommodation",
            details=tuple(
                _known(
                    ("Check-in", _said(stay.check_in)),
                    ("Check-out", _said(stay.check_out)),
                    ("Confirmation", source.confirmation_number),
                    ("Host", source.host_name),
                    ("Phone", source.host_phone),
                    ("Wi-Fi", source.wifi_name),
                    ("Wi-Fi password", source.wifi_password),
                    ("Door code", source.door_code),
                    ("Arrival", source.check_in_instructions),
                    ("Notes", source.notes),
                )
            ),
        )


def _cars(rentals: Iterable[Rental], keys: _Keys) -> Iterator[OutlineEntry]:
    for rental in rentals:
        days = sorted(rental.days)
        if not days:
            continue
        first = rental.pick_up.day if isinstance(rental.pick_up, Moment) else rental.first or days[0]
        last = rental.drop_off.day if isinstance(rental.drop_off, Moment) else rental.last or days[-1]
        yield OutlineEntry(
            kind="car",
            key=keys.of("leg", rental.leg_id, "car"),
            title=f"Rental car {one_line(rental.company)}".strip(),
            starts=Moment(first),
            ends=Moment(max(first, last)),
            location=one_line(rental.location),
            leg_id=rental.leg_id,
            part="rentalCar",
            details=tuple(
                _known(
                    ("Pick-up", _said(rental.pick_up)),
                    ("Drop-off", _said(rental.drop_off)),
                    ("Confirmation", rental.source.confirmation_number),
                )
            ),
        )


def _appointments(
    appointments: Iterable[Appointment], places: dict[str, Place], named: dict[str, Point], keys: _Keys
) -> Iterator[OutlineEntry]:
    for one in appointments:
        if one.starts is None:
            continue
        place = places.get(one.pin_id)
        stop = find_stop(one.place) if one.place else None
        yield OutlineEntry(
            kind=one.kind,
            key=keys.of(one.kind, one.id),
            title=one_line(one.title) or one.kind.capitalize(),
            starts=one.starts,
            ends=one.ends,
            location=one_line(one.place) or (place.name if place else ""),
            point=place.point if place else named.get(_folded(one.place)) or (Point(*stop.position) if stop else None),
            details=tuple(_known(("", one.notes))),
            category=one_line(one.category),
            revision=one.source.revision or 0 if isinstance(one.source, Event) else 0,
            leg_id=one.leg_id,
            pin_id=one.pin_id,
            part=one.id,
        )


def _place(pin: MapPin) -> Place | None:
    if pin.lat is None or pin.lng is None or not (abs(pin.lat) <= 90 and abs(pin.lng) <= 180):
        return None
    name = one_line(pin.name or "") or "Place"
    return Place(pin.id, name, one_line(pin.category or ""), (pin.notes or "").strip(), Point(pin.lat, pin.lng))


def _route(stretches: Iterable[Stretch], points: dict[str, Point]) -> Iterator[RouteStop]:
    for stretch in stretches:
        if point := points.get(stretch.id):
            name = one_line(stretch.title or stretch.destination) or "Leg"
            yield RouteStop(stretch.id, name, stretch.starts, stretch.ends, point)


def _point_of_leg(stretch: Stretch) -> Point | None:
    for name in (stretch.destination, stretch.title):
        if name and (stop := find_stop(name)):
            return Point(*stop.position)
    return None


def _end(stop: Stop | None, written: str | None, at: Moment | None) -> str:
    return ", ".join(filter(None, (_stop_name(stop, written), _said(at))))


def _stop_name(stop: Stop | None, written: str | None) -> str:
    said = one_line(written or "")
    if stop is None or stop.name.casefold() in said.casefold():
        return said
    return f"{stop.name} ({said})"


def _said(at: Moment | str | None) -> str:
    """`2026-07-21 11:25 Asia/Tokyo`, or the text as written."""
    if not isinstance(at, Moment):
        return one_line(at or "")
    return " ".join(filter(None, (str(at.day), clock(at.time) if at.time else None, at.zone if at.time else None)))


def _known(*details: tuple[str, str | None]) -> Iterator[str]:
    for name, value in details:
        if value and value.strip():
            yield f"{name}: {value.strip()}" if name else value.strip()


def _folded(name: str) -> str:
    return one_line(name).casefold() or "\0"


def _in_order(entry: OutlineEntry) -> tuple[object, ...]:
    at = entry.starts
    return (at.day, at.time is not None, (at.time and str(at.time)) or "", entry.kind, entry.key)
