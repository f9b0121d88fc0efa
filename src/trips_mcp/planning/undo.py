"""Undo: the changes that take recorded changes back, newest first.

Created is deleted. Deleted is created again, under a new id, and what was linked to it is linked again. Updated gets
its old values. An item that differs from how the change left it was changed since, and is left alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from trips_mcp.contract.action_items import CreateActionItem, UpdateActionItem
from trips_mcp.contract.commitments import CreateCommitment, UpdateCommitment
from trips_mcp.contract.events import CreateEvent, UpdateEvent
from trips_mcp.contract.legs import CreateLeg, UpdateLeg
from trips_mcp.contract.map_pins import CreateMapPin, UpdateMapPin
from trips_mcp.contract.models import Params, Update
from trips_mcp.contract.operation import names
from trips_mcp.contract.trips import CreateTrip, UpdateTrip
from trips_mcp.history import ItemChange, ItemKind, Origin, RecordedChange
from trips_mcp.itinerary.formatting import one_line, short
from trips_mcp.json_values import JsonObject, is_list, is_object, merged
from trips_mcp.planning.change import Change

Key = tuple[ItemKind, str]

_TITLE: Final = 80


@dataclass(frozen=True, slots=True)
class _Kind:
    noun: str
    id: str
    """The argument that names an item."""
    create: type[Params]
    update: type[Update]
    tools: str
    """The end of its tools' names."""
    usual: Mapping[str, object] = field(default_factory=dict[str, object])
    """Values that stand for absent fields."""
    hidden: frozenset[str] = frozenset()
    """Fields that only an update sets."""


_KINDS: Final[Mapping[ItemKind, _Kind]] = {
    "trip": _Kind("trip", "tripId", CreateTrip, UpdateTrip, "trip", hidden=frozenset({"status"})),
    "leg": _Kind("leg", "legId", CreateLeg, UpdateLeg, "leg"),
    "map_pin": _Kind("map pin", "pinId", CreateMapPin, UpdateMapPin, "map_pin"),
    "action_item": _Kind(
        "action item",
        "itemId",
        CreateActionItem,
        UpdateActionItem,
        "action_item",
        {"completed": False},
        frozenset({"completed"}),
    ),
    "commitment": _Kind("commitment", "commitmentId", CreateCommitment, UpdateCommitment, "commitment"),
    "event": _Kind("event", "event_id", CreateEvent, UpdateEvent, "event"),
}
_LINKS: Final[Mapping[str, ItemKind]] = {"legId": "leg", "mapPinId": "map_pin"}
_TRIPS_OF_EVENT: Final = "trip_ids"
_ATTACHED: Final = "attached_trips"


@dataclass(frozen=True, slots=True)
class NotUndone:
    """An item that is left as it is, and why."""

    change: str
    """The id of the recorded change."""
    kind: ItemKind
    id: str
    title: str | None
    """Perhaps another person's words."""
    why: str


@dataclass(frozen=True, slots=True)
class Undo:
    changes: tuple[Change, ...]
    origins: Mapping[int, Origin]
    """By index, what each change undoes."""
    not_undone: tuple[NotUndone, ...]


def undo(
    records: Sequence[RecordedChange],
    *,
    trip: str,
    items: Mapping[Key, JsonObject],
    replaced: Mapping[Key, str],
    later: Sequence[RecordedChange] = (),
) -> Undo:
    """The inverse of `records`, which are newest first.

    `items`: the trip's items as they are now, on the wire, with its events and the trip itself. `replaced`: by kind and
    former id, the id of what was created again. `later`: changes made after them that are not undone.
    """
    run = _Undoing(trip, dict(items), dict(replaced), later)
    for record in records:
        run.take_back(record)
    return Undo(tuple(run.changes), dict(enumerate(run.origins)), tuple(run.not_undone))


def created_again(records: Iterable[RecordedChange]) -> dict[Key, str]:
    """By kind and former id: the id of what a change created again."""
    return {
        (item.kind, record.replaces): item.id
        for record in records
        if record.replaces and record.state == "done"
        for item in record.items[:1]
        if item.id
    }


