"""Findings on pins with impossible coordinates and pins far from their leg.

A leg has no coordinates. A pin is compared with the other pins of the leg's commitments, and its longitude with the
leg's zone, as clocks roughly follow the sun. A pin without a link belongs to the only leg; if there are several legs,
it is compared with all known places of legs and flights.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import asin, cos, hypot, inf, isfinite, radians, sin
from statistics import median
from typing import Final

from trips_mcp.contract.map_pins import MapPin
from trips_mcp.itinerary.check import findings
from trips_mcp.itinerary.check.findings import Finding, Grade
from trips_mcp.itinerary.check.intervals import noon, offset_at
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.model import Appointment, Stretch
from trips_mcp.places.stops import Stop, find_stop

_FAR: Final = 250.0
"""Kilometres from the middle of the leg's pins: too far for a day trip."""
_FAR_FROM_THE_ONLY_OTHER: Final = 500.0
_TIMES_AS_FAR: Final = 4
"""Times the median distance of the leg's pins, which is large on a road trip."""
_NEAR: Final = 100.0
_HOURS_OFF: Final = 4.5
"""Maximum hours between a zone's clocks and the sun. In the far west of China there are three."""
_POLAR: Final = 66
"""Degrees of latitude above which zones do not follow the sun."""
_EARTH: Final = 6371.0
_HOUR: Final = timedelta(hours=1)
_DEGREES_AN_HOUR: Final = 15

_Point = tuple[float, float, float]
"""On the unit sphere, so that pins on both sides of the antimeridian have a middle (Fiji)."""


@dataclass(frozen=True, slots=True)
class _Linked:
    """A pin and the commitment that links it to a leg."""

    pin: MapPin
    lat: float
    lng: float
    commitment: Appointment | None
    """None if no commitment links it."""
    day: date | None


def check_pins(journey: Journey) -> Iterator[Finding]:
    for pin in journey.pins.values():
        if wrong := _wrong(pin):
            why = f"{findings.begin(findings.pin(pin.id))} {wrong}."
            grade: Grade = "not_checkable" if pin.lat is None or pin.lng is None else "certain"
            yield findings.finding(grade, "bad_coordinates", None, [findings.cite_pin(pin)], why, "update_map_pin")
    by_leg = [*_by_leg(journey)]
    loose = _loose(journey, by_leg)
    if len(journey.stretches) <= 1:
        stretch = journey.stretches[0] if journey.stretches else None
        by_leg = [(stretch, [*(one for _, linked in by_leg for one in linked), *loose])]
        loose = []
    for stretch, linked in by_leg:
        for one, why in _far_pins(stretch, linked):
            yield _far(one, why, stretch)
    for one, why in _far_from_all(journey, loose):
        yield _far(one, why, None)


def pin_notes(journey: Journey) -> Iterator[str]:
    """Limits of the check for pins without a link."""
    count = len(_loose(journey, [*_by_leg(journey)]))
    if count and len(journey.stretches) > 1 and _places_of_legs(journey) is None:
        pins = "1 pin is" if count == 1 else f"{count} pins are"
        yield f"{pins} linked to no leg, and where each leg is, is not known: only longitudes and zones are compared."


def _far(one: _Linked, why: str, stretch: Stretch | None) -> Finding:
    commitment = [] if one.commitment is None else [findings.cite_appointment(one.commitment, "mapPinId")]
    about = [findings.cite_pin(one.pin), *commitment, *([] if stretch is None else [findings.cite_leg(stretch)])]
    doubt = "a plan may lead far away from its leg" if one.commitment else "no commitment links the pin to a leg"
    return findings.doubtful(doubt, "pin_far_from_leg", one.day, about, why, "update_map_pin")


def _wrong(pin: MapPin) -> str | None:
    if pin.lat is None or pin.lng is None:
        return "has no coordinates"
    if not _is_on_earth(pin.lat, pin.lng):
        return f"has coordinates that do not exist (lat {pin.lat:g}, lng {pin.lng:g})"
    return "has the coordinates 0, 0, which is open sea" if pin.lat == pin.lng == 0 else None


def _is_on_earth(lat: float, lng: float) -> bool:
    return isfinite(lat) and isfinite(lng) and abs(lat) <= 90 and abs(lng) <= 180


def _by_leg(journey: Journey) -> Iterator[tuple[Stretch | None, list[_Linked]]]:
    """Each leg's pins, each once, with the first commitment that uses it there."""
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


