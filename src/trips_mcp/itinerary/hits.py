"""Items of a trip that a search may find, each with its searched texts and places.

Only fields that are listed one by one (`texts_of`) are searched. That list leaves out everything that gives access to a
house or a booking: Wi-Fi passwords, door codes, phone numbers, check-in instructions and confirmation numbers are
never searched or shown. To find a booking, search for the name of its hotel or the number of its flight.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field

from trips_mcp.contract.fields import BY_MEMBERS, OTHERS
from trips_mcp.contract.map_pins import MapPin
from trips_mcp.contract.models import Result
from trips_mcp.itinerary.formatting import clock_of, day_in_words, short
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import WEEKDAYS, Moment
from trips_mcp.itinerary.model import Appointment, Move, Rental, Stay, Stretch
from trips_mcp.places.aliases import names_in, names_of_stop

HitKind = Literal["leg", "stay", "flight", "rental", "commitment", "event", "pin", "action_item", "member"]

TITLE: Final = 120
"""Maximum characters of a title."""
CONTEXT: Final = 3
"""Rank of a text that is only around the item, such as its leg's title."""


class Hit(Result):
    kind: HitKind
    trip_id: str | None = None
    """Set if several trips were searched."""
    leg_id: str | None = None
    flight: str | None = None
    """Its path in the leg, such as `flights.0`."""
    commitment_id: str | None = None
    event_id: Annotated[int | None, Field(alias="event_id")] = None
    pin_id: str | None = None
    item_id: str | None = None
    user_id: str | None = None
    title: Annotated[str | None, BY_MEMBERS] = None
    event_title: Annotated[str | None, OTHERS] = None
    """Replaces `title` for an event: a stranger may have written it."""
    date: str | None = None
    weekday: str | None = None
    time: str | None = None
    zone: str | None = None
    until: str | None = None
    """Weekday and date of its last day, if that differs."""
    end_time: str | None = None
    end_zone: str | None = None
    """Set if it differs from `zone`."""
    address: Annotated[str | None, BY_MEMBERS] = None
    """A stay's address, a car's or event's location, or the name of a commitment's pin."""
    lat: float | None = None
    lng: float | None = None
    field: str
    """The field with most of the words, by its name in the tools."""
    excerpt: Annotated[str | None, BY_MEMBERS] = None
    """The text around the words, unless that is the title."""
    known_as: str | None = None
    """The queried name of a place, if the field has another of its names."""


class EventHit(Hit):
    address: Annotated[str | None, OTHERS] = None
    excerpt: Annotated[str | None, OTHERS] = None


@dataclass(frozen=True, slots=True)
class SearchedText:
    rank: int
    """0 title, 1 place, 2 notes, 3 context (`CONTEXT`)."""
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class SearchedPlace:
    """A text that names a place, and all folded names of that place."""

    at: SearchedText
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class SearchedItem:
    """An item, its searched texts, and its places."""

    hit: Hit
    texts: Sequence[SearchedText]
    places: Sequence[SearchedPlace] = ()


def searched_items(journey: Journey) -> Iterator[SearchedItem]:
    yield from map(_leg, journey.stretches)
    around = {id(part): stretch for stretch in journey.stretches for part in _parts(stretch)}
    for stay in journey.stays:
        yield _stay(stay, around.get(id(stay.source)))
    for move in journey.moves:
        yield _flight(move, around.get(id(move.source)))
    for rental in journey.rentals:
        yield _rental(rental, around.get(id(rental.source)))
    for one in journey.appointments:
        yield _event(one) if one.kind == "event" else _commitment(journey, one)
    yield from map(_pin, journey.pins.values())
    yield from _people(journey)


def _leg(stretch: Stretch) -> SearchedItem:
    hit = _dated(Hit(kind="leg", leg_id=stretch.id or None, title=_short(stretch.title), field=""), stretch.starts)
    texts = texts_of((0, "title", stretch.title), (1, "destination", stretch.destination))
    return SearchedItem(_until(hit, stretch.ends), texts, _places(texts, stretch.zone, "title", "destination"))


def _stay(stay: Stay, stretch: Stretch | None) -> SearchedItem:
    hit = _dated(Hit(kind="stay", leg_id=stay.leg_id or None, title=_short(stay.name), field=""), stay.first)
    texts = texts_of(
        (0, "accommodation.name", stay.name),
        (1, "accommodation.address", stay.address),
        (2, "accommodation.hostName", stay.source.host_name),
        (2, "accommodation.notes", stay.source.notes),
        (CONTEXT, "kind", "hotel, stay, ホテル"),
        *_of_leg(stretch),
    )
    hit.address = _short(stay.address)
    _ending(_timed(hit, stay.check_in) if isinstance(stay.check_in, Moment) else hit, stay.check_out)
    return SearchedItem(_until(hit, stay.end), texts, _places(texts, stay.zone, "accommodation.address", "legId"))


def _flight(move: Move, stretch: Stretch | None) -> SearchedItem:
    path, source = f"flights.{move.index}", move.source
    hit = Hit(kind="flight", leg_id=move.leg_id or None, flight=path, title=_short(move.label), field="")
    number = source.flight_number or ""
    texts = texts_of(
        (0, f"{path}.flightNumber", number),
        (0, f"{path}.flightNumber", "".join(number.split())),
        (1, f"{path}.from", source.from_),
        (1, f"{path}.to", source.to),
        (1, f"{path}.airline", source.airline),
        (CONTEXT, "kind", "flight, フライト"),
        *_of_leg(stretch),
    )
    ends = ((f"{path}.from", source.from_, move.departs_from), (f"{path}.to", source.to, move.arrives_at))
    stops = [
        SearchedPlace(SearchedText(1, field, text), names_of_stop(stop)) for field, text, stop in ends if text and stop
    ]
    hit = _ending(_timed(hit, move.departs or move.arrives), move.arrives if move.departs else None)
    return SearchedItem(hit, texts, [*stops, *_places(texts, None, "legId")])


