"""The tool that exports a whole trip, with its events."""

from dataclasses import replace
from typing import Any, Final

from pydantic import Field

from trips_mcp.client import TripsClient
from trips_mcp.client.outcome import Outcome, Report
from trips_mcp.contract.events import LIST_TRIP_EVENTS, Event
from trips_mcp.contract.exports import EXPORT_TRIP, ExportTrip, TripExport
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.resources.action_items import ACTION_ITEMS
from trips_mcp.tools.resources.commitments import COMMITMENTS
from trips_mcp.tools.resources.events import EVENTS
from trips_mcp.tools.resources.legs import LEGS
from trips_mcp.tools.resources.map_pins import MAP_PINS
from trips_mcp.tools.resources.members import MEMBERS
from trips_mcp.tools.results.views import Exported
from trips_mcp.tools.tool import tool
from trips_mcp.tools.trip_reading import events_of

_WITHOUT_EVENTS: Final = (
    "Itinerary events are not in this export: the number that the trip has in the Events API is not known here; "
    "--event-trips links the two."
)


class WholeTrip(TripExport):
    """An export, and the events of the trip's shared itinerary, which the Events API has."""

    events: list[Event] = Field(default_factory=list[Event])


async def export_of(client: TripsClient, asked: ExportTrip, conduct: Conduct) -> Outcome[WholeTrip]:
    """Raises: TripsError. Where the events cannot be read, the rest is exported and a note says so."""
    outcome = await client.outcome(EXPORT_TRIP, asked)
    export = outcome.result
    found = await events_of(client, asked.trip_id, export, conduct)
    note = found.note or (None if found.asked or conduct.one_store else _WITHOUT_EVENTS)
    parts: dict[str, Any] = {name: getattr(export, name) for name in TripExport.model_fields}
    told = export.model_fields_set | (frozenset({"events"}) if found.events else frozenset[str]())
    whole = WholeTrip.model_construct(set(told), **parts, **(export.model_extra or {}), events=found.events)
    return Outcome(whole, (*outcome.notes, *filter(None, (note,))), outcome.rate_limit)


async def _export(client: TripsClient, asked: ExportTrip, _: Report, conduct: Conduct) -> Outcome[WholeTrip]:
    return await export_of(client, asked, conduct)


_of_the_trips_api = tool(
    EXPORT_TRIP,
    title="Export trip",
    description="Export everything in a trip: legs, stays, flights, pins, to-dos, commitments, events, members. For "
    "one question use get_day, search_trip or get_timeline.",
    lookup="list_trips",
    open_world=True,
    view=Exported(
        sections=(
            replace(LEGS, within="legs"),
            replace(COMMITMENTS, within="commitments"),
            replace(ACTION_ITEMS, within="action_items", on_request=frozenset()),
            replace(MAP_PINS, within="map_pins"),
            replace(MEMBERS, within="members"),
            EVENTS,
        ),
        parts="list_legs, list_commitments, list_action_items, list_map_pins, list_members and list_trip_events have "
        "the parts; "
        'so have `fields` that name one section, such as ["legs"].',
    ),
)
export_trip = replace(_of_the_trips_api, run=_export, uses=(EXPORT_TRIP, LIST_TRIP_EVENTS))
