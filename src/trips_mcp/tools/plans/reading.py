"""The trip of a plan as it is now, with its events."""

from dataclasses import dataclass
from typing import Final

from trips_mcp.client import TripsClient
from trips_mcp.contract.events import Event
from trips_mcp.contract.exports import EXPORT_TRIP, ExportTrip, TripExport
from trips_mcp.contract.trips import Trip
from trips_mcp.itinerary.check import every_finding
from trips_mcp.itinerary.journey import Journey
from trips_mcp.planning.findings import CheckedTrip
from trips_mcp.planning.preview import TripState
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.results.answer import with_content
from trips_mcp.tools.trip_reading import events_of, note_members, offload

NO_TRIP: Final = ""
"""The tripId of a plan that only creates a trip."""
_STAND_IN: Final = "none"
"""The trip of a twin on which such a plan is tried out."""


@dataclass(frozen=True, slots=True)
class TripNow:
    export: TripExport
    events: list[Event]
    number: int | None
    """The trip's id in the Events API, if known."""
    without_events: str | None = None
    """Why the events could not be read; None if they were, or are not asked for."""

    @staticmethod
    def of_no_trip(group_id: str) -> "TripNow":
        """What a plan for a new trip in this group starts from: a trip that only its twin has."""
        stand_in = Trip.model_validate({"_id": _STAND_IN, "groupId": group_id})
        return TripNow(TripExport(trip=stand_in), [], None)

    @property
    def state(self) -> TripState:
        return TripState(
            with_content(self.export.model_dump(mode="json", exclude_none=True)),
            [with_content(event.model_dump(mode="json", exclude_none=True)) for event in self.events],
        )

    async def check(self) -> CheckedTrip:
        size = sum(map(len, (self.export.legs, self.export.map_pins, self.export.commitments, self.events)))
        found = await offload(size, lambda: every_finding(Journey.of(self.export, self.events)))
        return CheckedTrip(found, {leg.id: leg.start_date for leg in self.export.legs})


async def read_now(client: TripsClient, trip_id: str, conduct: Conduct) -> TripNow:
    """Raises: TripsError."""
    if trip_id == NO_TRIP:
        return TripNow(TripExport(), [], None)
    export = await client.call(EXPORT_TRIP, ExportTrip(trip_id=trip_id))
    note_members(client, trip_id, export)
    found = await events_of(client, trip_id, export, conduct)
    number = conduct.event_trips.get(trip_id)
    if number is None and conduct.one_store and export.trip is not None:
        number = export.trip.number
    return TripNow(export, found.events, number, found.note)