class _Undoing:
    """The trip as it becomes, change by change. A new item has "@name" as its id."""

    def __init__(
        self, trip: str, items: dict[Key, JsonObject], replaced: dict[Key, str], later: Sequence[RecordedChange]
    ) -> None:
        self.changes: list[Change] = []
        self.origins: list[Origin] = []
        self.not_undone: list[NotUndone] = []
        self._trip = trip
        self._items = {key: _normal(key[0], item) for key, item in items.items()}
        self._replaced = replaced
        self._later = later
        self._created = 0
        self._record = RecordedChange(id="", account="", tool="", arguments={}, made_at=0)

    def take_back(self, record: RecordedChange) -> None:
        self._record = record
        if record.state == "unknown" and not record.items:
            self._leave(ItemChange(kind="trip", id=self._trip), f"{_UNKNOWN}; call {record.tool} again to finish it")
        for item in record.items:
            self._take_back(item)

    def _take_back(self, item: ItemChange) -> None:
        match item.kind:
            case "message":
                self._leave(item, "a message that was sent cannot be taken back")
            case "share_token":
                self._take_back_share(item)
            case _ if self._record.state == "unknown":
                self._take_back_unknown(item)
            case _ if not item.id:
                self._leave(item, f"{_UNKNOWN}: look whether it is there")
            case _ if not item.before_is_known:
                self._leave(item, "what was there before is not known")
            case _ if item.before is None:
                self._delete(item)
            case _ if item.after is None:
                self._create_again(item, item.before)
            case _:
                self._restore(item, item.before, item.after)

    def _take_back_unknown(self, item: ItemChange) -> None:
        """A write whose outcome is unknown is taken back only as far as the trip shows what became of it."""
        current = self._items.get(self._key(item)) if item.id else None
        if not item.id or item.before is None:
            why = f"{_UNKNOWN}: look whether it is there, or call {self._record.tool} again"
            self._leave(item, why)
        elif self._record.tool.startswith("delete_"):
            if current is None and item.after is None:
                self._create_again(item, item.before)
            elif item.after is not None:
                self._restore(item, item.before, item.after)
        elif current is not None and not self._same(item.kind, current, item.before):
            fields = tuple(_paths(item.kind, self._record.arguments))
            self._restore(ItemChange(kind=item.kind, id=item.id, fields=fields), item.before, current)

    def _take_back_share(self, item: ItemChange) -> None:
        if item.before is not None:
            self._leave(item, "the old link cannot come back; create_share_token makes a new one")
        elif any(one.trip == self._record.trip and "share_token" in one.tool for one in self._later):
            self._leave(item, "another link was made, or this one revoked, since then")
        else:
            self._add("revoke_share_token", {"tripId": self._trip})
            self._leave(item, "a link that it replaced does not come back")

    def _delete(self, item: ItemChange) -> None:
        key = self._key(item)
        current = self._items.get(key)
        if current is None:
            self._leave(item, "it is no longer there")
        elif item.after is not None and not self._same(item.kind, current, item.after):
            self._leave(item, _CHANGED)
        elif item.kind == "trip":
            self._archive(item, current)
        else:
            del self._items[key]
            self._unlink(key)
            self._add(f"delete_{_KINDS[item.kind].tools}", self._named(item.kind, key[1]))

    def _archive(self, item: ItemChange, current: JsonObject) -> None:
        if current.get("status") != "completed":
            self._items[self._key(item)] = {**current, "status": "completed"}
            self._add("archive_trip", {"tripId": self._trip})
        self._leave(item, "a trip cannot be deleted; it stays, archived")

    def _create_again(self, item: ItemChange, before: JsonObject) -> None:
        kind = _KINDS[item.kind]
        key = self._key(item)
        if key in self._items:
            self._leave(item, "it is there again")
            return
        fields = {name: value for name, value in _fields(item.kind, before).items() if name not in kind.hidden}
        fields = self._linked(item, fields)
        if (ref := fields.get("clientRef")) is not None and self._is_taken(item.kind, ref):
            del fields["clientRef"]
        arguments = fields if item.kind == "event" else {"tripId": self._trip, **fields}
        if (why := _invalid(kind.create, arguments)) is not None:
            self._leave(item, f"it cannot be created again as it was ({why})")
            return
        self._created += 1
        name = f"{item.kind}_{self._created}"
        self._replaced[item.kind, key[1]] = f"@{name}"
        self._items[item.kind, f"@{name}"] = _normal(item.kind, {**before, **fields})
        self._add(f"create_{kind.tools}", arguments, name=name, replaces=item.id)
        only_later = {name: value for name, value in _normal(item.kind, before).items() if name in kind.hidden}
        if only_later:
            self._add(f"update_{kind.tools}", {**self._named(item.kind, f"@{name}"), **only_later})

    def _restore(self, item: ItemChange, before: JsonObject, after: JsonObject) -> None:
        key = self._key(item)
        current = self._items.get(key)
        if current is None:
            self._leave(item, "it is no longer there")
        elif item.fields and set(item.fields) <= set(_LINKS) and self._record.tool.startswith("delete_"):
            self._link_again(item, key, before, current)
        elif not self._same(item.kind, current, after):
            self._leave(item, _CHANGED)
        else:
            self._write_back(item, key, _normal(item.kind, before), current)

    def _link_again(self, item: ItemChange, key: Key, before: JsonObject, current: JsonObject) -> None:
        """A commitment that lost its link when what it was linked to was deleted."""
        (link,) = item.fields
        if link in current:
            self._leave(item, "it was linked to something else since")
            return
        target = self._now(_LINKS[link], str(before[link]))
        if (_LINKS[link], target) not in self._items:
            self._leave(item, f"the {_KINDS[_LINKS[link]].noun} that it was linked to is not there")
            return
        self._items[key] = {**current, link: target}
        self._add("update_commitment", {**self._named("commitment", key[1]), link: target})

    def _write_back(self, item: ItemChange, key: Key, before: JsonObject, current: JsonObject) -> None:
        before = self._linked(item, before)
        wanted = _with_fields_of(current, before, item.fields)
        kind = _KINDS[item.kind]
        required = [name for name in kind.update.required if name in current and name not in wanted]
        if missing := [name for name in required if name not in kind.usual]:
            self._leave(item, f"it had no {' and no '.join(sorted(missing))} before, which cannot be cleared")
            return
        for arguments in _updates(item.kind, current, wanted):
            self._add(f"update_{kind.tools}", {**self._named(item.kind, key[1]), **arguments})
        self._items[key] = wanted

    def _linked(self, item: ItemChange, fields: JsonObject) -> JsonObject:
        """The fields with links to what is there now; a link to nothing is left out."""
        found = dict(fields)
        for link, kind in _LINKS.items():
            if item.kind == "commitment" and link in found:
                found[link] = self._now(kind, str(found[link]))
                if (kind, found[link]) not in self._items:
                    del found[link]
                    noun = _KINDS[kind].noun
                    self._leave(item, f"the {noun} that it was linked to is not there, so it is linked to none")
        return found

    def _unlink(self, gone: Key) -> None:
        for link, kind in _LINKS.items():
            if kind != gone[0]:
                continue
            for key, item in list(self._items.items()):
                if key[0] == "commitment" and item.get(link) == gone[1]:
                    self._items[key] = {name: value for name, value in item.items() if name != link}

    def _same(self, kind: ItemKind, current: JsonObject, recorded: JsonObject) -> bool:
        """Whether the item is as it was recorded, whatever ids its links have now."""
        expected = _normal(kind, recorded)
        for link, target in _LINKS.items():
            if kind == "commitment" and link in expected:
                expected[link] = self._now(target, str(expected[link]))
        if kind == "event" and (_TRIPS_OF_EVENT not in current or _TRIPS_OF_EVENT not in expected):
            current, expected = _without(current, _TRIPS_OF_EVENT), _without(expected, _TRIPS_OF_EVENT)
        return current == expected

    def _is_taken(self, kind: ItemKind, client_ref: str) -> bool:
        return any(of == kind and item.get("clientRef") == client_ref for (of, _), item in self._items.items())

    def _key(self, item: ItemChange) -> Key:
        return item.kind, self._now(item.kind, item.id)

    def _now(self, kind: ItemKind, id_: str) -> str:
        """The id that the item has now, if it was created again."""
        seen: set[str] = set()
        while (kind, id_) in self._replaced and (kind, id_) not in self._items and id_ not in seen:
            seen.add(id_)
            id_ = self._replaced[kind, id_]
        return id_

    def _named(self, kind: ItemKind, id_: str) -> JsonObject:
        if kind == "event":
            return {"event_id": id_ if id_.startswith("@") else int(id_)}
        return {"tripId": self._trip} if kind == "trip" else {"tripId": self._trip, _KINDS[kind].id: id_}

    def _add(self, tool: str, arguments: JsonObject, *, name: str | None = None, replaces: str = "") -> None:
        self.changes.append(Change(tool, arguments, name))
        self.origins.append(Origin(undoes=self._record.id, replaces=replaces))

    def _leave(self, item: ItemChange, why: str) -> None:
        known = item.after or item.before or {}
        title = next((known[name] for name in ("title", "name", "text") if isinstance(known.get(name), str)), None)
        shown = None if title is None else short(one_line(title), _TITLE)
        self.not_undone.append(NotUndone(self._record.id, item.kind, self._now(item.kind, item.id), shown, why))


