"""Times and places as senders write them, with the airports and zones that the tables know.

Times are ISO 8601 and its misspellings, calendar forms, and dates in words.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from trips_mcp.bookings.model import BookingPlace, BookingTime
from trips_mcp.places.airports import GENERIC_WORDS, Airport, airport, airports_named, metropolitan, metropolitan_of
from trips_mcp.places.cities import country, country_named, find_city, zone_at
from trips_mcp.places.stops import Stop, find_stop
from trips_mcp.places.tables import fold, without_accents

FIRST_YEAR: Final = 1990
LAST_YEAR: Final = 2100
_LONGEST: Final = 200
"""Characters of a text that may hold a time."""

_ISO: Final = re.compile(
    r"(?P<y>\d{4})-?(?P<m>\d{2})-?(?P<d>\d{2})"
    r"(?:(?:T|t|\s+)(?P<H>\d{1,2}):?(?P<M>\d{2})(?::?(?P<S>\d{2})(?:[.,]\d+)?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<o>[Zz]|UTC|GMT|[+-]\d{1,2}:?\d{0,2})?(?:\[[\w/+-]{1,60}\])?)?"
)
_CLOCK: Final = re.compile(r"(?<![\d.:])(\d{1,2})(?:[:.hH]|\s?Uhr\s?)(\d{2})(?!\d)(?:\s*([AaPp])\.?\s?[Mm]\b)?")
_CLOCK_12: Final = re.compile(r"\b(\d{1,2})\s?([AaPp])\.?[Mm]\b")
_NUMERIC: Final = re.compile(r"(?<!\d)(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_YEAR_FIRST: Final = re.compile(r"(?<!\d)(?P<y>\d{4})([./-])(?P<m>\d{1,2})\2(?P<d>\d{1,2})(?!\d)")
_CJK: Final = re.compile(
    "(?P<y>\\d{4})\\s?[\u5e74\ub144]\\s?(?P<m>\\d{1,2})\\s?[\u6708\uc6d4]\\s?(?P<d>\\d{1,2})\\s?[\u65e5\uc77c]"
)
_DAY_MONTH: Final = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|er|\.|\u00ba)?[\s-]*(?:de\s+|of\s+|d')?([^\W\d_]{3,12})\.?,?[\s-]*(?:de\s+|"
    r"del\s+)?(\d{4}|\d{2})(?![\d:])"
)
_MONTH_DAY: Final = re.compile(r"([^\W\d_]{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)")
_MONTHS: Final = (
    "january januar janvier enero gennaio janeiro januari styczen stycznia leden ledna janner jan ene gen janv sty",
    "february februar fevrier febrero febbraio fevereiro februari luty lutego unor unora feb fev fevr lut",
    "march marz mars marzo marco maart marzec marca brezen brezna mar mrz mae maerz mrt",
    "april avril abril aprile kwiecien kwietnia duben dubna apr avr abr kwi",
    "may mai mayo maggio maio mei maj maja kveten kvetna mag",
    "june juni juin junio giugno junho czerwiec czerwca cerven cervna jun giu cze",
    "july juli juillet julio luglio julho lipiec lipca cervenec cervence jul juil lug lip",
    "august aout agosto augustus augusti sierpien sierpnia srpen srpna aug ago sie aou",
    "september septembre septiembre settembre setembro wrzesien wrzesnia zari sep sept set wrz",
    "october oktober octobre octubre ottobre outubro pazdziernik pazdziernika rijen rijna oct okt ott out paz",
    "november novembre noviembre novembro listopad listopada listopadu nov lis",
    "december dezember decembre diciembre dicembre dezembro grudzien grudnia prosinec prosince dec dez dic gru",
)
"""In English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Polish, Czech; without accents."""
_IN_BRACKETS: Final = re.compile(r"[(\[]([A-Z]{3})[)\]]")
_LONGEST_PLACE: Final = 120


@dataclass(frozen=True, slots=True)
class WrittenTime:
    """A time as written, before its place is known."""

    day: date
    clock: time | None = None
    offset: timedelta | None = None
    """From UTC. None if the text names none."""
    zone: str | None = None
    """IANA, if the text names one."""


def read_iso(text: str) -> WrittenTime | None:
    """Parse ISO 8601 as senders misspell it: without seconds, `+0:00`, a space for the T, `8:30`."""
    found = _ISO.fullmatch(text.strip()[:_LONGEST])
    if found is None:
        return None
    day = real_date(int(found["y"]), int(found["m"]), int(found["d"]))
    if day is None:
        return None
    if found["H"] is None:
        return WrittenTime(day)
    hour, minute = _half_day(int(found["H"]), found["half"]), int(found["M"])
    if (hour, minute) == (24, 0) and day.year < LAST_YEAR:
        return WrittenTime(day + timedelta(days=1), time(), _offset(found["o"]))
    if hour is None or hour > 23 or minute > 59:
        return None
    return WrittenTime(day, time(hour, minute), _offset(found["o"]))


def read_written(text: str) -> WrittenTime | None:
    """Parse ISO 8601, else a date in words or figures with the clock time beside it, if any."""
    text = text.strip()[:_LONGEST]
    exact = read_iso(text)
    if exact is not None:
        return exact
    day = find_date(text)
    return None if day is None else WrittenTime(day, find_clock(_without_dates(text)))


def find_date(text: str) -> date | None:
    """The first full date in a text: `05NOV17`, `31 Jan 2000`, `12.05.2027`, `5. M\u00e4rz 2027`.

    03/04/2027 may be March or April: None.
    """
    text = text[:_LONGEST]
    return _of_figures(text) or _of_words(text)


def find_clock(text: str) -> time | None:
    """The first clock time: `8:05`, `20.15`, `8h05`, `8:05 pm`, `8 pm`."""
    found = _CLOCK.search(text[:_LONGEST])
    if found is not None:
        hour, minute = _half_day(int(found[1]), found[3]), int(found[2])
        return time(hour, minute) if hour is not None and hour < 24 and minute < 60 else None
    found = _CLOCK_12.search(text[:_LONGEST])
    hour = _half_day(int(found[1]), found[2]) if found else None
    return None if hour is None else time(hour)


def real_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if FIRST_YEAR <= year <= LAST_YEAR else None
    except ValueError:
        return None


def at_place(written: WrittenTime, zone: str | None, *, is_wall_clock: bool = False) -> BookingTime:
    """The wall clock of a place in `zone`. An offset is an instant, not a zone.

    Two kinds of offsets are no instants: one that the zone has in another season, because the sender forgot summer
    time; and, with `is_wall_clock`, UTC: systems without zones write it beside a hotel's local times.
    """
    zone = zone or written.zone
    if written.clock is None:
        return BookingTime(written.day, None, zone)
    if written.offset is None:
        return _in_zone(written, zone)
    if zone is None:
        is_utc = not written.offset and not is_wall_clock
        return BookingTime(written.day, written.clock, "UTC" if is_utc else None)
    as_written = is_wall_clock if not written.offset else written.offset in _offsets(zone, written.day.year)
    if as_written:
        return BookingTime(written.day, written.clock, zone)
    return _converted(datetime.combine(written.day, written.clock, timezone(written.offset)), zone)


def minutes_between(earlier: BookingTime, later: BookingTime) -> float | None:
    """None if a clock time is unknown. Without zones both are taken for one zone."""
    if earlier.clock is None or later.clock is None:
        return None
    first, second = (datetime.combine(one.day, one.clock or time()) for one in (earlier, later))
    if earlier.zone and later.zone:
        first, second = first.replace(tzinfo=ZoneInfo(earlier.zone)), second.replace(tzinfo=ZoneInfo(later.zone))
        return (second.astimezone(UTC) - first.astimezone(UTC)).total_seconds() / 60
    return (second - first).total_seconds() / 60


@cache
def is_zone(name: str) -> bool:
    """Whether it is an IANA zone of the system or of the package `tzdata`."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return "/" in name or name == "UTC"


