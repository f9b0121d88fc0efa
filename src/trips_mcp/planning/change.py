"""Changes of a plan: calls of tools that write, as data; the requests that they become; and the ids that they create.

A change may name what it creates (`as`). A later change then holds "@name" where the id belongs; "@name.2" is the
second item of a batch. This counts only in fields that hold ids: elsewhere, text that begins with @ is text.
Consecutive creations go together where the API has a batch.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trips_mcp.json_values import JsonObject, is_list, is_object

IdOf = Callable[[str, str], str | int]
"""The id that a reference stands for in a field of this name."""
IdsOfChange = dict[str, str | int]
"""Id by place: "" for a single item, "2" for the second of a batch, "legs.2" of an import, "number" of a trip."""

_ID_FIELDS: Final = ("Id", "Ids", "_id", "_ids")
_MARK: Final = "@"
TOGETHER: Final = {"create_leg": "legs", "create_action_item": "actionItems", "create_map_pin": "mapPins"}
"""Tools whose calls one import can make, and its list of them."""
_MOST: Final = 500
"""Items in one import."""
_NUMBERS: Final = frozenset({"trip_id", "trip_ids"})
"""Fields that name a trip by its number in the Events API."""


@dataclass(frozen=True, slots=True)
class Change:
    """One call of a tool."""

    tool: str
    """The name of a tool that writes."""
    arguments: JsonObject
    """As a call of that tool has them; "@name" where an id belongs."""
    name: str | None = None
    """`as` in JSON: what this change creates, for "@name" in later changes."""

    def as_json(self) -> JsonObject:
        named = {} if self.name is None else {"as": self.name}
        return {"tool": self.tool, "arguments": self.arguments, **named}

    @classmethod
    def of_json(cls, value: JsonObject) -> "Change":
        """The inverse of `as_json`."""
        return cls(value["tool"], value["arguments"], value.get("as"))

    def references(self) -> Iterator[tuple[str, str]]:
        """The references in its arguments: the path of the field, and what the "@" names."""
        return _references(self.arguments, "", holds_ids=False)

    def with_ids(self, id_of: IdOf) -> JsonObject:
        """The arguments with an id in the place of each reference."""
        return {name: _replaced(value, id_of, name) for name, value in self.arguments.items()}


def _references(value: object, path: str, *, holds_ids: bool) -> Iterator[tuple[str, str]]:
    if is_object(value):
        for name, inner in value.items():
            yield from _references(inner, f"{path}.{name}" if path else name, holds_ids=_holds_ids(name))
    elif is_list(value):
        for index, inner in enumerate(value):
            yield from _references(inner, f"{path}.{index}", holds_ids=holds_ids)
    elif holds_ids and _is_reference(value):
        yield path, str(value)[1:]


def _replaced(value: Any, id_of: IdOf, field: str) -> Any:
    if is_object(value):
        return {name: _replaced(inner, id_of, name) for name, inner in value.items()}
    if is_list(value):
        return [_replaced(inner, id_of, field) for inner in value]
    return id_of(value[1:], field) if _holds_ids(field) and _is_reference(value) else value


def _holds_ids(name: str) -> bool:
    return name.endswith(_ID_FIELDS)


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and value.startswith(_MARK)


@dataclass(frozen=True, slots=True)
class Step:
    """Changes that are one call."""

    changes: tuple[int, ...]
    """Their indexes in the plan."""

    @property
    def is_import(self) -> bool:
        return len(self.changes) > 1


def steps_of(changes: Sequence[Change], alone: Collection[int] = ()) -> list[Step]:
    """`alone`: the indexes of changes that must be calls of their own."""
    steps: list[Step] = []
    run: list[int] = []
    for index, change in enumerate(changes):
        if run and not _joins(changes, run, change, index in alone):
            steps.append(Step(tuple(run)))
            run = []
        if change.tool in TOGETHER and index not in alone:
            run.append(index)
        else:
            steps.append(Step((index,)))
    return [*steps, Step(tuple(run))] if run else steps


def import_arguments(changes: Sequence[Change]) -> JsonObject:
    """The arguments of sync_trip that make these creations as their own tools would."""
    found: JsonObject = {"tripId": changes[0].arguments["tripId"], "autoClientRef": False}
    for change in changes:
        item = {name: value for name, value in change.arguments.items() if name != "tripId"}
        found.setdefault(TOGETHER[change.tool], []).append(item)
    return found


def _joins(changes: Sequence[Change], run: list[int], change: Change, alone: bool) -> bool:
    first = changes[run[0]]
    if alone or change.tool not in TOGETHER or len(run) >= _MOST:
        return False
    if change.arguments.get("tripId") != first.arguments.get("tripId"):
        return False
    ref = change.arguments.get("clientRef")  # twice in one import it would be refused
    return ref is None or all(changes[index].arguments.get("clientRef") != ref for index in run)


class UnknownReferenceError(LookupError):
    """A reference to nothing that was created. The message is the reason, as part of a sentence."""


class CreatedIds:
    """The ids of what changes created, for the references of later changes."""

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
