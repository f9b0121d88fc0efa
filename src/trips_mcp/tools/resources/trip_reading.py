"""Reading of a trip in one export, and one request more where its events are known."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import anyio

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import NotConfiguredError, TripsError
from trips_mcp.client.outcome import Outcome, RateLimit
from trips_mcp.contract.events import LIST_TRIP_EVENTS, Event, ListTripEvents
from trips_mcp.contract.exports import EXPORT_TRIP, ExportTrip, TripExport
from trips_mcp.contract.operation import R
from trips_mcp.itinerary.journey import Journey
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.offload import offload
from trips_mcp.tools.results.trip_facts import note_destinations, note_members

_EVENTS_SECONDS: Final = 10.0
"""Seconds for the events, after those that the export may take: hosts wait no more than a minute."""
_LONGEST_REASON: Final = 300


class TripSource(NamedTuple):
    """A trip as its two APIs gave it."""

    export: TripExport
    events: list[Event]


@dataclass(frozen=True, slots=True)
class TripReading:
    """A trip, with what there is to say of how it was read."""

    journey: Journey
    things: int
    """How many it holds: what work on it takes."""
    notes: tuple[str, ...]
    rate_limit: RateLimit | None
    lacks_events: bool
    """Whether its events could not be read."""
    state: TripSource

    def outcome(self, result: R) -> Outcome[R]:
        return Outcome(result, self.notes, self.rate_limit)


async def read_trip(client: TripsClient, trip_id: str, conduct: Conduct) -> TripReading:
    """In one export, and one request more where its events are known. Without them an answer is worth having too.

    Raises: TripsError.
    """
    asked = ExportTrip(trip_id=trip_id)
    exported = await client.outcome(EXPORT_TRIP, asked)
    note_members(client, trip_id, exported.result)
    note_destinations(client, trip_id, asked, exported.result)
    found = await events_of(client, trip_id, exported.result, conduct)
    events, notes = found.events, (*exported.notes, *filter(None, (found.note,)))
    things = _things(exported.result) + len(events)
    journey = await offload(things, Journey.of, exported.result, events)
    state = TripSource(exported.result, events)
    return TripReading(journey, things, notes, exported.rate_limit, found.note is not None, state)


def _things(export: TripExport) -> int:
    return sum(map(len, (export.legs, export.map_pins, export.action_items, export.commitments)))


@dataclass(frozen=True, slots=True)
class EventsFound:
    events: list[Event]
    note: str | None = None
    """Why there are none, where they could not be read."""
    asked: bool = True
    """False where the trip is not known to have any: its number in the Events API is not."""


async def events_of(client: TripsClient, trip_id: str, export: TripExport, conduct: Conduct) -> EventsFound:
    """Those of the trip's shared itinerary. What goes wrong is told, not raised."""
    linked = conduct.event_trips.get(trip_id)
    number = linked
    if number is None and conduct.one_store and export.trip is not None:
        number = export.trip.number
    if number is None:
        return EventsFound([], asked=False)
    try:
        with anyio.fail_after(_EVENTS_SECONDS):
            return EventsFound((await client.call(LIST_TRIP_EVENTS, ListTripEvents(trip_id=number))).events)
    except TimeoutError:
        return EventsFound([], _without_events(f"the Events API did not answer within {_EVENTS_SECONDS:g} seconds"))
    except NotConfiguredError as error:
        # where the trip was linked they are missed; else nobody has asked for events
        return EventsFound([], None if linked is None else _without_events(str(error)), asked=linked is not None)
    except TripsError as error:
        return EventsFound([], _without_events(str(error)))


def _without_events(why: str) -> str:
    return f"Events are left out, for they could not be read: {why.rstrip('.')[:_LONGEST_REASON]}."
