"""The tools that plan changes, a move or a copy, and apply plans. Making a plan sends nothing but reads."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final

from pydantic import Field
from pydantic_core import MISSING

from trips_mcp.client import TripsClient
from trips_mcp.client.outcome import Outcome, Report
from trips_mcp.contract.events import LIST_TRIP_EVENTS
from trips_mcp.contract.fields import WHOLE, LocalDate, Title
from trips_mcp.contract.models import OfTrip, Params
from trips_mcp.contract.trips import EXPORT_TRIP, SYNC_TRIP
from trips_mcp.itinerary.check.findings import CitedPart
from trips_mcp.itinerary.journey import Journey
from trips_mcp.planning.change import Change
from trips_mcp.planning.copy import Part, copy
from trips_mcp.planning.draft import DraftNote, NotPlannableError, note
from trips_mcp.planning.move import move
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.error_text import ToolRefusedError
from trips_mcp.tools.plans.apply import apply
from trips_mcp.tools.plans.plan import PlanContext, plan
from trips_mcp.tools.plans.results import ApplyReport, Preview, preview_in_words, report_in_words
from trips_mcp.tools.plans.trial import MOST_CHANGES, TripNow, read_now
from trips_mcp.tools.resources.itinerary import READS, DayAsked, day_asked
from trips_mcp.tools.tool import Tool
from trips_mcp.tools.trip_reading import offload

USES: Final = (SYNC_TRIP, EXPORT_TRIP, LIST_TRIP_EVENTS)
"""A plan needs the scope to write: the first operation decides."""
_MOST_NOTES: Final = 50


class PlannedChange(Params):
    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict[str, Any])
    as_: Annotated[str | MISSING, Field(alias="as")] = MISSING

    def change(self) -> Change:
        return Change(self.tool, self.arguments, None if self.as_ is MISSING else self.as_)


class PlanChanges(OfTrip):
    changes: Annotated[
        list[PlannedChange],
        Field(
            min_length=1,
            max_length=MOST_CHANGES,
            description='Calls of tools that write, in order: {"tool": "create_leg", "arguments": {…}, "as": "kyoto"}. '
            'Later, "@kyoto" stands for the new id',
        ),
    ]


class PlanMove(OfTrip):
    from_: Annotated[DayAsked, Field(alias="from", description="First day to move, as in get_day")]
    days: Annotated[int, Field(description="-3650 to 3650; negative is earlier"), WHOLE]
    to: Annotated[DayAsked | MISSING, Field(description="Last day to move, if not all")] = MISSING
    move_booked: Annotated[bool | MISSING, Field(description="Move bookings too")] = MISSING


class PlanCopy(OfTrip):
    title: Title
    start_date: LocalDate
    leave_out: list[Part] | MISSING = MISSING


class ApplyPlan(Params):
    plan_id: Annotated[str, Field(min_length=1, max_length=64)]


async def _plan_changes(client: TripsClient, asked: PlanChanges, _: Report, conduct: Conduct) -> Outcome[Preview]:
    changes = [one.change() for one in asked.changes]
    return await plan(PlanContext(client, conduct), asked.trip_id, changes)


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


async def _apply_plan(client: TripsClient, asked: ApplyPlan, report: Report, conduct: Conduct) -> Outcome[ApplyReport]:
    return await apply(PlanContext(client, conduct), asked.plan_id, report)


plan_changes = Tool(
    name="plan_changes",
    title="Plan changes",
    description="Preview changes of a trip. Several at once: it tells what they create, change and "
    "delete, which problems they cause and fix. Use it for more than two writes. Writes nothing; apply_plan makes "
    "them.",
    params=PlanChanges,
    hints=READS,
    uses=USES,
    run=_plan_changes,
    lookup="list_trips",
    prose=preview_in_words,
)
apply_plan = Tool(
    name="apply_plan",
    title="Apply plan",
    description="Make the changes of a plan that the user has seen, by the planId from `plan_changes`. Refused if "
    "what it changes was changed since. If it does not finish, call it again: nothing is made twice.",
    params=ApplyPlan,
    hints={"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True, "openWorldHint": True},
    uses=USES,
    run=_apply_plan,
    prose=report_in_words,
)
plan_move = Tool(
    name="plan_move",
    title="Plan move",
    description="Preview moving a trip by days. From a day on, or between two. Flights and bookings stay and are "
    "listed to rebook, unless moveBooked. Writes nothing; apply_plan does.",
    params=PlanMove,
    hints=READS,
    uses=USES,
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
    hints=READS,
    uses=USES,
    run=_plan_copy,
    lookup="list_trips",
    asked_for="duplicate template repeat again",
    prose=preview_in_words,
)
