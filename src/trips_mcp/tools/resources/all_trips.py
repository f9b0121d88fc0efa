"""Reading of several trips in one call: newest first, a few at a time, within the rate limit and a time limit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar

import anyio

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import NotFoundError, RateLimitedError, TripsError, UnauthorizedError
from trips_mcp.client.outcome import RateLimit
from trips_mcp.contract.trips import LIST_TRIPS, ListTrips, Trip
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.offload import offload
from trips_mcp.tools.resources.trip_reading import TripReading, read_trip

T = TypeVar("T")

_MOST: Final = 200
_AT_ONCE: Final = 4
_RESERVE: Final = 10
"""Requests that are left for the calls that follow."""
_LONGEST_READING: Final = 25.0
"""Seconds, after those that the list of trips may take."""
_MOST_NOTES: Final = 3
_LONGEST_REASON: Final = 200

MORE_TRIPS: Final = "The service has more trips than its list shows."


@dataclass(slots=True)
class AllTrips(Generic[T]):
    """What was read of each trip, newest first."""

    found: list[T] = field(default_factory=list[T])
    left: list[str] = field(default_factory=list[str])
    """Ids of the trips that were not read, newest first."""
    notes: tuple[str, ...] = ()


async def list_newest_first(client: TripsClient) -> tuple[list[Trip], tuple[str, ...]]:
    """The trips by start, the latest first and those without one last, and notes. Raises: TripsError."""
    page = await client.call(LIST_TRIPS, ListTrips())
    trips = [trip for trip in page.items if trip.id]
    trips.sort(key=lambda trip: (trip.start_date or "", trip.id), reverse=True)
    return trips, (MORE_TRIPS,) if page.next_cursor else ()


async def read_each(
    client: TripsClient, trips: Sequence[Trip], conduct: Conduct, work: Callable[[TripReading], T]
) -> AllTrips[T]:
    """`work` on each trip that can be read in time. Raises: TripsError if none can."""
    reading = _Reading(client, trips[: _affordable(client.rate_limit)], conduct, work)
    with anyio.move_on_after(_LONGEST_READING) as scope:
        async with anyio.create_task_group() as tasks:
            for _ in range(_AT_ONCE):
                tasks.start_soon(reading.go_on)
    if reading.error is not None and (not reading.found or isinstance(reading.error, UnauthorizedError)):
        raise reading.error
    notes = list(reading.notes)[:_MOST_NOTES]
    left = [trip.id for index, trip in enumerate(trips) if index not in reading.found and index not in reading.gone]
    if left:
        notes.append(f"{len(left)} of {len(trips)} trips were not searched: {reading.why_not(scope.cancelled_caught)}.")
    return AllTrips([reading.found[index] for index in sorted(reading.found)], left, tuple(notes))


def _affordable(known: RateLimit | None) -> int:
    return _MOST if known is None else min(_MOST, max(1, known.remaining - _RESERVE))


@dataclass(slots=True)
class _Reading(Generic[T]):
    """The state that the tasks of one call share."""

    client: TripsClient
    trips: Sequence[Trip]
    conduct: Conduct
    work: Callable[[TripReading], T]
    next: int = 0
    found: dict[int, T] = field(default_factory=dict[int, T])
    """By index of the trip."""
    gone: set[int] = field(default_factory=set[int])
    """Indexes of trips that were deleted since they were listed."""
    notes: dict[str, None] = field(default_factory=dict[str, None])
    error: TripsError | None = None
    """The first one."""

    async def go_on(self) -> None:
        while self.next < len(self.trips) and not isinstance(self.error, RateLimitedError | UnauthorizedError):
            index = self.next
            self.next += 1
            try:
                read = await read_trip(self.client, self.trips[index].id, self.conduct)
            except NotFoundError:
                self.gone.add(index)
                continue
            except TripsError as error:
                self.error = self.error or error
                continue
            if read.lacks_events:  # not worth another wait
                self.conduct = replace(self.conduct, one_store=False, event_trips={})
            self.notes.update(dict.fromkeys(read.notes))
            self.found[index] = await offload(read.things, self.work, read)

    def why_not(self, is_out_of_time: bool) -> str:
        if is_out_of_time:
            return f"{_LONGEST_READING:g} seconds were not enough"
        if self.error is not None and not isinstance(self.error, RateLimitedError):
            return str(self.error).rstrip(".")[:_LONGEST_REASON]
        if self.client.rate_limit is None:
            return f"one call searches at most {_MOST}"
        return "the rate limit allows no more requests this minute"
