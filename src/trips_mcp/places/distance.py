"""Great-circle distances."""

from math import asin, cos, hypot, radians, sin, sqrt
from typing import Final

EARTH_RADIUS_KM: Final = 6371.0088


def distance_km(from_: tuple[float, float], to: tuple[float, float]) -> float:
    """Between two points, each (latitude, longitude) in degrees."""
    south, west, north, east = *map(radians, from_), *map(radians, to)
    half = hypot(sin((north - south) / 2), sqrt(cos(south) * cos(north)) * sin((east - west) / 2))
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, half))
