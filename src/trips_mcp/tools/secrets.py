"""Secrets: masked in results, at any depth, and put back where a mask is written.

A mask stands for the secret that is there already, and is itself never stored. What is merged key by key keeps a secret
that is left out. Flights are replaced as a whole, and a leg's clientRef may name one that a service replaces, so there
the secret is read and put in its place. Where there is none that a mask could stand for, nothing is sent.
"""

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from functools import lru_cache
from operator import is_not
from typing import Any, Final, TypeVar

from pydantic import BaseModel
from pydantic_core import MISSING

from trips_mcp.client import TripsClient
from trips_mcp.client.resources import each
from trips_mcp.contract.batches import ItemOutcome
from trips_mcp.contract.fields import MASK, SECRETS
from trips_mcp.contract.legs import (
    LIST_LEGS,
    CreateLeg,
    Flight,
    Leg,
    LegFlight,
    LegItem,
    ListLegs,
    UpdateLeg,
    UpsertLegs,
)
from trips_mcp.contract.models import Params, with_parts
from trips_mcp.contract.trips import SyncReport, SyncTrip
from trips_mcp.json_values import is_list, is_object
from trips_mcp.tools.error_text import ToolRefusedError

L = TypeVar("L", LegItem, CreateLeg, UpdateLeg)
M = TypeVar("M", bound=BaseModel)

_PLAIN_NAMES: Final = frozenset(name.lower() for name in SECRETS)
_EMPTY: Final[tuple[object, ...]] = (None, "", [], {})
_MERGED: Final = ("accommodation", "rental_car")
_AS_SHOWN: Final = (MASK, MASK.partition(" ")[0])
_NOT_COMPARED: Final = "Secrets are masked here, so a leg that is there and is sent with one counts as updated."
_FIX: Final = "leave it out or give the real value. Nothing was sent."


@lru_cache(maxsize=2048)
def is_secret(name: str) -> bool:
    """Ignores case, "_" and "-": services may spell unknown fields their own way, as `door_code`."""
    return name.replace("_", "").replace("-", "").lower() in _PLAIN_NAMES


def masked(result: M) -> M:
    """The result with every non-empty secret masked."""
    return with_parts(result, _masked)


def secrets_of(thing: BaseModel) -> Iterator[tuple[str, object]]:
    """Each secret with its path, such as `flights.0.confirmationNumber`."""
    return _found(thing.model_dump())


def _masked(name: str, value: Any) -> Any:
    if is_secret(name):
        return value if value in _EMPTY else MASK
    return with_parts(value, _masked)


