"""Apple Wallet passes: boarding passes of all vehicles, event tickets, hotel and rental passes."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from trips_mcp.bookings.boarding_pass import find_boarding_passes, spoken_name
from trips_mcp.bookings.containers import Archive, decoded
from trips_mcp.bookings.labels import LabelledField, confirmation_in, field_of, field_of_key
from trips_mcp.bookings.model import Booking, BookingKind, BookingPlace, BookingTime, FileReading, flight_number
from trips_mcp.bookings.times_and_places import (
    WrittenTime,
    airport_code,
    airport_place,
    at_place,
    find_clock,
    find_date,
    is_airport,
    is_zone,
    located,
    read_iso,
    read_written,
    real_position,
)
from trips_mcp.json_values import JsonObject, is_list, is_object

_STYLES: Final = ("boardingPass", "eventTicket", "generic", "storeCard", "coupon")
_GROUPS: Final = tuple(
    f"{name}Fields" for name in ("header", "primary", "secondary", "auxiliary", "back", "additionalInfo")
)
_TRANSIT: Final[Mapping[str, BookingKind]] = {
    "PKTransitTypeAir": "flight",
    "PKTransitTypeTrain": "train",
    "PKTransitTypeBus": "bus",
    "PKTransitTypeBoat": "ferry",
}
_MOST_FIELDS: Final = 200
_IS_BESIDE_NAME: Final = re.compile(r"[A-Z0-9]{1,5}|\d{1,2}\s?[:.hH]\s?\d{2}(?: ?Uhr)?")
"""A station's code or a time, as the value of a field whose label is the station."""
_STRING: Final = re.compile(r'"((?:[^"\\]|\\.)*)"\s*=\s*"((?:[^"\\]|\\.)*)"\s*;')
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_LOCALES: Final = ("en", "en-us", "en-gb", "base")
_LOYALTY: Final = "The pass is no ticket or booking, but a card or a voucher."


@dataclass(frozen=True, slots=True)
class _Field:
    key: str
    label: str
    value: str
    raw: Any = None

    @property
    def name(self) -> LabelledField | None:
        return field_of(self.label) or field_of_key(self.key)


@dataclass(frozen=True, slots=True)
class _Pass:
    json: JsonObject
    style: str
    fields: Mapping[str, Sequence[_Field]]
    semantics: JsonObject = field(default_factory=dict[str, Any])

    @property
    def all_fields(self) -> Iterator[_Field]:
        for group in _GROUPS:
            yield from self.fields[group]

    def of(self, *names: LabelledField) -> str:
        return next((one.value for name in names for one in self.all_fields if one.name == name and one.value), "")

    def tag(self, *names: str) -> str:
        return next((value for name in names if (value := _text(self.semantics.get(name)))), "")


def read_passes(archive: Archive, today: date) -> FileReading:
    """A `.pkpass`, or a `.pkpasses` with several."""
    found = FileReading()
    if "pass.json" in archive.names:
        found += _read_one(archive, today)
    for name in archive.names:
        if name.lower().endswith(".pkpass"):
            inner = archive.inner(name)
            found += _read_one(inner, today) if inner else FileReading(unread=("A pass in the bundle is damaged.",))
    return found


def read_pass(values: JsonObject, strings: Mapping[str, str], today: date) -> FileReading:
    """A parsed `pass.json`."""
    style = next((name for name in _STYLES if is_object(values.get(name))), "")
    if not style:
        return FileReading(unread=("The pass has no fields.",))
    groups = {name: _fields(values[style].get(name), strings) for name in _GROUPS}
    semantics: dict[str, Any] = {}
    for one in _raw_fields(values[style]):
        semantics |= one["semantics"] if is_object(one.get("semantics")) else {}
    semantics |= values["semantics"] if is_object(values.get("semantics")) else {}
    one = _Pass(values, style, groups, semantics)
    if style == "boardingPass":
        return _ride(one, today)
    if style == "eventTicket":
        return _ticket(one)
    return _generic(one, today)


def _read_one(archive: Archive, today: date) -> FileReading:
    try:
        values = json.loads(decoded(archive.read("pass.json")), strict=False)
    except (ValueError, RecursionError):
        return FileReading(unread=("The pass is damaged: its pass.json is no JSON.",))
    if not is_object(values):
        return FileReading(unread=("The pass is damaged: its pass.json is no object.",))
    return read_pass(values, _strings(archive), today)


