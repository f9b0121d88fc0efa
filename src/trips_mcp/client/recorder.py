"""The recorder of writes, which notes in the history what each one changed, item by item.

It needs the items before, which it reads at most once a minute for each trip. A write never fails because of it.
"""

import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from trips_mcp.client.errors import OutcomeUnknownError, TripsError
from trips_mcp.client.outcome import Outcome
from trips_mcp.client.snapshots import ATTACHED, Key, Snapshots, TripSnapshot, as_item, without_empty
from trips_mcp.client.writes import is_joined
from trips_mcp.contract.action_items import ActionItem
from trips_mcp.contract.batches import BatchReport
from trips_mcp.contract.commitments import Commitment
from trips_mcp.contract.events import DeletedEvent, Event
from trips_mcp.contract.legs import Leg
from trips_mcp.contract.map_pins import MapPin
from trips_mcp.contract.messages import Message
from trips_mcp.contract.models import Deleted, Params, Resource, Result
from trips_mcp.contract.operation import Operation, P, R
from trips_mcp.contract.shares import Revoked, ShareToken
from trips_mcp.contract.trips import SyncReport, Trip
from trips_mcp.history import History, ItemChange, ItemKind, RecordedChange, current_origin
from trips_mcp.json_values import JsonObject, is_object, merged

_KINDS: Final[Mapping[type[Result], ItemKind]] = {
    Trip: "trip",
    Leg: "leg",
    Commitment: "commitment",
    ActionItem: "action_item",
    MapPin: "map_pin",
    Message: "message",
    Event: "event",
}
_TARGETS: Final[Mapping[str, ItemKind]] = {
    "{tripId}": "trip",
    "{legId}": "leg",
    "{commitmentId}": "commitment",
    "{itemId}": "action_item",
    "{pinId}": "map_pin",
    "{event_id}": "event",
}
_BATCHES: Final[Mapping[str, Mapping[str, ItemKind]]] = {
    "upsert_legs": {"items": "leg"},
    "upsert_action_items": {"items": "action_item"},
    "upsert_map_pins": {"items": "map_pin"},
    "sync_trip": {"legs": "leg", "actionItems": "action_item", "mapPins": "map_pin"},
}
"""The lists of each batch, by their wire names."""
_LINKS: Final[Mapping[ItemKind, str]] = {"leg": "legId", "map_pin": "mapPinId"}
"""The field of a commitment that links it to such an item."""


@dataclass(frozen=True, slots=True)
class Before:
    """The items before a write, as far as they are known."""

    trip: TripSnapshot | None = None
    event: JsonObject | None = None
    is_known: bool = True
    """Whether what the write needs could be read."""
    earlier: Mapping[Key, ItemChange] | None = None
    """The changes that an earlier call recorded, which this one completes: what the trip has now may be from that."""

    def item(self, kind: ItemKind, id_: str) -> JsonObject | None:
        if self.earlier is not None:
            change = self.earlier.get((kind, id_))
            return None if change is None else change.before
        if kind == "event":
            return self.event
        return None if self.trip is None else self.trip.item(kind, id_)

    def commitments_of(self, kind: ItemKind, id_: str) -> list[JsonObject]:
        """The commitments that are linked to the item, with those that an earlier call has unlinked."""
        if (link := _LINKS.get(kind)) is None:
            return []
        linked = [] if self.trip is None else self.trip.commitments_of(link, id_)
        known = {item["_id"] for item in linked}
        earlier = (change.before for (of, _), change in (self.earlier or {}).items() if of == "commitment")
        return [*linked, *(one for one in earlier if one and one.get(link) == id_ and one["_id"] not in known)]


def _target(operation: Operation[Any, Any], arguments: JsonObject) -> Key | None:
    """The existing item that an update or a deletion is about."""
    place = operation.path.rpartition("/")[2]
    if operation.method not in ("PATCH", "DELETE") or place not in _TARGETS:
        return None
    return _TARGETS[place], str(arguments[place.strip("{}")])


def _is_batch_of_items(operation: Operation[Any, Any]) -> bool:
    return operation.name in _BATCHES


