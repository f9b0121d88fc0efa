"""The tools that make and apply plans."""

from typing import Annotated, Any, Final

from pydantic import Field
from pydantic_core import MISSING

from trips_mcp.client import TripsClient
from trips_mcp.client.outcome import Outcome, Report
from trips_mcp.contract.events import LIST_TRIP_EVENTS
from trips_mcp.contract.exports import EXPORT_TRIP
from trips_mcp.contract.models import Params
from trips_mcp.contract.path_ids import OfTrip
from trips_mcp.planning.change import Change
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.plans.changes import MOST_CHANGES
from trips_mcp.tools.plans.plan import PlanContext, plan
from trips_mcp.tools.plans.results import Preview, preview_in_words
from trips_mcp.tools.tool import Hints, Tool

_READS: Final[Hints] = {
    "readOnlyHint": True,
    "destructiveHint": False,
    "idempotentHint": True,
    "openWorldHint": True,
}


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
            'tripId may be left out; later, "@kyoto" stands for the new id',
        ),
    ]


async def _plan_changes(client: TripsClient, asked: PlanChanges, _: Report, conduct: Conduct) -> Outcome[Preview]:
    changes = [one.change() for one in asked.changes]
    return await plan(PlanContext(client, conduct), asked.trip_id, changes)


plan_changes = Tool(
    name="plan_changes",
    title="Plan changes",
    description="Preview several changes of one trip at once, before any is made: what they create, change and "
    "delete, which problems they cause and fix. Use it for more than two writes. Writes nothing; apply_plan makes "
    "them.",
    params=PlanChanges,
    hints=_READS,
    uses=(EXPORT_TRIP, LIST_TRIP_EVENTS),
    run=_plan_changes,
    lookup="list_trips",
    prose=preview_in_words,
)
