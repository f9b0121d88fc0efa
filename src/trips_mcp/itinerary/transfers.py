"""How far it is from one of a day's places to the next: in a straight line, as nothing more is known offline."""

from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Final

from trips_mcp.itinerary.day_items import Placed, Position
from trips_mcp.itinerary.results import Thing
from trips_mcp.places.distance import distance_km

_LEAST_KM: Final = 0.1
"""What is nearer is the same place."""
_ROUNDED_FROM_KM: Final = 10


def with_transfers(placed: Iterable[Placed]) -> Iterator[Thing]:
    """The things, each with its distance from the one before, where both places are known."""
    before: Position | None = None
    for one in placed:
        here = one.starts_at
        transfer = _distance(before, here) if before and here else None
        yield one.thing.model_copy(update={"transfer": transfer}) if transfer else one.thing
        if one.fills:
            before = one.ends_at


def _distance(one: Position, other: Position) -> str | None:
    if not all(map(isfinite, (*one, *other))):
        return None
    km = distance_km(one, other)
    if km < _LEAST_KM:
        return None
    return f"{km:.1f} km" if km < _ROUNDED_FROM_KM else f"{km:,.0f} km"