def _may_merge(operation: Operation[Any, Any], arguments: JsonObject) -> bool:
    """Whether a creation may change an existing item instead, by its clientRef."""
    return _is_batch_of_items(operation) or "clientRef" in arguments


def _without_lists(operation: Operation[Any, Any], arguments: JsonObject) -> JsonObject:
    """The arguments to record. The items of a batch are in its changes."""
    lists = _BATCHES.get(operation.name, {})
    return {name: value for name, value in arguments.items() if name not in lists}


def _planned(operation: Operation[Any, Any], arguments: JsonObject, before: Before) -> tuple[ItemChange, ...]:
    """What is known before the write is sent, for the case that its outcome stays unknown."""
    if (of := _target(operation, arguments)) is not None:
        return tuple(_changed(operation, of, arguments, before, None))
    if operation.name in _BATCHES:
        return tuple(
            change
            for name, kind in _BATCHES[operation.name].items()
            for item in arguments.get(name, ())
            if "clientRef" in item
            for change in _merging(kind, item, before)
        )
    kind: ItemKind = _KINDS.get(operation.result, "share_token")
    item = _item_in(operation, arguments)
    merging = tuple(_merging(kind, item, before)) if "clientRef" in item else ()
    return merging or (ItemChange(kind=kind, id="", after=item),)


def _changes_made(
    operation: Operation[Any, Any], arguments: JsonObject, result: Result, before: Before
) -> tuple[ItemChange, ...]:
    """What the write changed; nothing if everything is as before."""
    return tuple(change for change in _made(operation, arguments, result, before) if not _is_nothing(change))


def _made(
    operation: Operation[Any, Any], arguments: JsonObject, result: Result, before: Before
) -> Iterator[ItemChange]:
    of = _target(operation, arguments)
    resumes = before.earlier is not None
    match result:
        case Deleted() | DeletedEvent() if of is not None:
            if resumes or not getattr(result, "already_deleted", False):
                yield from _changed(operation, of, arguments, before, None)
        case BatchReport() | SyncReport():
            yield from _of_batch(operation, arguments, result, before)
        case ShareToken():
            yield ItemChange(kind="share_token", id="", after={})
        case Revoked() if result.revoked or resumes:
            yield ItemChange(kind="share_token", id="", before={})
        case Resource() | Event() if of is not None:
            yield from _changed(operation, of, arguments, before, _with_trips(as_item(result), before.event))
        case Resource() | Event():
            kind, after = _KINDS[type(result)], as_item(result)
            id_ = str(result.event_id or "") if isinstance(result, Event) else result.id
            merges = _may_merge(operation, arguments)
            was = before.item(kind, id_) if merges else None
            fields = tuple(_paths(_item_in(operation, arguments))) if was is not None else ()
            known = before.is_known or not merges
            yield ItemChange(kind=kind, id=id_, before=was, after=after, before_is_known=known, fields=fields)
        case _:
            return


def _changed(
    operation: Operation[Any, Any], of: Key, arguments: JsonObject, before: Before, after: JsonObject | None
) -> Iterator[ItemChange]:
    """An update, or a deletion together with the commitments that it unlinks."""
    kind, id_ = of
    was = before.item(kind, id_)
    known = before.is_known and was is not None
    fields = (*_paths(_item_in(operation, arguments)), *arguments.get("clear", ())) if after is not None else ()
    if after is not None and not fields:  # archive_trip names none
        fields = ("status",)
    yield ItemChange(kind=kind, id=id_, before=was, after=after, before_is_known=known, fields=fields)
    if operation.method == "DELETE":
        for commitment in before.commitments_of(kind, id_):
            link = _LINKS[kind]
            unlinked = {name: value for name, value in commitment.items() if name != link}
            yield ItemChange(kind="commitment", id=commitment["_id"], before=commitment, after=unlinked, fields=(link,))


def _merging(kind: ItemKind, item: JsonObject, before: Before) -> Iterator[ItemChange]:
    """The existing item that a new one names by its clientRef."""
    if before.trip is None:
        yield ItemChange(kind=kind, id="", after=item, before_is_known=False)
    elif (was := before.trip.of_client_ref(kind, item["clientRef"])) is not None:
        yield ItemChange(kind=kind, id=was["_id"], before=was)


