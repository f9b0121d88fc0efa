"""Word search over trips. Hits have the ids to act on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final

from pydantic import Field

from trips_mcp.contract.fields import BY_MEMBERS
from trips_mcp.contract.models import Result
from trips_mcp.itinerary.formatting import fitting, one_line, short, weight
from trips_mcp.itinerary.hits import (
    CONTEXT,
    TITLE,
    Hit,
    SearchedItem,
    SearchedPlace,
    SearchedText,
    searched_items,
    texts_of,
)
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.text_match import Word, excerpt, forms_of, words_of
from trips_mcp.places.aliases import hides, names_in, parted, spaced
from trips_mcp.places.tables import fold

_MOST: Final = 50
_ROOM: Final = 15_000
"""Characters of all hits. A result may have 40,000, and its text repeats the hits."""
_QUERY: Final = 200
_MOST_TRIPS: Final = 20
"""Trips with hits that are shown."""
_MOST_TRIPS_NAMED: Final = 10

NO_WORDS: Final = "Say which words to look for."
_NOT_SEARCHED: Final = "Door codes, passwords, phone and confirmation numbers are not searched."


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
        title=short(journey.title, TITLE),
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
    texts = texts_of((0, "title", title), *((1, "destination", text) for text, _ in destinations))
    places = [
        SearchedPlace(SearchedText(1, "destination", text), names)
        for text, zone in [(title, None), *destinations]
        if text and (names := names_in(text, zone))
    ]
    words = words_of(query)
    return bool(words) and _match(SearchedItem(Hit(kind="leg", field=""), texts, places), query, words) is not None


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
class _Found:
    one: SearchedItem
    score: int
    """Lower is better."""
    at: SearchedText
    words: Sequence[Word]
    known_as: str | None = None


_QUALITIES: Final = 3
_KNOWN: Final = 1
"""Added to the score of a place found by another name, so that exact names rank first."""


def _matches(journey: Journey, query: str, words: Sequence[Word]) -> Iterator[_Found]:
    if words:
        yield from filter(None, (_match(one, query, words) for one in searched_items(journey)))


def _match(one: SearchedItem, query: str, words: Sequence[Word]) -> _Found | None:
    found = _found(one, words) or _found_by_alias(one, f" {spaced(query)} ")
    if found is None and (apart := parted(query)) != query:
        return _found(one, words_of(apart))
    return found


def _found(one: SearchedItem, words: Sequence[Word], place: SearchedText | None = None) -> _Found | None:
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
    own = [index for scores in places for _, index in scores if one.texts[index].rank < CONTEXT]
    if not own:
        if place is None or place.rank >= CONTEXT:
            return None
        return _Found(one, sum(score for score, _ in best), place, words)
    at = min(set(own), key=lambda index: (-own.count(index), one.texts[index].rank, index))
    return _Found(one, sum(score for score, _ in best), one.texts[at], words)


def _quality(word: Word, form: Sequence[str], text: str) -> int | None:
    how = word.quality(form)
    return None if how and not text.isascii() and any(hides(text, one.text) for one in word.spellings) else how


def _found_by_alias(one: SearchedItem, query_text: str) -> _Found | None:
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
        if not rest and place.at.rank < CONTEXT:
            return _Found(one, place.at.rank * _QUALITIES + _KNOWN, place.at, (), known_as)
    return None


def _best_first(found: _Found) -> tuple[object, ...]:
    hit = found.one.hit
    return (found.score, hit.date is None, hit.date or "", hit.time or "", hit.kind, hit.model_dump_json())


def _shown(found: _Found) -> Hit:
    at = found.at
    # a long title is cut, so show the part with the words
    in_title = at.rank == 0 and len(at.text) <= TITLE
    said = None if in_title else excerpt(at.text, found.words)
    return found.one.hit.model_copy(update={"field": at.field, "excerpt": said, "known_as": found.known_as})


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
