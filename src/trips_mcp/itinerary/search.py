"""Word search over a trip. Hits have the ids to act on.

Only fields that are listed one by one (`_texts`) are searched. That list leaves out everything that gives access to a
house or a booking: Wi-Fi passwords, door codes, phone numbers, check-in instructions and confirmation numbers are
never searched or shown. Find a booking by the name of its hotel or the number of its flight.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field

from trips_mcp.contract.map_pins import MapPin
from trips_mcp.contract.models import Result
from trips_mcp.contract.untrusted import BY_MEMBERS, OTHERS
from trips_mcp.itinerary.formatting import clock_of, day_in_words, one_line, short
from trips_mcp.itinerary.journey import Appointment, Journey, Move, Rental, Stay, Stretch
from trips_mcp.itinerary.local_time import WEEKDAYS, Moment
from trips_mcp.itinerary.size_budget import fitting
from trips_mcp.itinerary.text_match import Word, excerpt, forms_of, words_of
from trips_mcp.places.aliases import names_in, names_of_stop
from trips_mcp.places.names import fold

HitKind = Literal["leg", "stay", "flight", "rental", "commitment", "event", "pin", "action_item", "member"]

_MOST: Final = 50
_ROOM: Final = 15_000
"""Characters of all hits. A result may have 40,000, and its text repeats the hits."""
_TITLE: Final = 120
_QUERY: Final = 200

NO_WORDS: Final = "Say which words to look for."
_NOT_SEARCHED: Final = "Door codes, passwords, phone and confirmation numbers are not searched."


class Hit(Result):
    kind: HitKind
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
    field: str
    """The field with most of the words, by its name in the tools."""
    excerpt: Annotated[str | None, BY_MEMBERS] = None
    """The text around the words, unless that is the title."""
    known_as: str | None = None
    """The queried name of a place, if the field has another of its names."""


class EventHit(Hit):
    excerpt: Annotated[str | None, OTHERS] = None


class SearchReport(Result):
    trip_id: str
    query: str
    hits: list[Hit] = Field(default_factory=list[Hit])
    """Best first."""
    not_shown: int | None = None
    note: str | None = None
    """Set if there are no hits."""


def search(journey: Journey, query: str) -> SearchReport:
    """Find what has all the words. Titles rank before places, places before notes."""
    report = SearchReport(trip_id=journey.trip_id, query=query[:_QUERY])
    words = words_of(query)
    if not words:
        return report.model_copy(update={"note": NO_WORDS})
    found = sorted(_matches(journey, query, words), key=_best_first)
    if not found:
        return report.model_copy(update={"note": f"Nothing in the trip has {_all(words)}. {_NOT_SEARCHED}"})
    hits = fitting([_shown(one) for one in found[:_MOST]], _ROOM, journey.others_write)
    return report.model_copy(update={"hits": hits, "not_shown": len(found) - len(hits) or None})


def matching(journey: Journey, query: str) -> Iterator[Hit]:
    """All hits as `search` finds them, in no order and without an excerpt. None if the query has no words."""
    return (found.one.hit for found in _matches(journey, query, words_of(query)))


def in_words(report: SearchReport) -> str:
    if report.note:
        return report.note
    count = len(report.hits) + (report.not_shown or 0)
    lines = [f"{count} {'hit' if count == 1 else 'hits'}, best first:", *map(_line, report.hits)]
    if report.not_shown:
        lines.append(f"{report.not_shown} more are not shown; add a word to narrow it down.")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Text:
    rank: int
    """0 title, 1 place, 2 notes, 3 context such as its leg."""
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class _Place:
    """A text that names a place, and all folded names of that place."""

    at: _Text
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Searched:
    """An item, its searched texts, and its places."""

    hit: Hit
    texts: Sequence[_Text]
    places: Sequence[_Place] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    one: _Searched
    score: int
    """Lower is better."""
    at: _Text
    words: Sequence[Word]
    known_as: str | None = None


_AROUND: Final = 3
_QUALITIES: Final = 3
_KNOWN: Final = 1
"""Added to the score of a place found by another name, so that exact names rank first."""


def _matches(journey: Journey, query: str, words: Sequence[Word]) -> Iterator[_Found]:
    query_text = f" {fold(query)} "
    for one in _searched(journey):
        found = (_found(one, words) or _found_by_alias(one, query_text)) if words else None
        if found is not None:
            yield found


def _found(one: _Searched, words: Sequence[Word]) -> _Found | None:
    """Match if each word is in some text, and at least one is not only in the context."""
    forms = [forms_of(text.text) for text in one.texts]
    places: list[list[tuple[int, int]]] = []
    for word in words:
        qualities = [(index, word.quality(form)) for index, form in enumerate(forms)]
        places.append(
            [(one.texts[index].rank * _QUALITIES + how, index) for index, how in qualities if how is not None]
        )
        if not places[-1]:
            return None
    best = [min(scores) for scores in places]
    own = [index for scores in places for _, index in scores if one.texts[index].rank < _AROUND]
    if not own:
        return None
    at = min(set(own), key=lambda index: (-own.count(index), one.texts[index].rank, index))
    return _Found(one, sum(score for score, _ in best), one.texts[at], words)


def _found_by_alias(one: _Searched, query_text: str) -> _Found | None:
    """Match by another name of its place, whole in the query, with all other words in its texts."""
    for place in one.places:
        name = max((name for name in place.names if f" {name} " in query_text), key=len, default=None)
        if name is None:
            continue
        rest = words_of(query_text.replace(f" {name} ", " ", 1))
        found = _found(one, rest) if rest else None
        if found is not None:
            return replace(found, score=found.score + _KNOWN, known_as=name)
        if not rest and place.at.rank < _AROUND:
            return _Found(one, place.at.rank * _QUALITIES + _KNOWN, place.at, (), name)
    return None


def _best_first(found: _Found) -> tuple[object, ...]:
    hit = found.one.hit
    return (found.score, hit.date is None, hit.date or "", hit.time or "", hit.kind, hit.model_dump_json())


def _shown(found: _Found) -> Hit:
    at = found.at
    # a long title is cut, so show the part with the words
    in_title = at.rank == 0 and len(at.text) <= _TITLE
    said = None if in_title else excerpt(at.text, found.words)
    return found.one.hit.model_copy(update={"field": at.field, "excerpt": said, "known_as": found.known_as})


def _searched(journey: Journey) -> Iterator[_Searched]:
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


def _leg(stretch: Stretch) -> _Searched:
    hit = _dated(Hit(kind="leg", leg_id=stretch.id or None, title=_short(stretch.title), field=""), stretch.starts)
    texts = _texts((0, "title", stretch.title), (1, "destination", stretch.destination))
    return _Searched(_until(hit, stretch.ends), texts, _places(texts, stretch.zone, "title", "destination"))


def _stay(stay: Stay, stretch: Stretch | None) -> _Searched:
    hit = _dated(Hit(kind="stay", leg_id=stay.leg_id or None, title=_short(stay.name), field=""), stay.first)
    texts = _texts(
        (0, "accommodation.name", stay.name),
        (1, "accommodation.address", stay.address),
        (2, "accommodation.hostName", stay.source.host_name),
        (2, "accommodation.notes", stay.source.notes),
        *_of_leg(stretch),
    )
    return _Searched(_until(hit, stay.end), texts, _places(texts, stay.zone, "accommodation.address", "legId"))


def _flight(move: Move, stretch: Stretch | None) -> _Searched:
    path, source = f"flights.{move.index}", move.source
    hit = Hit(kind="flight", leg_id=move.leg_id or None, flight=path, title=_short(move.label), field="")
    number = source.flight_number or ""
    texts = _texts(
        (0, f"{path}.flightNumber", number),
        (0, f"{path}.flightNumber", "".join(number.split())),
        (1, f"{path}.from", source.from_),
        (1, f"{path}.to", source.to),
        (1, f"{path}.airline", source.airline),
        *_of_leg(stretch),
    )
    ends = ((f"{path}.from", source.from_, move.departs_from), (f"{path}.to", source.to, move.arrives_at))
    stops = [_Place(_Text(1, field, text), names_of_stop(stop)) for field, text, stop in ends if text and stop]
    return _Searched(_timed(hit, move.departs or move.arrives), texts, [*stops, *_places(texts, None, "legId")])


def _rental(rental: Rental, stretch: Stretch | None) -> _Searched:
    hit = Hit(kind="rental", leg_id=rental.leg_id or None, title=_short(rental.company), field="")
    texts = _texts(
        (0, "rentalCar.company", rental.company), (1, "rentalCar.location", rental.location), *_of_leg(stretch)
    )
    picked_up = rental.pick_up if isinstance(rental.pick_up, Moment) else None
    places = _places(texts, stretch.zone if stretch else None, "rentalCar.location", "legId")
    return _Searched(_timed(hit, picked_up) if picked_up else _dated(hit, rental.first), texts, places)


def _commitment(journey: Journey, one: Appointment) -> _Searched:
    hit = Hit(kind="commitment", commitment_id=one.id or None, leg_id=one.leg_id or None, field="")
    hit.pin_id, hit.title = one.pin_id or None, _short(one.title)
    pin = journey.pins.get(one.pin_id)
    texts = _texts(
        (0, "title", one.title),
        (1, "mapPinId", pin.name if pin else None),
        (2, "category", one.category),
        (2, "notes", one.notes),
        *_of_leg(journey.stretch.get(one.leg_id)),
    )
    return _Searched(_timed(hit, one.starts), texts, _places(texts, _zone_of(one), "legId"))


def _event(one: Appointment) -> _Searched:
    hit = EventHit(kind="event", event_id=int(one.id) if one.id else None, event_title=_short(one.title), field="")
    texts = _texts(
        (0, "title", one.title), (1, "location", one.place), (2, "type", one.category), (2, "description", one.notes)
    )
    return _Searched(_timed(hit, one.starts), texts, _places(texts, _zone_of(one), "location"))


def _pin(pin: MapPin) -> _Searched:
    texts = _texts((0, "name", pin.name), (2, "category", pin.category), (2, "notes", pin.notes))
    return _Searched(Hit(kind="pin", pin_id=pin.id or None, title=_short(pin.name), field=""), texts)


def _people(journey: Journey) -> Iterator[_Searched]:
    """Members, by name only, and action items."""
    names = {member.user_id: member.name for member in journey.members if member.user_id}
    for member in journey.members:
        hit = Hit(kind="member", user_id=member.user_id or None, title=_short(member.name), field="")
        yield _Searched(hit, _texts((0, "name", member.name)))
    for item in journey.todos:
        hit = Hit(kind="action_item", item_id=item.id or None, title=_short(item.text), field="")
        yield _Searched(hit, _texts((0, "text", item.text), (2, "owner", names.get(item.owner or ""))))


def _texts(*said: tuple[int, str, str | None]) -> list[_Text]:
    return [_Text(rank, field, text) for rank, field, text in said if text]


def _of_leg(stretch: Stretch | None) -> list[tuple[int, str, str | None]]:
    """Lets `dinner kyoto` find the dinner without `kyoto` alone finding everything in Kyoto."""
    return [(_AROUND, "legId", stretch.title), (_AROUND, "legId", stretch.destination)] if stretch else []


def _places(texts: Sequence[_Text], zone: str | None, *fields: str) -> list[_Place]:
    """Places named by the texts of `fields`."""
    named = ((text, names_in(text.text, zone)) for text in texts if text.field in fields)
    return [_Place(text, names) for text, names in named if names]


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


def _short(title: str | None) -> str | None:
    return short(title, _TITLE)


def _all(words: Sequence[Word]) -> str:
    return "that word" if len(words) == 1 else f"all {len(words)} words; try fewer"


_IDS: Final = {
    "leg_id": "legId",
    "flight": "flight",
    "commitment_id": "commitmentId",
    "event_id": "event_id",
    "pin_id": "pinId",
    "item_id": "itemId",
    "user_id": "userId",
}


def _line(hit: Hit) -> str:
    ids = ", ".join(f"{label} {value}" for name, label in _IDS.items() if (value := getattr(hit, name)) is not None)
    name = hit.event_title or hit.title
    title = f"“{one_line(name)}”" if name else "(no title)"
    when = " ".join(filter(None, (f"{hit.weekday} {hit.date}" if hit.date else None, hit.time, hit.zone)))
    until = f" to {hit.until}" if hit.until else ""
    said = f"{hit.field}: {one_line(hit.excerpt)}" if hit.excerpt else hit.field
    if hit.known_as:
        said = f"{said}, known as {hit.known_as}"
    kind = hit.kind.replace("_", " ")
    return " · ".join(filter(None, (f"- {kind} {title}", f"{when}{until}", f"in {said}", ids)))