def _ride(one: _Pass, today: date) -> FileReading:
    kind = _TRANSIT.get(_text(one.json["boardingPass"].get("transitType")), "train")
    barcodes = [booking for text in _barcodes(one.json) for booking in find_boarding_passes(text, today)]
    base = replace(_common(one, kind), source="Wallet pass")
    origin, destination = _ends(one, kind)
    if barcodes:
        return FileReading(tuple(_with_pass(leg, base, one, len(barcodes) == 1) for leg in barcodes))
    if not origin.label or not destination.label:
        return FileReading(unread=("The pass does not say from where to where it is.",))
    starts, ends = _departure(one, origin), _arrival(one, destination)
    if starts is None:
        return FileReading(unread=("The pass does not say when it is.",))
    beside_name = one.fields["primaryFields"][1].value if len(one.fields["primaryFields"]) > 1 else ""
    if ends is None and starts.clock is not None and (clock := find_clock(one.of("arrives") or beside_name)):
        ends = BookingTime(starts.day, clock, destination.zone)
    number = _ride_number(one, kind)
    booking = replace(base, number=number, origin=origin, destination=destination, starts=starts, ends=ends)
    return FileReading((booking,))


def _with_pass(leg: Booking, base: Booking, one: _Pass, is_single: bool) -> Booking:
    """The barcode says what and where, the pass's own fields say which year and when."""
    starts = leg.starts
    if is_single:
        starts = _departure(one, leg.origin) or starts
        if (
            starts
            and leg.starts
            and starts.day != leg.starts.day
            and (starts.day.month, starts.day.day)
            != (
                leg.starts.day.month,
                leg.starts.day.day,
            )
        ):
            starts = starts if _has_own_date(one) else replace(starts, day=starts.day)
    return replace(
        base,
        kind=leg.kind,
        number=leg.number,
        origin=leg.origin,
        destination=leg.destination,
        starts=starts,
        ends=_arrival(one, leg.destination) if is_single else None,
        confirmation_number=leg.confirmation_number or base.confirmation_number,
        travellers=base.travellers or leg.travellers,
        seat=leg.seat or base.seat,
        problems=leg.problems,
    )


def _ends(one: _Pass, kind: BookingKind) -> tuple[BookingPlace, BookingPlace]:
    primary = list(one.fields["primaryFields"])
    fields = list(one.all_fields)
    left = next(
        (each for each in primary if each.name == "from" or "dep" in each.key.lower() or "orig" in each.key.lower()),
        None,
    )
    right = next(
        (each for each in primary if each.name == "to" or "arr" in each.key.lower() or "dest" in each.key.lower()), None
    )
    if left is None and right is None and len(primary) >= 2:
        left, right = primary[0], primary[1]
    left = left or next(
        (each for each in fields if each.name == "from"), primary[0] if primary and primary[0] is not right else None
    )
    right = right or next(
        (each for each in fields if each.name == "to"),
        primary[1] if len(primary) > 1 and primary[1] is not left else None,
    )
    return _stop(one, left, kind, "departure"), _stop(one, right, kind, "destination")


def _stop(one: _Pass, shown: _Field | None, kind: BookingKind, end: str) -> BookingPlace:
    code = one.tag(f"{end}AirportCode").upper()
    name = one.tag(f"{end}StationName", f"{end}AirportName", f"{end}LocationDescription")
    value, label = (shown.value, shown.label) if shown else ("", "")
    if kind == "flight":
        if not code:
            code = (
                value
                if re.fullmatch("[A-Z]{3}", value) and is_airport(value)
                else airport_code(value) or airport_code(label)
            )
        return airport_place(code, name) if code else located(BookingPlace(name=name or value))
    is_short = _IS_BESIDE_NAME.fullmatch(value) is not None and label != "" and field_of(label) is None
    position = _position(one.semantics.get(f"{end}Location"))
    return located(BookingPlace(name=name or (label if is_short else value), position=position))


def _departure(one: _Pass, origin: BookingPlace) -> BookingTime | None:
    """The time of departure, else its day. The relevant date of a flight is boarding, not departure."""
    exact = read_iso(one.tag("currentDepartureDate", "originalDepartureDate", "departureDate"))
    if exact is not None:
        return at_place(exact, origin.zone)
    shown = [each for each in one.all_fields if each.name == "departs"]
    whole = next((time for each in shown if (time := _written(each)) is not None and time.clock), None)
    if whole is not None:
        return at_place(whole, origin.zone)
    beside_names = [each for each in one.fields["primaryFields"][:1] if _IS_BESIDE_NAME.fullmatch(each.value)]
    clock = next((time for each in (*shown, *beside_names) if (time := find_clock(each.value))), None)
    relevant = _relevant(one.json)
    local = at_place(relevant, origin.zone) if relevant else None
    day = _own_date(one) or (local.day if local else None)
    if day is None:
        return None
    is_flight = _text(one.json.get("boardingPass", {}).get("transitType")) == "PKTransitTypeAir"
    if clock is None and local is not None and not is_flight and local.day == day:
        clock = local.clock
    return BookingTime(day, clock, origin.zone)