def _rental(rental: Rental, stretch: Stretch | None) -> SearchedItem:
    hit = Hit(kind="rental", leg_id=rental.leg_id or None, title=_short(rental.company), field="")
    texts = texts_of(
        (0, "rentalCar.company", rental.company),
        (1, "rentalCar.location", rental.location),
        (CONTEXT, "kind", "rental car"),
        *_of_leg(stretch),
    )
    picked_up = rental.pick_up if isinstance(rental.pick_up, Moment) else None
    places = _places(texts, stretch.zone if stretch else None, "rentalCar.location", "legId")
    hit.address = _short(rental.location)
    hit = _timed(hit, picked_up) if picked_up else _dated(hit, rental.first)
    return SearchedItem(_ending(hit, rental.drop_off), texts, places)


def _commitment(journey: Journey, one: Appointment) -> SearchedItem:
    hit = Hit(kind="commitment", commitment_id=one.id or None, leg_id=one.leg_id or None, field="")
    hit.pin_id, hit.title = one.pin_id or None, _short(one.title)
    pin = journey.pins.get(one.pin_id)
    texts = texts_of(
        (0, "title", one.title),
        (1, "mapPinId", pin.name if pin else None),
        (2, "category", one.category),
        (2, "notes", one.notes),
        *_of_leg(journey.stretch.get(one.leg_id)),
    )
    if pin:
        hit.address, hit.lat, hit.lng = _short(pin.name), pin.lat, pin.lng
    hit = _ending(_timed(hit, one.starts), one.ends)
    return SearchedItem(hit, texts, _places(texts, _zone_of(one), "legId"))


def _event(one: Appointment) -> SearchedItem:
    hit = EventHit(kind="event", event_id=int(one.id) if one.id else None, event_title=_short(one.title), field="")
    hit.address = _short(one.place)
    texts = texts_of(
        (0, "title", one.title), (1, "location", one.place), (2, "type", one.category), (2, "description", one.notes)
    )
    return SearchedItem(_timed(hit, one.starts), texts, _places(texts, _zone_of(one), "location"))


def _pin(pin: MapPin) -> SearchedItem:
    texts = texts_of((0, "name", pin.name), (2, "category", pin.category), (2, "notes", pin.notes))
    hit = Hit(kind="pin", pin_id=pin.id or None, title=_short(pin.name), lat=pin.lat, lng=pin.lng, field="")
    return SearchedItem(hit, texts)


def _people(journey: Journey) -> Iterator[SearchedItem]:
    """Members, by name only, and action items."""
    names = {member.user_id: member.name for member in journey.members if member.user_id}
    for member in journey.members:
        hit = Hit(kind="member", user_id=member.user_id or None, title=_short(member.name), field="")
        yield SearchedItem(hit, texts_of((0, "name", member.name)))
    for item in journey.todos:
        hit = Hit(kind="action_item", item_id=item.id or None, title=_short(item.text), field="")
        yield SearchedItem(hit, texts_of((0, "text", item.text), (2, "owner", names.get(item.owner or ""))))


def texts_of(*said: tuple[int, str, str | None]) -> list[SearchedText]:
    return [SearchedText(rank, field, text) for rank, field, text in said if text]


def _of_leg(stretch: Stretch | None) -> list[tuple[int, str, str | None]]:
    """Lets `dinner kyoto` find the dinner without `kyoto` alone finding everything in Kyoto."""
    return [(CONTEXT, "legId", stretch.title), (CONTEXT, "legId", stretch.destination)] if stretch else []


def _places(texts: Sequence[SearchedText], zone: str | None, *fields: str) -> list[SearchedPlace]:
    """Places named by the texts of `fields`."""
    named = ((text, names_in(text.text, zone)) for text in texts if text.field in fields)
    return [SearchedPlace(text, names) for text, names in named if names]


def _zone_of(one: Appointment) -> str | None:
    return one.starts.zone if one.starts else None


def _parts(stretch: Stretch) -> list[object]:
    source = stretch.source
    return [source.accommodation, source.rental_car, *(source.flights or ())]


def _dated(hit: Hit, day: date | None) -> Hit:
    hit.date, hit.weekday = (str(day), WEEKDAYS[day.weekday()]) if day else (None, None)
    return hit


def _timed(hit: Hit, moment: Moment | None) -> Hit:
    hit.time, hit.zone = clock_of(moment), moment.zone if moment and moment.time else None
    return _dated(hit, moment.day if moment else None)


def _until(hit: Hit, day: date | None) -> Hit:
    hit.until = day_in_words(day) if day and hit.date and str(day) > hit.date else None
    return hit


def _ending(hit: Hit, moment: Moment | str | None) -> Hit:
    if isinstance(moment, Moment):
        hit.end_time = clock_of(moment)
        hit.end_zone = moment.zone if moment.time and moment.zone != hit.zone else None
        # over the date line a flight may end on the day before
        hit.until = day_in_words(moment.day) if hit.date and str(moment.day) != hit.date else None
    return hit


def _short(title: str | None) -> str | None:
    return short(title, TITLE)
