"""A short-lived cache of the trip list, for resources and completions."""

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from trips_mcp.client import TripsClient
    from trips_mcp.contract.trips import Trip

FRESH_SECONDS: Final = 30
"""Clients request completions on every keystroke, and the service has a rate limit."""


class TripCache:
    """Caches the trips per client."""

    def __init__(self, only: str | None, clock: Callable[[], float] = monotonic) -> None:
        """`only`: the one trip to read, if the server is bound to it."""
        self._only = only
        self._clock = clock
        self._seen: WeakKeyDictionary[TripsClient, tuple[float, list[Trip]]] = WeakKeyDictionary()

    async def now(self, client: "TripsClient") -> "list[Trip]":
        """Reads the trips, latest start first. Raises: TripsError."""
        trips = sorted(await self._read(client), key=lambda trip: (trip.start_date or "", trip.id), reverse=True)
        self._seen[client] = (self._clock(), trips)
        return trips

    async def lately(self, client: "TripsClient") -> "list[Trip]":
        """The trips, at most FRESH_SECONDS old. Raises: TripsError."""
        seen = self._seen.get(client)
        if seen is not None and self._clock() - seen[0] < FRESH_SECONDS:
            return seen[1]
        return await self.now(client)

    async def _read(self, client: "TripsClient") -> "list[Trip]":
        if self._only is not None:
            return [await client.trips.get(self._only)]
        return [trip async for trip in client.iterate_trips() if trip.id]
