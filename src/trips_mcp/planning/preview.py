"""Preview of a plan: how a trip before and after it differs, and which findings the plan causes and which it fixes.

A finding of before and one of after are the same if they are of one kind and concern the same items. A leg's nights
without a bed move with the leg, so a shifted date is no new finding.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Literal

from trips_mcp.itinerary.check import CitedPart, Finding
from trips_mcp.itinerary.local_time import read_date
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
_BY_DAY: Final = frozenset({"no_bed", "two_beds", "leg_gap", "leg_overlap"})
"""Kinds that the same items can have on several days."""
_LISTS: Final = frozenset({"no_date", "no_end", "no_zone"})
"""Kinds of which one finding lists all items of a sort."""


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


@dataclass(frozen=True, slots=True)
class FindingKey:
    on_day: str
    """The problem, its items and, for some kinds, its day."""
    in_place: str
    """The same with the day as a distance from the start of its leg; without a day if it is between two items."""
    listed: tuple[str, ...] = ()
    """Of a finding that lists items: those that it names."""
    count: int = 0
    """Of a finding that lists items: all of them."""

    def goes_beyond(self, other: "FindingKey") -> bool:
        """Whether it lists items that the other does not; where not all are named, whether it lists more."""
        if self.count == len(self.listed) and other.count == len(other.listed):
            return not set(self.listed) <= set(other.listed)
        return self.count > other.count


@dataclass(frozen=True, slots=True)
class CheckedTrip:
    findings: Sequence[Finding]
    leg_starts: Mapping[str, str | None]

    def keys(self) -> list[FindingKey]:
        return [self._key(one) for one in self.findings]

    def not_in(self, known: Collection[FindingKey]) -> list[Finding]:
        """The findings beyond these; two equal ones are two."""
        keys = self.keys()
        new = {*_longer_lists(keys, known), *_unmatched(keys, known)}
        return [finding for place, finding in enumerate(self.findings) if place in new]

    def _key(self, finding: Finding) -> FindingKey:
        parts = tuple(map(_part, finding.about))
        if finding.kind in _LISTS and finding.about:
            sort = f"{finding.grade} {finding.kind} {_sort(finding.about[0])}"
            return FindingKey(sort, sort, parts, len(parts) + (finding.more or 0))
        thing = f"{finding.grade} {finding.kind} {'; '.join(parts)}"
        if finding.kind not in _BY_DAY and finding.about:
            return FindingKey(thing, thing)
        return FindingKey(f"{thing} {finding.date}", f"{thing} {self._place(finding)}")

    def _place(self, finding: Finding) -> str:
        if len(finding.about) != 1:
            return "between" if finding.about else str(finding.date)
        start = read_date(self.leg_starts.get(finding.about[0].leg_id or ""))
        day = read_date(finding.date)
        return str(finding.date) if start is None or day is None else f"{(day - start).days} days after its start"


def _longer_lists(keys: Sequence[FindingKey], known: Collection[FindingKey]) -> Iterator[int]:
    """The places of findings that list more than before."""
    before = {key.on_day: key for key in known if key.count}
    for place, key in enumerate(keys):
        if key.count and (key.on_day not in before or key.goes_beyond(before[key.on_day])):
            yield place


def _unmatched(keys: Sequence[FindingKey], known: Collection[FindingKey]) -> Iterator[int]:
    """The places of other findings that none of before is the same as; first those of the same day are matched."""
    left = [key for key in known if not key.count]
    by_day = Counter(key.on_day for key in left)
    rest = [(place, key) for place, key in enumerate(keys) if not key.count and not _taken(by_day, key.on_day)]
    in_place: Counter[str] = Counter()
    for key in left:
        if _taken(by_day, key.on_day):
            in_place[key.in_place] += 1
    yield from (place for place, key in rest if not _taken(in_place, key.in_place))


def _taken(counts: Counter[str], key: str) -> bool:
    """Whether there was one left, which is taken."""
    if counts[key] <= 0:
        return False
    counts[key] -= 1
    return True


def _part(one: CitedPart) -> str:
    return f"{one.leg_id or one.commitment_id or one.event_id or one.pin_id} {one.flight} {one.field}"


def _sort(one: CitedPart) -> str:
    if one.leg_id:
        return "flight" if one.flight else "leg"
    return "commitment" if one.commitment_id else "event"
