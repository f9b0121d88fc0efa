"""Reservations of schema.org, from JSON-LD or microdata, as bookings.

Covers what Gmail documents, older names of its properties, and what senders write instead.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from trips_mcp.bookings.model import (
    Booking,
    BookingKind,
    BookingPlace,
    BookingStatus,
    BookingTime,
    flight_number,
    ride_number,
)
from trips_mcp.bookings.times_and_places import (
    WrittenTime,
    airport_code,
    airport_place,
    at_place,
    find_clock,
    is_zone,
    located,
    read_written,
    real_position,
)
from trips_mcp.json_values import JsonObject, is_list, is_object

MOST: Final = 500
"""Bookings of one file."""
_DEEPEST: Final = 12
"""Levels of packages and graphs that are searched for reservations."""
_LONGEST: Final = 500
"""Characters of a value."""
_KINDS: Final[Mapping[str, BookingKind]] = {
    "FlightReservation": "flight",
    "LodgingReservation": "stay",
    "HotelReservation": "stay",
    "TrainReservation": "train",
    "BusReservation": "bus",
    "BoatReservation": "ferry",
    "RentalCarReservation": "car",
    "CarRentalReservation": "car",
    "FoodEstablishmentReservation": "restaurant",
    "EventReservation": "event",
}
_OF_OBJECT: Final[Mapping[str, BookingKind]] = {
    "Flight": "flight",
    "TrainTrip": "train",
    "BusTrip": "bus",
    "BoatTrip": "ferry",
    "RentalCar": "car",
}
"""Kinds by what is reserved: bare trips, and reservations of the general type."""
_LODGINGS: Final = (
    "Hotel",
    "LodgingBusiness",
    "Hostel",
    "Motel",
    "BedAndBreakfast",
    "Resort",
    "Campground",
    "Apartment",
)
_EATERIES: Final = ("Restaurant", "FoodEstablishment", "CafeOrCoffeeShop", "BarOrPub")
_EVENT_TYPES: Final = re.compile(r"\w*Event|Festival|EventSeries|CourseInstance|Hackathon")
_ENDS: Final[Mapping[BookingKind, tuple[str, str]]] = {
    "flight": ("Airport", "Airport"),
    "train": ("Station", "Station"),
    "bus": ("BusStop", "BusStop"),
    "ferry": ("BoatTerminal", "BoatTerminal"),
}
_PREFIX: Final = "schema:"


def read_items(items: Sequence[JsonObject], source: str = "schema.org") -> tuple[Booking, ...]:
    """Bookings in parsed JSON-LD or microdata. Other types (organisations, articles) give none."""
    found: list[Booking] = []
    items = [_without_prefixes(item) for item in items]
    by_id = _by_id(items)
    for item in items:
        for reservation in _reservations(item, 0):
            found += _bookings(_resolved(reservation, by_id), source)
            if len(found) >= MOST:
                return tuple(found[:MOST])
    return tuple(found)


def _without_prefixes(item: JsonObject) -> JsonObject:
    """`schema:name` as `name`, where a sender writes properties so."""
    return _unprefixed(item, 0) if any(name.startswith(_PREFIX) for name in item) else item


def _unprefixed(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        return value
    if is_list(value):
        return [_unprefixed(one, depth + 1) for one in value]
    if not is_object(value):
        return value
    return {name.removeprefix(_PREFIX): _unprefixed(inner, depth + 1) for name, inner in value.items()}


def kind_of(item: JsonObject) -> BookingKind | None:
    for name in _types(item):
        if name in _KINDS:
            return _KINDS[name]
    target = _first_object(item.get("reservationFor"))
    names = _types(target) if target else _types(item)
    for name in names:
        if name in _OF_OBJECT:
            return _OF_OBJECT[name]
        if target and (name in _LODGINGS or name in _EATERIES):
            return "stay" if name in _LODGINGS else "restaurant"
        if _EVENT_TYPES.fullmatch(name):
            return "event"
    return None


def _reservations(item: Any, depth: int) -> Iterator[JsonObject]:
    if depth > _DEEPEST:
        return
    if is_list(item):
        for one in item[:MOST]:
            yield from _reservations(one, depth + 1)
        return
    if not is_object(item):
        return
    inner = [item[name] for name in ("@graph", "subReservation", "subReservations", "mainEntity") if name in item]
    if kind_of(item) is not None and not item.get("subReservation"):
        yield item
    elif "ReservationPackage" in _types(item) or item.get("subReservation"):
        shared = {name: item[name] for name in _SHARED if name in item}
        for one in _reservations(inner, depth + 1):
            yield {**shared, **{name: value for name, value in one.items() if value not in ("", None)}}
        return
    elif (about := item.get("about") or item.get("object")) is not None and "@type" in item:
        inner.append(about)
    for one in inner:
        yield from _reservations(one, depth + 1)


_SHARED: Final = ("reservationNumber", "reservationId", "reservationStatus", "underName")
"""What a package says for all of its reservations."""


def _bookings(item: JsonObject, source: str) -> list[Booking]:
    kind = kind_of(item)
    if kind is None:
        return []
    is_reservation = "Reservation" in "".join(_types(item))
    if not is_reservation:
        item = {"reservationFor": item, **{name: item[name] for name in _SHARED if name in item}}
    targets = item.get("reservationFor")
    if kind == "stay":
        targets = _first_object(targets)
    found: list[Booking] = []
    for target in targets if is_list(targets) else [targets]:
        if is_object(target) or kind in ("stay", "restaurant", "car"):
            booking = _READERS[kind](item, target if is_object(target) else {}, kind)
            booking = replace(booking, source=source)
            if _is_worth_keeping(booking, is_reservation):
                found.append(booking)
    return found


def _is_worth_keeping(booking: Booking, is_reservation: bool) -> bool:
    """A hotel's advertisement has a name and no dates; an event without a day is none that one can attend."""
    if booking.starts is None and not is_reservation:
        return False
    return bool(booking.name or booking.number or booking.origin.label or booking.confirmation_number)


