"""Bookings in the words of a calendar entry: flights, railway connections, stays, cars and tables."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from trips_mcp.bookings.labels import confirmation_in, labelled
from trips_mcp.bookings.model import FLIGHT_NUMBER, Booking, BookingKind, BookingPlace, BookingTime, flight_number
from trips_mcp.bookings.times_and_places import (
    WrittenTime,
    airport_code,
    airport_place,
    at_place,
    find_clock,
    is_airport,
    located,
)

_LONGEST: Final = 20_000


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    uid: str
    summary: str
    description: str
    location: str
    starts: WrittenTime | None
    ends: WrittenTime | None
    """Exclusive if all-day."""
    is_all_day: bool
    is_cancelled: bool
    is_sent: bool
    """Whether a sender published it, not a whole calendar that was exported."""
    is_meeting: bool
    position: tuple[float, float] | None = None

    @property
    def text(self) -> str:
        return f"{self.summary}\n{self.description}"[:_LONGEST]


_TRAVEL: Final = re.compile(
    r"X-KDE-KITINERARY|@hafas|tripit\.com|\b(?:flights?|flug|flugnr|vol|vuelo|volo|voo|vlucht|boarding|train|zug|"
    r"tgv|tren|treno|trein|"
    r"hotel|hostel|check-?in|check-?out|rental car|car rental|mietwagen|pick-?up|drop-?off|ferry|f\u00e4hre|airbnb|"
    r"stay at|"
    r"reservation at|dep\.? \d\d:\d\d|PNR|airport|flughafen|hauptbahnhof|hbf|booking reference|buchungscode)\b",
    re.IGNORECASE,
)
_TO: Final = re.compile(r"\u2192|->|=>|\u2794|\u27a1|\u2013>|\bto\b|\bnach\b|\bnaar\b|\bvers\b|\bhacia\b")
_ROUTE: Final = re.compile(
    rf"(?:\b(?:from|von|de|da|van|desde)\s+)?(?P<from>[^\n]{{2,60}}?)\s*(?:{_TO.pattern})\s*"
    r"(?P<to>[^\n]{2,60}?)(?=\s*(?:[,;|\u2022\u00b7\n]|$))"
)
_SPACED_ROUTE: Final = re.compile(
    r"(?P<from>[^\n]{2,60}?)\s+[-\u2013\u2014>\u203a\u00bb]\s+(?P<to>[^\n,;|\u2022\u00b7]{2,60}?)\s*(?=[,;|\u2022\u00b7]|$)"
)
_BEFORE_ROUTE: Final = re.compile(r"[^:\n]{2,40}:\s+")
_EDGES: Final = re.compile(r"^[\W_]+|[^\w)\]]+$")
_DASHED: Final = re.compile(r"(?<![A-Z])(?P<from>[A-Z]{3})\s*[-\u2013/>]+\s*(?P<to>[A-Z]{3})(?![A-Z])")
_CODES: Final = re.compile(r"[(\[]([A-Z]{3})[)\]]")
_FLIGHT_WORD: Final = re.compile(
    r"\b(?:flights?|flug(?:nr|nummer)?|vol|vuelo|volo|voo|vlucht|flyg|lot|let)\b|\u4fbf|\u822a\u73ed|\u2708",
    re.IGNORECASE,
)
_DEPARTURE: Final = re.compile(
    r"[^\d:\n(]{1,24}?(?P<time>\d{1,2}:\d{2})\s+(?P<station>\S[^\n]*?)\s*(?:\s-\s[^\n]*?)?\((?P<number>[^()\n]{1,30})\)\s*"
)
_ARRIVAL: Final = re.compile(r"[^\d:\n(]{1,24}?(?P<time>\d{1,2}:\d{2})\s+(?P<station>\S[^\n]*?)(?:\s+-\s[^\n]*)?")
_DETAILS: Final = re.compile(
    r"(?:Journey Details:\s*)?(?P<from>[^\n,:]{2,60}?)\s+to\s+(?P<to>[^\n,]{2,60}?),\s*dep\.?\s*"
    r"(?P<departs>\d{1,2}:\d{2}),\s*arr\.?\s*(?P<arrives>\d{1,2}:\d{2})"
)
_STATION_CODE: Final = re.compile(r"\s*\([A-Z]{3}\)\s*$")
_TRAIN: Final = re.compile(
    r"\b(?P<name>ICE|ECE|EC|IC|IR|RJX|RJ|NJ|EN|TGV(?: INOUI)?|INOUI|OUIGO|THA|EST|AVE|ALVIA|AVLO|FR|FA|FB|ITA|REX|"
    r"RE|RB|SC|LEO|RegioJet|"
    r"X2000|X2|SJ|TLK|EIP|EIC|WB|D|S|L|Train|Zug|Treno|Tren|Trein|Eurostar|Thalys|Frecciarossa|Italo|Acela|Amtrak)"
    r"\.?\s*(?:number\s+|n[\u00b0\u00bao]\.?\s*|Nr\.?\s*|#)?(?P<number>\d{1,5})\b"
)
_NAMELESS: Final = frozenset(["Train", "Zug", "Treno", "Tren", "Trein"])
_BUS_NUMBER: Final = re.compile(
    r"\b(?:flixbus|bus|coach)\s*(?:n[\u00b0\u00bao]\.?\s*|nr\.?\s*|#)?([A-Z]?\d{1,5})\b", re.IGNORECASE
)
_BUS: Final = re.compile(r"\b(?:bus|flixbus|coach|autobus|autocar|busverbindung)\b|^Bus\d", re.IGNORECASE)
_FERRY: Final = re.compile(
    r"\b(?:ferry|f\u00e4hre|faehre|traghetto|bac|veerboot|f\u00e4rja|prom|ship|schiff)\b", re.IGNORECASE
)
_RAIL_WORD: Final = re.compile(
    r"\b(?:train|zug|bahn|rail|tren|treno|trein|hbf|gare|gleis|platform|t\u00e5g|vlak|poci\u0105g)\b", re.IGNORECASE
)
_STAY: Final = re.compile(
    r"(?:(?:your|my|our|ihre?|unser|votre|su|tu|il tuo|la tua)\s+)?"
    r"(?:(?P<end>check-?\s?out|abreise|uitchecken)\b[\s:@-]*(?:(?:at|from|von|bei|de|da)\s+)?(?P<left>[^\n]*)|"
    r"(?:(?P<begin>check-?\s?in|anreise|inchecken)\b[\s:@-]*(?:(?:at|in|im|bei)\s+)?|"
    r"(?:hotel |lodging )?(?:stay|reservation|booking|buchung|reservierung|r\u00e9servation|reserva|prenotazione|"
    r"aufenthalt|s\u00e9jour|estancia|"
    r"soggiorno)\s+(?:at|in|im|bei|\u00e0|en|a|presso)\s+(?:l['\u2019])?|(?:hotel|hostel|airbnb)(?: reservation|"
    r" booking)?\s*[:\u2013-]\s*|hotel(?:reservierung|buchung)\s*[:\u2013-]?\s*)(?P<name>[^\n]+))",
    re.IGNORECASE,
)
_STAY_WORD: Final = re.compile(
    r"\b(?:hotel|hostel|lodging|airbnb|check-?in|check-?out|nights?|n\u00e4chte|unterkunft|guest ?house|resort|"
    r"pension|motel|h\u00e9bergement|alojamiento)\b",
    re.IGNORECASE,
)
_CAR: Final = re.compile(
    r"(?P<end>drop-?\s?off|return|r\u00fcckgabe|retour|devoluci\u00f3n|riconsegna)\b(?P<left>[^\n]*)|"
    r"(?:pick-?\s?up|abholung|prise en charge|recogida|ritiro)?\s*(?:rental car|car rental|mietwagen|"
    r"location de voiture|coche de alquiler|"
    r"auto a noleggio|noleggio auto|alquiler de coche)\b(?P<name>[^\n]*)",
    re.IGNORECASE,
)
_CAR_ENDS: Final = re.compile(r"\b(?:pick-?\s?up|drop-?\s?off|return|abholung|r\u00fcckgabe)\b", re.IGNORECASE)
_CAR_WORD: Final = re.compile(
    r"\b(?:rental car|car rental|mietwagen|location de voiture|alquiler de coche|noleggio|hertz|avis|sixt|europcar|"
    r"enterprise)\b",
    re.IGNORECASE,
)
_TABLE: Final = re.compile(
    r"(?:(?:table|dinner|lunch|brunch|restaurant) (?:reservation|booking)|reservation|dinner|lunch|"
    r"tisch(?:reservierung)?|tischreservierung|"
    r"r\u00e9servation(?: de table)?|reserva(?: de mesa)?|prenotazione(?: tavolo)?)\s*(?:at|im|in|bei|chez|\u00e0|"
    r"en|da|:|-)\s*(?P<name>[^\n]+)|(?:restaurant|restaurante|ristorante)\s+(?P<eatery>[^\n]+)",
    re.IGNORECASE,
)
_TABLE_WORD: Final = re.compile(
    r"\b(?:restaurant|table for|party of|dinner|tisch|opentable|resy|thefork|couverts|comensales|coperti|guests?|"
    r"pers|personen|personnes|personas|persone|"
    r"table)\b",
    re.IGNORECASE,
)
_PARTY: Final = re.compile(
    r"[\s,(\u2013-]*(?:for\s+)?\d{1,2}\s*(?:pers\.?|people|guests?|personen|personnes|personas|persone|couverts)\W*$",
    re.IGNORECASE,
)
_PREFIX: Final = re.compile(r"^(?:canceled|cancelled|updated|storniert|ge\u00e4ndert|fwd?|re|wg)\s*:\s*", re.IGNORECASE)
_BY_GOOGLE: Final = re.compile(r"^stay at ", re.IGNORECASE)


def looks_like_travel(block: str) -> bool:
    """Whether an entry of a big calendar is worth parsing."""
    block = block[:_LONGEST]
    return bool(_TRAVEL.search(block)) or any(map(_are_airports, _DASHED.finditer(block)))


def read_entry(entry: CalendarEntry) -> Sequence[Booking]:
    """The bookings of one entry, none if it is not about travel."""
    if entry.starts is None:
        return ()
    entry = replace(entry, summary=_PREFIX.sub("", entry.summary))
    for reader in (_connections, _flight, _car, _stay, _table, _train, _event):
        found = reader(entry)
        if found:
            status = "cancelled" if entry.is_cancelled else "confirmed"
            return [replace(one, source_id=entry.uid, source="calendar", status=status) for one in found]
    return ()


def _common(entry: CalendarEntry, kind: BookingKind) -> Booking:
    fields = labelled(entry.description)
    codes = [fields[name] for name in ("confirmation",) if name in fields]
    return Booking(
        kind=kind,
        confirmation_number=confirmation_in(codes),
        seat=fields.get("seat", "")[:20],
        travellers=(fields["traveller"][:80],) if "traveller" in fields else (),
        provider=fields.get("provider", "")[:80],
        price=fields.get("price", "")[:40],
    )


def _connections(entry: CalendarEntry) -> list[Booking]:
    """Every ride of a connection with changes, which railways describe line by line."""
    return _in_lines(entry) or _in_sentences(entry)


def _in_lines(entry: CalendarEntry) -> list[Booking]:
    """Pairs of lines: `ab 10:26 Frankfurt(Main)Hbf - Gleis 19 (ICE   16)`, `an 11:33 K\u00f6ln Hbf - Gleis 6`."""
    found: list[Booking] = []
    departure: re.Match[str] | None = None
    clock = _Calendar(entry)
    for line in entry.description[:_LONGEST].split("\n"):
        arrival = _ARRIVAL.fullmatch(line.strip())
        if departure is not None and arrival is not None:
            number = " ".join(departure["number"].split())
            origin, destination = _station(departure["station"]), _station(arrival["station"])
            starts = clock.next(departure["time"], origin)
            ends = clock.next(arrival["time"], destination)
            kind = _ride_kind(number)
            if starts and any(mark.isdecimal() for mark in number):
                ride = replace(_common(entry, kind), number=number, origin=origin, destination=destination)
                found.append(replace(ride, starts=starts, ends=ends))
            departure = None
        else:
            departure = _DEPARTURE.fullmatch(line.strip())
    return found


def _in_sentences(entry: CalendarEntry) -> list[Booking]:
    """`Glasgow Central (GLC) to London Euston (EUS), dep 12:40, arr 17:12`, then its mode of transport."""
    found: list[Booking] = []
    clock = _Calendar(entry)
    matches = list(_DETAILS.finditer(entry.description[:_LONGEST]))
    for index, match in enumerate(matches):
        until = matches[index + 1].start() if index + 1 < len(matches) else match.end() + 300
        details = entry.description[match.end() : until]
        origin, destination = (_station(_STATION_CODE.sub("", match[name])) for name in ("from", "to"))
        ride = replace(_common(entry, _ride_kind(details)), origin=origin, destination=destination)
        starts, ends = clock.next(match["departs"], origin), clock.next(match["arrives"], destination)
        found.append(replace(ride, starts=starts, ends=ends))
    return found


class _Calendar:
    """Days of clock times that follow each other: a time before the one before it is on the next day."""

    def __init__(self, entry: CalendarEntry) -> None:
        self._day: date | None = entry.starts.day if entry.starts else None
        self._zone = entry.starts.zone if entry.starts else None
        self._last = ""

    def next(self, text: str, place: BookingPlace) -> BookingTime | None:
        clock = find_clock(text)
        if clock is None or self._day is None:
            return None
        now = f"{clock:%H:%M}"
        if now < self._last:
            self._day += timedelta(days=1)
        self._last = now
        return BookingTime(self._day, clock, place.zone or self._zone)


def _flight(entry: CalendarEntry) -> list[Booking]:
    fields = labelled(entry.description)
    number = FLIGHT_NUMBER.search(fields.get("number", "")) or _number_in(entry)
    origin, destination = _airports(entry, fields.get("from", ""), fields.get("to", ""))
    is_named = bool(_FLIGHT_WORD.search(entry.text))
    if number is None and not (is_named and origin and destination):
        return []
    if not (origin and destination) and not (is_named and (origin or destination)):
        return []
    names = _route(_without_number(entry.summary)) or ("", _towards(entry.summary))
    left, right = (
        airport_place(code) if code else located(BookingPlace(name=name))
        for code, name in zip((origin, destination), names, strict=True)
    )
    flight = replace(_common(entry, "flight"), origin=left, destination=right)
    starts, ends = _span(entry, left.zone, right.zone)
    written = flight_number("", number[0]) if number else ""
    return [replace(flight, number=written, starts=starts, ends=None if entry.is_all_day else ends)]


def _number_in(entry: CalendarEntry) -> re.Match[str] | None:
    """In the title; in the description only after a word for flight."""
    for found in FLIGHT_NUMBER.finditer(entry.summary):
        if not _TRAIN.match(entry.summary, found.start()) or _FLIGHT_WORD.search(entry.summary):
            return found
    word = _FLIGHT_WORD.search(entry.description)
    return FLIGHT_NUMBER.search(entry.description, word.end(), word.end() + 60) if word else None


def _airports(entry: CalendarEntry, labelled_from: str, labelled_to: str) -> tuple[str, str]:
    """Codes out of the title, the labelled lines and the location, empty if unknown."""
    dashed = next((one for one in _DASHED.finditer(entry.summary) if _are_airports(one)), None)
    if dashed is not None:
        return dashed["from"], dashed["to"]
    origin, destination = airport_code(labelled_from), airport_code(labelled_to)
    route = _route(_without_number(entry.summary))
    if route is not None and not (origin and destination):
        origin, destination = origin or _code_of(route[0]), destination or _code_of(route[1])
    codes = [code for code in dict.fromkeys(_CODES.findall(entry.text)) if is_airport(code)]
    if not (origin and destination) and len(codes) == 2:
        origin, destination = codes
    origin = origin or _code_of(entry.location)
    return origin, destination or airport_code(_towards(entry.summary))


def _towards(summary: str) -> str:
    """`Flight to London (LH 2472)` goes to London."""
    found = re.search(r"\b(?:to|nach|vers|hacia|naar|\u00e0|a)\s+([^\n(]{3,40})", summary)
    return found[1].strip() if found else ""


def _route(text: str) -> tuple[str, str] | None:
    """Both ends: `Basel SBB \u2192 Z\u00fcrich HB`, `from Oslo to Bergen`, `FlixBus 421: Berlin - Praha`."""
    prefix = _BEFORE_ROUTE.match(text)
    for given in (text[prefix.end() :] if prefix else "", text):
        plain = _EDGES.sub("", given)
        found = (_TO.search(plain) and _ROUTE.search(plain)) or _SPACED_ROUTE.fullmatch(plain)
        if found is not None:
            return _EDGES.sub("", found["from"]), _EDGES.sub("", found["to"])
    return None


def _are_airports(found: re.Match[str]) -> bool:
    return is_airport(found["from"]) and is_airport(found["to"])


def _code_of(text: str) -> str:
    words = text.split()
    ends = [word for word in (words[-1:] + words[:1]) if re.fullmatch("[A-Z]{3}", word) and is_airport(word)]
    return airport_code(text) or (ends[0] if ends else "")


def _without_number(text: str) -> str:
    """`Flight AB 8075 from HEL to TXL` without the flight, so that a route remains."""
    return _FLIGHT_WORD.sub(" ", FLIGHT_NUMBER.sub(" ", text)).strip(" :,()-")


def _train(entry: CalendarEntry) -> list[Booking]:
    """`Basel SBB \u2192 Z\u00fcrich HB` with the train's number in the title or the description."""
    number = _TRAIN.search(entry.text)
    is_ride = number or any(word.search(entry.text) for word in (_RAIL_WORD, _BUS, _FERRY))
    route = _route(_TRAIN.sub(" ", entry.summary)) or ("", "")
    fields = labelled(entry.description)
    left, right = fields.get("from") or route[0], fields.get("to") or route[1]
    if not is_ride or entry.is_all_day or not (left and right):
        return []
    left = re.sub(
        r"^(?:train|zug|bus|ferry|travel|reise|f\u00e4hre|tren|treno|trein)\b[\s:]*(?:from|von|de|da|van)?\s*",
        "",
        left,
        flags=re.IGNORECASE,
    )
    origin, destination = _stations(_STATION_CODE.sub("", left), _STATION_CODE.sub("", right), entry)
    starts, ends = _span(entry, origin.zone, destination.zone)
    kind = "train" if number else _ride_kind(entry.text)
    bus = _BUS_NUMBER.search(entry.text) if kind == "bus" else None
    ride = replace(_common(entry, kind), origin=origin, destination=destination, starts=starts, ends=ends)
    return [replace(ride, number=_train_number(number) if number else bus[1] if bus else "")]


