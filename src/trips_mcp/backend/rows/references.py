"""Checks of fields that refer to another row of the same trip (docs/contract.md#validation)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, select

from trips_mcp.backend.errors import invalid
from trips_mcp.backend.handler import Call
from trips_mcp.backend.store.tables import group_members, legs, map_pins, trips
from trips_mcp.contract.errors import Fault
from trips_mcp.json_values import JsonObject


@dataclass(frozen=True, eq=False)
class Reference:
    field: str
    reason: str
    known: Select[Any]
    """Selects the ids in `named` that exist in the trip `trip`."""


_TRIP: BindParameter[str] = bindparam("trip")
_NAMED: BindParameter[list[str]] = bindparam("named", expanding=True)

OWNER = Reference(
    "owner",
    "no member of this trip has this id",
    select(group_members.c.user_id)
    .join(trips, trips.c.group_id == group_members.c.group_id)
    .where(trips.c.id == _TRIP, group_members.c.user_id.in_(_NAMED)),
)
LEG = Reference(
    "legId",
    "no leg of this trip has this id",
    select(legs.c.id).where(legs.c.trip_id == _TRIP, legs.c.id.in_(_NAMED)),
)
MAP_PIN = Reference(
    "mapPinId",
    "no map pin of this trip has this id",
    select(map_pins.c.id).where(map_pins.c.trip_id == _TRIP, map_pins.c.id.in_(_NAMED)),
)


async def unknown_references(call: Call, reference: Reference, trip_id: str, named: Iterable[str]) -> set[str]:
    asked = set(named)
    if not asked:
        return asked
    known = await call.db.execute(reference.known, {"trip": trip_id, "named": sorted(asked)})
    return asked - set(known.scalars())


async def check_references(call: Call, references: Iterable[Reference], trip_id: str, fields: JsonObject) -> None:
    """Raises: ProblemError with each field whose reference does not exist."""
    unknown = [
        Fault(path=reference.field, reason=reference.reason)
        for reference in references
        if reference.field in fields and await unknown_references(call, reference, trip_id, [fields[reference.field]])
    ]
    if unknown:
        raise invalid(unknown)
