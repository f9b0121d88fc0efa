"""The handler of completion/complete, for trip ids and dates of a trip."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import mcp_types as types
from mcp import MCPError
from mcp.server import Server, ServerRequestContext

from trips_mcp.server.client_holder import ClientHolder
from trips_mcp.server.handlers import error_boundary
from trips_mcp.server.handlers.resources import TripCache
from trips_mcp.server.offer import Offer
from trips_mcp.server.prompt_catalog import TRIP

if TYPE_CHECKING:
    from trips_mcp.contract.trips import Trip

MOST: Final = 100
"""The maximum number of values that the protocol allows in a response."""

_DATES: Final = frozenset({"date", "day"})
_LONGEST_TRIP: Final = 1000
"""Maximum number of days to offer; the service may report a trip that ends in the year 9999."""

Context = ServerRequestContext[ClientHolder]


def add_completions(server: Server[ClientHolder], offer: Offer, trips: TripCache) -> None:
    prompts = {prompt.name for prompt in offer.prompts}
    templates = {template["uriTemplate"] for template in offer.templates}

    async def complete(context: Context, params: types.CompleteRequestParams) -> dict[str, Any]:
        ref = params.ref
        if isinstance(ref, types.PromptReference):
            known, said = ref.name in prompts, f"Unknown prompt: {ref.name[:100]}"
        else:
            known, said = ref.uri in templates, "Unknown resource template; resources/templates/list has them."
        if not known:
            raise MCPError(types.INVALID_PARAMS, said)
        with error_boundary("completion/complete"):
            beside = (params.context.arguments if params.context else None) or {}
            values = await _values(context, trips, params.argument, beside, offer.conduct.trip)
        return _wire(values)

    server.add_request_handler("completion/complete", types.CompleteRequestParams, complete)


async def _values(
    context: Context, known: TripCache, argument: types.CompletionArgument, beside: Mapping[str, str], only: str | None
) -> list[str]:
    """Empty if the service fails: completions are optional, and a later call reports the failure."""
    from trips_mcp.client.errors import TripsError

    if argument.name != TRIP and argument.name not in _DATES:
        return []
    try:
        trips = await known.cached(await context.lifespan_context.client())
    except TripsError:
        return []
    if argument.name == TRIP:
        return _trip_ids(trips, argument.value)
    meant = only or beside.get(TRIP)
    return _dates(next((trip for trip in trips if trip.id == meant), None), argument.value)


def _trip_ids(trips: "Sequence[Trip]", typed: str) -> list[str]:
    typed = typed.strip().casefold()
    return [trip.id for trip in trips if trip.id.casefold().startswith(typed) or typed in (trip.title or "").casefold()]


def _dates(trip: "Trip | None", typed: str) -> list[str]:
    """Dates that start with the typed text, or whose weekday does."""
    try:
        first = date.fromisoformat((trip and trip.start_date) or "")
        last = date.fromisoformat((trip and trip.end_date) or "")
    except ValueError:
        return []
    typed = typed.strip().casefold()
    days = (first + timedelta(days) for days in range((last - first).days + 1))
    return [
        day.isoformat()
        for day in islice(days, _LONGEST_TRIP)
        if day.isoformat().startswith(typed) or f"{day:%A}".casefold().startswith(typed)
    ]


def _wire(values: Sequence[str]) -> dict[str, Any]:
    completion = {"values": list(values[:MOST]), "total": len(values), "hasMore": len(values) > MOST}
    return {"completion": completion, "resultType": "complete"}
