"""Leg tools, and the time zones that written flights lack.

Those are filled in from airport codes alone: a name may be that of several places. A zone that the caller gives stays.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final, TypeVar

from pydantic import Field
from pydantic_core import MISSING

from trips_mcp.client import TripsClient
from trips_mcp.client.outcome import Outcome, Report
from trips_mcp.contract.fields import Id
from trips_mcp.contract.legs import (
    CREATE_LEG,
    DELETE_LEG,
    LIST_LEGS,
    UPDATE_LEG,
    UPSERT_LEGS,
    CreateLeg,
    Flight,
    Leg,
    LegItem,
    UpdateLeg,
    UpsertLegs,
)
from trips_mcp.contract.models import OfTrip, Params, Result
from trips_mcp.contract.trips import SyncTrip, TripExport
from trips_mcp.places.stops import find_stop
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.error_text import ToolRefusedError
from trips_mcp.tools.fields import is_nameable
from trips_mcp.tools.resources.commitments import naming_unlinked
from trips_mcp.tools.resources.itinerary import NO_LEG, hits_for
from trips_mcp.tools.secrets import legs_of, secrets_of, unmasked_batch, unmasked_creation, unmasked_update
from trips_mcp.tools.tool import Tool, tool
from trips_mcp.tools.views import Filter, Listed, Query, shown_batch

L = TypeVar("L", LegItem, CreateLeg, UpdateLeg)

_MOST_NAMED: Final = 10
_ENDS: Final = (("from_", "departure", "departure_timezone"), ("to", "arrival", "arrival_timezone"))

_Zones = dict[str, str]
"""Airport codes and their zones."""
Remarks = tuple[str, ...]


def leg_with_zones(asked: L) -> tuple[L, Remarks]:
    """The leg of a create or an update with the zones of its flights, and a remark on what was filled in."""
    (leg,), remarks = _filled([asked])
    return leg, remarks


def batch_with_zones(asked: UpsertLegs) -> tuple[UpsertLegs, Remarks]:
    items, remarks = _filled(asked.items)
    return asked.model_copy(update={"items": items}) if remarks else asked, remarks


def sync_with_zones(asked: SyncTrip) -> tuple[SyncTrip, Remarks]:
    if asked.legs is MISSING:
        return asked, ()
    legs, remarks = _filled(asked.legs)
    return asked.model_copy(update={"legs": legs}) if remarks else asked, remarks


def _filled(legs: Sequence[L]) -> tuple[list[L], Remarks]:
    zones: _Zones = {}
    filled = [_leg(leg, zones) for leg in legs]
    return filled, tuple(_remarks(zones))


def _leg(leg: L, zones: _Zones) -> L:
    if leg.flights is MISSING:
        return leg
    flights = [_flight(flight, zones) for flight in leg.flights]
    if all(new is old for new, old in zip(flights, leg.flights, strict=True)):
        return leg
    return leg.model_copy(update={"flights": flights})


def _flight(flight: Flight, zones: _Zones) -> Flight:
    """Adds what it fills in to `zones`. An end without a time lacks no zone."""
    missing: dict[str, str] = {}
    for place, time, zone in _ENDS:
        text = getattr(flight, place)
        if text is MISSING or getattr(flight, time) is MISSING or getattr(flight, zone) is not MISSING:
            continue
        stop = find_stop(text)
        if stop is not None and stop.is_by_code:
            missing[zone] = zones[stop.code] = stop.zone
    return flight.model_copy(update=missing) if missing else flight


def _remarks(zones: _Zones) -> Iterator[str]:
    if zones:
        named = [f"{code} {zone}" for code, zone in list(zones.items())[:_MOST_NAMED]]
        rest = f" and {len(zones) - _MOST_NAMED} more" if len(zones) > _MOST_NAMED else ""
        yield f"Missing time zones of flights are filled in from airport codes: {', '.join(named)}{rest}."


class LegFilter(Params):
    leg_id: Id | MISSING = MISSING
    query: Query | MISSING = MISSING


def _matching(asked: LegFilter, legs: Sequence[Leg]) -> Sequence[Leg]:
    """Raises: ToolRefusedError."""
    if asked.leg_id is not MISSING:
        legs = [leg for leg in legs if leg.id == asked.leg_id]
        if not legs:
            raise ToolRefusedError(NO_LEG)
    if asked.query is MISSING:
        return legs
    hits = hits_for(asked.query, TripExport(legs=list(legs)))
    found = {hit.leg_id for hit in hits}
    return [leg for leg in legs if leg.id in found]


LEGS = Listed(item=Leg, brief=("title", "destination", "startDate", "endDate"), filter=Filter(LegFilter, _matching))

list_legs = tool(
    LIST_LEGS,
    title="List legs",
    description="List a trip's legs in order, with stay, flights and rental car. Dinners and activities are in "
    "list_commitments. 100 per page unless limit says else; pass nextCursor as cursor for more.",
    lookup="list_trips",
    asked_for="hotel accommodation lodging address door code wifi password check-in confirmation number seat",
    view=LEGS,
)
create_leg = tool(
    CREATE_LEG,
    title="Create leg",
    description="Add a leg: a place and its dates, with stay, flights, rental car. A clientRef used before updates "
    "that leg instead.",
    lookup="list_trips",
    repeatable=True,
    asked_for="book hotel accommodation flight",
    unmasked=unmasked_creation,
    completed=leg_with_zones,
)
upsert_legs = tool(
    UPSERT_LEGS,
    title="Upsert legs",
    description="Add or update 1-500 legs in one call. With pins and to-dos as well use sync_trip. A known clientRef "
    "merges into that leg; without one, equal content is not added twice unless autoClientRef is false. A bad item "
    "does not stop the rest. If the call breaks off, repeat it.",
    lookup="list_trips",
    overwrites=True,
    repeatable=True,
    unmasked=unmasked_batch,
    completed=batch_with_zones,
    shown=shown_batch,
)
update_leg = tool(
    UPDATE_LEG,
    title="Update leg",
    description="Change a leg. Omitted fields stay, also inside accommodation and rentalCar; flights are replaced as "
    "a whole, so send all of them.",
    lookup="list_legs",
    unmasked=unmasked_update,
    completed=leg_with_zones,
)
delete_leg = naming_unlinked(
    tool(
        DELETE_LEG,
        title="Delete leg",
        description="Delete a leg for good, with its stay and flights. To move it use update_leg. Its commitments "
        "stay, unlinked.",
        lookup="list_legs",
    ),
    "leg",
    lambda commitment, asked: commitment.leg_id == asked.leg_id,
)


Path = Annotated[
    str,
    Field(min_length=1, max_length=1000, description="Where it stands, e.g. accommodation.doorCode"),
]


class GetSecret(OfTrip):
    leg_id: Id
    path: Path


class Secret(Result):
    path: str
    value: object


async def _tell(client: TripsClient, asked: GetSecret, _: Report, __: Conduct) -> Outcome[Secret]:
    async for leg in legs_of(client, asked.trip_id):
        if leg.id == asked.leg_id:
            known = dict(secrets_of(leg))
            if asked.path not in known:
                raise ToolRefusedError(_no_such(list(known)))
            return Outcome(Secret(path=asked.path, value=known[asked.path]), rate_limit=client.rate_limit)
    raise ToolRefusedError(NO_LEG)


def _no_such(paths: list[str]) -> str:
    told = [path for path in paths if all(is_nameable(step) or step.isdecimal() for step in path.split("."))]
    if not told:
        return "This leg has no secrets."
    return f"The leg has no secret at this path; it has {', '.join(told)}."


get_secret = Tool(
    name="get_secret",
    title="Get secret",
    description="Reveal one masked value of a leg, when the user asks: door code, Wi-Fi password, host's phone, "
    "confirmation number, check-in instructions. The path is where the mask stands, such as "
    "flights.0.confirmationNumber.",
    params=GetSecret,
    hints={"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True, "openWorldHint": False},
    uses=(LIST_LEGS,),
    run=_tell,
    lookup="list_legs",
)