def _ride(item: JsonObject, target: JsonObject, kind: BookingKind) -> Booking:
    left, right = _ENDS[kind]
    origin = _stop(_value(target, f"departure{left}", "departureStation", "departureLocation"), kind)
    destination = _stop(_value(target, f"arrival{right}", "arrivalStation", "arrivalLocation"), kind)
    starts = _time(_value(target, "departureTime", "departureDate", "departureDay"), origin.zone)
    ends = _time(_value(target, "arrivalTime", "arrivalDate"), destination.zone)
    carrier = _value(target, "airline", "provider", "carrier", "trainCompany", "busCompany") or item.get("provider")
    number = _text(_value(target, "flightNumber", "trainNumber", "busNumber", "boatNumber", "tripNumber"))
    if kind == "flight":
        number = flight_number(_text(_field(carrier, "iataCode")), number)
    else:
        number = ride_number(_text(_value(target, "trainName", "busName", "name")), number)
    return replace(
        _common(item, kind, target),
        starts=starts,
        ends=ends,
        number=number,
        provider=_name(carrier),
        origin=origin,
        destination=destination,
    )


def _stay(item: JsonObject, target: JsonObject, kind: BookingKind) -> Booking:
    place = _place(target)
    return replace(
        _common(item, kind, target),
        starts=_end_of_stay(item, ("checkin", "checkIn", "start"), place.zone),
        ends=_end_of_stay(item, ("checkout", "checkOut", "end"), place.zone),
        name=place.name,
        provider=_name(_value(item, "provider", "bookingAgent", "broker")),
        origin=place,
    )


def _end_of_stay(item: JsonObject, names: Sequence[str], zone: str | None) -> BookingTime | None:
    """Some senders put the day into one property and the hour, alone, into the other."""
    exact = _time(_value(item, *(f"{name}Time" for name in names)), zone, is_wall_clock=True)
    day = _time(_value(item, *(f"{name}Date" for name in names)), zone, is_wall_clock=True)
    if exact is not None or day is None or day.clock is not None:
        return exact or day
    return replace(day, clock=find_clock(_text(_value(item, *(f"{name}Time" for name in names)))))


