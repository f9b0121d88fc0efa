"""Word search over a trip. Hits have the ids to act on.

Only fields that are listed one by one (`_texts`) are searched. That list leaves out everything that gives access to a
house or a booking: Wi-Fi passwords, door codes, phone numbers, check-in instructions and confirmation numbers are
never searched or shown. To find a booking, search for the name of its hotel or the number of its flight.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field

from trips_mcp.contract.fields import BY_MEMBERS, OTHERS
from trips_mcp.contract.map_pins import MapPin
from trips_mcp.contract.models import Result
from trips_mcp.itinerary.formatting import clock_of, day_in_words, fitting, one_line, short, weight
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import WEEKDAYS, Moment
from trips_mcp.itinerary.model import Appointment, Move, Rental, Stay, Stretch
from trips_mcp.itinerary.text_match import Word, excerpt, forms_of, words_of
from trips_mcp.places.aliases import names_in, names_of_stop
from trips_mcp.places.names import fold
from trips_mcp.places.spaceless import hides, parted, spaced

HitKind = Literal["leg", "stay", "flight", "rental", "commitment", "event", "pin", "action_item", "member"]

_MOST: Final = 50
_ROOM: Final = 15_000
"""Characters of all hits. A result may have 40,000, and its text repeats the hits."""
_TITLE: Final = 120
_QUERY: Final = 200
_MOST_TRIPS: Final = 20
"""Trips with hits that are shown."""
_MOST_TRIPS_NAMED: Final = 10

NO_WORDS: Final = "Say which words to look for."
_NOT_SEARCHED: Final = "Door codes, passwords, phone and confirmation numbers are not searched."


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


class TripWithHits(Result):
    trip_id: str
    title: Annotated[str | None, BY_MEMBERS] = None
    starts: str | None = None
    ends: str | None = None
    hits: int
    """How many there are, also those not shown."""


class SearchReport(Result):
    trip_id: str | None = None
    """None if several trips were searched."""
    query: str
    hits: list[Hit] = Field(default_factory=list[Hit])
    """Best first; by trip if several were searched."""
    not_shown: int | None = None
    note: str | None = None
    """Set if there are no hits."""
    trips: list[TripWithHits] | None = None
    """The trips with hits if several were searched, newest first."""
    more_trips: int | None = None
    """Trips with hits that are not shown."""
    trips_searched: int | None = None
    trips_not_searched: list[str] | None = None
    """Ids, newest first."""
    more_trips_not_searched: int | None = None


@dataclass(frozen=True, slots=True)
class TripHits:
    """The hits in one of several trips, best first."""

    trip: TripWithHits
    hits: Sequence[Hit]
    """At most `_MOST`."""
    others_write: bool


def search(journey: Journey, query: str) -> SearchReport:
    """Find the items that have all the words. Titles rank before places, places before notes."""
    report = SearchReport(trip_id=journey.trip_id, query=query[:_QUERY])
    found = hits_in(journey, query)
    if found.trip.hits == 0:
        return report.model_copy(update={"note": _nothing("the trip", query)})
    hits = fitting(found.hits, _ROOM, journey.others_write)
    return report.model_copy(update={"hits": hits, "not_shown": found.trip.hits - len(hits) or None})


def hits_in(journey: Journey, query: str) -> TripHits:
    found = sorted(_matches(journey, query, words_of(query)), key=_best_first)
    trip = TripWithHits(
        trip_id=journey.trip_id,
        title=_short(journey.title),
        starts=str(journey.starts) if journey.starts else None,
        ends=str(journey.ends) if journey.ends else None,
        hits=len(found),
    )
    return TripHits(trip, [_shown(one) for one in found[:_MOST]], journey.others_write)


def search_report(query: str, trips: Sequence[TripHits], not_searched: Sequence[str]) -> SearchReport:
    """The report of a search in several trips. Trips share the room, so that none crowds out another."""
    report = SearchReport(query=query[:_QUERY], trips_searched=len(trips))
    if not_searched:
        report.trips_not_searched = list(not_searched[:_MOST_TRIPS_NAMED])
        report.more_trips_not_searched = max(0, len(not_searched) - _MOST_TRIPS_NAMED) or None
    found: Sequence[TripHits] = [one for one in trips if one.trip.hits]
    if not found:
        return report.model_copy(update={"note": _nothing(f"{len(trips)} trips", query)})
    count = sum(one.trip.hits for one in found)
    report.more_trips = max(0, len(found) - _MOST_TRIPS) or None
    found = found[:_MOST_TRIPS]
    hits: list[Hit] = []
    room = _ROOM
    for index, one in enumerate(found):
        shown = [hit.model_copy(update={"trip_id": one.trip.trip_id}) for hit in one.hits[: _MOST // len(found)]]
        shown = fitting(shown, room // (len(found) - index), one.others_write)
        room -= sum(weight(hit, one.others_write) for hit in shown)
        hits += shown
    named = [one.trip for one in found]
    return report.model_copy(update={"hits": hits, "trips": named, "not_shown": count - len(hits) or None})


def is_named(query: str, title: str, destinations: Sequence[tuple[str, str | None]]) -> bool:
    """Whether a trip's title and destinations (each with its zone) have all the words."""
    texts = _texts((0, "title", title), *((1, "destination", text) for text, _ in destinations))
    places = [
        _Place(_Text(1, "destination", text), names)
        for text, zone in [(title, None), *destinations]
        if text and (names := names_in(text, zone))
    ]
    words = words_of(query)
    return bool(words) and _match(_Searched(Hit(kind="leg", field=""), texts, places), query, words) is not None