def _of_batch(
    operation: Operation[Any, Any], arguments: JsonObject, result: Result, before: Before
) -> Iterator[ItemChange]:
    for name, kind in _BATCHES[operation.name].items():
        report = result if isinstance(result, BatchReport) else _report(result, name)
        items: list[JsonObject] = arguments.get(name, [])
        latest: dict[str, ItemChange] = {}
        for outcome in report.results:
            if outcome.index is None or not 0 <= outcome.index < len(items):
                continue
            sent = dict(items[outcome.index])
            if outcome.client_ref is not None:
                sent["clientRef"] = outcome.client_ref
            if outcome.status == "unknown":
                yield ItemChange(kind=kind, id="", after=sent)
            elif outcome.id and (outcome.status in ("created", "updated") or before.earlier is not None):
                latest[outcome.id] = _merged_change(kind, outcome.id, sent, latest.get(outcome.id), before)
        yield from latest.values()


def _merged_change(
    kind: ItemKind, id_: str, sent: JsonObject, previous: ItemChange | None, before: Before
) -> ItemChange:
    """`previous`: the change by an earlier item of the same batch."""
    was = before.item(kind, id_) if previous is None else previous.before
    base = was if previous is None else previous.after
    after = without_empty(sent | {"_id": id_} if base is None else merged(base, sent))
    fields: tuple[str, ...] = ()
    if was is not None:
        fields = tuple(dict.fromkeys((*(previous.fields if previous is not None else ()), *_paths(sent))))
    known = before.is_known or "clientRef" not in sent
    return ItemChange(kind=kind, id=id_, before=was, after=after, before_is_known=known, fields=fields)


def _report(result: Result, name: str) -> BatchReport:
    of_list = {"legs": "legs", "actionItems": "action_items", "mapPins": "map_pins"}
    found = getattr(result, of_list[name], None)
    return found if isinstance(found, BatchReport) else BatchReport()


def _paths(item: JsonObject) -> Iterator[str]:
    """The fields that are set; of an object its keys one by one, as they are merged."""
    for name, value in item.items():
        if is_object(value):
            yield from (f"{name}.{key}" for key in value)
        else:
            yield name


def _item_in(operation: Operation[Any, Any], arguments: JsonObject) -> JsonObject:
    """The item's own fields."""
    return {n: value for n, value in arguments.items() if n != "clear" and f"{{{n}}}" not in operation.path}


def _with_trips(after: JsonObject, before: JsonObject | None) -> JsonObject:
    return (
        after
        if before is None or ATTACHED in after or ATTACHED not in before
        else {**after, ATTACHED: before[ATTACHED]}
    )


def _is_nothing(change: ItemChange) -> bool:
    return change.before_is_known and bool(change.id) and _compared(change.before) == _compared(change.after)


def _compared(item: JsonObject | None) -> JsonObject | None:
    return None if item is None else {name: value for name, value in item.items() if name != "revision"}


