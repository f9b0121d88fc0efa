"""Destinations of trips, remembered for ten minutes from what was read of the trips for other reasons."""

import time
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

from pydantic_core import MISSING

from trips_mcp.client import TripsClient
from trips_mcp.contract.exports import TripExport
from trips_mcp.contract.legs import Leg, LegPage, ListLegs
from trips_mcp.contract.models import Params

_VALID: Final = 600.0
"""Seconds. Others may have changed the trip since."""
_MOST_TRIPS: Final = 1000


class Destination(NamedTuple):
    name: str
    zone: str | None


class _Known(NamedTuple):
    until: float
    destinations: tuple[Destination, ...]


_KNOWN: Final[WeakKeyDictionary[TripsClient, dict[str, _Known]]] = WeakKeyDictionary()


def note_destinations(client: TripsClient, trip_id: str, asked: Params, result: object) -> None:
    """Note them if the result has all legs of the trip."""
    if isinstance(result, TripExport):
        _note(client, trip_id, result.legs)
    elif isinstance(result, LegPage) and _is_whole(asked, result):
        _note(client, trip_id, result.items)


def _is_whole(asked: Params, page: LegPage) -> bool:
    return isinstance(asked, ListLegs) and asked.cursor is MISSING and page.next_cursor is None


def forget_destinations(client: TripsClient, trip_id: str) -> None:
    """For a trip that is about to change."""
    _KNOWN.get(client, {}).pop(trip_id, None)


def known_destinations(client: TripsClient, trip_id: str) -> tuple[Destination, ...] | None:
    """In the order of the legs, each once; None if they are not known."""
    known = _KNOWN.get(client, {}).get(trip_id)
    return known.destinations if known is not None and time.monotonic() < known.until else None


def _note(client: TripsClient, trip_id: str, legs: list[Leg]) -> None:
    trips = _KNOWN.setdefault(client, {})
    trips.pop(trip_id, None)
    if len(trips) >= _MOST_TRIPS:
        del trips[next(iter(trips))]
    ordered = sorted(legs, key=lambda leg: (leg.start_date or "9999", leg.order or 0))
    found = (Destination(name, leg.timezone) for leg in ordered if (name := leg.destination or leg.title))
    trips[trip_id] = _Known(time.monotonic() + _VALID, tuple(dict.fromkeys(found)))
