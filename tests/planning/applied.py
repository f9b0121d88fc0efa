"""Applies the changes of a move to an export, as the APIs would."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from trips_mcp.contract.commitments import UpdateCommitment
from trips_mcp.contract.events import Event, UpdateEvent
from trips_mcp.contract.legs import UpdateLeg
from trips_mcp.contract.trips import TripExport, UpdateTrip
from trips_mcp.planning.change import Change

Json = dict[str, Any]

_PARAMS = {
    "update_trip": UpdateTrip,
    "update_leg": UpdateLeg,
    "update_commitment": UpdateCommitment,
    "update_event": UpdateEvent,
}


def moved(export: Json, events: list[Json], changes: Iterable[Change]) -> tuple[Json, list[Json]]:
    """Each change is checked like a call of its tool."""
    export, events = deepcopy(export), deepcopy(events)
    legs = {leg["_id"]: leg for leg in export["legs"]}
    plans = {plan["_id"]: plan for plan in export["commitments"]}
    by_id = {event["id"]: event for event in events}
    for change in changes:
        _PARAMS[change.tool].model_validate(change.arguments, strict=True, by_name=False)
        fields = dict(change.arguments)
        for name in ("tripId", "legId", "commitmentId", "event_id"):
            fields.pop(name, None)
        target = _target(change, export, legs, plans, by_id)
        for name, value in fields.items():
            target[name] = {**(target.get(name) or {}), **value} if isinstance(value, dict) else value
    return export, events


def _target(change: Change, export: Json, legs: Json, plans: Json, events: dict[int, Json]) -> Json:
    asked = change.arguments
    if change.tool == "update_event":
        return events[asked["event_id"]]
    assert asked["tripId"] == export["trip"]["_id"]
    match change.tool:
        case "update_leg":
            return legs[asked["legId"]]
        case "update_commitment":
            return plans[asked["commitmentId"]]
        case _:
            return export["trip"]


def parsed(export: Json, events: Iterable[Json] = ()) -> tuple[TripExport, list[Event]]:
    return TripExport.model_validate(export), [Event.model_validate(one) for one in events]
