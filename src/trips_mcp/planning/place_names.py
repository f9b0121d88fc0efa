"""The names that a booking's place may have in a trip, in any language."""

from trips_mcp.bookings.model import BookingPlace
from trips_mcp.places.aliases import names_in, names_of_stop
from trips_mcp.places.names import fold
from trips_mcp.places.stops import find_stop


def names_of(place: BookingPlace) -> frozenset[str]:
    """Every name of its city and of the place itself, but not of its country."""
    texts = [text for text in (place.city, *place.address.split(",")) if text.strip()]
    found = {fold(text) for text in texts if fold(text)}
    stop = find_stop(place.code or place.name) if place.code or place.name else None
    if stop is not None:
        found |= names_of_stop(stop)
    for text in texts:
        found |= names_in(text.strip(), place.zone)
    return frozenset(found - _country_names(place))


def _country_names(place: BookingPlace) -> frozenset[str]:
    from trips_mcp.places.countries import country, country_named

    stop = find_stop(place.code) if place.code else None
    code = stop.country if stop else place.country
    found = (country(code) if len(code) == 2 else None) or country_named(code or place.address.split(",")[-1].strip())
    return found.names if found else frozenset()
