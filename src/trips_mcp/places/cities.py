"""Cities and countries, by name in many languages and by position. A shared name returns all of its cities."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from math import asin, cos, hypot, radians, sin, sqrt
from typing import Final
from zoneinfo import ZoneInfo

from trips_mcp.places.airports import airport_zone
from trips_mcp.places.tables import column, fold, rows_with, values, zone

CAPITAL_WEIGHT: Final = 4
"""Factor on the population of a capital."""
PROMINENT_RATIO: Final = 8
"""A bare name means a city that is this many times larger than its namesakes: Paris, Vienna."""
DOMESTIC_RATIO: Final = 12
"""The ratio for namesakes of one country in several zones, as a mistake is likely and changes the clock."""
NEAR_KM: Final = 150.0
"""A position selects a namesake within this distance, if it is the only one."""
EARTH_RADIUS_KM: Final = 6371.0088
REACH_KM: Final = 75.0
"""Maximum distance to a known place. Farther positions have no zone."""
MARGIN: Final = 1.5
MARGIN_KM: Final = 10.0
"""Places within the nearest distance times `MARGIN` plus `MARGIN_KM` must all have the same time."""
_KM_A_DEGREE: Final = 111.2
_YEAR: Final = datetime(2027, 1, 1, tzinfo=UTC)
_MARKS: Final = re.compile("[(),;/|\uff08\uff09\uff0c\u3001]")
_TEXTS: Final = ("names", "local names", "other names", "regions")


@dataclass(frozen=True, slots=True)
class Country:
    code: str
    """ISO 3166-1, two letters."""
    name: str
    """In English."""
    names: frozenset[str]
    """In every language the tables have, folded."""


def country(code: str) -> Country | None:
    return _countries_by_code().get(code.upper())


@cache
def country_named(name: str) -> Country | None:
    """Look up a name in any language or a common short form (`UK`, `Holland`), but not a code."""
    return _countries_by_name().get(fold(name))


@cache
def _countries_by_code() -> dict[str, Country]:
    found: dict[str, Country] = {}
    for line in values("countries", "countries"):
        title, *names = line.removesuffix("|").split("|")
        code, name = title.split(" ", 1)
        found[code] = Country(code, name, frozenset(names))
    return found


@cache
def _countries_by_name() -> dict[str, Country]:
    return {name: one for one in _countries_by_code().values() for name in one.names}


@dataclass(frozen=True, slots=True)
class City:
    name: str
    """In English."""
    local_name: str
    """In the local language and script; may equal the English name."""
    country: str
    """ISO 3166-1, two letters."""
    region: str
    """State or province in English if the country has several cities of that name, else empty."""
    latitude: float
    longitude: float
    """In hundredths of a degree, so accurate to a kilometre."""
    zone: str
    """IANA."""
    population: int
    """Rounded to its first digit; 0 if unknown."""
    is_capital: bool
    names: frozenset[str]
    """In every language the tables have, folded."""

    @property
    def position(self) -> tuple[float, float]:
        return self.latitude, self.longitude

    @property
    def prominence(self) -> int:
        return max(self.population, 1) * (CAPITAL_WEIGHT if self.is_capital else 1)


@lru_cache(maxsize=4096)
def cities_named(name: str) -> tuple[City, ...]:
    """All cities with exactly this name in any language, the most prominent first."""
    folded = fold(name)
    if not folded:
        return ()
    found = map(city_at, _rows_of(folded))
    return tuple(sorted(found, key=lambda city: (-city.prominence, city.country, city.region)))


def find_cities(text: str, *, country: str | None = None, near: tuple[float, float] | None = None) -> tuple[City, ...]:
    """Cities that a text may mean (`Wien, Österreich`, `Springfield (Illinois)`): one if clear, none if unknown.

    `country` is a two-letter code, `near` a (latitude, longitude).
    """
    found = _with_qualifiers(text)
    if country is not None:
        found = tuple(city for city in found if city.country == country)
    if near is not None and len(found) > 1:
        close = tuple(city for city in found if distance_km(city.position, near) <= NEAR_KM)
        found = close or found
    clear = the_one(found)
    return found if clear is None else (clear,)


def find_city(text: str, *, country: str | None = None, near: tuple[float, float] | None = None) -> City | None:
    """The city that a text means; None if it is unknown or ambiguous."""
    found = find_cities(text, country=country, near=near)
    return found[0] if len(found) == 1 else None


def the_one(cities: Sequence[City]) -> City | None:
    """The most prominent city if it clearly exceeds all others, else None."""
    if not cities:
        return None
    best, *others = sorted(cities, key=lambda city: -city.prominence)
    clear = all(best.prominence >= other.prominence * _ratio(best, other) for other in others)
    return best if clear else None


def _ratio(one: City, other: City) -> int:
    return DOMESTIC_RATIO if one.country == other.country and one.zone != other.zone else PROMINENT_RATIO


def _city_zone(row: int) -> str:
    return zone("cities", row, _city_countries()[row])


@cache
def _city_countries() -> Sequence[str]:
    """Decode lines such as `AT 12`, which stands for twelve rows."""
    runs = (line.split(" ") for line in values("cities", "countries"))
    return [code for code, count in runs for _ in range(int(count))]


def city_at(row: int) -> City:
    name, local, others, region = (values("cities", title)[row] for title in _TEXTS)
    country = _city_countries()[row]
    return City(
        name=name,
        local_name=local or name,
        country=country,
        region=region,
        latitude=int(values("cities", "latitudes")[row]) / 100,
        longitude=int(values("cities", "longitudes")[row]) / 100,
        zone=_city_zone(row),
        population=int(values("cities", "populations")[row]) * 1_000,
        is_capital=str(row) in _capitals(),
        names=frozenset({fold(name), fold(local), *others.split("|")} - {""}),
    )


def _with_qualifiers(text: str) -> tuple[City, ...]:
    """Accept a country, a region or its abbreviation after the name: `Portland, Maine, USA`."""
    whole = cities_named(text)
    if whole:
        return whole
    name, *qualifiers = [part for part in _parts(text) if part] or [""]
    found = cities_named(name) if qualifiers else ()
    for qualifier in qualifiers:
        found = _qualified(found, qualifier)
    return found


def _parts(text: str) -> list[str]:
    return [part.strip() for part in _MARKS.split(text)]


def _qualified(cities: Sequence[City], qualifier: str) -> tuple[City, ...]:
    """Filter by a qualifier. Unknown ones (`old town`) change nothing; a wrong country leaves none."""
    named = country_named(qualifier) or (country(qualifier) if len(qualifier) == 2 and qualifier.isupper() else None)
    folded = fold(qualifier)
    in_region = tuple(
        city for city in cities if city.region and folded in (fold(city.region), _US_STATES.get(fold(city.region), ""))
    )
    if in_region:
        return in_region
    if named is None or (
        named.code.casefold() in _US_STATES.values() and len(qualifier) == 2 and not _in(cities, named.code)
    ):
        return tuple(cities)
    return _in(cities, named.code)


def _in(cities: Iterable[City], country: str) -> tuple[City, ...]:
    return tuple(city for city in cities if city.country == country)


def _rows_of(folded: str) -> set[int]:
    """Names are written once: where lower case is all that folding does, they stand among the names alone."""
    return {
        *rows_with(f"\n{folded}\n", _lowered("names")),
        *rows_with(f"\n{folded}\n", _lowered("local names")),
        *rows_with(f"|{folded}|", column("cities", "other names")),
    }


@cache
def _lowered(title: str) -> str:
    return column("cities", title).casefold()


@cache
def _capitals() -> frozenset[str]:
    return frozenset(values("cities", "capitals"))


_US_STATES: Final = {
    "alabama": "al", "alaska": "ak", "arizona": "az", "arkansas": "ar", "california": "ca", "colorado": "co",
    "connecticut": "ct", "delaware": "de", "florida": "fl", "georgia": "ga", "hawaii": "hi", "idaho": "id",
    "illinois": "il", "indiana": "in", "iowa": "ia", "kansas": "ks", "kentucky": "ky", "louisiana": "la",
    "maine": "me", "maryland": "md", "massachusetts": "ma", "michigan": "mi", "minnesota": "mn", "mississippi": "ms",
    "missouri": "mo", "montana": "mt", "nebraska": "ne", "nevada": "nv", "new hampshire": "nh", "new jersey": "nj",
    "new mexico": "nm", "new york": "ny", "north carolina": "nc", "north dakota": "nd", "ohio": "oh",
    "oklahoma": "ok", "oregon": "or", "pennsylvania": "pa", "rhode island": "ri", "south carolina": "sc",
    "south dakota": "sd", "tennessee": "tn", "texas": "tx", "utah": "ut", "vermont": "vt", "virginia": "va",
    "washington": "wa", "west virginia": "wv", "wisconsin": "wi", "wyoming": "wy",
}  # fmt: skip


def distance_km(from_: tuple[float, float], to: tuple[float, float]) -> float:
    """Along a great circle between two points, each (latitude, longitude) in degrees."""
    south, west, north, east = *map(radians, from_), *map(radians, to)
    half = hypot(sin((north - south) / 2), sqrt(cos(south) * cos(north)) * sin((east - west) / 2))
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, half))


@dataclass(frozen=True, slots=True)
class Nearest:
    """The known place nearest to a position, and the zone that all places near it share."""

    zone: str
    name: str
    country: str
    distance_km: float


@dataclass(frozen=True, slots=True)
class _Point:
    distance_km: float
    zone: str
    country: str
    name: Callable[[], str]


@lru_cache(maxsize=4096)
def zone_at(latitude: float, longitude: float, country: str | None = None) -> Nearest | None:
    """The nearest city or airport, in `country` if given. None at sea and where zones of different time meet.

    A map of zones would be ten times as large.
    """
    near = [point for point in _around(latitude, longitude) if country in (None, point.country)]
    nearest = min(near, key=lambda point: point.distance_km, default=None)
    if nearest is None or nearest.distance_km > REACH_KM:
        return None
    reach = nearest.distance_km * MARGIN + MARGIN_KM
    zones = {point.zone for point in near if point.distance_km <= reach}
    if len(set(map(_offsets, zones))) > 1:
        return None
    return Nearest(nearest.zone, nearest.name(), nearest.country, nearest.distance_km)


def _around(latitude: float, longitude: float) -> Iterator[_Point]:
    for row, away in _rows_around("cities", latitude, longitude):
        yield _Point(away, _city_zone(row), _city_countries()[row], lambda row=row: values("cities", "names")[row])
    for row, away in _rows_around("airports", latitude, longitude):
        country = values("airports", "countries")[row]
        yield _Point(away, airport_zone(row), country, lambda row=row: values("airports", "names")[row])


def _rows_around(table: str, latitude: float, longitude: float) -> Iterator[tuple[int, float]]:
    reach = (REACH_KM * MARGIN + MARGIN_KM) / _KM_A_DEGREE
    south, north = (latitude - reach) * 100, (latitude + reach) * 100
    latitudes, longitudes = _latitudes(table), values(table, "longitudes")
    wide = 100 * min(180.0, reach / max(cos(radians(min(90.0, abs(latitude) + reach))), 0.01))
    for row in [row for row, one in enumerate(latitudes) if south <= one <= north]:
        east = int(longitudes[row])
        apart = abs(east - longitude * 100)
        if min(apart, 36_000 - apart) <= wide:
            yield row, distance_km((latitude, longitude), (latitudes[row] / 100, east / 100))


@cache
def _latitudes(table: str) -> Sequence[int]:
    """In hundredths of a degree."""
    return list(map(int, values(table, "latitudes")))


@cache
def _offsets(zone: str) -> tuple[timedelta | None, ...]:
    """Offsets in each week of a year, equal for zones whose clocks agree all year."""
    clock = ZoneInfo(zone)
    return tuple((_YEAR + timedelta(days)).astimezone(clock).utcoffset() for days in range(0, 366, 7))
