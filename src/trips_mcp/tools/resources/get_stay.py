"""The tool that tells one stay: address, times, host, and its codes if they are asked for."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final

from pydantic import Field
from pydantic_core import MISSING

from trips_mcp.client import TripsClient
from trips_mcp.client.outcome import Outcome, Report
from trips_mcp.contract.exports import EXPORT_TRIP, ExportTrip
from trips_mcp.contract.fields import Id
from trips_mcp.contract.models import OfTrip
from trips_mcp.itinerary.day_expressions import Unclear, read_day
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.model import Stay
from trips_mcp.itinerary.stay import StayReport, choice_of_stays, stay_in_words, stay_report, stays_named, stays_on
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.error_text import ToolRefusedError
from trips_mcp.tools.resources.legs import NO_LEG
from trips_mcp.tools.results.fields import is_nameable
from trips_mcp.tools.results.secrets import is_secret
from trips_mcp.tools.tool import Tool
from trips_mcp.tools.trip_reading import note_destinations, note_members, offload

Day = Annotated[str, Field(min_length=1, max_length=100)]
Words = Annotated[str, Field(min_length=1, max_length=200)]

_MOST_CHOICES: Final = 12
_LEAVING: Final = "This stay ends on that day; the trip has none for the night after it."


class GetStay(OfTrip):
    date: Annotated[Day | MISSING, Field(description="As in get_day: the night after it")] = MISSING
    leg_id: Id | MISSING = MISSING
    name: Annotated[Words | MISSING, Field(description="Its name or place")] = MISSING
    secrets: Annotated[bool | MISSING, Field(description="true tells door code, Wi-Fi password, booking number")] = (
        MISSING
    )


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
