"""Tools that answer a traveller's questions from one export and the trip's events."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final

import anyio
from pydantic import AliasChoices, Field
from pydantic_core import MISSING

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import NotConfiguredError, TripsError
from trips_mcp.client.outcome import Outcome, RateLimit, Report
from trips_mcp.contract.events import LIST_TRIP_EVENTS, Event, ListTripEvents
from trips_mcp.contract.exports import EXPORT_TRIP, ExportTrip, TripExport
from trips_mcp.contract.fields import WHOLE
from trips_mcp.contract.operation import R
from trips_mcp.contract.path_ids import OfTrip
from trips_mcp.itinerary import check as checking
from trips_mcp.itinerary import search as searching
from trips_mcp.itinerary.check import CheckReport
from trips_mcp.itinerary.day import choice_of, day_of
from trips_mcp.itinerary.day_expressions import Unclear, read_day, runs, today_in
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.markdown import day_in_markdown, timeline_in_markdown
from trips_mcp.itinerary.results import Day, Timeline
from trips_mcp.itinerary.search import SearchReport
from trips_mcp.itinerary.timeline import timeline_of
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.offload import offload
from trips_mcp.tools.results.answer import ToolRefusedError
from trips_mcp.tools.results.authors import note_members
from trips_mcp.tools.tool import Hints, Tool

_READS: Final[Hints] = {
    "readOnlyHint": True,
    "destructiveHint": False,
    "idempotentHint": True,
    "openWorldHint": True,
}
_USES: Final = (EXPORT_TRIP, LIST_TRIP_EVENTS)
_PATIENCE: Final = 10.0
"""Seconds for the events, after those that the export may take: hosts wait no more than a minute."""
_LONGEST_REASON: Final = 300

DayAsked = Annotated[str, Field(min_length=1, max_length=100)]


class GetDay(OfTrip):
    date: Annotated[
        DayAsked,
        Field(
            validation_alias=AliasChoices("date", "day"),
            description="2026-07-21, 21 July, Tuesday, today, tomorrow or day 3",
        ),
    ]
    """`day` is the argument's former name."""


class GetTimeline(OfTrip):
    from_: Annotated[DayAsked | MISSING, Field(alias="from", description="First day, if not all; as in get_day")] = (
        MISSING
    )
    to: Annotated[DayAsked | MISSING, Field(description="Last day")] = MISSING


class CheckTrip(OfTrip):
    min_connection_minutes: Annotated[int, Field(ge=0, le=1440, description="0-1440, else 60"), WHOLE] | MISSING = (
        MISSING
    )


class SearchTrip(OfTrip):
    query: Annotated[str, Field(min_length=1, max_length=200, description="Words, in any order")]


@dataclass(frozen=True, slots=True)
class TripReading:
    """A trip, with what there is to say of how it was read."""

    journey: Journey
    things: int
    """How many it holds: what work on it takes."""
    notes: tuple[str, ...]
    rate_limit: RateLimit | None

    def outcome(self, result: R) -> Outcome[R]:
        return Outcome(result, self.notes, self.rate_limit)


async def read_trip(client: TripsClient, trip_id: str, conduct: Conduct) -> TripReading:
    """In one export, and one request more where its events are known. Without them an answer is worth having too.

    Raises: TripsError.
    """
    exported = await client.outcome(EXPORT_TRIP, ExportTrip(trip_id=trip_id))
    note_members(client, trip_id, exported.result)
    found = await events_of(client, trip_id, exported.result, conduct)
    events, notes = found.events, (*exported.notes, *filter(None, (found.note,)))
    things = _things(exported.result) + len(events)
    return TripReading(await offload(things, Journey.of, exported.result, events), things, notes, exported.rate_limit)


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
        with anyio.fail_after(_PATIENCE):
            return EventsFound((await client.call(LIST_TRIP_EVENTS, ListTripEvents(trip_id=number))).events)
    except TimeoutError:
        return EventsFound([], _without_events(f"the Events API did not answer within {_PATIENCE:g} seconds"))
    except NotConfiguredError as error:
        # where the trip was linked they are missed; else nobody has asked for events
        return EventsFound([], None if linked is None else _without_events(str(error)), asked=linked is not None)
    except TripsError as error:
        return EventsFound([], _without_events(str(error)))


def _without_events(why: str) -> str:
    return f"Events are left out, for they could not be read: {why.rstrip('.')[:_LONGEST_REASON]}."


