"""The ids of what changes created, for the references of later changes."""

from collections.abc import Iterable
from typing import Final

from trips_mcp.json_values import JsonObject, is_list, is_object

_NUMBERS: Final = frozenset({"trip_id", "trip_ids"})
"""Fields that name a trip by its number in the Events API."""

IdsOfChange = dict[str, str | int]
"""Id by place: "" for a single item, "2" for the second of a batch, "legs.2" of an import, "number" of a trip."""


class UnknownReferenceError(LookupError):
    """A reference to nothing that was created. The message is the reason, as part of a sentence."""


class CreatedIds:
    def __init__(self) -> None:
        self._by_name: dict[str, IdsOfChange] = {}

    def add(self, name: str | None, ids: IdsOfChange) -> None:
        if name is not None:
            self._by_name[name] = ids

    def id_of(self, reference: str, field: str) -> str | int:
        """Raises: UnknownReferenceError."""
        name, _, place = reference.partition(".")
        ids = self._by_name.get(name)
        if ids is None:
            raise UnknownReferenceError(f"no earlier change has as: {name}")
        if field in _NUMBERS and "number" in ids:
            place = "number"
        if place not in ids:
            places = [f"@{name}.{one}" for one in ids if one]
            raise UnknownReferenceError(
                f"@{name} stands for several items; name one, such as {places[0]}"
                if places
                else f"@{name} created nothing with an id"
            )
        return ids[place]


def ids_in(result: JsonObject) -> IdsOfChange:
    """The ids in the result of a tool that writes, in wire format."""
    if is_list(results := result.get("results")):
        return _numbered("", results)
    found: IdsOfChange = {}
    for part in ("legs", "actionItems", "mapPins"):
        report = result.get(part)
        if is_object(report):
            found |= _numbered(f"{part}.", report["results"])
    if found:
        return found
    for name in ("_id", "event_id"):
        if result.get(name):
            found[""] = result[name]
    if isinstance(result.get("number"), int):
        found["number"] = result["number"]
    return found


def _numbered(above: str, results: Iterable[JsonObject]) -> IdsOfChange:
    return {f"{above}{place}": one["id"] for place, one in enumerate(results, 1) if one.get("id")}
