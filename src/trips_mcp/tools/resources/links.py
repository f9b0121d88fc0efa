"""Deletions that name the commitments they unlink, as the service does so silently."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Final, TypeVar

import anyio

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import TripsError
from trips_mcp.client.outcome import Outcome, Report
from trips_mcp.client.paging import each
from trips_mcp.contract.commitments import LIST_COMMITMENTS, Commitment, ListCommitments
from trips_mcp.contract.models import Deleted, OfTrip
from trips_mcp.itinerary.formatting import one_line, short
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.tool import Tool

P = TypeVar("P", bound=OfTrip)

_COMMITMENTS_SECONDS: Final = 10.0
"""Seconds for the commitments: the deletion does not wait longer."""
_MOST_NAMED: Final = 10
_TITLE: Final = 80


def naming_unlinked(deletion: Tool[P, Deleted], what: str, linked: Callable[[Commitment, P], bool]) -> Tool[P, Deleted]:
    """The deletion, whose answer names the commitments that were linked to `what` was deleted."""

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


def _commitments(client: TripsClient, trip_id: str) -> AsyncGenerator[Commitment]:
    first = ListCommitments(trip_id=trip_id, limit=200)
    return each(LIST_COMMITMENTS, first, lambda asked: client.call(LIST_COMMITMENTS, asked))


def _named(found: list[Commitment] | None, what: str) -> str | None:
    if found is None:
        return f"Commitments could not be read; those that were linked to this {what} are linked to none any more."
    if not found:
        return None
    names = [f"{one_line(short(one.title, _TITLE) or '')} (commitmentId {one_line(one.id)})" for one in found]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    count = "1 commitment stays" if len(found) == 1 else f"{len(found)} commitments stay"
    return f"{count}, linked to no {what} any more: {', '.join(names[:_MOST_NAMED])}{more}."