async def _day(client: TripsClient, asked: GetDay, _: Report, conduct: Conduct) -> Outcome[Day]:
    read = await read_trip(client, asked.trip_id, conduct)
    now = conduct.now()
    found = read_day(read.journey, asked.date, now)
    if not isinstance(found, Unclear):
        today = today_in(read.journey, now)
        return read.outcome(await offload(read.things, day_of, read.journey, found, today))
    if found.choices:
        return read.outcome(choice_of(read.journey, found.choices, found.why))
    raise ToolRefusedError(found.why)


async def _timeline(client: TripsClient, asked: GetTimeline, _: Report, conduct: Conduct) -> Outcome[Timeline]:
    read = await read_trip(client, asked.trip_id, conduct)
    journey, now = read.journey, conduct.now()
    first = None if asked.from_ is MISSING else _bound(journey, "from", asked.from_, now)
    last = None if asked.to is MISSING else _bound(journey, "to", asked.to, now)
    if first is not None and last is not None and last < first:
        raise ToolRefusedError(f"to is before from.{f' {runs(journey.dates)}' if journey.dates else ''}")
    today = today_in(journey, now)
    return read.outcome(await offload(read.things, timeline_of, journey, first=first, last=last, today=today))


def _bound(journey: Journey, name: str, text: str, now: datetime) -> date:
    """By the rule of get_day: a day of the trip. Raises: ToolRefusedError."""
    found = read_day(journey, text, now)
    if isinstance(found, Unclear):
        raise ToolRefusedError(f"{name}: {found.why}")
    return found


async def _check(client: TripsClient, asked: CheckTrip, _: Report, conduct: Conduct) -> Outcome[CheckReport]:
    read = await read_trip(client, asked.trip_id, conduct)
    minutes = checking.MINIMUM_CONNECTION
    if asked.min_connection_minutes is not MISSING:
        minutes = asked.min_connection_minutes
    report = await offload(read.things, checking.check, read.journey, minutes)
    return read.outcome(_fixable(report, conduct.absent))


def _fixable(report: CheckReport, absent: Collection[str]) -> CheckReport:
    """Drop the tools that this server does not offer."""
    if not any(finding.fix_with in absent for finding in report.findings):
        return report
    findings = [
        finding.model_copy(update={"fix_with": None}) if finding.fix_with in absent else finding
        for finding in report.findings
    ]
    return report.model_copy(update={"findings": findings})


async def _search(client: TripsClient, asked: SearchTrip, _: Report, conduct: Conduct) -> Outcome[SearchReport]:
    read = await read_trip(client, asked.trip_id, conduct)
    return read.outcome(await offload(read.things, searching.search, read.journey, asked.query))


get_day = Tool(
    name="get_day",
    title="Get day",
    description="Answer about one day of a trip: where you wake up and sleep, flights, plans, free time, what is "
    "due. For the whole trip use get_timeline. Cut notes end in ….",
    params=GetDay,
    asked_for="where today tonight tomorrow planned schedule agenda sleep hotel next flight",
    hints=_READS,
    uses=_USES,
    run=_day,
    lookup="list_trips",
    prose=day_in_markdown,
    answers=Day,
)
get_timeline = Tool(
    name="get_timeline",
    title="Get timeline",
    description="Read a whole trip in order, one line per item, with local times and ids. For one date use get_day; "
    "for every field use export_trip.",
    params=GetTimeline,
    hints=_READS,
    uses=_USES,
    run=_timeline,
    lookup="list_trips",
    prose=timeline_in_markdown,
    answers=Timeline,
)
check_trip = Tool(
    name="check_trip",
    title="Check trip",
    description="Find problems in a trip: overlaps, nights with two beds or none, gaps, missed connections, wrong "
    "zones, double bookings. Changes nothing; each finding names the tool that fixes it.",
    params=CheckTrip,
    hints=_READS,
    uses=_USES,
    run=_check,
    lookup="list_trips",
    prose=lambda report, _: checking.in_words(report),
    answers=CheckReport,
)
search_trip = Tool(
    name="search_trip",
    title="Search trip",
    description="Find words in a trip's titles, places, notes, events and to-dos, with ids. For a date use get_day.",
    params=SearchTrip,
    asked_for="find look up where place restaurant hotel",
    hints=_READS,
    uses=_USES,
    run=_search,
    lookup="list_trips",
    prose=lambda report, _: searching.in_words(report),
    answers=SearchReport,
)