def _stations(left: str, right: str, entry: CalendarEntry) -> tuple[BookingPlace, BookingPlace]:
    """Namesakes on another continent (Dover in Delaware) are not where a train or a ferry goes."""
    origin, destination = _station(left), _station(right)
    own = entry.starts.zone if entry.starts else None
    areas = {one.zone.partition("/")[0] for one in (origin, destination) if one.zone}
    if len(areas) < 2 or own is None:
        return origin, destination
    left_zone, right_zone = (
        one.zone if one.zone and one.zone.partition("/")[0] == own.partition("/")[0] else own
        for one in (origin, destination)
    )
    return replace(origin, zone=left_zone), replace(destination, zone=right_zone)


def _train_number(found: re.Match[str]) -> str:
    return found["number"] if found["name"] in _NAMELESS else f"{found['name']} {found['number']}"


def _ride_kind(text: str) -> BookingKind:
    if _BUS.search(text):
        return "bus"
    return "ferry" if _FERRY.search(text) else "train"


def _stay(entry: CalendarEntry) -> list[Booking]:
    found = _STAY.match(entry.summary)
    fields = labelled(entry.description)
    if found is None and not ("checkin" in fields and "checkout" in fields):
        return []
    if found is not None and not (_STAY_WORD.search(entry.text) or _spans_nights(entry)):
        return []
    name = (found["name"] or found["left"] or "").strip() if found else fields.get("hotel", entry.summary)
    place = _place(entry, name)
    starts, ends = _span(entry, place.zone, place.zone)
    if entry.is_all_day and ends is not None and _BY_GOOGLE.match(entry.summary):
        ends = replace(ends, day=ends.day - timedelta(days=1))
    stay = replace(_common(entry, "stay"), name=name, origin=place, starts=starts, ends=ends)
    if found and not _spans_nights(entry):
        stay = replace(stay, starts=None, ends=starts) if found["end"] else replace(stay, ends=None)
    return [stay]


