"""Tools that answer a traveller's questions from one export and the trip's events."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Annotated, Final

from pydantic import AliasChoices, Field
from pydantic_core import MISSING

from trips_mcp.client import TripsClient
from trips_mcp.client.outcome import Outcome, Report
from trips_mcp.contract.events import LIST_TRIP_EVENTS
from trips_mcp.contract.fields import WHOLE, Id
from trips_mcp.contract.models import OfAnyTrip, OfTrip
from trips_mcp.contract.trips import EXPORT_TRIP, LIST_TRIPS, ExportTrip, TripExport
from trips_mcp.itinerary import check as checking
from trips_mcp.itinerary import search as searching
from trips_mcp.itinerary.check import CheckReport
from trips_mcp.itinerary.day import choice_of, day_of
from trips_mcp.itinerary.day_expressions import (
    Candidate,
    Unclear,
    candidates,
    choice_of_trips,
    is_day,
    read_day,
    read_day_of_trip,
    relative_days,
    runs,
    today_in,
    why_no_trip,
)
from trips_mcp.itinerary.formatting import short
from trips_mcp.itinerary.hits import Hit
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.markdown import day_in_markdown, timeline_in_markdown
from trips_mcp.itinerary.model import Stay
from trips_mcp.itinerary.results import Day, Timeline
from trips_mcp.itinerary.search import SearchReport, matching
from trips_mcp.itinerary.stay import StayReport, choice_of_stays, stay_in_words, stay_report, stays_named, stays_on
from trips_mcp.itinerary.text_match import words_of
from trips_mcp.itinerary.timeline import timeline_of
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.error_text import ToolRefusedError
from trips_mcp.tools.fields import is_nameable
from trips_mcp.tools.secrets import is_secret
from trips_mcp.tools.tool import Hints, Tool
from trips_mcp.tools.trip_reading import (
    TripReading,
    list_newest_first,
    note_destinations,
    note_members,
    offload,
    read_each,
    read_trip,
)

READS: Final[Hints] = {
    "readOnlyHint": True,
    "destructiveHint": False,
    "idempotentHint": True,
    "openWorldHint": True,
}
_USES: Final = (EXPORT_TRIP, LIST_TRIP_EVENTS)
_USES_ALL: Final = (*_USES, LIST_TRIPS)
NO_LEG: Final = "The trip has no leg with this legId; look it up with list_legs."
_MOST_TOLD_APART: Final = 3
_TITLE: Final = 200
_MOST_CHOICES: Final = 12
"""Stays that an answer names."""
_LEAVING: Final = "This stay ends on that day; the trip has none for the night after it."

DayAsked = Annotated[str, Field(min_length=1, max_length=100)]
Words = Annotated[str, Field(min_length=1, max_length=200)]


class GetDay(OfAnyTrip):
    trip_id: Annotated[Id | MISSING, Field(description="Omit to find the trip by its dates")] = MISSING
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


class SearchTrip(OfAnyTrip):
    trip_id: Annotated[Id | MISSING, Field(description="Omit to search all trips")] = MISSING
    query: Annotated[str, Field(min_length=1, max_length=200, description="Words, in any order")]


class GetStay(OfTrip):
    date: Annotated[DayAsked | MISSING, Field(description="As in get_day: the night after it")] = MISSING
    leg_id: Id | MISSING = MISSING
    name: Annotated[Words | MISSING, Field(description="Its name or place")] = MISSING
    secrets: Annotated[bool | MISSING, Field(description="true tells door code, Wi-Fi password, booking number")] = (
        MISSING
    )


async def _day(client: TripsClient, asked: GetDay, _: Report, conduct: Conduct) -> Outcome[Day]:
    if asked.trip_id is MISSING:
        return await _day_of_any(client, asked.date, conduct)
    read = await read_trip(client, asked.trip_id, conduct)
    return await day_in(read, read_day(read.journey, asked.date, conduct.now()), conduct)


async def day_in(read: TripReading, found: date | Unclear, conduct: Conduct) -> Outcome[Day]:
    """Raises: ToolRefusedError."""
    if not isinstance(found, Unclear):
        today = today_in(read.journey, conduct.now())
        return read.outcome(await offload(read.things, day_of, read.journey, found, today))
    if found.choices:
        return read.outcome(choice_of(read.journey, found.choices, found.why))
    raise ToolRefusedError(found.why)


async def _day_of_any(client: TripsClient, text: str, conduct: Conduct) -> Outcome[Day]:
    """Raises: ToolRefusedError if no trip has such a day; TripsError."""
    trips, notes = await list_newest_first(client) if is_day(text) else ([], ())
    found = candidates(trips, text, conduct.now())
    if not found:
        raise ToolRefusedError(why_no_trip(trips, text))
    if len(found) > 1:
        found = await _told_apart(client, found, text, conduct)
    if len(found) > 1:
        return Outcome(choice_of_trips(found), notes, client.rate_limit)
    read = await read_trip(client, found[0].trip.id, conduct)
    outcome = await day_in(read, read_day_of_trip(read.journey, text, conduct.now()), conduct)
    journey = read.journey
    day = outcome.result.model_copy(update={"trip_id": journey.trip_id, "trip": short(journey.title, _TITLE)})
    return Outcome(day, (*notes, *outcome.notes), outcome.rate_limit)


async def _told_apart(
    client: TripsClient, found: Sequence[Candidate], text: str, conduct: Conduct
) -> Sequence[Candidate]:
    """Those that have the day by their legs' zones, of a few trips near today; all if that decides nothing."""
    now = conduct.now()
    if len(found) > _MOST_TOLD_APART or relative_days(text, now.date()) is None:
        return found
    kept: list[Candidate] = []
    for one in found:
        read = await read_trip(client, one.trip.id, conduct)
        day = read_day_of_trip(read.journey, text, now)
        days = day.choices if isinstance(day, Unclear) else (day,)
        if days:
            kept.append(Candidate(one.trip, days))
    return kept or found


