"""The tools of the history: what was changed, and the plan that takes it back."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field
from pydantic_core import MISSING

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import ForbiddenError, GoneError, NotFoundError
from trips_mcp.client.outcome import Outcome, Report
from trips_mcp.client.snapshots import as_item
from trips_mcp.contract.events import GET_EVENT, GetEvent
from trips_mcp.contract.fields import BY_MEMBERS, WHOLE, Cursor, Id
from trips_mcp.contract.models import Page, Params, Result
from trips_mcp.contract.trips import EXPORT_TRIP, GET_TRIP, GetTrip
from trips_mcp.history import ChangeQuery, HistoryError, ItemChange, ItemKind, RecordedChange
from trips_mcp.itinerary.check.findings import CitedPart
from trips_mcp.itinerary.formatting import one_line, short
from trips_mcp.json_values import JsonObject, is_object
from trips_mcp.planning.draft import DraftNote, note
from trips_mcp.planning.undo import Key, NotUndone, created_again, undo
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.error_text import ToolRefusedError
from trips_mcp.tools.plans.plan import PlanContext, plan
from trips_mcp.tools.plans.results import Preview, preview_in_words
from trips_mcp.tools.plans.tools import USES
from trips_mcp.tools.plans.trial import TripNow, read_now
from trips_mcp.tools.resources.itinerary import READS
from trips_mcp.tools.tool import Tool

_PAGE: Final = 20
_MOST_ITEMS: Final = 10
"""Items shown of one change."""
_TITLE: Final = 80
_OFF: Final = (
    "No changes are recorded: the history is off. To record them, unset TRIPS_MCP_HISTORY or name a file in it."
)
_LISTS: Final[Mapping[str, ItemKind]] = {
    "legs": "leg",
    "commitments": "commitment",
    "action_items": "action_item",
    "map_pins": "map_pin",
}
_NOUNS: Final[Mapping[ItemKind, str]] = {"action_item": "to-do", "map_pin": "pin", "share_token": "share link"}
_CITED: Final[Mapping[ItemKind, str]] = {"leg": "legId", "commitment": "commitmentId", "map_pin": "pinId"}


class ChangedItem(Result):
    kind: str
    id: str | None = None
    what: Literal["created", "updated", "deleted"]
    title: Annotated[str | None, BY_MEMBERS] = None
    before: Annotated[JsonObject | None, BY_MEMBERS] = None
    """Of an updated item, what differs."""
    after: Annotated[JsonObject | None, BY_MEMBERS] = None


class ChangeEntry(Result):
    id: str
    at: str
    """UTC, ISO 8601."""
    tool: str
    trip_id: str | None = None
    plan_id: str | None = None
    outcome: Literal["unknown"] | None = None
    undone: bool | None = None
    undoes: str | None = None
    items: list[ChangedItem] = Field(default_factory=list[ChangedItem])
    more: int | None = None
    """Number of items beyond those shown."""


class ChangePage(Page[ChangeEntry]):
    plural_names: ClassVar = ("changes",)


class ListChanges(Params):
    trip_id: Id | MISSING = MISSING
    limit: Annotated[int, Field(ge=1, le=100, description="1-100"), WHOLE] | MISSING = MISSING
    cursor: Cursor | MISSING = MISSING


class PlanUndo(Params):
    change_id: Annotated[Id, Field(description="From list_changes, or a planId; omitted, the newest")] | MISSING = (
        MISSING
    )


async def _list_changes(client: TripsClient, asked: ListChanges, _: Report, conduct: Conduct) -> Outcome[ChangePage]:
    trip = "" if asked.trip_id is MISSING else asked.trip_id
    limit = _PAGE if asked.limit is MISSING else asked.limit
    query = ChangeQuery(
        accounts=tuple(client.accounts),
        trip=trip,
        number=await _number(client, trip, conduct),
        before="" if asked.cursor is MISSING else asked.cursor,
        limit=limit + 1,
    )
    found = await _read(client, query)
    page = [_entry(change) for change in found[:limit]]
    following = {"nextCursor": page[-1].id} if len(found) > limit else {}
    return Outcome(ChangePage.model_validate({"items": page, **following}), (), client.rate_limit)


async def _plan_undo(client: TripsClient, asked: PlanUndo, _: Report, conduct: Conduct) -> Outcome[Preview]:
    change_id = "" if asked.change_id is MISSING else asked.change_id
    records = await _to_undo(client, change_id, conduct)
    trip_id = await _trip_of(client, records[0], conduct)
    of_trip = [record for record in records if record.trip in ("", trip_id)]
    now = await read_now(client, trip_id, conduct)
    query = ChangeQuery(accounts=tuple(client.accounts))
    again = await _read(client, ChangeQuery(accounts=query.accounts, replacing=True))
    every = await _read(client, ChangeQuery(accounts=query.accounts, trip=trip_id))
    ids = [change.id for change in every]
    newest = ids.index(of_trip[0].id) if of_trip and of_trip[0].id in ids else 0
    later = [change for change in every[:newest] if not change.undone and not change.undoes]
    found = undo(
        of_trip,
        trip=trip_id,
        items=await _items_now(client, now, of_trip),
        replaced=created_again(again),
        later=later,
    )
    if not found.changes:
        raise ToolRefusedError(_nothing(found.not_undone))
    notes = [_note(one) for one in found.not_undone]
    preview = await plan(PlanContext(client, conduct), trip_id, found.changes, notes, origins=found.origins, now=now)
    others = len(records) - len(of_trip)
    if not others:
        return preview
    said = f"{others} more changes of that plan are on other trips; undo each by its own changeId."
    return Outcome(preview.result, (*preview.notes, said), preview.rate_limit)


async def _to_undo(client: TripsClient, change_id: str, conduct: Conduct) -> list[RecordedChange]:
    """The change, or all changes of its plan, newest first. Raises: ToolRefusedError."""
    accounts = tuple(client.accounts)
    bound = conduct.trip or ""
    number = await _number(client, bound, conduct)
    if change_id:
        found = await _read(client, ChangeQuery(accounts=accounts, trip=bound, number=number, id=change_id))
        found = found or await _read(client, ChangeQuery(accounts=accounts, trip=bound, number=number, plan=change_id))
        if not found:
            raise ToolRefusedError("There is no such change in the history; take a changeId from list_changes.")
    else:
        recent = await _read(client, ChangeQuery(accounts=accounts, trip=bound, number=number))
        found = [change for change in recent if not change.undone and not change.undoes][:1]
        if not found:
            raise ToolRefusedError("There is nothing to undo: the history has no change that is not undone.")
    first = found[0]
    if first.plan:
        query = ChangeQuery(accounts=accounts, trip=bound, number=number, plan=first.plan)
        found = await _read(client, query)
    left = [change for change in found if not change.undone]
    if not left:
        raise ToolRefusedError("This change was undone already; list_changes shows what is left.")
    return left


async def _read(client: TripsClient, query: ChangeQuery) -> list[RecordedChange]:
    """Raises: ToolRefusedError."""
    if not client.history.records:
        raise ToolRefusedError(_OFF)
    try:
        return await client.history.changes(query)
    except HistoryError as error:
        raise ToolRefusedError(str(error)) from error


async def _number(client: TripsClient, trip_id: str, conduct: Conduct) -> int | None:
    """The trip's id in the Events API, if it is known."""
    if not trip_id:
        return None
    if trip_id in conduct.event_trips:
        return conduct.event_trips[trip_id]
    return (await client.call(GET_TRIP, GetTrip(trip_id=trip_id))).number if conduct.one_store else None


