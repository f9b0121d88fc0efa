"""The tool that shows a trip: hosts with MCP Apps draw it as a page, others show the same in words."""

from time import time
from typing import Annotated, Any, Final, NamedTuple

from pydantic import Field
from pydantic_core import MISSING

from trips_mcp.client import TripsClient
from trips_mcp.client.outcome import Outcome, Report
from trips_mcp.contract.events import LIST_TRIP_EVENTS
from trips_mcp.contract.models import OfTrip, Result
from trips_mcp.contract.trips import EXPORT_TRIP
from trips_mcp.formats.outline import Outline, outline_of, public_events, public_export
from trips_mcp.itinerary.day_expressions import read_day
from trips_mcp.itinerary.markdown import day_in_markdown, timeline_in_markdown
from trips_mcp.itinerary.results import Day, Timeline
from trips_mcp.json_values import JsonObject
from trips_mcp.tools.answer import as_text
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.error_text import ToolRefusedError
from trips_mcp.tools.plans.plan import Plan, read_plan, reads_to_apply
from trips_mcp.tools.plans.results import Preview, preview_in_words, preview_of
from trips_mcp.tools.plans.trial import read_now, tried
from trips_mcp.tools.resources.itinerary import READS, DayAsked, GetTimeline, day_in, timeline_in
from trips_mcp.tools.tool import Tool
from trips_mcp.tools.tool_mentions import Hint
from trips_mcp.tools.trip_reading import TripSource, offload, read_trip
from trips_mcp.tools.untrusted_text import UNMARKED

TRIP_PAGE: Final = "ui://trips-mcp/trip.html"
_LARGEST_PAGE: Final = 1_000_000
"""Characters. A trip of 500 items takes 120,000."""


class ShowTrip(OfTrip):
    date: Annotated[DayAsked | MISSING, Field(description="As in get_day")] = MISSING
    plan_id: Annotated[
        str | MISSING, Field(min_length=1, max_length=64, description="Shows the trip before and after this plan")
    ] = MISSING


class Drawing(NamedTuple):
    """What the page draws."""

    before: TripSource
    after: TripSource | None = None
    date: str | None = None
    plan_id: str | None = None
    notes: tuple[str, ...] = ()


class ShownTrip(Result):
    """The same in words: one of these."""

    timeline: Timeline | None = None
    day: Day | None = None
    preview: Preview | None = None
    drawing: Any = Field(default=None, exclude=True)


async def _show(client: TripsClient, asked: ShowTrip, _: Report, conduct: Conduct) -> Outcome[ShownTrip]:
    if asked.plan_id is not MISSING:
        return await _show_plan(client, asked.trip_id, asked.plan_id, conduct)
    read = await read_trip(client, asked.trip_id, conduct)
    if asked.date is MISSING:
        whole = await timeline_in(read, GetTimeline(trip_id=asked.trip_id), conduct)
        drawing = Drawing(read.state, notes=read.notes)
        return read.outcome(ShownTrip(timeline=whole.result, drawing=drawing))
    day = (await day_in(read, read_day(read.journey, asked.date, conduct.now()), conduct)).result
    return read.outcome(ShownTrip(day=day, drawing=Drawing(read.state, date=day.date, notes=read.notes)))


async def _show_plan(client: TripsClient, trip_id: str, plan_id: str, conduct: Conduct) -> Outcome[ShownTrip]:
    plan, minutes = await _plan(client, trip_id, plan_id)
    now = await read_now(client, trip_id, conduct)
    trial = await tried(plan.changes, now, trip_id, conduct)
    preview = preview_of(
        trial,
        plan.changes,
        plan.steps,
        trip_id,
        notes=(),
        masks=conduct.mask_secrets,
        others=len(now.export.members) != 1,
        reads=reads_to_apply(now),
    )
    preview = preview.model_copy(update={"plan_id": plan_id, "minutes_valid": minutes})
    notes = () if now.without_events is None else (now.without_events,)
    before, after = (TripSource(one.export, one.events) for one in (now, trial.trip_after))
    drawing = Drawing(before, after, plan_id=plan_id, notes=notes)
    return Outcome(ShownTrip(preview=preview, drawing=drawing), notes, client.rate_limit)


async def _plan(client: TripsClient, trip_id: str, plan_id: str) -> tuple[Plan, int]:
    """A plan that can be applied, and how many minutes it is valid. Raises: ToolRefusedError."""
    record = await client.history.get_plan(client.account, plan_id)
    if record is None or record.trip != trip_id:
        raise ToolRefusedError("There is no such plan of this trip. A plan is valid for an hour; make it anew.")
    plan = read_plan(record)
    if plan.report is not None:
        raise ToolRefusedError("This plan was applied; leave planId out to see the trip as it is now.")
    minutes = int(record.expires - time()) // 60
    if record.state == "planned" and minutes < 0:
        raise ToolRefusedError("This plan has expired after an hour; make it anew.")
    return plan, max(minutes, 0)


def _in_words(shown: ShownTrip, hint: Hint) -> str:
    if shown.preview is not None:
        return preview_in_words(shown.preview, hint)
    if shown.day is not None:
        return day_in_markdown(shown.day, hint)
    return timeline_in_markdown(shown.timeline or Timeline(), hint)


async def _drawn(shown: ShownTrip) -> JsonObject | None:
    """None for a trip that is too large for a message; its words are what is shown then."""
    drawing: Drawing = shown.drawing
    states = [drawing.before] if drawing.after is None else [drawing.before, drawing.after]
    page = await offload(sum(map(_things, states)), _page, drawing)
    if page is None:
        return None
    more = {"date": drawing.date, "planId": drawing.plan_id, "remarks": list(drawing.notes) or None}
    return {"quoting": UNMARKED, **page, **{name: value for name, value in more.items() if value is not None}}


def _page(drawing: Drawing) -> JsonObject | None:
    """What a share link shows: no codes, contacts or notes."""
    from trips_mcp.formats.page import page_of

    before, after = drawing.before, drawing.after
    page = page_of(_outline(before), None if after is None else _outline(after))
    return page if len(as_text(page)) <= _LARGEST_PAGE else None


def _outline(source: TripSource) -> Outline:
    return outline_of(public_export(source.export), public_events(source.events))


def _things(source: TripSource) -> int:
    export = source.export
    return sum(map(len, (export.legs, export.map_pins, export.action_items, export.commitments, source.events)))


show_trip = Tool(
    name="show_trip",
    title="Show trip",
    description="Draw a trip: map, timeline, list. In hosts that cannot draw it tells the same in words, as "
    "get_timeline or get_day does. For an answer use those; for its fields, get_trip.",
    params=ShowTrip,
    asked_for="map picture view visual overview see",
    hints=READS,
    uses=(EXPORT_TRIP, LIST_TRIP_EVENTS),
    run=_show,
    lookup="list_trips",
    prose=_in_words,
    page=TRIP_PAGE,
    drawn=_drawn,
)
