"""Zone of a position, by the nearest known city or airport.

A map of zones would be ten times as large.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from math import cos, radians
from typing import Final
from zoneinfo import ZoneInfo

from trips_mcp.places.airports import airport_zone
from trips_mcp.places.cities import city_countries, city_zone
from trips_mcp.places.distance import distance_km
from trips_mcp.places.tables import values

REACH_KM: Final = 75.0
"""Maximum distance to a known place. Farther positions have no zone."""
MARGIN: Final = 1.5
MARGIN_KM: Final = 10.0
"""Places within the nearest distance times `MARGIN` plus `MARGIN_KM` must all have the same time."""
_KM_A_DEGREE: Final = 111.2
_YEAR: Final = datetime(2027, 1, 1, tzinfo=UTC)


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
    """The nearest place, in `country` if given. None at sea and where zones of different time meet."""
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
        yield _Point(away, city_zone(row), city_countries()[row], lambda row=row: values("cities", "names")[row])
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
