"""Parts of a trip as an import of bookings leaves them: its legs, new ones for what no leg fits, and pins."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any, Final

from trips_mcp.bookings.model import BookingPlace, SavedPlace
from trips_mcp.contract.fields import is_blank
from trips_mcp.contract.legs import LegAccommodation, LegRentalCar
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.model import Stretch
from trips_mcp.json_values import JsonObject
from trips_mcp.places.aliases import names_in, names_of_stop
from trips_mcp.places.cities import country, country_named
from trips_mcp.places.stops import find_stop
from trips_mcp.places.tables import fold
from trips_mcp.planning.change import Change
from trips_mcp.planning.draft import flights_by_leg, written_flight

_MOST_PINS: Final = 100
"""Pins of one change."""


@dataclass
class LegDraft:
    """A leg as it becomes. `stretch` is None for a new one."""

    key: str
    """Its id, or the name of what creates it."""
    stretch: Stretch | None
    destination: str
    starts: date
    ends: date
    zone: str | None
    names: frozenset[str]
    flights: list[JsonObject]
    accommodation: JsonObject = field(default_factory=dict[str, Any])
    rental: JsonObject = field(default_factory=dict[str, Any])
    ref: str = ""
    written: set[str] = field(default_factory=set[str])
    """Fields that differ from the trip's."""

    @property
    def link(self) -> str:
        return self.key if self.stretch else f"@{self.key}"

    def covers(self, day: date) -> bool:
        return self.starts <= day <= self.ends


def legs_of(journey: Journey) -> Iterator[LegDraft]:
    flights = flights_by_leg(journey)
    stays = {one.leg_id: one.source for one in journey.stays}
    rentals = {one.leg_id: one.source for one in journey.rentals}
    for leg in journey.stretches:
        if leg.days is None:
            continue
        yield LegDraft(
            key=leg.id,
            stretch=leg,
            destination=leg.destination,
            starts=leg.days.first,
            ends=leg.days.last,
            zone=leg.zone,
            names=names_in(leg.destination, leg.zone) | {fold(leg.destination)},
            flights=[written for one in flights.get(leg.id, ()) if (written := written_flight(one, 0)) is not None],
            accommodation=_dumped(stays.get(leg.id)),
            rental=_dumped(rentals.get(leg.id)),
        )


def leg_changes(journey: Journey, legs: Sequence[LegDraft]) -> Iterator[Change]:
    orders = [leg.order for leg in journey.stretches if leg.order is not None]
    order = max(orders, default=0.0)
    for leg in sorted(legs, key=lambda leg: (leg.starts, leg.ends, leg.key)):
        parts: Mapping[str, Any] = {
            "flights": leg.flights,
            "accommodation": leg.accommodation,
            "rentalCar": leg.rental,
        }
        written = {name: value for name, value in parts.items() if name in leg.written}
        if leg.stretch is not None:
            if written:
                ids = {"tripId": journey.trip_id, "legId": leg.key}
                yield Change("update_leg", {**ids, **written})
            continue
        order += 1
        facts = {
            "tripId": journey.trip_id,
            "order": order,
            "title": leg.destination,
            "destination": leg.destination,
            "startDate": f"{leg.starts}",
            "endDate": f"{leg.ends}",
            "timezone": leg.zone,
            "clientRef": leg.ref,
        }
        yield Change("create_leg", {**facts, **written}, leg.key)


def pin_changes(journey: Journey, places: Sequence[SavedPlace]) -> Iterator[Change]:
    known = {pin.client_ref for pin in journey.pins.values() if pin.client_ref}
    there = {(fold(pin.name or ""), _rounded(pin.lat), _rounded(pin.lng)) for pin in journey.pins.values()}
    items: dict[str, JsonObject] = {}
    for place in sorted(places, key=repr):
        spot = (fold(place.name), _rounded(place.latitude), _rounded(place.longitude))
        ref = f"import-{sha256(repr(spot).encode()).hexdigest()[:20]}"
        if ref in known or spot in there:
            continue
        notes = "\n".join(text.replace("\0", "") for text in (place.address, place.notes) if text)
        name = f"{place.latitude:.5f}, {place.longitude:.5f}" if is_blank(place.name) else place.name.replace("\0", "")
        item = {"name": name[:200], "lat": place.latitude, "lng": place.longitude, "clientRef": ref}
        items.setdefault(ref, {**item, **({"notes": notes[:10_000]} if notes else {})})
    rows = [*items.values()]
    for start in range(0, len(rows), _MOST_PINS):
        chunk = rows[start : start + _MOST_PINS]
        yield Change("upsert_map_pins", {"tripId": journey.trip_id, "items": chunk})


def _dumped(source: LegAccommodation | LegRentalCar | None) -> JsonObject:
    return {} if source is None else source.model_dump(by_alias=True, exclude_none=True)


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
    stop = find_stop(place.code) if place.code else None
    code = stop.country if stop else place.country
    found = (country(code) if len(code) == 2 else None) or country_named(code or place.address.split(",")[-1].strip())
    return found.names if found else frozenset()


def _rounded(value: float | None) -> float:
    return round(value or 0.0, 3)
