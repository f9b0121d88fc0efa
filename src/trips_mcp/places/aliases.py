"""All names of a place that a text mentions, so that a search for Vienne finds Wien."""

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Final

from trips_mcp.places.airports import airport, metropolitan_of
from trips_mcp.places.cities import City, find_cities
from trips_mcp.places.countries import country, country_named
from trips_mcp.places.names import fold
from trips_mcp.places.spaceless import mentions
from trips_mcp.places.stops import Stop

_SHORTEST: Final = 2
"""Minimum characters of a name."""
_LONGEST: Final = 200
_BETWEEN: Final = re.compile("[,;/|()\\n\\uff0c\\u3001\\u00b7\\u2192]| [-\\u2013\\u2014&+] | and | und | et | y | e ")
_POSTCODE: Final = re.compile(r"\b[A-Z]{0,2}-?\d[\w-]*\b")


@lru_cache(maxsize=4096)
def names_in(text: str, zone: str | None = None) -> frozenset[str]:
    """Folded names of the cities and countries in a destination or an address.

    `zone` selects among namesakes. If several remain, only the country that they share counts.
    """
    if len(text) > _LONGEST:
        return frozenset()
    whole = _names_of(text, zone)
    return whole or frozenset(name for part in _BETWEEN.split(text) for name in _names_within(part, zone))


@lru_cache(maxsize=4096)
def countries_in(text: str, zone: str | None = None) -> tuple[str, ...]:
    """English names of the countries that a destination or an address names, or lies in."""
    if len(text) > _LONGEST:
        return ()
    parts = (text, *_BETWEEN.split(text))
    named = (name for part in parts for name in (part, *(one.name for one in mentions(part))))
    found = (one for name in named if (one := country(_country_of(name, zone))))
    return tuple(dict.fromkeys(one.name for one in found))


@lru_cache(maxsize=4096)
def names_of_stop(stop: Stop) -> frozenset[str]:
    """Folded names of its airport, its city, other cities it serves (`New York` for EWR), and its country."""
    one = airport(stop.code) if stop.code else None
    found = {*_of_country(stop.country), fold(stop.name)}
    cities = {stop.name} if one is None else {one.city, *(each.name for each in metropolitan_of(one.code))}
    for name in cities - {""}:
        near = find_cities(name, country=stop.country, near=stop.position)[:1]
        found |= {fold(name), fold(stop.name).removeprefix(fold(name)).strip(), *_of_cities(near)}
    return frozenset(name for name in found if len(name) >= _SHORTEST)


def _names_within(part: str, zone: str | None) -> frozenset[str]:
    """Names of the whole part, else of the places in it that no space separates."""
    whole = _names_of(part, zone)
    return whole or frozenset(name for one in mentions(part) for name in _names_of(one.name, zone))


def _names_of(text: str, zone: str | None) -> frozenset[str]:
    plain = _without_postcode(text)
    cities = _cities_of(plain, zone)
    found = {*_of_cities(cities if len(cities) == 1 else ()), *_of_country(_country_of(text, zone))}
    return frozenset(name for name in found if len(name) >= _SHORTEST)


def _country_of(text: str, zone: str | None) -> str:
    """Code of the country that the text names, or that all its namesakes share; else empty."""
    plain = _without_postcode(text)
    named = country_named(plain)
    if named is not None:
        return named.code
    countries = {city.country for city in _cities_of(plain, zone)}
    return countries.pop() if len(countries) == 1 else ""


def _cities_of(plain: str, zone: str | None) -> tuple[City, ...]:
    """None for a country. Of several namesakes, those in the zone."""
    if not plain or country_named(plain):
        return ()
    cities = find_cities(plain)
    return cities if len(cities) < 2 else tuple(city for city in cities if city.zone == zone)


def _without_postcode(text: str) -> str:
    return " ".join(_POSTCODE.sub(" ", text).split())


def _of_cities(cities: Iterable[City]) -> set[str]:
    return {name for city in cities for name in city.names}


@cache
def _of_country(code: str) -> frozenset[str]:
    found = country(code)
    return found.names if found else frozenset()