def matching(journey: Journey, query: str) -> Iterator[Hit]:
    """All hits as `search` finds them, in no order and without an excerpt. None if the query has no words."""
    return (found.one.hit for found in _matches(journey, query, words_of(query)))


def in_words(report: SearchReport) -> str:
    lines = [report.note] if report.note else [*_hits_in_words(report)]
    if report.not_shown:
        lines.append(f"{report.not_shown} more are not shown; add a word to narrow it down.")
    if report.trips_not_searched:
        more = f" and {report.more_trips_not_searched} more" if report.more_trips_not_searched else ""
        lines.append(f"Not searched: {', '.join(report.trips_not_searched)}{more}. Search one with its tripId.")
    return "\n".join(lines)


def _hits_in_words(report: SearchReport) -> Iterator[str]:
    count = len(report.hits) + (report.not_shown or 0)
    said = f"{count} {'hit' if count == 1 else 'hits'}"
    if report.trips is None:
        yield f"{said}, best first:"
        yield from map(_line, report.hits)
        return
    trips = len(report.trips) + (report.more_trips or 0)
    yield f"{said} in {trips} of {report.trips_searched} trips, newest first:"
    for trip in report.trips:
        title = f"“{one_line(trip.title)}”" if trip.title else "(no title)"
        dates = f", {trip.starts} to {trip.ends}" if trip.starts and trip.ends else ""
        yield f"{title}{dates}, tripId {trip.trip_id}:"
        yield from (_line(hit) for hit in report.hits if hit.trip_id == trip.trip_id)


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
    if words:
        yield from filter(None, (_match(one, query, words) for one in _searched(journey)))


def _match(one: _Searched, query: str, words: Sequence[Word]) -> _Found | None:
    found = _found(one, words) or _found_by_alias(one, f" {spaced(query)} ")
    if found is None and (apart := parted(query)) != query:
        return _found(one, words_of(apart))
    return found


def _found(one: _Searched, words: Sequence[Word], place: _Text | None = None) -> _Found | None:
    """Match if each word is in some text, and at least one, or a `place` found besides, is not only context."""
    forms = [forms_of(text.text) for text in one.texts]
    places: list[list[tuple[int, int]]] = []
    for word in words:
        qualities = [(index, _quality(word, form, one.texts[index].text)) for index, form in enumerate(forms)]
        places.append(
            [(one.texts[index].rank * _QUALITIES + how, index) for index, how in qualities if how is not None]
        )
        if not places[-1]:
            return None
    best = [min(scores) for scores in places]
    own = [index for scores in places for _, index in scores if one.texts[index].rank < _AROUND]
    if not own:
        if place is None or place.rank >= _AROUND:
            return None
        return _Found(one, sum(score for score, _ in best), place, words)
    at = min(set(own), key=lambda index: (-own.count(index), one.texts[index].rank, index))
    return _Found(one, sum(score for score, _ in best), one.texts[at], words)


def _quality(word: Word, form: Sequence[str], text: str) -> int | None:
    how = word.quality(form)
    return None if how and not text.isascii() and any(hides(text, one.text) for one in word.spellings) else how