def _car(item: JsonObject, target: JsonObject, kind: BookingKind) -> Booking:
    origin = _place(_value(item, "pickupLocation", "pickUpLocation"))
    destination = _place(_value(item, "dropoffLocation", "dropOffLocation"))
    company = _value(target, "rentalCompany", "provider") or _value(item, "provider", "rentalCompany")
    pick_up, drop_off = (_value(item, "pickupTime", "pickUpTime"), _value(item, "dropoffTime", "dropOffTime"))
    return replace(
        _common(item, kind, target),
        starts=_time(pick_up, origin.zone, is_wall_clock=True),
        ends=_time(drop_off, destination.zone or origin.zone, is_wall_clock=True),
        name=_name(company) or _name(target),
        provider=_name(company),
        origin=origin,
        destination=destination,
    )


def _table(item: JsonObject, target: JsonObject, kind: BookingKind) -> Booking:
    place = _place(target)
    return replace(
        _common(item, kind, target),
        starts=_time(_value(item, "startTime", "startDate", "bookingTime"), place.zone, is_wall_clock=True),
        ends=_time(_value(item, "endTime", "endDate"), place.zone, is_wall_clock=True),
        name=place.name,
        provider=_name(_value(item, "provider", "bookingAgent")),
        origin=place,
    )


def _event(item: JsonObject, target: JsonObject, kind: BookingKind) -> Booking:
    place = _place(_value(target, "location"))
    starts = _value(target, "startDate", "startTime", "doorTime") or _value(item, "startTime", "startDate")
    ends = _value(target, "endDate", "endTime") or _value(item, "endTime", "endDate")
    return replace(
        _common(item, kind, target),
        starts=_time(starts, place.zone),
        ends=_time(ends, place.zone),
        name=_name(target),
        provider=_name(_value(target, "organizer") or _value(item, "provider")),
        origin=place,
    )


_READERS: Final[Mapping[BookingKind, Callable[[JsonObject, JsonObject, BookingKind], Booking]]] = {
    "flight": _ride,
    "train": _ride,
    "bus": _ride,
    "ferry": _ride,
    "stay": _stay,
    "car": _car,
    "restaurant": _table,
    "event": _event,
}


def _common(item: JsonObject, kind: BookingKind, target: JsonObject) -> Booking:
    ticket = _first_object(item.get("reservedTicket")) or {}
    people = [*_list(item.get("underName")), *_list(item.get("passenger")), *_list(ticket.get("underName"))]
    return Booking(
        kind=kind,
        confirmation_number=_text(
            _value(item, "reservationNumber", "reservationId", "confirmationNumber", "bookingReference")
        ),
        travellers=tuple(dict.fromkeys(name for one in people if (name := _person(one)))),
        seat=_seat(item, ticket),
        price=_price(item, ticket),
        status=_status(item, target),
        source_id=_text(item.get("@id")),
    )


def _status(item: JsonObject, target: JsonObject) -> BookingStatus:
    words = " ".join(
        _text(value).rsplit("/", 1)[-1].casefold()
        for value in (item.get("reservationStatus"), item.get("status"), target.get("eventStatus"))
    )
    if "cancel" in words:
        return "cancelled"
    is_changed = any(word in words for word in ("reschedul", "modified", "changed", "updated", "postponed"))
    return "changed" if is_changed else "confirmed"


def _seat(item: JsonObject, ticket: JsonObject) -> str:
    seat = item.get("airplaneSeat") or item.get("seat") or ticket.get("ticketedSeat") or item.get("ticketedSeat")
    if not is_object(seat):
        return _text(seat)
    parts = (("seatSection", ""), ("seatRow", ""), ("seatNumber", ""))
    return " ".join(_text(seat.get(name)) for name, _ in parts if _text(seat.get(name)))


def _price(item: JsonObject, ticket: JsonObject) -> str:
    holder = item if item.get("totalPrice") or item.get("price") else ticket
    value = _value(holder, "totalPrice", "price")
    if is_object(value):
        holder, value = value, _value(value, "price", "value")
    currency = _text(_value(holder, "priceCurrency", "currency"))
    return f"{_text(value)} {currency}".strip() if _text(value) else ""