def _found(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    if is_object(value):
        parts = value.items()
    elif is_list(value):
        parts = ((str(at), part) for at, part in enumerate(value))
    else:
        return
    for key, part in parts:
        here = f"{path}.{key}" if path else key
        if not is_secret(key):
            yield from _found(part, here)
        elif part not in _EMPTY:
            yield here, part


def may_have_mask(asked: Params) -> bool:
    """A quick check: most writes have no mask, and an import has thousands of fields."""
    return _AS_SHOWN[1] in asked.model_dump_json()


async def unmasked_update(client: TripsClient, asked: UpdateLeg) -> UpdateLeg:
    """Raises: ToolRefusedError, TripsError; so do the others."""
    asked = asked.model_copy(update={name: _merging(getattr(asked, name), None) for name in _MERGED})
    if not _is_masked(asked):
        return asked
    async for leg in legs_of(client, asked.trip_id):
        if leg.id == asked.leg_id:
            return _restored(asked, leg, "")
    raise ToolRefusedError(f"{_first_mask(asked)}: the mask stands for nothing, as there is no such leg; {_FIX}")


async def unmasked_creation(client: TripsClient, asked: CreateLeg) -> CreateLeg:
    (leg,) = await _all_restored(client, asked.trip_id, [asked], "")
    return leg


async def unmasked_batch(client: TripsClient, asked: UpsertLegs) -> UpsertLegs:
    items = await _all_restored(client, asked.trip_id, asked.items, "items.{}.")
    return asked.model_copy(update={"items": items})


async def unmasked_sync(client: TripsClient, asked: SyncTrip) -> SyncTrip:
    if asked.legs is MISSING:
        return asked
    legs = await _all_restored(client, asked.trip_id, asked.legs, "legs.{}.")
    return asked.model_copy(update={"legs": legs})


def preview_without_comparing(asked: SyncTrip, report: SyncReport) -> tuple[SyncReport, tuple[str, ...]]:
    """A dry run in which each existing leg that is sent with a secret counts as updated.

    "Unchanged" would confirm a guessed secret.
    """
    if asked.dry_run is not True or asked.legs is MISSING or report.legs is None:
        return report, ()
    gives = {at for at, leg in enumerate(asked.legs) if any(not _is_mask(value) for _, value in secrets_of(leg))}
    if not gives:
        return report, ()
    legs = report.legs
    results = [
        told.model_copy(update={"status": "updated"})
        if told.status == "unchanged" and _place(at, told) in gives
        else told
        for at, told in enumerate(legs.results)
    ]
    hidden = sum(map(is_not, results, legs.results))
    counts = {"updated": (legs.updated or 0) + hidden, "unchanged": (legs.unchanged or 0) - hidden}
    shown = legs.model_copy(update={"results": results, **(counts if hidden else {})})
    return report.model_copy(update={"legs": shown}), (_NOT_COMPARED,)


def _place(at: int, told: ItemOutcome) -> int:
    return at if told.index is None else told.index


def refuse_masks(params: Params) -> None:
    """Raises: ToolRefusedError for a mask that was not replaced by its secret."""
    if (path := _first_mask(params)) is not None:
        raise ToolRefusedError(f"{path} holds the mask of a secret, not the secret: {_FIX}")


def legs_of(client: TripsClient, trip_id: str) -> AsyncGenerator[Leg]:
    """Every leg of the trip, in pages of the maximum size."""
    return each(LIST_LEGS, ListLegs(trip_id=trip_id, limit=200), lambda asked: client.call(LIST_LEGS, asked))


async def _all_restored(client: TripsClient, trip_id: str, asked: Sequence[L], path: str) -> list[L]:
    held: dict[object, Leg] = {}
    if any(item.client_ref is not MISSING and _is_masked(item) for item in asked):
        held = {leg.client_ref: leg async for leg in legs_of(client, trip_id)}
    return [_restored(item, held.get(item.client_ref), path.format(at)) for at, item in enumerate(asked)]


def _restored(asked: L, leg: Leg | None, path: str) -> L:
    """The item with the leg's own secrets in place of their masks."""
    if not _is_masked(asked):
        return asked
    if leg is None:
        raise ToolRefusedError(
            f"{path}{_first_mask(asked)} holds the mask of a secret, and no leg with this clientRef is there to have "
            f"one: {_FIX}"
        )
    changed: dict[str, Any] = {name: _merging(getattr(asked, name), getattr(leg, name)) for name in _MERGED}
    if asked.flights is not MISSING:
        changed["flights"] = [
            _of_flight(flight, at, asked.flights, leg.flights or [], path) for at, flight in enumerate(asked.flights)
        ]
    return asked.model_copy(update=changed)


def _of_flight(flight: Flight, at: int, asked: Sequence[Flight], held: Sequence[LegFlight], path: str) -> Flight:
    if not _is_mask(flight.confirmation_number):
        return flight
    twin = _twin(at, [_known_by(each) for each in asked], [_known_by(each) for each in held])
    if twin is None:
        raise ToolRefusedError(
            f"{path}flights.{at}.confirmationNumber holds the mask of a secret, and the leg has no flight of this "
            f"flightNumber and departure to have one: {_FIX}"
        )
    return _with_secrets(flight, held[twin])


def _twin(at: int, asked: Sequence[object], held: Sequence[object]) -> int | None:
    """The index of the same flight in the leg: by number and departure, else by position if the counts are equal."""
    alike = [place for place, known in enumerate(held) if known is not None and known == asked[at]]
    if len(alike) == 1 or at in alike:
        return at if at in alike else alike[0]
    changed = len(asked) == len(held) and (held[at] is None or held[at] not in asked)
    return at if changed and not alike else None


def _known_by(flight: Flight | LegFlight) -> tuple[str, str] | None:
    number, departure = flight.flight_number, flight.departure
    if isinstance(number, str) and isinstance(departure, str):
        return "".join(number.split()).casefold(), departure
    return None


def _with_secrets(asked: M, held: BaseModel | None) -> M:
    """Masks replaced by the stored secrets, or removed if there is none."""
    found = {name: getattr(held, name, None) for name in _masked_fields(asked)}
    return asked.model_copy(update={name: MISSING if value in (None, "") else value for name, value in found.items()})


def _merging(asked: Any, held: BaseModel | None) -> Any:
    """As `_with_secrets`, for objects that merge key by key; MISSING if no key is left."""
    if not isinstance(asked, BaseModel) or not any(_masked_fields(asked)):
        return asked
    kept = _with_secrets(asked, held)
    return kept if kept.model_dump() else MISSING


def _masked_fields(thing: BaseModel) -> Iterator[str]:
    for name in type(thing).model_fields:
        if is_secret(name) and _is_mask(getattr(thing, name)):
            yield name


def _is_masked(thing: BaseModel) -> bool:
    """Whether a secret field contains a mask."""
    return any(_is_mask(value) for name, value in _texts(thing) if is_secret(name.rpartition(".")[2]))


def _first_mask(thing: BaseModel) -> str | None:
    """The path of the first mask, also inside other text or in a field that is no secret."""
    for path, text in _texts(thing):
        if MASK in text or (is_secret(path.rpartition(".")[2]) and _is_mask(text)):
            return path
    return None


def _is_mask(value: object) -> bool:
    return isinstance(value, str) and value.strip() in _AS_SHOWN


def _texts(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text, with its wire path."""
    parts: Iterable[tuple[object, object]] = ()
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, BaseModel):
        fields = type(value).model_fields
        parts = ((fields[name].alias or name, part) for name, part in value)  # a write has no unknown fields
    elif is_list(value):
        parts = enumerate(value)
    for name, part in parts:
        yield from _texts(part, f"{path}.{name}" if path else str(name))