def _in_zone(written: WrittenTime, zone: str | None) -> BookingTime:
    """A time in the zone that its text names, as the clock of the place shows it."""
    clock = written.clock or time()
    if written.zone is None or zone is None or written.zone == zone:
        return BookingTime(written.day, clock, zone)
    return _converted(datetime.combine(written.day, clock, ZoneInfo(written.zone)), zone)


def _converted(instant: datetime, zone: str) -> BookingTime:
    local = instant.astimezone(ZoneInfo(zone))
    return BookingTime(local.date(), local.time(), zone)


@cache
def _offsets(zone: str, year: int) -> frozenset[timedelta | None]:
    clock = ZoneInfo(zone)
    return frozenset(datetime(year, month, 1, tzinfo=clock).utcoffset() for month in range(1, 13))


def _offset(text: str | None) -> timedelta | None:
    if not text:
        return None
    if text.upper() in ("Z", "UTC", "GMT"):
        return timedelta()
    sign, digits = -1 if text[0] == "-" else 1, text[1:].replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    return sign * timedelta(hours=hours, minutes=minutes) if hours <= 14 and minutes < 60 else None


def _half_day(hour: int, half: str | None) -> int | None:
    if not half:
        return hour
    if not 1 <= hour <= 12:
        return None
    return hour % 12 + (12 if half[0] in "pP" else 0)


def _of_figures(text: str) -> date | None:
    for pattern in (_ISO, _YEAR_FIRST, _CJK):
        found = pattern.search(text)
        if found is not None and (day := real_date(int(found["y"]), int(found["m"]), int(found["d"]))):
            return day
    found = _NUMERIC.search(text)
    if found is None:
        return None
    first, mark, second, year = int(found[1]), found[2], int(found[3]), _year(found[4])
    if mark == "." or first > 12:
        return real_date(year, second, first)
    if second > 12:
        return real_date(year, first, second)
    return real_date(year, second, first) if first == second else None