def _loose(journey: Journey, by_leg: Sequence[tuple[Stretch | None, Sequence[_Linked]]]) -> list[_Linked]:
    """Pins that no commitment links to a leg, except those near an end of a flight."""
    linked = {one.pin.id for _, many in by_leg for one in many}
    flown = {_point(*stop.position) for stop in _stops(journey)}
    return [
        _Linked(pin, pin.lat, pin.lng, None, None)
        for pin in journey.pins.values()
        if pin.id not in linked and not _wrong(pin) and pin.lat is not None and pin.lng is not None
        if _to_nearest(_point(pin.lat, pin.lng), flown) >= _NEAR
    ]


def _stops(journey: Journey) -> set[Stop]:
    return {stop for move in journey.moves for stop in (move.departs_from, move.arrives_at) if stop}


def _places_of_legs(journey: Journey) -> set[_Point] | None:
    """None if any of them is unknown."""
    stops = [find_stop(leg.destination or leg.title) for leg in journey.stretches]
    return None if None in stops else {_point(*stop.position) for stop in stops if stop}


def _far_from_all(journey: Journey, loose: Sequence[_Linked]) -> Iterator[tuple[_Linked, str]]:
    """Pins without a link that fit none of several legs."""
    places = _places_of_legs(journey) if loose else None
    for one in loose:
        pin = findings.begin(findings.pin(one.pin.id))
        if places is not None:
            distance = _to_nearest(_point(one.lat, one.lng), places)
            if distance > _FAR_FROM_THE_ONLY_OTHER:
                yield one, f"{pin} is {round(distance):,} km from the nearest place of a leg or flight."
            continue
        suns = [_under_another_sun(one, stretch) for stretch in journey.stretches if stretch.zone]
        if suns and all(suns):
            yield one, f"{pin} {suns[0]}, and no other leg fits it."


def _far_pins(stretch: Stretch | None, linked: Sequence[_Linked]) -> Iterator[tuple[_Linked, str]]:
    if not linked:
        return
    points = [_point(one.lat, one.lng) for one in linked]
    middle = _middle(points)
    distances = [_apart(point, middle) for point in points]
    limit = max(_FAR, _TIMES_AS_FAR * median(distances)) if len(points) > 2 else _FAR_FROM_THE_ONLY_OTHER
    if len(points) == 2:
        distances = [_apart(*points)] * 2
    for one, distance in zip(linked, distances, strict=True):
        leg, pin = findings.leg(stretch) if stretch else "the trip", findings.begin(findings.pin(one.pin.id))
        if distance > limit:
            others = f"the middle of the pins of {leg}" if len(points) > 2 else f"the other pin of {leg}"
            swapped = len(points) > 2 and _is_swapped(one, middle)
            hint = "; with lat and lng the other way round it would be near" if swapped else ""
            yield one, f"{pin} is {round(distance):,} km from {others}{hint}."
        elif stretch and (sun := _under_another_sun(one, stretch)):
            yield one, f"{pin} {sun}."


def _is_swapped(one: _Linked, middle: _Point) -> bool:
    return _is_on_earth(one.lng, one.lat) and _apart(_point(one.lng, one.lat), middle) < _NEAR


def _under_another_sun(one: _Linked, stretch: Stretch) -> str | None:
    if stretch.zone is None or abs(one.lat) > _POLAR:
        return None
    day = one.day or stretch.starts
    if day is None:
        return None
    offset = offset_at(stretch.zone, noon(day, stretch.zone))
    off = (offset / _HOUR - one.lng / _DEGREES_AN_HOUR + 12) % 24 - 12
    if abs(off) <= _HOURS_OFF:
        return None
    where = f"is at longitude {one.lng:g}, where the sun is {abs(off):.0f} hours {'behind' if off > 0 else 'ahead of'}"
    return f"{where} the clocks of {findings.leg(stretch)} ({stretch.zone})"


def _point(lat: float, lng: float) -> _Point:
    north, east = radians(lat), radians(lng)
    return cos(north) * cos(east), cos(north) * sin(east), sin(north)


def _middle(points: Sequence[_Point]) -> _Point:
    """The median of each axis, which a single outlier does not move."""
    x, y, z = (median(axis) for axis in zip(*points, strict=True))
    length = hypot(x, y, z)
    return (x / length, y / length, z / length) if length else (1.0, 0.0, 0.0)


def _to_nearest(one: _Point, places: Collection[_Point]) -> float:
    """Infinite if there are none."""
    x, y, z = one
    nearest = max(places, key=lambda place: x * place[0] + y * place[1] + z * place[2], default=None)
    return inf if nearest is None else _apart(one, nearest)


def _apart(one: _Point, other: _Point) -> float:
    """Kilometres along the surface, from the chord between the points."""
    chord = hypot(*(there - here for here, there in zip(one, other, strict=True)))
    return 2 * _EARTH * asin(min(1.0, chord / 2))
