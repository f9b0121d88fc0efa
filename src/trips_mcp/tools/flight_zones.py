"""Time zones that written flights lack, filled in from their airport codes.

Only airport codes count: a name may be that of several places. A zone that the caller gives stays.
"""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from pydantic_core import MISSING

from trips_mcp.contract.legs import CreateLeg, Flight, LegItem, UpdateLeg, UpsertLegs
from trips_mcp.contract.sync import SyncTrip
from trips_mcp.places.stops import find_stop

L = TypeVar("L", LegItem, CreateLeg, UpdateLeg)

_MOST_NAMED: Final = 10
_ENDS: Final = (("from_", "departure", "departure_timezone"), ("to", "arrival", "arrival_timezone"))

_Zones = dict[str, str]
"""Airport codes and their zones."""
Remarks = tuple[str, ...]


def of_leg(asked: L) -> tuple[L, Remarks]:
    """The leg of a create or an update, and a remark on what was filled in. The others do the same."""
    (leg,), remarks = _filled([asked])
    return leg, remarks


def of_batch(asked: UpsertLegs) -> tuple[UpsertLegs, Remarks]:
    items, remarks = _filled(asked.items)
    return asked.model_copy(update={"items": items}) if remarks else asked, remarks


def of_sync(asked: SyncTrip) -> tuple[SyncTrip, Remarks]:
    if asked.legs is MISSING:
        return asked, ()
    legs, remarks = _filled(asked.legs)
    return asked.model_copy(update={"legs": legs}) if remarks else asked, remarks


def _filled(legs: Sequence[L]) -> tuple[list[L], Remarks]:
    zones: _Zones = {}
    filled = [_leg(leg, zones) for leg in legs]
    return filled, tuple(_remarks(zones))


def _leg(leg: L, zones: _Zones) -> L:
    if leg.flights is MISSING:
        return leg
    flights = [_flight(flight, zones) for flight in leg.flights]
    if all(new is old for new, old in zip(flights, leg.flights, strict=True)):
        return leg
    return leg.model_copy(update={"flights": flights})


def _flight(flight: Flight, zones: _Zones) -> Flight:
    """Adds what it fills in to `zones`. An end without a time lacks no zone."""
    missing: dict[str, str] = {}
    for place, time, zone in _ENDS:
        text = getattr(flight, place)
        if text is MISSING or getattr(flight, time) is MISSING or getattr(flight, zone) is not MISSING:
            continue
        stop = find_stop(text)
        if stop is not None and stop.is_by_code:
            missing[zone] = zones[stop.code] = stop.zone
    return flight.model_copy(update=missing) if missing else flight


def _remarks(zones: _Zones) -> Iterator[str]:
    if zones:
        named = [f"{code} {zone}" for code, zone in list(zones.items())[:_MOST_NAMED]]
        rest = f" and {len(zones) - _MOST_NAMED} more" if len(zones) > _MOST_NAMED else ""
        yield f"Missing time zones of flights are filled in from airport codes: {', '.join(named)}{rest}."