def _of_words(text: str) -> date | None:
    plain = without_accents(text)
    for found in _DAY_MONTH.finditer(plain):
        month = _months().get(found[2])
        if month and (day := real_date(_year(found[3]), month, int(found[1]))):
            return day
    for found in _MONTH_DAY.finditer(plain):
        month = _months().get(found[1])
        if month and (day := real_date(int(found[3]), month, int(found[2]))):
            return day
    return None


def _without_dates(text: str) -> str:
    """12.05.2027 has no clock time 12:05."""
    for pattern in (_ISO, _YEAR_FIRST, _CJK, _NUMERIC):
        text = pattern.sub(" ", text)
    return text


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


@cache
def _months() -> dict[str, int]:
    return {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}


@lru_cache(maxsize=1000)
def airport_code(text: str) -> str:
    """The airport's code that a text holds or names clearly, else empty: `Newark Intl (EWR)`, `TOULOUSE FR BLAGNAC`."""
    text = " ".join(text.split())[:_LONGEST_PLACE]
    for code in _IN_BRACKETS.findall(text):
        if is_airport(code):
            return code
    if re.fullmatch("[A-Z]{3}", text) and is_airport(text):
        return text
    stop = find_stop(text)
    if stop is not None and stop.code:
        return stop.code
    words = [word for word in fold(text).split() if word not in GENERIC_WORDS and not country(word)]
    found = _of_city(stop) if stop is not None else _named(words)
    if stop is not None and found is None:
        named = _named(words)
        found = named if named and named.zone == stop.zone else None  # London is not in Ontario
    return found.code if found else ""


def is_airport(code: str) -> bool:
    return airport(code) is not None or metropolitan(code) is not None


def airport_place(code: str, name: str = "") -> BookingPlace:
    """An airport by its code, with what the tables know of it."""
    one = airport(code)
    if one is not None:
        return BookingPlace(name or one.name, one.code, "", one.city, one.country, one.position, one.zone)
    several = metropolitan(code)
    zones = {each.zone for each in several.airports} if several else set[str]()
    return BookingPlace(name, code, zone=zones.pop() if len(zones) == 1 else None)


def located(place: BookingPlace) -> BookingPlace:
    """The place with its zone, by position, city or name."""
    if place.zone:
        return place
    return replace(place, zone=_zone_of(place))


def real_position(latitude: object, longitude: object) -> tuple[float, float] | None:
    """A position on Earth, from numbers or their text. Zero and zero stand for an unknown one."""
    try:
        found = float(str(latitude).replace(",", ".")), float(str(longitude).replace(",", "."))
    except ValueError:
        return None
    is_real = abs(found[0]) <= 90 and abs(found[1]) <= 180 and found != (0.0, 0.0)
    return found if is_real else None


def _zone_of(place: BookingPlace) -> str | None:
    if place.position is not None:
        near = zone_at(*place.position)
        if near is not None:
            return near.zone
    code = _country_code(place.country)
    if place.city:
        city = find_city(place.city, country=code, near=place.position)
        if city is not None:
            return city.zone
    city = find_city(place.address, country=code) if place.address else None
    if city is not None:
        return city.zone
    for text in (*reversed(_parts(place.address)), place.name):
        stop = find_stop(text) if text else None
        if stop is not None and code in (None, stop.country):
            return stop.zone
    return None


def _parts(address: str) -> list[str]:
    """Its parts without postcodes, house numbers and countries."""
    words = ([word for word in part.split() if not any(map(str.isdecimal, word))] for part in address.split(","))
    parts = [" ".join(each) for each in words]
    return [part for part in parts if part and country_named(part) is None]


def _country_code(text: str) -> str | None:
    found = (country(text) if len(text) == 2 else None) or country_named(text)
    return found.code if found else None


def _of_city(city: Stop) -> Airport | None:
    """Its airport, if it has a single one: Munich's. Rome has two, though only one of them has its name."""
    name = fold(city.name)
    found = [one for one in airports_named(name) if one.zone == city.zone and fold(one.city) == name]
    return found[0] if len(found) == 1 and not metropolitan_of(found[0].code) else None


def _named(words: list[str]) -> Airport | None:
    """An airport after its words, or the only one of the city that they begin with."""
    unique = list(dict.fromkeys(words))
    for count in range(len(unique), 0, -1):
        found = airports_named(" ".join(unique[:count]))
        if len(found) == 1:
            city = find_stop(" ".join(unique[:count])) if count < len(unique) else None
            return found[0] if city is None or city.zone == found[0].zone else _of_city(city)
        of_city = [one for one in found if fold(one.city) == " ".join(unique[:count])]
        if len(of_city) == 1:
            return of_city[0]
        if found and count == len(unique):
            international = [one for one in found if fold(one.name) == " ".join(unique)]
            if len(international) == 1:
                return international[0]
    return None
