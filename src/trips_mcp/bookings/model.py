"""What a confirmation says, in one form for all sources. Unknown values are None or an empty text."""

from dataclasses import dataclass, field
from datetime import date, time
from typing import Literal

BookingKind = Literal["flight", "stay", "train", "bus", "ferry", "car", "restaurant", "event"]
BookingStatus = Literal["confirmed", "changed", "cancelled"]


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
