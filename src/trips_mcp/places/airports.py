"""Airports by IATA code, by the code of their city, and by name."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from trips_mcp.places.tables import column, fold, lowered, rows_with, values, without_accents, zone

_CODE: Final = re.compile(r"[A-Za-z]{3}")
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]")
GENERIC_WORDS: Final = frozenset(
    [
        *(
            "airport",
            "international",
            "intl",
            "int",
            "apt",
            "terminal",
            "the",
            "and",
            "of",
            "de",
            "a",
            "b",
            "c",
            "d",
            "e",
        ),
        *("aeroport", "aeropuerto", "aeroporto", "flughafen", "luchthaven", "vliegveld", "lotnisko"),
        *("t1", "t2", "t3", "t4", "t5", "1", "2", "3", "4", "5", "空港", "国際空港", "机场", "国际机场"),
    ]
)
"""Words that do not identify an airport."""
_SHORTEST_WORD: Final = 4
"""Minimum letters of a name's longest word. Shorter words match too many airports."""


@dataclass(frozen=True, slots=True)
class Airport:
    code: str
    """IATA, three capital letters."""
    name: str
    """Without "Airport" or "International Airport"."""
    city: str
    """Empty if the source has none."""
    country: str
    """ISO 3166-1, two letters."""
    latitude: float
    longitude: float
    """In hundredths of a degree, so accurate to a kilometre."""
    zone: str
    """IANA."""

    @property
    def position(self) -> tuple[float, float]:
        return self.latitude, self.longitude


@dataclass(frozen=True, slots=True)
class Metropolitan:
    """The airports of one city that has several, under the city's own code."""

    code: str
    name: str
    airports: tuple[Airport, ...]


def airport(code: str) -> Airport | None:
    """Look up an IATA code. Pass only texts known to be codes: THE and AND are airports too."""
    row = _row_of(code.upper()) if _CODE.fullmatch(code) else None
    return None if row is None else airport_at(row)


def metropolitan(code: str) -> Metropolitan | None:
    """`TYO`: Haneda and Narita. None for the code of a single airport."""
    found = _metropolitan().get(code.upper())
    if found is None:
        return None
    name, codes = found
    return Metropolitan(code.upper(), name, tuple(one for each in codes if (one := airport(each))))


def metropolitan_of(code: str) -> tuple[Metropolitan, ...]:
    """Cities with several airports that include this one: New York for EWR."""
    cities = (city for city, (_, codes) in _metropolitan().items() if code in codes)
    return tuple(found for city in cities if (found := metropolitan(city)))


@lru_cache(maxsize=4096)
def airports_named(text: str) -> tuple[Airport, ...]:
    """Airports whose name, city and code contain all words: `Tokyo Haneda`, `Heathrow Terminal 5`."""
    words = [word for word in fold(text).split() if word not in GENERIC_WORDS]
    rarest = max(words, key=len, default="")
    if len(rarest) < _SHORTEST_WORD:
        return ()
    rows = {row for title in ("names", "cities") for row in rows_with(rarest, _searched(title))}
    found = [airport_at(row) for row in sorted(rows)]
    return tuple(one for one in found if {*fold(f"{one.name} {one.city} {one.code}").split()}.issuperset(words))


def airport_zone(row: int) -> str:
    return zone("airports", row, values("airports", "countries")[row])


def airport_at(row: int) -> Airport:
    name, city, country = (values("airports", title)[row] for title in ("names", "cities", "countries"))
    return Airport(
        code=_codes()[row],
        name=name,
        city=name[: int(city)] if city.isdecimal() else city,
        country=country,
        latitude=int(values("airports", "latitudes")[row]) / 100,
        longitude=int(values("airports", "longitudes")[row]) / 100,
        zone=airport_zone(row),
    )


@cache
def _codes() -> Sequence[str]:
    """Decode lines such as `AAAB` (AAA and AAB): the common first two letters, then each third one."""
    return [line[:2] + last for line in values("airports", "codes") for last in line[2:]]


def _row_of(code: str) -> int | None:
    """Found by counting, which takes a tenth of the time to index all codes."""
    text = column("airports", "codes")
    start = text.find(f"\n{code[:2]}") + 1
    at = text.find(code[2], start + 2, text.find("\n", start)) if start else -1
    if at < 0:
        return None
    lines = text.count("\n", 0, start)
    return at - 3 * lines  # each line has a line break and two letters that are not rows


@cache
def _metropolitan() -> Mapping[str, tuple[str, list[str]]]:
    lines = (line.split("|") for line in values("metropolitan", "codes"))
    return {code: (name, airports.split(" ")) for code, airports, name in lines}


@cache
def _searched(title: str) -> str:
    """Folded. Few lines need more than lower case, so only those are taken apart."""
    text = lowered("airports", title)
    parts: list[str] = []
    at = 0
    for found in _NOT_ASCII.finditer(text):
        if found.start() >= at:
            start, end = text.rfind("\n", 0, found.start()) + 1, text.find("\n", found.start())
            parts += (text[at:start], without_accents(text[start:end]))
            at = end
    return "".join([*parts, text[at:]])