async def _trip_of(client: TripsClient, change: RecordedChange, conduct: Conduct) -> str:
    """Raises: ToolRefusedError for a change of events on trips that are not known."""
    if change.trip:
        return change.trip
    numbers = {number: trip for trip, number in conduct.event_trips.items()}
    if conduct.one_store:
        numbers |= {trip.number: trip.id async for trip in client.iterate_trips() if trip.number is not None}
    known = [numbers[number] for number in change.numbers if number in numbers]
    if conduct.trip in known or known:
        return conduct.trip if conduct.trip in known else known[0]
    raise ToolRefusedError(
        f"Change {change.id} is about an event on no trip that is known here; undo it by hand, with the event tools."
    )


async def _items_now(client: TripsClient, now: TripNow, records: Sequence[RecordedChange]) -> dict[Key, JsonObject]:
    """The trip's items, and the events of these changes with all their trips."""
    export = now.export
    items: dict[Key, JsonObject] = {}
    if export.trip is not None:
        items["trip", export.trip.id] = as_item(export.trip)
    for name, kind in _LISTS.items():
        for item in getattr(export, name):
            items[kind, item.id] = as_item(item)
    for event in now.events:
        items["event", str(event.event_id)] = as_item(event)
    touched = {item.id for record in records for item in record.items if item.kind == "event" and item.id}
    for event_id in sorted(touched):
        try:
            event = await client.call(GET_EVENT, GetEvent(event_id=int(event_id)))
        except (NotFoundError, GoneError, ForbiddenError):
            items.pop(("event", event_id), None)
        else:
            items["event", event_id] = as_item(event)
    return items


