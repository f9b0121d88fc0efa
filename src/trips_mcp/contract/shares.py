"""Share links and the public view that their token opens (docs/contract.md#share-links).

The view is an allow-list: the models here name every field that is published, at every depth. Any other field
(door codes, contacts, notes, confirmation numbers, unknown keys) is never published.
"""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, ClassVar, get_args, get_origin

from pydantic import BaseModel, Field

from trips_mcp.contract.fields import OTHERS, Id, Order
from trips_mcp.contract.models import OfTrip, Params, Resource, Result
from trips_mcp.contract.operation import Operation
from trips_mcp.json_values import JsonObject, is_list, is_object

_Pick = Callable[[Any], Any]
"""Returns the public part of a value; None if there is none."""


class ShareToken(Result):
    own_names: ClassVar = ("shareToken",)

    token: str = ""
    created_at: str | None = None
    """UTC, ISO 8601."""


class Revoked(Result):
    revoked: bool


class SharedTrip(Resource):
    own_names: ClassVar = ("trip",)

    title: Annotated[str | None, OTHERS] = None
    start_date: str | None = None
    end_date: str | None = None
    status: str | None = None


class SharedAccommodation(Result):
    name: Annotated[str | None, OTHERS] = None
    address: Annotated[str | None, OTHERS] = None
    check_in: Annotated[str | None, OTHERS] = None
    check_out: Annotated[str | None, OTHERS] = None


class SharedFlight(Result):
    airline: Annotated[str | None, OTHERS] = None
    flight_number: Annotated[str | None, OTHERS] = None
    from_: Annotated[str | None, Field(alias="from"), OTHERS] = None
    to: Annotated[str | None, OTHERS] = None
    departure: str | None = None
    arrival: str | None = None
    departure_timezone: str | None = None
    arrival_timezone: str | None = None


class SharedRentalCar(Result):
    company: Annotated[str | None, OTHERS] = None
    pick_up: Annotated[str | None, OTHERS] = None
    drop_off: Annotated[str | None, OTHERS] = None
    location: Annotated[str | None, OTHERS] = None


class SharedLeg(Resource):
    order: Order | None = None
    title: Annotated[str | None, OTHERS] = None
    destination: Annotated[str | None, OTHERS] = None
    start_date: str | None = None
    end_date: str | None = None
    timezone: str | None = None
    accommodation: SharedAccommodation | None = None
    flights: list[SharedFlight] | None = None
    rental_car: SharedRentalCar | None = None


class SharedMapPin(Resource):
    name: Annotated[str | None, OTHERS] = None
    lat: float | None = None
    lng: float | None = None
    category: Annotated[str | None, OTHERS] = None


class SharedActionItem(Resource):
    text: Annotated[str | None, OTHERS] = None
    urgency: str | None = None
    completed: bool | None = None


class SharedCommitment(Resource):
    title: Annotated[str | None, OTHERS] = None
    start_date: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    is_all_day: bool | None = None
    timezone: str | None = None
    category: str | None = None
    leg_id: str | None = None
    map_pin_id: str | None = None


class SharedMember(Result):
    name: Annotated[str | None, OTHERS] = None
    role: str | None = None


class SharedExport(Result):
    own_names: ClassVar = ("export",)

    trip: SharedTrip | None = None
    legs: list[SharedLeg] = Field(default_factory=list[SharedLeg])
    map_pins: list[SharedMapPin] = Field(default_factory=list[SharedMapPin])
    action_items: list[SharedActionItem] = Field(default_factory=list[SharedActionItem])
    commitments: list[SharedCommitment] = Field(default_factory=list[SharedCommitment])
    members: list[SharedMember] = Field(default_factory=list[SharedMember])


class CreateShareToken(OfTrip):
    pass


class RevokeShareToken(OfTrip):
    pass


class ByToken(Params):
    token: Id


class GetSharedTrip(ByToken):
    pass


class ExportSharedTrip(ByToken):
    pass


CREATE_SHARE_TOKEN = Operation(
    "create_share_token",
    "POST",
    "/trips/{tripId}/share-token",
    "trips:write",
    CreateShareToken,
    ShareToken,
    201,
)
REVOKE_SHARE_TOKEN = Operation(
    "revoke_share_token",
    "DELETE",
    "/trips/{tripId}/share-token",
    "trips:write",
    RevokeShareToken,
    Revoked,
    204,
    lambda _: Revoked(revoked=True),
)
GET_SHARED_TRIP = Operation("get_shared_trip", "GET", "/shared/trips/{token}", "nobody", GetSharedTrip, SharedTrip)
EXPORT_SHARED_TRIP = Operation(
    "export_shared_trip", "GET", "/shared/trips/{token}/export", "nobody", ExportSharedTrip, SharedExport
)


def projection(model: type[BaseModel]) -> Callable[[JsonObject], JsonObject]:
    """A function that reduces a stored object to the fields of `model`, and drops values of another type."""
    picks = {
        field.serialization_alias or field.alias or name: _pick(field.annotation)
        for name, field in model.model_fields.items()
    }

    def project(stored: JsonObject) -> JsonObject:
        picked = ((name, pick(stored[name])) for name, pick in picks.items() if name in stored)
        return {name: value for name, value in picked if value is not None}

    return project


def _pick(annotation: Any) -> _Pick:
    (kind,) = (part for part in _options(annotation) if part is not type(None))
    if get_origin(kind) is list:
        return _pick_list(_pick(get_args(kind)[0]))
    if issubclass(kind, BaseModel):
        return _pick_object(projection(kind))
    return _pick_scalar(kind)


def _options(annotation: Any) -> Iterator[Any]:
    """`Annotated[str | None, …]` → str, None."""
    metadata = getattr(annotation, "__metadata__", None)
    if metadata is not None:
        yield from _options(annotation.__origin__)
    elif get_origin(annotation) in (list, None):
        yield annotation
    else:
        for part in get_args(annotation):
            yield from _options(part)


def _pick_list(pick: _Pick) -> _Pick:
    def picked(value: Any) -> Any:
        if not is_list(value):
            return None
        return [part for part in map(pick, value) if part is not None]

    return picked


def _pick_object(project: Callable[[JsonObject], JsonObject]) -> _Pick:
    return lambda value: project(value) if is_object(value) else None


def _pick_scalar(kind: type) -> _Pick:
    kinds = (int, float) if kind is float else (kind,)

    def picked(value: Any) -> Any:
        return value if isinstance(value, kinds) and (kind is bool or not isinstance(value, bool)) else None

    return picked
