"""The tools that plan a move of a trip's parts, or a copy of a trip."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final

from pydantic import Field
from pydantic_core import MISSING

from trips_mcp.client import TripsClient
from trips_mcp.client.outcome import Outcome, Report
from trips_mcp.contract.fields import WHOLE, LocalDate, Title
from trips_mcp.contract.models import OfTrip
from trips_mcp.itinerary.check.findings import CitedPart
from trips_mcp.itinerary.journey import Journey
from trips_mcp.planning.copy import Part, copy
from trips_mcp.planning.draft import DraftNote, NotPlannableError, note
from trips_mcp.planning.move import move
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.error_text import ToolRefusedError
from trips_mcp.tools.plans import tools as plans
from trips_mcp.tools.plans.plan import PlanContext, plan
from trips_mcp.tools.plans.reading import TripNow, read_now
from trips_mcp.tools.plans.results import Preview, preview_in_words
from trips_mcp.tools.resources.itinerary import DayAsked, day_asked
from trips_mcp.tools.tool import Tool
from trips_mcp.tools.trip_reading import offload

_MOST_NOTES: Final = 50


class PlanMove(OfTrip):
    from_: Annotated[DayAsked, Field(alias="from", description="First day to move, as in get_day")]
    days: Annotated[int, Field(description="-3650 to 3650; negative is earlier"), WHOLE]
    to: Annotated[DayAsked | MISSING, Field(description="Last day to move, if not all")] = MISSING
    move_booked: Annotated[bool | MISSING, Field(description="Move bookings too")] = MISSING


class PlanCopy(OfTrip):
    title: Title
    start_date: LocalDate
    leave_out: list[Part] | MISSING = MISSING


async def _plan_move(client: TripsClient, asked: PlanMove, _: Report, conduct: Conduct) -> Outcome[Preview]:
    now = await read_now(client, asked.trip_id, conduct)
    journey = await _journey(now)
    first = _day(journey, "from", asked.from_, conduct)
    last = None if asked.to is MISSING else _day(journey, "to", asked.to, conduct)
    try:
        draft = await offload(_size(now), move, journey, first, asked.days, last, booked=asked.move_booked is True)
    except NotPlannableError as error:
        raise ToolRefusedError(str(error)) from None
    return await plan(PlanContext(client, conduct), asked.trip_id, draft.changes, _shown(draft.notes), now=now)


async def _plan_copy(client: TripsClient, asked: PlanCopy, _: Report, conduct: Conduct) -> Outcome[Preview]:
    now = await read_now(client, asked.trip_id, conduct)
    leave_out = [] if asked.leave_out is MISSING else asked.leave_out
    group_id = now.export.trip.group_id if now.export.trip else None
    start = date.fromisoformat(asked.start_date)
    journey = await _journey(now)
    try:
        draft = await offload(_size(now), copy, journey, asked.title, start, group_id=group_id, leave_out=leave_out)
    except NotPlannableError as error:
        raise ToolRefusedError(str(error)) from None
    return await plan(PlanContext(client, conduct), asked.trip_id, draft.changes, _shown(draft.notes), now=now)


async def _journey(now: TripNow) -> Journey:
    return await offload(_size(now), Journey.of, now.export, now.events)


def _size(now: TripNow) -> int:
    export = now.export
    return sum(map(len, (export.legs, export.map_pins, export.action_items, export.commitments, now.events)))


def _day(journey: Journey, name: str, text: str, conduct: Conduct) -> date:
    return day_asked(journey, name, text, conduct.now())


def _shown(notes: Sequence[DraftNote]) -> list[DraftNote]:
    if len(notes) <= _MOST_NOTES:
        return list(notes)
    rest = note("left_as_is", CitedPart(), f"{len(notes) - _MOST_NOTES} more notes are not shown.")
    return [*notes[:_MOST_NOTES], rest]


plan_move = Tool(
    name="plan_move",
    title="Plan move",
    description="Preview moving a trip by days. From a day on, or between two. Flights and bookings stay and are "
    "listed to rebook, unless moveBooked. Writes nothing; apply_plan does.",
    params=PlanMove,
    hints=plans.plan_changes.hints,
    uses=plans.USES,
    run=_plan_move,
    lookup="list_trips",
    asked_for="shift postpone reschedule delay extend shorten",
    prose=preview_in_words,
)
plan_copy = Tool(
    name="plan_copy",
    title="Plan copy",
    description="Preview a copy of a trip on other dates. It leaves out bookings, codes and messages. Writes "
    "nothing; apply_plan does.",
    params=PlanCopy,
    hints=plans.plan_changes.hints,
    uses=plans.USES,
    run=_plan_copy,
    lookup="list_trips",
    asked_for="duplicate template repeat again",
    prose=preview_in_words,
)