_CHANGED: Final = "it was changed since"
_UNKNOWN: Final = "it is unknown whether this was carried out"


def _fields(kind: ItemKind, item: JsonObject) -> JsonObject:
    """The item's own fields, as an update takes them."""
    known = {*names(_KINDS[kind].create), *names(_KINDS[kind].update)} - {"clear", "tripId", _KINDS[kind].id, "groupId"}
    found = {name: value for name, value in item.items() if name in known}
    if kind == "event" and _ATTACHED in item:
        found[_TRIPS_OF_EVENT] = sorted(item[_ATTACHED])
    return found


def _normal(kind: ItemKind, item: JsonObject) -> JsonObject:
    """The fields that are compared, without usual and empty values."""
    usual = _KINDS[kind].usual
    fields = _without_empty(_fields(kind, item))
    return {name: value for name, value in fields.items() if usual.get(name, usual) != value}


def _without_empty(value: Any) -> Any:
    if is_object(value):
        kept = {name: inner if name == _TRIPS_OF_EVENT else _without_empty(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if name == _TRIPS_OF_EVENT or inner not in _EMPTY}
    if is_list(value):
        return [_without_empty(inner) for inner in value]
    return value


_EMPTY: Final[tuple[object, ...]] = (None, "", {}, [])


def _with_fields_of(current: JsonObject, before: JsonObject, fields: Sequence[str]) -> JsonObject:
    """`current` with these fields as they were; all of them if none is named."""
    found = dict(current)
    for path in fields or dict.fromkeys((*current, *before)):
        head, _, inner = path.partition(".")
        if not inner or not is_object(found.get(head, {})) or not is_object(before.get(head, {})):
            _put(found, head, before)
        else:
            part = dict(found.get(head, {}))
            _put(part, inner, before.get(head, {}))
            found[head] = part
    return _without_empty(found)


def _put(into: JsonObject, name: str, source: JsonObject) -> None:
    if name in source:
        into[name] = source[name]
    else:
        into.pop(name, None)


def _updates(kind: ItemKind, current: JsonObject, wanted: JsonObject) -> Iterator[JsonObject]:
    """The arguments of the updates that lead from one to the other; two where an object must be emptied first."""
    usual, nested = _KINDS[kind].usual, _KINDS[kind].update.nested
    sets: JsonObject = {}
    clears: list[str] = []
    again: JsonObject = {}
    for name in dict.fromkeys((*current, *wanted)):
        old, new = current.get(name), wanted.get(name)
        if old == new:
            continue
        if name not in wanted:
            if name in usual:
                sets[name] = usual[name]
            else:
                clears.append(name)
        elif name in nested and is_object(old) and is_object(new):
            changed = {key: value for key, value in new.items() if old.get(key) != value}
            gone = [key for key in old if key not in new]
            if any("." in key for key in gone) or merged(_without(old, *gone), changed) != new:
                clears.append(name)
                again[name] = new
            else:
                sets |= {name: changed} if changed else {}
                clears += [f"{name}.{key}" for key in gone]
        else:
            sets[name] = new
    if sets or clears:
        yield sets | ({"clear": clears} if clears else {})
    if again:
        yield again


def _paths(kind: ItemKind, arguments: JsonObject) -> Iterator[str]:
    """The fields that an update's arguments name."""
    ids = {"tripId", "clear", _KINDS[kind].id}
    for name, value in arguments.items():
        if name not in ids:
            yield from (f"{name}.{key}" for key in value) if is_object(value) else (name,)
    yield from arguments.get("clear", ())


def _without(item: JsonObject, *fields: str) -> JsonObject:
    return {name: value for name, value in item.items() if name not in fields}


def _invalid(params: type[Params], arguments: JsonObject) -> str | None:
    """Why these are no arguments; None if they are."""
    try:
        params.model_validate(arguments)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['type']}"
    return None
