"""Bookings, as confirmations state them, in one form for all sources; and one record for what several sources say.

Unknown values are None or an empty text. Numbers have one form, too: `LH2724`, `ICE 517`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from hashlib import sha256
from typing import Any, Final, Literal

from trips_mcp.places.tables import fold

BookingKind = Literal["flight", "stay", "train", "bus", "ferry", "car", "restaurant", "event"]
BookingStatus = Literal["confirmed", "changed", "cancelled"]

FLIGHT_NUMBER: Final = re.compile(
    r"(?<![A-Z0-9])([A-Z][A-Z0-9]|[0-9][A-Z]|[A-Z]{3})[ \u00a0-]{0,4}0{0,3}([1-9][0-9]{0,3})([A-Z]?)(?![A-Z0-9])"
)
_DIGITS: Final = re.compile(r"0*([1-9][0-9]{0,4})([A-Z]?)")
_TRAIN_NAME: Final = re.compile(r"[A-Z][A-Za-z]{0,3}[0-9]?")
_CARRIER: Final = re.compile(r"[A-Z0-9]{2,3}")
_STATUS_RANKS: Final = {"cancelled": 0, "changed": 1, "confirmed": 2}
_FILLED: Final = ("ends", "provider", "number", "name", "confirmation_number", "price", "source_id")


@dataclass(frozen=True, slots=True)
class BookingTime:
    """A time by the wall clock of its place, or a day alone."""

    day: date
    clock: time | None = None
    zone: str | None = None
    """IANA, if known."""

    @property
    def at(self) -> str:
        """`2027-03-04T20:15`, or the date alone."""
        return f"{self.day}" if self.clock is None else f"{self.day}T{self.clock:%H:%M}"


@dataclass(frozen=True, slots=True)
class BookingPlace:
    """An airport, a station, a hotel, a venue, as the confirmation names it."""

    name: str = ""
    code: str = ""
    """IATA, of airports."""
    address: str = ""
    city: str = ""
    country: str = ""
    """As written: a name or a code."""
    position: tuple[float, float] | None = None
    """Latitude, longitude."""
    zone: str | None = None
    """IANA, if the tables know it."""

    @property
    def label(self) -> str:
        return self.code or self.name


@dataclass(frozen=True, slots=True)
class Booking:
    kind: BookingKind
    starts: BookingTime | None = None
    """Departure, check-in, pick-up or beginning."""
    ends: BookingTime | None = None
    provider: str = ""
    number: str = ""
    """With its carrier's code: `LH2724`, `ICE 517`."""
    name: str = ""
    """Of the hotel, the event, the restaurant or the rental company."""
    origin: BookingPlace = field(default_factory=BookingPlace)
    """Where a ride or a rental starts. The place of a stay, a table or an event."""
    destination: BookingPlace = field(default_factory=BookingPlace)
    confirmation_number: str = ""
    travellers: tuple[str, ...] = ()
    seat: str = ""
    price: str = ""
    """With its currency, as written."""
    status: BookingStatus = "confirmed"
    source_id: str = ""
    """The source's own id: a calendar's UID, a pass's serial number."""
    source: str = ""
    """What it was read from: `JSON-LD`, `boarding pass`."""
    problems: tuple[str, ...] = ()
    """What could not be read or contradicts itself, one sentence each."""

    @property
    def is_ride(self) -> bool:
        return self.kind in ("flight", "train", "bus", "ferry")


@dataclass(frozen=True, slots=True)
class SavedPlace:
    """A place with a position, out of a map's file."""

    name: str
    latitude: float
    longitude: float
    notes: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class FileReading:
    """What one file gave."""

    bookings: tuple[Booking, ...] = ()
    places: tuple[SavedPlace, ...] = ()
    texts: tuple[str, ...] = ()
    """Text without a machine-readable booking, for the model. Other people's words."""
    unread: tuple[str, ...] = ()
    """What was not read, and why: one sentence each, without the file's content."""

    def __add__(self, other: "FileReading") -> "FileReading":
        return FileReading(
            self.bookings + other.bookings,
            self.places + other.places,
            self.texts + other.texts,
            self.unread + other.unread,
        )


def flight_number(carrier: str, number: str) -> str:
    """`UA` and `110`, `UA 0110` or nothing: the number with its carrier's code, without spaces and leading zeros."""
    carrier, number = carrier.strip().upper(), " ".join(number.split()).upper()
    whole = FLIGHT_NUMBER.fullmatch(number)
    if whole is not None:
        return f"{whole[1]}{whole[2]}{whole[3]}"
    digits = _DIGITS.fullmatch(number)
    if digits is None:
        return number.replace(" ", "")
    known = carrier if _CARRIER.fullmatch(carrier) else ""
    return f"{known}{digits[1]}{digits[2]}"


