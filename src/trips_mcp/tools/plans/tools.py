"""The tools that make and apply plans."""

from typing import Annotated, Any, Final

from pydantic import Field
from pydantic_core import MISSING

from trips_mcp.client import TripsClient
from trips_mcp.client.outcome import Outcome, Report
from trips_mcp.contract.events import LIST_TRIP_EVENTS
from trips_mcp.contract.exports import EXPORT_TRIP
from trips_mcp.contract.models import OfTrip, Params
from trips_mcp.contract.sync import SYNC_TRIP
from trips_mcp.planning.change import Change
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.plans.apply import apply
from trips_mcp.tools.plans.changes import MOST_CHANGES
from trips_mcp.tools.plans.plan import PlanContext, plan
from trips_mcp.tools.plans.results import ApplyReport, Preview, preview_in_words, report_in_words
from trips_mcp.tools.tool import Hints, Tool

PLANS: Final[Hints] = {
    "readOnlyHint": True,
    "destructiveHint": False,
    "idempotentHint": True,
    "openWorldHint": True,
}


"""Making a plan sends nothing but reads."""
USES: Final = (SYNC_TRIP, EXPORT_TRIP, LIST_TRIP_EVENTS)
"""A plan needs the scope to write: the first operation decides."""


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


class ApplyPlan(Params):
    plan_id: Annotated[str, Field(min_length=1, max_length=64)]


async def _plan_changes(client: TripsClient, asked: PlanChanges, _: Report, conduct: Conduct) -> Outcome[Preview]:
    changes = [one.change() for one in asked.changes]
    return await plan(PlanContext(client, conduct), asked.trip_id, changes)


plan_changes = Tool(
    name="plan_changes",
    title="Plan changes",
    description="Preview changes of a trip. Several at once: it tells what they create, change and "
    "delete, which problems they cause and fix. Use it for more than two writes. Writes nothing; apply_plan makes "
    "them.",
    params=PlanChanges,
    hints=PLANS,
    uses=USES,
    run=_plan_changes,
    lookup="list_trips",
    prose=preview_in_words,
)


async def _apply_plan(client: TripsClient, asked: ApplyPlan, report: Report, conduct: Conduct) -> Outcome[ApplyReport]:
    return await apply(PlanContext(client, conduct), asked.plan_id, report)


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
