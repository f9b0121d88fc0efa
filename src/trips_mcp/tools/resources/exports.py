"""The tools that export a whole trip with its events: as data, and as a file, which resources and commands have too."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from anyio import to_thread
from pydantic import Field

from trips_mcp.client import TripsClient
from trips_mcp.client.outcome import Outcome, RateLimit, Report
from trips_mcp.contract.events import LIST_TRIP_EVENTS, Event
from trips_mcp.contract.models import OfTrip, Result
from trips_mcp.contract.trips import EXPORT_TRIP, ExportTrip, TripExport
from trips_mcp.formats import FORMAT
from trips_mcp.formats.outline import Outline, outline_of, public_events, public_export
from trips_mcp.tools.answer import LARGEST, Attachment
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.resources.action_items import ACTION_ITEMS
from trips_mcp.tools.resources.commitments import COMMITMENTS
from trips_mcp.tools.resources.events import EVENTS
from trips_mcp.tools.resources.legs import LEGS
from trips_mcp.tools.resources.map_pins import MAP_PINS
from trips_mcp.tools.resources.members import MEMBERS
from trips_mcp.tools.shared_folder import SharedFolder
from trips_mcp.tools.tool import Tool, tool
from trips_mcp.tools.trip_reading import events_of, note_members, offload
from trips_mcp.tools.views import Exported

TripFormat = Literal["ics", "gpx", "geojson", "kml", "html", "md", "json"]

JSON: Final = "application/json"
_NO_NAME: Final = re.compile(r"[^\w-]+")
_LONGEST_NAME: Final = 60
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


class ExportFile(OfTrip):
    format: Annotated[
        TripFormat,
        Field(description="ics (calendar), gpx, geojson or kml (map), html (page), md (to read), json (data)"),
    ]


class ExportedFile(Result):
    file_name: str
    media_type: str
    characters: int
    entries: int
    """Dated things."""
    places: int
    uri: str
    """The same file as a resource, if it is one."""
    path: str | None = None
    """Where it was written, on a server with `--files`."""
    text: str = Field(default="", exclude=True)


@dataclass(frozen=True, slots=True)
class TripFile:
    name: str
    media_type: str
    text: str
    outline: Outline
    notes: tuple[str, ...] = ()
    rate_limit: RateLimit | None = None


async def file_of(
    client: TripsClient,
    trip_id: str,
    kind: TripFormat,
    conduct: Conduct,
    *,
    with_secrets: bool = False,
    **options: bool,
) -> TripFile:
    """Without secrets it has what a share link shows. The options are the renderer's. Raises: TripsError."""
    exported = await client.outcome(EXPORT_TRIP, ExportTrip(trip_id=trip_id))
    export = exported.result
    note_members(client, trip_id, export)
    found = await events_of(client, trip_id, export, conduct)
    things = len(export.legs) + len(export.map_pins) + len(export.action_items) + len(export.commitments)
    made = await offload(things + len(found.events), _made, kind, export, found.events, with_secrets, options)
    notes = (*exported.notes, *filter(None, (found.note,)))
    return replace(made, notes=notes, rate_limit=exported.rate_limit)


def _made(
    kind: TripFormat, export: TripExport, events: list[Event], with_secrets: bool, options: Mapping[str, bool]
) -> TripFile:
    if not with_secrets:
        export, events = public_export(export), public_events(events)
    outline = outline_of(export, events)
    if kind == "json":
        return TripFile(_name(outline.title, "json"), JSON, _as_json(export, events), outline)
    form = FORMAT[kind]
    return TripFile(_name(outline.title, form.extension), form.media_type, form.render(outline, **options), outline)


def _as_json(export: TripExport, events: list[Event]) -> str:
    whole = export.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)
    whole["events"] = [event.model_dump(mode="json", exclude_none=True, exclude_unset=True) for event in events]
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _name(title: str, extension: str) -> str:
    """A file name that every system accepts."""
    return f"{_NO_NAME.sub('-', title)[:_LONGEST_NAME].strip('-_') or 'trip'}.{extension}"


def resource_uri(trip_id: str, kind: TripFormat) -> str:
    path = {"ics": "calendar.ics", "geojson": "places.geojson", "html": "page.html"}.get(kind)
    return f"trips://{quote(trip_id, safe='')}/{path}" if path else ""


async def _export_file(client: TripsClient, asked: ExportFile, _: Report, conduct: Conduct) -> Outcome[ExportedFile]:
    file = await file_of(client, asked.trip_id, asked.format, conduct)
    uri, path = resource_uri(asked.trip_id, asked.format), await _written(file, conduct)
    notes = file.notes
    if len(file.text) > LARGEST and path is None:
        notes = (*notes, f"The file is too long for an answer. {_elsewhere(asked, uri)}.")
    result = ExportedFile(
        file_name=file.name,
        media_type=file.media_type,
        characters=len(file.text),
        entries=len(file.outline.entries),
        places=len(file.outline.places),
        uri=uri,
        path=path,
        text=file.text,
    )
    return Outcome(result, notes, file.rate_limit)


async def _written(file: TripFile, conduct: Conduct) -> str | None:
    """Raises: ToolRefusedError."""
    if conduct.files is None or not conduct.writes_files:
        return None
    return await to_thread.run_sync(SharedFolder(conduct.files).write, file.name, file.text.encode())


def _elsewhere(asked: ExportFile, uri: str) -> str:
    """Where a file is that no answer holds. People open a page from a folder, not from a resource."""
    command = f"un `trips-mcp export {asked.trip_id} --format {asked.format}"
    if asked.format == "html":
        return f"R{command} -o FILE`, or read the resource {uri}"
    return f"Read the resource {uri}" if uri else f"R{command}`"


def _attached(result: ExportedFile) -> Attachment | None:
    if len(result.text) > LARGEST:
        return None
    return Attachment(result.uri or f"file:///{quote(result.file_name)}", result.media_type, result.text)


export_file = Tool(
    name="export_file",
    title="Export file",
    description="Make a file of a trip for a calendar, a map or paper. It has no codes, contacts or notes.",
    params=ExportFile,
    asked_for="calendar ics iCal Google Maps GPX KML GeoJSON HTML Markdown download print",
    hints={"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True, "openWorldHint": True},
    uses=(EXPORT_TRIP, LIST_TRIP_EVENTS),
    run=_export_file,
    lookup="list_trips",
    writes_files=True,
    attached=_attached,
)