def ride_number(name: str, number: str) -> str:
    """A train's or bus's: its number, after the short name of its kind if it has none of its own."""
    name, number = " ".join(name.split()), " ".join(number.split())
    if not number:
        return name if any(mark.isdecimal() for mark in name) else ""
    return f"{name} {number}" if number.isdecimal() and _TRAIN_NAME.fullmatch(name) else number


def identity(one: Booking) -> tuple[str, ...]:
    """What makes it this booking: a flight is its number and day, a stay its name and first day, for any travellers."""
    day = str(one.starts.day) if one.starts else ""
    ends = (fold(one.origin.label), fold(one.destination.label))
    if one.kind == "flight":
        return (one.kind, one.number, day) if one.number else (one.kind, *ends, day)
    if one.is_ride:
        return (one.kind, fold(one.number), *ends, day)
    return (one.kind, fold(one.name), day)


def client_ref(one: Booking) -> str:
    """The same for every import of this booking, and no word of it."""
    return f"import-{sha256(chr(0).join(identity(one)).encode()).hexdigest()[:20]}"


def combined(bookings: Iterable[Booking]) -> list[Booking]:
    """One record per identity, by start. The result is the same for every order and repetition."""
    groups: dict[tuple[str, ...], list[Booking]] = {}
    for one in bookings:
        groups.setdefault(identity(one), []).append(one)
    found = [_combined(sorted(set(group), key=_rank)) for group in _by_departure(groups)]
    return sorted(found, key=lambda one: (_moment(one.starts), identity(one)))


def all_of(*lists: str) -> str:
    """The parts of lists such as `12C, 12D`, each once and in order."""
    return ", ".join(sorted({part for one in lists for part in one.split(", ") if part}))


def digits_of(one: Booking) -> str:
    """Of its number, without the name of its kind of train."""
    return "".join(mark for mark in one.number if mark.isdecimal()).lstrip("0")


def departure(one: Booking) -> tuple[str, ...] | None:
    """Of a numbered ride: its digits, day and time. Sources spell the stations of one ride in several ways."""
    digits = digits_of(one)
    if one.kind == "flight" or not one.is_ride or not digits or one.starts is None or one.starts.clock is None:
        return None
    return (one.kind, digits, one.starts.at)


def _by_departure(groups: Mapping[tuple[str, ...], Sequence[Booking]]) -> list[list[Booking]]:
    """The groups, in a fixed order; those of one departure are joined."""
    found: dict[tuple[str, ...], list[Booking]] = {}
    for key, group in sorted(groups.items()):
        exact = sorted({known for one in group if (known := departure(one)) is not None})
        found.setdefault(exact[0] if exact else key, []).extend(group)
    return list(found.values())


def contradictions(bookings: Iterable[Booking]) -> list[tuple[Booking, tuple[str, ...]]]:
    """Bookings of one identity and status for which the sources name different times of departure."""
    groups: dict[tuple[str, ...], list[Booking]] = {}
    for one in bookings:
        if one.starts and one.starts.clock:
            groups.setdefault((*identity(one), one.status), []).append(one)
    found: list[tuple[Booking, tuple[str, ...]]] = []
    for _, group in sorted(groups.items()):
        times = tuple(sorted({one.starts.at for one in group if one.starts}))
        if len(times) > 1:
            found.append((group[0], times))
    return found


def _combined(ranked: Sequence[Booking]) -> Booking:
    """The first by rank, completed by the others."""
    first = ranked[0]
    filled: dict[str, Any] = {
        name: next((value for one in ranked if (value := getattr(one, name))), getattr(first, name)) for name in _FILLED
    }
    exact = next((one.starts for one in ranked if one.starts and one.starts.clock), first.starts)
    if first.kind != "car":  # travellers may have a number each, and an agency and a hotel each their own
        filled["confirmation_number"] = all_of(*(one.confirmation_number for one in ranked))
    travellers = [name for one in ranked for name in one.travellers]
    origin = max((one.origin for one in ranked), key=lambda place: (bool(place.zone), len(place.address), repr(place)))
    destination = max((one.destination for one in ranked), key=lambda place: (bool(place.zone), repr(place)))
    return replace(
        first,
        **filled,
        starts=exact,
        origin=origin,
        destination=destination,
        seat=all_of(*(one.seat for one in ranked)),
        travellers=tuple(sorted(dict.fromkeys(travellers))),
    )


def _rank(one: Booking) -> tuple[Any, ...]:
    """Cancelled before changed before confirmed, then the more complete, then any fixed order."""
    missing = sum(not getattr(one, name) for name in _FILLED)
    return _STATUS_RANKS[one.status], one.starts is None or one.starts.clock is None, missing, repr(one)


def _moment(time: BookingTime | None) -> str:
    return time.at if time else ""