def _found_by_alias(one: _Searched, query_text: str) -> _Found | None:
    """Match by another name of its place, whole in the query, with all other words in its texts."""
    for place in one.places:
        name = max((name for name in place.names if f" {name} " in query_text), key=len, default=None)
        if name is None:
            continue
        rest = words_of(query_text.replace(f" {name} ", " ", 1))
        found = _found(one, rest, place.at) if rest else None
        known_as = None if name in fold(place.at.text) else name
        if found is not None:
            return replace(found, score=found.score + _KNOWN, known_as=known_as)
        if not rest and place.at.rank < _AROUND:
            return _Found(one, place.at.rank * _QUALITIES + _KNOWN, place.at, (), known_as)
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
        (_AROUND, "kind", "hotel, stay, ホテル"),
        *_of_leg(stretch),
    )
    hit.address = _short(stay.address)
    _ending(_timed(hit, stay.check_in) if isinstance(stay.check_in, Moment) else hit, stay.check_out)
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
        (_AROUND, "kind", "flight, フライト"),
        *_of_leg(stretch),
    )
    ends = ((f"{path}.from", source.from_, move.departs_from), (f"{path}.to", source.to, move.arrives_at))
    stops = [_Place(_Text(1, field, text), names_of_stop(stop)) for field, text, stop in ends if text and stop]
    hit = _ending(_timed(hit, move.departs or move.arrives), move.arrives if move.departs else None)
    return _Searched(hit, texts, [*stops, *_places(texts, None, "legId")])


def _rental(rental: Rental, stretch: Stretch | None) -> _Searched:
    hit = Hit(kind="rental", leg_id=rental.leg_id or None, title=_short(rental.company), field="")
    texts = _texts(
        (0, "rentalCar.company", rental.company),
        (1, "rentalCar.location", rental.location),
        (_AROUND, "kind", "rental car"),
        *_of_leg(stretch),
    )
    picked_up = rental.pick_up if isinstance(rental.pick_up, Moment) else None
    places = _places(texts, stretch.zone if stretch else None, "rentalCar.location", "legId")
    hit.address = _short(rental.location)
    hit = _timed(hit, picked_up) if picked_up else _dated(hit, rental.first)
    return _Searched(_ending(hit, rental.drop_off), texts, places)


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
    if pin:
        hit.address, hit.lat, hit.lng = _short(pin.name), pin.lat, pin.lng
    hit = _ending(_timed(hit, one.starts), one.ends)
    return _Searched(hit, texts, _places(texts, _zone_of(one), "legId"))


def _event(one: Appointment) -> _Searched:
    hit = EventHit(kind="event", event_id=int(one.id) if one.id else None, event_title=_short(one.title), field="")
    hit.address = _short(one.place)
    texts = _texts(
        (0, "title", one.title), (1, "location", one.place), (2, "type", one.category), (2, "description", one.notes)
    )
    return _Searched(_timed(hit, one.starts), texts, _places(texts, _zone_of(one), "location"))


def _pin(pin: MapPin) -> _Searched:
    texts = _texts((0, "name", pin.name), (2, "category", pin.category), (2, "notes", pin.notes))
    hit = Hit(kind="pin", pin_id=pin.id or None, title=_short(pin.name), lat=pin.lat, lng=pin.lng, field="")
    return _Searched(hit, texts)


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


def _ending(hit: Hit, moment: Moment | str | None) -> Hit:
    if isinstance(moment, Moment):
        hit.end_time = clock_of(moment)
        hit.end_zone = moment.zone if moment.time and moment.zone != hit.zone else None
        # over the date line a flight may end on the day before
        hit.until = day_in_words(moment.day) if hit.date and str(moment.day) != hit.date else None
    return hit


def _short(title: str | None) -> str | None:
    return short(title, _TITLE)


def _nothing(where: str, query: str) -> str:
    count = len(words_of(query))
    if not count:
        return NO_WORDS
    words = "that word" if count == 1 else f"all {count} words; try fewer"
    return f"Nothing in {where} has {words}. {_NOT_SEARCHED}"


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
    end = " ".join(filter(None, (hit.until, hit.end_time, hit.end_zone)))
    until = f" to {end}" if end else ""
    said = f"{hit.field}: {one_line(hit.excerpt)}" if hit.excerpt and hit.excerpt != hit.address else hit.field
    where = [f"at {one_line(hit.address)}"] if hit.address else []
    if hit.lat is not None and hit.lng is not None:
        where.append(f"({hit.lat}, {hit.lng})")
    if hit.known_as:
        said = f"{said}, known as {hit.known_as}"
    kind = hit.kind.replace("_", " ")
    return " · ".join(filter(None, (f"- {kind} {title}", f"{when}{until}", " ".join(where), f"in {said}", ids)))