def _spans_nights(entry: CalendarEntry) -> bool:
    return (
        entry.starts is not None
        and entry.ends is not None
        and entry.ends.day > entry.starts.day + timedelta(days=entry.is_all_day)
    )


def _car(entry: CalendarEntry) -> list[Booking]:
    found = _CAR.search(entry.summary)
    if found is None or not _CAR_WORD.search(entry.text):
        return []
    rest = re.sub(
        r"^(?:\s*(?:reservation|rental car|car rental|mietwagen))*[\s:\u2013-]*",
        "",
        found["name"] or found["left"] or "",
        flags=re.IGNORECASE,
    )
    fields = labelled(entry.description)
    origin = located(BookingPlace(name=fields.get("pickup", entry.location)[:200], position=entry.position))
    destination = located(BookingPlace(name=fields.get("dropoff", "")[:200])) if "dropoff" in fields else BookingPlace()
    starts, ends = _span(entry, origin.zone, destination.zone or origin.zone)
    rest = _CAR_ENDS.sub("", rest).strip(" :\u2013-") or entry.summary[: found.start()].strip(" :\u2013-")
    car = replace(_common(entry, "car"), name=rest, origin=origin, destination=destination, starts=starts, ends=ends)
    if not _spans_nights(entry) and (found["end"] or re.search("pick-?\\s?up|abholung", entry.summary, re.IGNORECASE)):
        car = replace(car, starts=None, ends=starts) if found["end"] else replace(car, ends=None)
    return [car]