async def _timeline(client: TripsClient, asked: GetTimeline, _: Report, conduct: Conduct) -> Outcome[Timeline]:
    return await timeline_in(await read_trip(client, asked.trip_id, conduct), asked, conduct)


async def timeline_in(read: TripReading, asked: GetTimeline, conduct: Conduct) -> Outcome[Timeline]:
    """Raises: ToolRefusedError."""
    journey, now = read.journey, conduct.now()
    first = None if asked.from_ is MISSING else day_asked(journey, "from", asked.from_, now)
    last = None if asked.to is MISSING else day_asked(journey, "to", asked.to, now)
    if first is not None and last is not None and last < first:
        raise ToolRefusedError(f"to is before from.{f' {runs(journey.dates)}' if journey.dates else ''}")
    today = today_in(journey, now)
    return read.outcome(await offload(read.things, timeline_of, journey, first=first, last=last, today=today))


def day_asked(journey: Journey, name: str, text: str, now: datetime) -> date:
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
    if asked.trip_id is MISSING:
        return await _search_all(client, asked.query, conduct)
    read = await read_trip(client, asked.trip_id, conduct)
    return read.outcome(await offload(read.things, searching.search, read.journey, asked.query))


async def _search_all(client: TripsClient, query: str, conduct: Conduct) -> Outcome[SearchReport]:
    """Raises: ToolRefusedError for a query without words; TripsError."""
    if not words_of(query):
        raise ToolRefusedError(f"query: {searching.NO_WORDS}")
    trips, notes = await list_newest_first(client)
    read = await read_each(client, trips, conduct, lambda one: searching.hits_in(one.journey, query))
    report = searching.search_report(query, read.found, read.left)
    return Outcome(report, (*notes, *read.notes), client.rate_limit)


def hits_for(query: str, parts: TripExport) -> Iterator[Hit]:
    """The hits of a list's `query` in these parts of a trip. Raises: ToolRefusedError for a query without words."""
    if not words_of(query):
        raise ToolRefusedError(f"query: {searching.NO_WORDS}")
    return matching(Journey.of(parts), query)


def _searched_trips(report: SearchReport) -> Iterator[str]:
    yield from (trip.trip_id for trip in report.trips or ())


def _trips_of_day(day: Day) -> Iterator[str]:
    yield from filter(None, (day.trip_id, *(choice.trip_id for choice in day.choices or ())))


