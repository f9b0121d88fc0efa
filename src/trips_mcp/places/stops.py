"""Stops of flights and trains, as tickets and travellers write them: `HND`, `Wien Hbf`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from trips_mcp.places.airports import GENERIC_WORDS, Airport, airport, airports_named, metropolitan
from trips_mcp.places.cities import City, distance_km, find_city
from trips_mcp.places.tables import fold

SERVES_KM: Final = 150.0
"""Maximum distance of an airport from the city that its ticket names."""
_LONGEST: Final = 80
"""Maximum characters of a name."""
_CODE: Final = re.compile(r"[A-Za-z]{3}")
_CODE_WITHIN: Final = re.compile(
    r"(?P<first>[A-Z]{3})\b[ ,:/\u2013-]*(?P<rest>.*)|(?P<before>.*?)[ ,:/(\[\u2013-]+(?P<last>[A-Z]{3})[)\]]?"
)
_STATION_WORDS: Final = frozenset(
    [
        *("hbf", "hauptbahnhof", "bahnhof", "bf", "hb", "ostbahnhof", "westbahnhof", "sudkreuz", "altona", "spandau"),
        *("gare", "station", "centrale", "central", "centraal", "termini", "tiburtina", "porta", "garibaldi", "smn"),
        *("sants", "atocha", "chamartin", "estacion", "estacio", "stazione", "estacao", "dworzec", "glowna", "penn"),
        *("union", "pancras", "euston", "paddington", "waterloo", "cross", "victoria", "montparnasse", "austerlitz"),
        *("bercy", "midi", "zuid", "mestre", "port", "ferry", "harbour", "harbor", "pier", "hafen", "porto", "puerto"),
        *("bus", "coach", "zob", "eki", "駅", "站"),
    ]
)
"""After a city's name, these name a station or a port in it."""
_STATION_SUFFIXES: Final = ("国際空港", "空港", "駅", "国际机场", "机场", "站", "市")


@dataclass(frozen=True, slots=True)
class Stop:
    """A known place with its position and zone, and how it was recognised."""

    name: str
    country: str
    """ISO 3166-1, two letters."""
    latitude: float
    longitude: float
    zone: str
    """IANA."""
    known_by: str
    """`airport code HND`, `airport Tokyo Haneda`, `city Vienna`."""

    is_by_code: bool
    """Whether it is an airport identified by its own code."""
    code: str = ""
    """IATA code if it is an airport, else empty."""

    @property
    def position(self) -> tuple[float, float]:
        return self.latitude, self.longitude


@lru_cache(maxsize=4096)
def find_stop(text: str) -> Stop | None:
    """None if it is unknown, or may be places with different time."""
    text = " ".join(text.split())
    if len(text) > _LONGEST:
        return None
    for reader in (_by_code, _by_code_within, _by_city, _by_airport_name, _by_station):
        found = reader(text)
        if found is not None:
            return found
    return None


def _by_code(text: str) -> Stop | None:
    """Three capitals are a code. In other letters, a city of that name comes first (`Rom`, `Ulm`)."""
    if not _CODE.fullmatch(text):
        return None
    if not text.isupper() and (city := find_city(text)):
        return _of_city(city)
    one = airport(text)
    if one is not None:
        return _of_airport(one, f"airport code {one.code}")
    several = metropolitan(text)
    if several is None or len({each.zone for each in several.airports}) != 1:
        return None
    main = several.airports[0]
    return Stop(several.name, main.country, *main.position, main.zone, f"city code {several.code}", is_by_code=False)


def _by_code_within(text: str) -> Stop | None:
    """`Tokyo (HND)`, `HND Haneda`. The words must fit the code, or THE Hague would be in Brazil."""
    found = _CODE_WITHIN.fullmatch(text)
    if found is None:
        return None
    code, words = (found["first"], found["rest"]) if found["first"] else (found["last"], found["before"])
    one = airport(code)
    if one is None or not _fits(one, words):
        return None
    return _of_airport(one, f"airport code {one.code}")


def _fits(one: Airport, words: str) -> bool:
    """Whether the words fit the code. Generic words such as `Terminal 4` fit every code that is not a generic word."""
    if not _specific_words(words):
        return one.code.casefold() not in GENERIC_WORDS
    city = find_city(words)
    if city is not None:
        return distance_km(city.position, one.position) <= SERVES_KM
    return bool({*_specific_words(words)} & {*_specific_words(one.name), *_specific_words(one.city)})


def _by_city(text: str) -> Stop | None:
    city = find_city(text) or find_city(" ".join(_specific_words(text))) or find_city(_without_suffix(text))
    return _of_city(city) if city else None


def _by_airport_name(text: str) -> Stop | None:
    found = _one_of(airports_named(text)) or _one_of(_named_after_city(text))
    return _of_airport(found, f"airport {found.name}") if found else None


def _named_after_city(text: str) -> Sequence[Airport]:
    """`Milano Malpensa`, `Londres Heathrow`: a city in any language, then its airport's name."""
    words = text.split(" ")
    for count in range(len(words) - 1, 0, -1):
        city, rest = find_city(" ".join(words[:count])), " ".join(words[count:])
        if city is not None:
            return [one for one in airports_named(rest) if distance_km(one.position, city.position) <= SERVES_KM]
    return ()


def _by_station(text: str) -> Stop | None:
    words = text.split(" ")
    for count in range(len(words) - 1, 0, -1):
        city = find_city(" ".join(words[:count]))
        if city is not None and {*fold(" ".join(words[count:])).split()} & _STATION_WORDS:
            return _of_city(city)
    return None


def _one_of(airports: Sequence[Airport]) -> Airport | None:
    return airports[0] if len(airports) == 1 else None


def _specific_words(text: str) -> list[str]:
    return [word for word in fold(text).split() if word not in GENERIC_WORDS]


def _without_suffix(text: str) -> str:
    return next((text.removesuffix(suffix) for suffix in _STATION_SUFFIXES if text.endswith(suffix)), text)


def _of_city(city: City) -> Stop:
    return Stop(city.name, city.country, *city.position, city.zone, f"city {city.name}", is_by_code=False)


def _of_airport(one: Airport, known_by: str) -> Stop:
    by_code = known_by.endswith(f"code {one.code}")
    return Stop(one.name, one.country, *one.position, one.zone, known_by, by_code, one.code)
