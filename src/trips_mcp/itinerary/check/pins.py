"""Pins with impossible coordinates, and pins far from their leg.

A leg has no coordinates. What can be said all the same: where the other pins of its commitments are, and that
clocks follow the sun, so that a zone tells the longitude to within some hours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import asin, cos, hypot, isfinite, radians, sin
from statistics import median
from typing import Final

from trips_mcp.contract.map_pins import MapPin
from trips_mcp.itinerary.check import citing, saying
from trips_mcp.itinerary.check.findings import Finding, Grade
from trips_mcp.itinerary.check.instants import noon, offset_at
from trips_mcp.itinerary.journey import Appointment, Journey, Stretch

_FAR: Final = 250.0
"""Kilometres from the middle of the leg's pins: what is no day trip any more."""
_FAR_FROM_THE_ONLY_OTHER: Final = 500.0
_TIMES_AS_FAR: Final = 4
"""As most of the leg's pins are: on a road trip all of them are far."""
_NEAR: Final = 100.0
_HOURS_OFF: Final = 4.5
"""Between a zone's clocks and the sun; in the far west of China it is three."""
_POLAR: Final = 66
"""Degrees of latitude from which on zones follow no sun."""
_EARTH: Final = 6371.0
_HOUR: Final = timedelta(hours=1)
_DEGREES_AN_HOUR: Final = 15

_Point = tuple[float, float, float]
"""On the unit sphere: so that the middle of Fiji's pins is not in Africa."""


@dataclass(frozen=True, slots=True)
class _Linked:
    """A pin, by the commitment that links it to a leg."""

    pin: MapPin
    lat: float
    lng: float
    commitment: Appointment
    day: date


def check_pins(journey: Journey) -> Iterator[Finding]:
    for pin in journey.pins.values():
        if wrong := _wrong(pin):
            why = f"{saying.begin(saying.pin(pin.id))} {wrong}."
            grade: Grade = "not_checkable" if pin.lat is None or pin.lng is None else "certain"
            yield citing.finding(grade, "bad_coordinates", None, [citing.pin(pin)], why, "update_map_pin")
    for stretch, linked in _by_leg(journey):
        for one, why in _far_pins(stretch, linked):
            about = [citing.pin(one.pin), citing.appointment(one.commitment, "mapPinId"), citing.leg(stretch)]
            yield citing.finding("possible", "pin_far_from_leg", one.day, about, why, "update_map_pin")


def _wrong(pin: MapPin) -> str | None:
    if pin.lat is None or pin.lng is None:
        return "has no coordinates"
    if not _is_on_earth(pin.lat, pin.lng):
        return f"has coordinates that do not exist (lat {pin.lat:g}, lng {pin.lng:g})"
    return "has the coordinates 0, 0, which is open sea" if pin.lat == pin.lng == 0 else None


def _is_on_earth(lat: float, lng: float) -> bool:
    return isfinite(lat) and isfinite(lng) and abs(lat) <= 90 and abs(lng) <= 180


def _by_leg(journey: Journey) -> Iterator[tuple[Stretch, list[_Linked]]]:
    """Each leg's pins, each once, by the first commitment there."""
    legs: dict[int, tuple[Stretch, dict[str, _Linked]]] = {}
    alone: dict[date, Stretch | None] = {}
    for one in journey.appointments:
        pin = journey.pins.get(one.pin_id)
        if pin is None or _wrong(pin) or pin.lat is None or pin.lng is None or one.starts is None:
            continue
        day = one.starts.day
        if day not in alone:
            here = journey.stretches_on(day)
            alone[day] = here[0] if len(here) == 1 else None
        if stretch := journey.stretch.get(one.leg_id) or alone[day]:
            linked = legs.setdefault(id(stretch), (stretch, {}))[1]
            linked.setdefault(pin.id, _Linked(pin, pin.lat, pin.lng, one, day))
    yield from ((stretch, [*linked.values()]) for stretch, linked in legs.values())


def _far_pins(stretch: Stretch, linked: Sequence[_Linked]) -> Iterator[tuple[_Linked, str]]:
    points = [_point(one.lat, one.lng) for one in linked]
    middle = _middle(points)
    distances = [_apart(point, middle) for point in points]
    limit = max(_FAR, _TIMES_AS_FAR * median(distances)) if len(points) > 2 else _FAR_FROM_THE_ONLY_OTHER
    if len(points) == 2:
        distances = [_apart(*points)] * 2
    for one, distance in zip(linked, distances, strict=True):
        leg, pin = saying.leg(stretch), saying.begin(saying.pin(one.pin.id))
        if distance > limit:
            others = f"the middle of the pins of {leg}" if len(points) > 2 else f"the other pin of {leg}"
            swapped = len(points) > 2 and _is_swapped(one, middle)
            hint = "; with lat and lng the other way round it would be near" if swapped else ""
            yield one, f"{pin} is {round(distance):,} km from {others}{hint}."
        elif sun := _under_another_sun(one, stretch):
            yield one, f"{pin} {sun}."


def _is_swapped(one: _Linked, middle: _Point) -> bool:
    return _is_on_earth(one.lng, one.lat) and _apart(_point(one.lng, one.lat), middle) < _NEAR


def _under_another_sun(one: _Linked, stretch: Stretch) -> str | None:
    if stretch.zone is None or abs(one.lat) > _POLAR:
        return None
    offset = offset_at(stretch.zone, noon(one.day, stretch.zone))
    off = (offset / _HOUR - one.lng / _DEGREES_AN_HOUR + 12) % 24 - 12
    if abs(off) <= _HOURS_OFF:
        return None
    where = f"is at longitude {one.lng:g}, where the sun is {abs(off):.0f} hours {'behind' if off > 0 else 'ahead of'}"
    return f"{where} the clocks of {saying.leg(stretch)} ({stretch.zone})"


def _point(lat: float, lng: float) -> _Point:
    north, east = radians(lat), radians(lng)
    return cos(north) * cos(east), cos(north) * sin(east), sin(north)


def _middle(points: Sequence[_Point]) -> _Point:
    """Where most of them are, however far off one is."""
    x, y, z = (median(axis) for axis in zip(*points, strict=True))
    length = hypot(x, y, z)
    return (x / length, y / length, z / length) if length else (1.0, 0.0, 0.0)


def _apart(one: _Point, other: _Point) -> float:
    """Kilometres, by the chord between them."""
    chord = hypot(*(there - here for here, there in zip(one, other, strict=True)))
    return 2 * _EARTH * asin(min(1.0, chord / 2))
