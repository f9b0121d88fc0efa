"""Commitment tools."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated, Final, Self, TypeVar

import anyio
from pydantic import Field, model_validator
from pydantic_core import MISSING, PydanticCustomError

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import OutcomeUnknownError, TripsError
from trips_mcp.client.outcome import Outcome, Report
from trips_mcp.client.resources import each
from trips_mcp.contract.commitments import (
    CREATE_COMMITMENT,
    DELETE_COMMITMENT,
    LIST_COMMITMENTS,
    UPDATE_COMMITMENT,
    Category,
    Commitment,
    ListCommitments,
    UpdateCommitment,
)
from trips_mcp.contract.fields import WHOLE, LocalDate
from trips_mcp.contract.models import Deleted, OfTrip, Params
from trips_mcp.itinerary.formatting import clock, one_line, short
from trips_mcp.itinerary.local_time import read_date, read_time
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.error_text import ToolRefusedError
from trips_mcp.tools.tool import Tool, tool
from trips_mcp.tools.views import Filter, Listed

P = TypeVar("P", bound=OfTrip)

_SHIFTS: Final = frozenset({"shift_days", "shift_minutes"})
_SHIFTED: Final = {
    "start_date": "startDate",
    "start_time": "startTime",
    "end_time": "endTime",
    "is_all_day": "isAllDay",
}
"""What a shift changes, so no call sets both."""
_NONE: Final = "The trip has no commitment with this commitmentId; look it up with list_commitments."

_COMMITMENTS_SECONDS: Final = 10.0
"""Seconds for the commitments: a deletion that unlinks some does not wait longer."""
_MOST_NAMED: Final = 10
_TITLE: Final = 80


class ChangeCommitment(UpdateCommitment):
    shift_days: Annotated[int, Field(ge=-3650, le=3650, description="Move by days"), WHOLE] | MISSING = MISSING
    shift_minutes: Annotated[int, Field(ge=-10080, le=10080, description="Move start and end"), WHOLE] | MISSING = (
        MISSING
    )

    @property
    def shift(self) -> timedelta | None:
        if self.shift_days is MISSING and self.shift_minutes is MISSING:
            return None
        days = 0 if self.shift_days is MISSING else self.shift_days
        return timedelta(days, minutes=0 if self.shift_minutes is MISSING else self.shift_minutes)

    @model_validator(mode="after")
    def _shifts_or_sets(self) -> Self:
        if self.shift is None:
            return self
        cleared = [] if self.clear is MISSING else self.clear
        for name, wire_name in _SHIFTED.items():
            if getattr(self, name) is not MISSING or wire_name in cleared:
                raise PydanticCustomError("shift", "not together with shiftDays or shiftMinutes", {"path": wire_name})
        return self


def shifting(update: Tool[UpdateCommitment, Commitment]) -> Tool[ChangeCommitment, Commitment]:
    """The update, which also takes a shift. It is not idempotent, as a shift starts from the current time."""

    async def run(
        client: TripsClient, asked: ChangeCommitment, report: Report, conduct: Conduct
    ) -> Outcome[Commitment]:
        params = _plain(asked)
        if asked.shift is None:
            return await update.run(client, params, report, conduct)
        params = params.model_copy(update=_moved(await _current(client, asked), asked.shift))
        try:
            return await update.run(client, params, report, conduct)
        except OutcomeUnknownError as error:
            # the same call would shift from the new time
            raise OutcomeUnknownError(
                error.operation, error.why, repeatable=False, retry_after=error.retry_after
            ) from error.__cause__

    async def write(client: TripsClient, asked: ChangeCommitment, report: Report) -> Outcome[Commitment]:
        """For plans, which may be applied in several attempts: a shift would start from the new time then."""
        if update.write is None or asked.shift is not None:
            raise ToolRefusedError("a plan takes no shift; set startDate, startTime and endTime, or use plan_move")
        return await update.write(client, _plain(asked), report)

    return Tool(
        name=update.name,
        title=update.title,
        description=update.description,
        params=ChangeCommitment,
        hints={**update.hints, "idempotentHint": False},
        uses=(*update.uses, LIST_COMMITMENTS),
        run=run,
        write=write,
        lookup=update.lookup,
    )


def _plain(asked: ChangeCommitment) -> UpdateCommitment:
    return UpdateCommitment.model_validate(asked.model_dump(by_alias=True, exclude=set(_SHIFTS)))


async def _current(client: TripsClient, asked: ChangeCommitment) -> Commitment:
    async for one in _commitments(client, asked.trip_id):
        if one.id == asked.commitment_id:
            return one
    raise ToolRefusedError(_NONE)


def _commitments(client: TripsClient, trip_id: str) -> AsyncGenerator[Commitment]:
    first = ListCommitments(trip_id=trip_id, limit=200)
    return each(LIST_COMMITMENTS, first, lambda asked: client.call(LIST_COMMITMENTS, asked))


def _moved(one: Commitment, shift: timedelta) -> dict[str, str]:
    """The new date and times. An end before the start is on the next day, and stays so: the length is the same."""
    day, starts, ends = read_date(one.start_date), read_time(one.start_time), read_time(one.end_time)
    if day is None:
        raise ToolRefusedError("Not sent: the commitment has no readable startDate to shift; set startDate instead.")
    try:
        if not shift.seconds:
            return {"start_date": str(day + shift)}
        if starts is None or one.is_all_day:
            raise ToolRefusedError("Not sent: the commitment has no startTime to shift by minutes; use shiftDays.")
        moved = datetime.combine(day, starts) + shift
        times = {"start_date": str(moved.date()), "start_time": clock(moved.time())}
        return times if ends is None else {**times, "end_time": clock((datetime.combine(day, ends) + shift).time())}
    except OverflowError:
        raise ToolRefusedError("Not sent: the shift leads out of the calendar; use a smaller one.") from None


def naming_unlinked(deletion: Tool[P, Deleted], what: str, linked: Callable[[Commitment, P], bool]) -> Tool[P, Deleted]:
    """The deletion, whose answer names the commitments that it unlinks, as the service does so silently."""

    async def run(client: TripsClient, asked: P, report: Report, conduct: Conduct) -> Outcome[Deleted]:
        try:
            with anyio.fail_after(_COMMITMENTS_SECONDS):
                found = [one async for one in _commitments(client, asked.trip_id) if linked(one, asked)]
        except (TripsError, TimeoutError):
            found = None
        outcome = await deletion.run(client, asked, report, conduct)
        note = _named(found, what)
        return outcome if note is None else replace(outcome, notes=(*outcome.notes, note))

    return replace(deletion, run=run, uses=(*deletion.uses, LIST_COMMITMENTS))


def _named(found: list[Commitment] | None, what: str) -> str | None:
    if found is None:
        return f"Commitments could not be read; those that were linked to this {what} are linked to none any more."
    if not found:
        return None
    names = [f"{one_line(short(one.title, _TITLE) or '')} (commitmentId {one_line(one.id)})" for one in found]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    count = "1 commitment stays" if len(found) == 1 else f"{len(found)} commitments stay"
    return f"{count}, linked to no {what} any more: {', '.join(names[:_MOST_NAMED])}{more}."


class CommitmentFilter(Params):
    category: Category | MISSING = MISSING
    from_: Annotated[LocalDate | MISSING, Field(alias="from", description="First startDate")] = MISSING
    to: Annotated[LocalDate | MISSING, Field(description="Last startDate")] = MISSING


def _matching(asked: CommitmentFilter, commitments: Sequence[Commitment]) -> Sequence[Commitment]:
    """Raises: ToolRefusedError."""
    first = date.min if asked.from_ is MISSING else date.fromisoformat(asked.from_)
    last = date.max if asked.to is MISSING else date.fromisoformat(asked.to)
    if last < first:
        raise ToolRefusedError("to is before from.")
    if asked.category is not MISSING:
        commitments = [one for one in commitments if one.category == asked.category]
    if asked.from_ is MISSING and asked.to is MISSING:
        return commitments
    return [one for one in commitments if (day := read_date(one.start_date)) and first <= day <= last]


COMMITMENTS = Listed(
    item=Commitment,
    usual={"isAllDay": False},
    brief=("title", "startDate", "startTime"),
    filter=Filter(CommitmentFilter, _matching),
)

list_commitments = tool(
    LIST_COMMITMENTS,
    title="List commitments",
    description="List what is scheduled on a trip: dinners, activities, birthdays, meetings. Stays and flights are "
    "in list_legs. 100 per page unless limit says else; pass nextCursor as cursor for more.",
    lookup="list_trips",
    view=COMMITMENTS,
)
create_commitment = tool(
    CREATE_COMMITMENT,
    title="Create commitment",
    description="Schedule a dinner, activity, birthday or meeting on a trip. Link it with legId or mapPinId. Times "
    "are local to timezone.",
    asked_for="book reservation appointment ticket restaurant",
    lookup="list_trips",
)
update_commitment = shifting(
    tool(
        UPDATE_COMMITMENT,
        title="Update commitment",
        description="Move or change a commitment. Omitted fields stay.",
        lookup="list_commitments",
    )
)
delete_commitment = tool(
    DELETE_COMMITMENT,
    title="Delete commitment",
    description="Delete a commitment for good. To move it use update_commitment.",
    lookup="list_commitments",
)