def _entry(change: RecordedChange) -> ChangeEntry:
    shown = [_item(item) for item in change.items[:_MOST_ITEMS]]
    fields: dict[str, Any] = {
        "id": change.id,
        "at": datetime.fromtimestamp(change.made_at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "tool": change.tool,
        "trip_id": change.trip or None,
        "plan_id": change.plan or None,
        "outcome": "unknown" if change.state == "unknown" else None,
        "undone": True if change.undone else None,
        "undoes": change.undoes or None,
        "items": shown,
        "more": len(change.items) - len(shown) or None,
    }
    return ChangeEntry(**{name: value for name, value in fields.items() if value is not None})


def _item(item: ItemChange) -> ChangedItem:
    known = item.after or item.before or {}
    title = next((known[name] for name in ("title", "name", "text") if isinstance(known.get(name), str)), None)
    fields: dict[str, Any] = {
        "kind": item.kind,
        "id": item.id or None,
        "what": "deleted" if item.after is None else "created" if item.before is None else "updated",
        "title": None if title is None else short(one_line(title), _TITLE),
    }
    if not item.before_is_known and item.after is not None:
        fields["what"] = "updated"
    elif item.before is not None and item.after is not None:
        fields |= {"before": _differing(item.before, item.after), "after": _differing(item.after, item.before)}
    return ChangedItem(**{name: value for name, value in fields.items() if value is not None})


def _differing(item: JsonObject, other: JsonObject) -> JsonObject:
    """The fields that differ; of an object, its keys that do."""

    def parts() -> Iterator[tuple[str, Any]]:
        for name, value in item.items():
            if is_object(value) and is_object(inner := other.get(name)):
                if differing := _differing(value, inner):
                    yield name, differing
            elif value != other.get(name):
                yield name, value

    return dict(parts())


def _note(left: NotUndone) -> DraftNote:
    cited: JsonObject = {"eventTitle" if left.kind == "event" else "title": left.title} if left.title else {}
    if left.kind in _CITED and left.id and not left.id.startswith("@"):
        cited[_CITED[left.kind]] = left.id
    if left.kind == "event" and left.id.isdecimal():
        cited["event_id"] = int(left.id)
    item_id = left.id if left.kind == "action_item" and left.id else None
    return note("not_undone", CitedPart.model_validate(cited), f"{_in_words(left)}.", item_id)


def _nothing(left: Sequence[NotUndone]) -> str:
    if not left:
        return "Nothing to undo: the trip is as it was before this change."
    return f"Nothing can be undone. {'; '.join(map(_in_words, left[:10]))}."


def _in_words(left: NotUndone) -> str:
    """Without its title, which may be another person's words."""
    known = "" if left.id.startswith("@") else left.id
    return f"{' '.join(filter(None, (_NOUNS.get(left.kind, left.kind), known)))}: {left.why}"


list_changes = Tool(
    name="list_changes",
    title="List changes",
    description="List changes. Newest first, as made through this server; of updates with the values before and "
    "after. plan_undo takes a change back.",
    params=ListChanges,
    hints=READS,
    uses=(EXPORT_TRIP,),
    run=_list_changes,
    lookup="list_trips",
    asked_for="history log undo what did you change",
    told_of=lambda page: [one.trip_id for one in page.items if one.trip_id],
)
plan_undo = Tool(
    name="plan_undo",
    title="Plan undo",
    description="Plan an undo. Of a change, or of all of its plan; without changeId of the newest not undone. "
    "What was changed since is left alone. Writes nothing; apply_plan does it.",
    params=PlanUndo,
    hints=READS,
    uses=USES,
    run=_plan_undo,
    lookup="list_changes",
    asked_for="undo revert take back restore",
    prose=preview_in_words,
    told_of=lambda preview: [preview.trip_id] if preview.trip_id else [],
)