def _arrival(one: _Pass, destination: BookingPlace) -> BookingTime | None:
    exact = read_iso(one.tag("currentArrivalDate", "originalArrivalDate", "arrivalDate"))
    if exact is not None:
        return at_place(exact, destination.zone)
    shown = [time for each in one.all_fields if each.name == "arrives" and (time := _written(each)) and time.clock]
    return at_place(shown[0], destination.zone) if shown else None


def _has_own_date(one: _Pass) -> bool:
    return _own_date(one) is not None


def _own_date(one: _Pass) -> date | None:
    for each in one.all_fields:
        if each.name in ("date", "departs") and (written := _written(each)):
            return written.day
    return None


def _written(each: _Field) -> WrittenTime | None:
    return read_iso(str(each.raw)) or read_written(each.value)


def _ride_number(one: _Pass, kind: BookingKind) -> str:
    if kind == "flight":
        whole = one.tag("flightCode")
        carrier, number = one.tag("airlineCode"), one.tag("flightNumber")
        return (
            flight_number(carrier, whole or number)
            if whole or number
            else flight_number("", _shown_number(one, "number"))
        )
    shown = _shown_number(one, "train") or one.tag("vehicleName", "vehicleNumber")
    name = one.tag("vehicleType")
    return f"{name} {shown}" if shown.isdecimal() and name and len(name) <= 5 else shown


def _shown_number(one: _Pass, name: LabelledField) -> str:
    """By its label; else a value that is a flight's number, as where the label is the airline's name."""
    shown = one.of(name)
    if shown or name != "number":
        return shown
    return next((each.value for each in one.all_fields if re.fullmatch(r"[A-Z0-9]{2} ?\d{1,4}", each.value)), "")


def _ticket(one: _Pass) -> FileReading:
    info = one.semantics.get("eventStartDateInfo")
    starts = read_iso(_text(info.get("date")) if is_object(info) else "") or read_iso(
        one.tag("eventStartDate", "eventDate")
    )
    place = located(
        BookingPlace(
            name=one.tag("venueName") or one.of("venue"),
            address=one.tag("venueAddress") or one.of("address"),
            position=_position(one.semantics.get("venueLocation")) or _first_location(one.json),
        )
    )
    zone = _text(info.get("timeZone")) if is_object(info) else ""
    if starts is not None and is_zone(zone):
        place = replace(place, zone=zone)
    starts = starts or _shown_start(one) or _relevant(one.json)
    ends = read_iso(one.tag("eventEndDate"))
    primary = one.fields["primaryFields"]
    shown = one.of("event") or (primary[0].value if primary else "")
    name = one.tag("eventName") or shown or _text(one.json.get("description")) or _text(one.json.get("logoText"))
    if starts is None or not name:
        return FileReading(unread=("The ticket does not say what it is for and when.",))
    booking = replace(_common(one, "event"), source="Wallet pass", name=name, origin=place)
    booking = replace(booking, starts=at_place(starts, place.zone), ends=at_place(ends, place.zone) if ends else None)
    return FileReading((booking,))


def _shown_start(one: _Pass) -> WrittenTime | None:
    days = [time for each in one.all_fields if each.name == "date" and (time := _written(each))]
    if not days:
        return None
    if days[0].clock is None:
        clock = next(
            (
                time
                for each in one.all_fields
                if field_of(each.label) != "date" and "time" in each.key.lower() and (time := find_clock(each.value))
            ),
            None,
        )
        return replace(days[0], clock=clock)
    return days[0]


def _generic(one: _Pass, today: date) -> FileReading:
    """Hotels and rental companies use generic passes; so do loyalty cards."""
    flights = [flight for text in _barcodes(one.json) for flight in find_boarding_passes(text, today)]
    if flights:
        return FileReading(tuple(replace(flight, source_id=_text(one.json.get("serialNumber"))) for flight in flights))
    shown = {each.name: each for each in one.all_fields if each.name}
    if "checkin" in shown:
        return FileReading((_span(one, "stay", shown.get("checkin"), shown.get("checkout")),))
    if "pickup" in shown and (find_date(shown["pickup"].value) or "date" in shown):
        return FileReading((_span(one, "car", shown.get("pickup"), shown.get("dropoff")),))
    if one.tag("eventName") and one.style == "generic":
        return _ticket(one)
    return FileReading(unread=(_LOYALTY,))