async def _stay(client: TripsClient, asked: GetStay, _: Report, conduct: Conduct) -> Outcome[StayReport]:
    reading = ExportTrip(trip_id=asked.trip_id)
    outcome = await client.outcome(EXPORT_TRIP, reading)
    note_members(client, asked.trip_id, outcome.result)
    note_destinations(client, asked.trip_id, reading, outcome.result)
    report = await offload(len(outcome.result.legs), _report, Journey.of(outcome.result), asked, conduct)
    return Outcome(report, outcome.notes, outcome.rate_limit)


def _report(journey: Journey, asked: GetStay, conduct: Conduct) -> StayReport:
    """Raises: ToolRefusedError."""
    found = list(journey.stays)
    if asked.leg_id is not MISSING:
        if asked.leg_id not in journey.stretch:
            raise ToolRefusedError(NO_LEG)
        found = [stay for stay in found if stay.leg_id == asked.leg_id]
    if asked.name is not MISSING:
        named = stays_named(journey, asked.name)
        found = [stay for stay in found if stay in named]
    days: Sequence[date] = () if asked.date is MISSING else _days(journey, asked.date, conduct)
    if days:
        on = stays_on(journey, days)
        found = [stay for stay in found if stay in on]
    if not found:
        raise ToolRefusedError(_none(journey.stays))
    if len(found) > 1:
        return choice_of_stays(found)
    report = stay_report(journey, found[0], tells=asked.secrets is True)
    if days and not any(found[0] in journey.beds(day) for day in days):
        report.remark = _LEAVING
    extra = found[0].source.model_extra or {}
    report.more_fields = [name for name in extra if is_nameable(name) and not is_secret(name)] or None
    return report


def _days(journey: Journey, text: str, conduct: Conduct) -> Sequence[date]:
    """Raises: ToolRefusedError."""
    found = read_day(journey, text, conduct.now())
    if not isinstance(found, Unclear):
        return (found,)
    if not found.choices:
        raise ToolRefusedError(found.why)
    return found.choices


def _none(stays: Sequence[Stay]) -> str:
    """Has no words of other people: it becomes an error."""
    if not stays:
        return "The trip has no stay yet; update_leg adds one to a leg."
    named = [f"{stay.leg_id} ({stay.first or '?'} to {stay.end or '?'})" for stay in stays[:_MOST_CHOICES]]
    more = f" and {len(stays) - _MOST_CHOICES} more" if len(stays) > _MOST_CHOICES else ""
    return f"No stay fits. The trip has stays in the legs {', '.join(named)}{more}."


get_day = Tool(
    name="get_day",
    title="Get day",
    description="Answer about one day of a trip: where you wake up and sleep, flights, plans, free time, what is "
    "due. For the whole trip use get_timeline. Cut notes end in ….",
    params=GetDay,
    asked_for="where today tonight tomorrow planned schedule agenda sleep hotel next flight",
    hints=READS,
    uses=_USES_ALL,
    run=_day,
    lookup="list_trips",
    prose=day_in_markdown,
    answers=Day,
    told_of=_trips_of_day,
)
get_timeline = Tool(
    name="get_timeline",
    title="Get timeline",
    description="Read a whole trip in order, one line per item, with local times and ids. For one date use get_day; "
    "for every field use export_trip.",
    params=GetTimeline,
    hints=READS,
    uses=_USES,
    run=_timeline,
    lookup="list_trips",
    prose=timeline_in_markdown,
    answers=Timeline,
)
check_trip = Tool(
    name="check_trip",
    title="Check trip",
    description="Find problems in a trip: overlaps, nights with two beds or none, gaps, missed connections, "
    "impossible hops, wrong zones, double bookings. Changes nothing; each finding names the tool that fixes it.",
    params=CheckTrip,
    hints=READS,
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
    hints=READS,
    uses=_USES_ALL,
    run=_search,
    lookup="list_trips",
    prose=lambda report, _: searching.in_words(report),
    answers=SearchReport,
    told_of=_searched_trips,
)
get_stay = Tool(
    name="get_stay",
    title="Get stay",
    description="Read one stay of a trip: address, check-in, check-out, host. By night, leg or name.",
    params=GetStay,
    asked_for="hotel accommodation lodging tonight address door code wifi password check-in host phone",
    hints={"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True, "openWorldHint": False},
    uses=(EXPORT_TRIP,),
    run=_stay,
    lookup="list_trips",
    prose=stay_in_words,
    answers=StayReport,
)
