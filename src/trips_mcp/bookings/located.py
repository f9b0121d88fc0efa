"""Airports and zones of the places that confirmations name, out of the tables."""

import re
from dataclasses import replace
from functools import lru_cache
from typing import Final

from trips_mcp.bookings.model import BookingPlace
from trips_mcp.places.airports import GENERIC_WORDS, Airport, airport, airports_named, metropolitan, metropolitan_of
from trips_mcp.places.cities import country, country_named, find_city, zone_at
from trips_mcp.places.stops import Stop, find_stop
from trips_mcp.places.tables import fold

_IN_BRACKETS: Final = re.compile(r"[(\[]([A-Z]{3})[)\]]")
_LONGEST: Final = 120


@lru_cache(maxsize=1000)
def airport_code(text: str) -> str:
    """The airport's code that a text holds or names clearly, else empty: `Newark Intl (EWR)`, `TOULOUSE FR BLAGNAC`."""
    text = " ".join(text.split())[:_LONGEST]
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