def _table(entry: CalendarEntry) -> list[Booking]:
    found = _TABLE.match(entry.summary)
    if found is None or entry.is_all_day or _spans_nights(entry):
        return []
    is_one = _TABLE_WORD.search(entry.text) or re.match("reservation at", entry.summary, re.IGNORECASE)
    if not is_one or entry.is_meeting:
        return []
    name = _PARTY.sub("", found["name"] or found[0]).strip()
    place = _place(entry, name)
    starts, ends = _span(entry, place.zone, place.zone)
    return [replace(_common(entry, "restaurant"), name=name, origin=place, starts=starts, ends=ends)]


def _event(entry: CalendarEntry) -> list[Booking]:
    """What somebody published as a single entry with a place. A meeting of one's own calendar is none."""
    if not entry.is_sent or entry.is_meeting or not entry.summary or not (entry.location or entry.position):
        return []
    place = _place(entry, "")
    starts, ends = _span(entry, place.zone, place.zone)
    if entry.is_all_day and ends is not None:
        ends = replace(ends, day=ends.day - timedelta(days=1))
    return [replace(_common(entry, "event"), name=entry.summary, origin=place, starts=starts, ends=ends)]


def _span(
    entry: CalendarEntry, start_zone: str | None, end_zone: str | None
) -> tuple[BookingTime | None, BookingTime | None]:
    starts = at_place(entry.starts, start_zone) if entry.starts else None
    return starts, at_place(entry.ends, end_zone) if entry.ends else None


def _place(entry: CalendarEntry, name: str) -> BookingPlace:
    place = BookingPlace(name or entry.location.split("\n")[0][:200], address=" ".join(entry.location.split())[:300])
    return located(replace(place, position=entry.position))


def _station(name: str) -> BookingPlace:
    return located(BookingPlace(name=" ".join(name.split())))
