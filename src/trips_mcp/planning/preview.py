"""What a plan does: the difference between a trip before and after it, item by item and field by field."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Literal

from trips_mcp.json_values import JsonObject, is_list, is_object

ItemKind = Literal["trip", "leg", "commitment", "action_item", "map_pin", "event"]
ItemKey = tuple[ItemKind, str]
"""The kind and the id of an item."""

_PARTS: Final[dict[str, ItemKind]] = {
    "legs": "leg",
    "commitments": "commitment",
    "actionItems": "action_item",
    "mapPins": "map_pin",
}
_UNCOMPARED: Final = frozenset({"_id", "event_id", "tripId", "revision", "number", "attached_trips", "planner_user_id"})
"""Fields that no traveller plans: ids, and what the service counts."""
_LINKS: Final[dict[str, ItemKind]] = {"legId": "leg", "mapPinId": "map_pin"}


@dataclass(frozen=True, slots=True)
class TripState:
    """A trip at one moment, in wire format without empty values."""

    export: JsonObject
    events: list[JsonObject] = field(default_factory=list[JsonObject])

    def items(self) -> dict[ItemKey, JsonObject]:
        found: dict[ItemKey, JsonObject] = {}
        if trip := self.export.get("trip"):
            found["trip", trip["_id"]] = trip
        for part, kind in _PARTS.items():
            found |= {(kind, one["_id"]): one for one in self.export.get(part, ())}
        for one in self.events:
            found["event", str(one["event_id"])] = one
        return found


@dataclass(frozen=True, slots=True)
class ItemDiff:
    kind: ItemKind
    id: str
    before: JsonObject
    """Of a changed item, only the fields that differ; an index stands for the entry of a list."""
    after: JsonObject
    title: str
    """As it is before, or will be if it is new."""
    unlinked_from: tuple[ItemKey, ...] = ()
    """The deleted items that it was linked to."""


@dataclass(frozen=True, slots=True)
class Difference:
    created: tuple[ItemDiff, ...]
    changed: tuple[ItemDiff, ...]
    deleted: tuple[ItemDiff, ...]

    @property
    def touched(self) -> frozenset[ItemKey]:
        """The items that were there before and differ after."""
        return frozenset((one.kind, one.id) for one in (*self.changed, *self.deleted))


def difference(before: TripState, after: TripState) -> Difference:
    old, new = before.items(), after.items()
    gone = old.keys() - new.keys()
    return Difference(
        created=tuple(_whole(key, {}, item) for key, item in new.items() if key not in old),
        changed=tuple(one for key, item in new.items() if key in old for one in _changed(key, old[key], item, gone)),
        deleted=tuple(_whole(key, item, {}) for key, item in old.items() if key in gone),
    )


def digest(item: JsonObject | None) -> str:
    """Equal for items that a traveller would call the same; "" for none."""
    if item is None:
        return ""
    text = json.dumps(_compared(item), sort_keys=True, separators=(",", ":"))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def title_of(item: JsonObject) -> str:
    return str(item.get("title") or item.get("name") or item.get("text") or "")


def fields_of(item: JsonObject, path: str = "") -> Iterator[tuple[str, object]]:
    """The values in an item with their dotted paths."""
    for name, value in item.items():
        here = f"{path}.{name}" if path else name
        if is_object(value) and value:
            yield from fields_of(value, here)
        else:
            yield here, value


def _compared(item: JsonObject) -> JsonObject:
    return {name: value for name, value in item.items() if name not in _UNCOMPARED}


def _whole(key: ItemKey, before: JsonObject, after: JsonObject) -> ItemDiff:
    return ItemDiff(*key, _compared(before), _compared(after), title_of(before or after))


def _changed(key: ItemKey, before: JsonObject, after: JsonObject, gone: set[ItemKey]) -> Iterator[ItemDiff]:
    old, new = _different(_compared(before), _compared(after))
    links: list[ItemKey] = [(kind, str(old[name])) for name, kind in _LINKS.items() if name in old and name not in new]
    unlinked = tuple(link for link in links if link in gone)
    if old or new:
        yield ItemDiff(*key, old, new, title_of(before), unlinked)


def _different(before: JsonObject, after: JsonObject) -> tuple[JsonObject, JsonObject]:
    old: JsonObject = {}
    new: JsonObject = {}
    for name in (*before, *(name for name in after if name not in before)):
        held, given = _as_object(before.get(name)), _as_object(after.get(name))
        if held == given:
            continue
        if is_object(held) and is_object(given):
            held, given = _different(held, given)
        if held not in (None, {}):
            old[name] = held
        if given not in (None, {}):
            new[name] = given
    return old, new


def _as_object(value: object) -> object:
    """A list by its indexes, so that one entry of it can differ."""
    if is_list(value) and any(map(is_object, value)):
        return {str(index): part for index, part in enumerate(value)}
    return value