def _span(one: _Pass, kind: BookingKind, first: _Field | None, last: _Field | None) -> Booking:
    name = one.of("hotel") or _text(one.json.get("organizationName"))
    place = located(BookingPlace(name=name, address=one.of("address"), position=_first_location(one.json)))
    starts, ends = (_written(each) if each else None for each in (first, last))
    return replace(
        _common(one, kind),
        source="Wallet pass",
        name=name,
        origin=place,
        starts=at_place(starts, place.zone, is_wall_clock=True) if starts else None,
        ends=at_place(ends, place.zone, is_wall_clock=True) if ends else None,
    )


def _common(one: _Pass, kind: BookingKind) -> Booking:
    person = one.semantics.get("passengerName") or one.semantics.get("attendeeName")
    parts = (_text(person.get("givenName")), _text(person.get("familyName"))) if is_object(person) else (_text(person),)
    shown = one.of("traveller")
    traveller = " ".join(part for part in parts if part) or (spoken_name(shown) if "/" in shown else shown)
    return Booking(
        kind=kind,
        confirmation_number=one.tag("confirmationNumber") or confirmation_in([one.of("confirmation")]),
        travellers=(traveller,) if traveller else (),
        seat=_seat(one),
        provider=one.tag("transitProvider") or _text(one.json.get("organizationName")),
        price=_price(one),
        status="cancelled" if one.json.get("voided") is True else "confirmed",
        source_id=_text(one.json.get("serialNumber")),
    )


def _seat(one: _Pass) -> str:
    seats = one.semantics.get("seats")
    first = seats[0] if is_list(seats) and seats else None
    if is_object(first):
        row, number = _text(first.get("seatRow")), _text(first.get("seatNumber"))
        row_and_number = f"{row}{number}" if row.isdecimal() and number.isalpha() else f"{row} {number}".strip()
        return f"{_text(first.get('seatSection'))} {row_and_number}".strip()
    return one.of("seat")[:20]


def _price(one: _Pass) -> str:
    total = one.semantics.get("totalPrice")
    if is_object(total):
        return f"{_text(total.get('amount'))} {_text(total.get('currencyCode'))}".strip()
    return one.of("price")[:40]


def _relevant(values: JsonObject) -> WrittenTime | None:
    dates = values.get("relevantDates")
    first = dates[0] if is_list(dates) and dates else None
    texts = [_text(values.get("relevantDate"))]
    texts += [_text(first.get("date")), _text(first.get("startDate"))] if is_object(first) else []
    return next((time for text in texts if (time := read_iso(text))), None)


def _barcodes(values: JsonObject) -> list[str]:
    several = values.get("barcodes")
    found = [*(several if is_list(several) else []), values.get("barcode")]
    messages = [one["message"] for one in found if is_object(one) and isinstance(one.get("message"), str)]
    return list(dict.fromkeys(messages))[:10]


def _fields(values: Any, strings: Mapping[str, str]) -> list[_Field]:
    found = [one for one in values[:_MOST_FIELDS] if is_object(one)] if is_list(values) else []
    return [
        _Field(
            _text(one.get("key")),
            _localized(_text(one.get("label")), strings),
            _localized(_text(one.get("attributedValue") if "value" not in one else one["value"]), strings),
            one.get("value"),
        )
        for one in found
    ]


def _raw_fields(style: JsonObject) -> Iterator[JsonObject]:
    for group in _GROUPS:
        values = style.get(group)
        yield from (one for one in values[:_MOST_FIELDS] if is_object(one)) if is_list(values) else ()


def _localized(text: str, strings: Mapping[str, str]) -> str:
    return " ".join(strings.get(text, text).split())


def _strings(archive: Archive) -> Mapping[str, str]:
    """The pass's texts in English, else in whatever language it has."""
    files = [name for name in archive.names if name.lower().endswith(".lproj/pass.strings")]
    files.sort(key=lambda name: (name.split(".")[0].lower() not in _LOCALES, name))
    if not files:
        return {}
    found = _STRING.findall(decoded(archive.read(files[0])))
    return {_ESCAPE.sub(_unescaped, key): _ESCAPE.sub(_unescaped, value) for key, value in found}


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else found[1]


def _position(value: Any) -> tuple[float, float] | None:
    return real_position(value.get("latitude"), value.get("longitude")) if is_object(value) else None


def _first_location(values: JsonObject) -> tuple[float, float] | None:
    several = values.get("locations")
    return _position(several[0]) if is_list(several) and several else None


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()[:2_000]