class Recorder:
    def __init__(self, history: History, snapshots: Snapshots) -> None:
        self._history = history
        self._snapshots = snapshots

    def saw(self, params: Params, result: Result) -> None:
        """Takes the result of any read."""
        if self._history.records:
            self._snapshots.saw(params, result)

    async def recorded(
        self,
        operation: Operation[P, R],
        params: P,
        send: Callable[[], Awaitable[Outcome[R]]],
        *,
        account: str,
        digest: str,
    ) -> Outcome[R]:
        """The outcome of `send`, with a note if the change cannot be undone. Raises: what `send` raises."""
        arguments = params.model_dump(mode="json")
        before = await self._before(operation, arguments)
        origin = current_origin()
        change = RecordedChange(
            id=secrets.token_hex(6),
            account=account,
            tool=operation.name,
            arguments=_without_lists(operation, arguments),
            made_at=time.time(),
            trip=arguments.get("tripId", ""),
            numbers=tuple(arguments.get("trip_ids", ())),
            items=_planned(operation, arguments, before),
            digest=digest,
            plan=origin.plan,
            undoes=origin.undoes,
            replaces=origin.replaces,
        )
        change = self._with_trips(change)
        trouble = await self._history.begin(change)
        try:
            outcome = await send()
        except OutcomeUnknownError:
            self._snapshots.forget(change.trip)
            raise
        except TripsError:
            await self._history.discard(change)
            raise
        except BaseException:  # cancelled: the write may be under way
            self._snapshots.forget(change.trip)
            raise
        trouble = await self._finish(operation, arguments, change, outcome, before) or trouble
        if trouble is not None:
            return _noting(outcome, f"This change cannot be undone: {trouble}.")
        return outcome

    async def _before(self, operation: Operation[Any, Any], arguments: JsonObject) -> Before:
        of = _target(operation, arguments)
        if of is not None and of[0] == "event":
            whole = operation.method == "DELETE" or ATTACHED in _renamed(arguments)
            event = await self._snapshots.event(int(of[1]), with_trips=whole)
            return Before(event=event, is_known=event is not None)
        if of is None and not _may_merge(operation, arguments):
            return Before()
        kind, id_ = of or (None, "")
        trip = await self._snapshots.trip(arguments["tripId"], kind, id_)
        return Before(trip, is_known=trip is not None)

    async def _finish(
        self,
        operation: Operation[P, R],
        arguments: JsonObject,
        change: RecordedChange,
        outcome: Outcome[R],
        before: Before,
    ) -> str | None:
        """Records what was changed. The reason if that fails."""
        completed = await self._completed(change, is_joined(outcome.notes))
        if completed is not None:
            before = replace(
                before,
                is_known=all(item.before_is_known for item in completed.items),
                earlier={(item.kind, item.id): item for item in completed.items if item.id},
            )
        items = _changes_made(operation, arguments, outcome.result, before)
        self._keep_up(change, items)
        if completed is None:
            if not items:
                await self._history.discard(change)
                return None
            return await self._history.finish(self._with_trips(replace(change, items=items, state="done")))
        await self._history.discard(change)
        if completed.state == "done":
            if not _is_batch_of_items(operation):
                return None  # recorded, but its answer was not delivered
            items = _together(completed.items, items)
        if not items:
            await self._history.discard(completed)
            return None
        return await self._history.finish(self._with_trips(replace(completed, items=items, state="done")))

    async def _completed(self, change: RecordedChange, joined: bool) -> RecordedChange | None:
        """The change of an earlier call that this one completes: for a step of a plan, also without the journal."""
        return await self._history.earlier(change) if joined or change.plan else None

    def _keep_up(self, change: RecordedChange, items: tuple[ItemChange, ...]) -> None:
        """Keeps the snapshots as the write left the trip."""
        for item in items:
            if item.id:
                self._snapshots.put(change.trip, item.kind, item.id, item.after)

    def _with_trips(self, change: RecordedChange) -> RecordedChange:
        """The change with the trips that it is on, as far as they are known."""
        attached = {
            number
            for item in change.items
            for state in (item.before, item.after)
            if state is not None
            for number in state.get(ATTACHED, ())
        }
        numbers = tuple(sorted({*change.numbers, *attached}))
        trip = change.trip
        if not trip and change.tool == "create_trip" and change.items:
            trip = change.items[0].id
        return replace(change, numbers=numbers, trip=trip)


def _together(earlier: tuple[ItemChange, ...], later: tuple[ItemChange, ...]) -> tuple[ItemChange, ...]:
    known = {(item.kind, item.id) for item in earlier if item.id}
    return (*(item for item in earlier if item.id), *(item for item in later if (item.kind, item.id) not in known))


def _renamed(arguments: JsonObject) -> set[str]:
    names = {*arguments, *arguments.get("clear", ())}
    return {ATTACHED if name == "trip_ids" else name for name in names}


def _noting(outcome: Outcome[R], note: str) -> Outcome[R]:
    return replace(outcome, notes=(*outcome.notes, note))