def _stop(value: Any, kind: BookingKind) -> BookingPlace:
    place = _place(value)
    if kind != "flight":
        return place
    own = _text(_field(value, "iataCode")).upper() or _text(_field(value, "identifier")).upper()
    code = own if re.fullmatch("[A-Z]{3}", own) else airport_code(place.name)
    if not code:
        return place
    known = airport_place(code, place.name)
    return replace(
        known,
        address=place.address,
        city=place.city or known.city,
        position=place.position or known.position,
        zone=known.zone or place.zone,
    )


def _place(value: Any) -> BookingPlace:
    value = _first(value)
    if not is_object(value):
        return located(BookingPlace(name=_text(value)))
    address = _first(value.get("address"))
    lines, city, country = _address(address)
    geo = _first_object(value.get("geo")) or value
    name = _text(value.get("name"))
    place = BookingPlace(name, "", lines, city, country, real_position(geo.get("latitude"), geo.get("longitude")))
    return located(place)


def _address(value: Any) -> tuple[str, str, str]:
    """The address in one line, its city, its country."""
    if not is_object(value):
        return _text(value), "", ""
    country = _text(_field(value.get("addressCountry"), "name") or value.get("addressCountry"))
    city = _text(value.get("addressLocality"))
    town = " ".join(part for part in (_text(value.get("postalCode")), city) if part)
    parts = (_text(value.get("streetAddress")), town, _text(value.get("addressRegion")), country)
    return ", ".join(dict.fromkeys(part for part in parts if part)), city, country


def _time(value: Any, zone: str | None, *, is_wall_clock: bool = False) -> BookingTime | None:
    value = _first(value)
    own: str | None = None
    if is_object(value):
        named = _text(value.get("timezone"))
        own, value = (named if is_zone(named) else None), value.get("@value", value.get("date"))
    written = read_written(_text(value))
    return None if written is None else at_place(_zoned(written, own), own or zone, is_wall_clock=is_wall_clock)


def _zoned(written: WrittenTime, zone: str | None) -> WrittenTime:
    return written if zone is None else replace(written, zone=zone)


def _person(value: Any) -> str:
    if not is_object(value):
        return _text(value)
    parts = (_text(value.get("givenName")), _text(value.get("familyName")))
    return _text(value.get("name")) or " ".join(part for part in parts if part)


def _name(value: Any) -> str:
    value = _first(value)
    return _text(value.get("name")) if is_object(value) else _text(value)


def _value(item: JsonObject, *names: str) -> Any:
    """The first of these properties that has a value."""
    return next((item[name] for name in names if item.get(name) not in (None, "", [], {})), None)


def _field(value: Any, name: str) -> Any:
    value = _first(value)
    return value.get(name) if is_object(value) else None


def _first(value: Any) -> Any:
    return value[0] if is_list(value) and value else value


def _first_object(value: Any) -> JsonObject | None:
    value = _first(value)
    return value if is_object(value) else None


def _list(value: Any) -> list[Any]:
    return value if is_list(value) else [] if value is None else [value]


def _text(value: Any) -> str:
    value = _first(value)
    if is_object(value):
        value = value.get("@value") or value.get("name")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return " ".join(str(value).split())[:_LONGEST]


def _types(item: JsonObject) -> list[str]:
    found = item.get("@type", item.get("type", ""))
    names: list[Any] = found if is_list(found) else [found]
    return [str(name).rstrip("/").rsplit("/", 1)[-1].rsplit("#", 1)[-1].removeprefix("schema:") for name in names]


def _by_id(items: Sequence[JsonObject]) -> Mapping[str, JsonObject]:
    graphs = [one for item in items if is_list(graph := item.get("@graph")) for one in graph if is_object(one)]
    return {str(one["@id"]): one for one in (*items, *graphs) if "@id" in one and len(one) > 1}


def _resolved(item: JsonObject, by_id: Mapping[str, JsonObject]) -> JsonObject:
    """References such as `{"@id": "#flight"}` replaced by what they name, one level deep."""
    if not by_id:
        return item
    return {name: _referenced(value, by_id) for name, value in item.items()}


def _referenced(value: Any, by_id: Mapping[str, JsonObject]) -> Any:
    if is_object(value) and set(value) == {"@id"}:
        return by_id.get(str(value["@id"]), value)
    return value
