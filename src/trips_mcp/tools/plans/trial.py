"""The changes of a plan, each checked like a call of its tool, and tried out together on a twin of the trip."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import ValidationError

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import InvalidError, TripsError
from trips_mcp.contract.errors import Fault, faults
from trips_mcp.contract.events import Event
from trips_mcp.contract.models import Result
from trips_mcp.contract.trips import EXPORT_TRIP, ExportTrip, Trip, TripExport
from trips_mcp.itinerary.check import every_finding
from trips_mcp.itinerary.journey import Journey
from trips_mcp.json_values import JsonObject
from trips_mcp.planning.change import Change, CreatedIds, UnknownReferenceError, ids_in
from trips_mcp.planning.preview import CheckedTrip, Difference, ItemDiff, TripState, difference
from trips_mcp.tools.answer import with_content
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.error_text import ToolRefusedError, within_bounds
from trips_mcp.tools.listing import entries
from trips_mcp.tools.resources import (
    action_items,
    commitments,
    events,
    legs,
    map_pins,
    messages,
    shares,
    sync,
    trips,
)
from trips_mcp.tools.single_trip import bound, keep_to_the_trip
from trips_mcp.tools.tool import Tool
from trips_mcp.tools.trip_reading import events_of, note_members, offload

MOST_CHANGES: Final = 500
WRITING_TOOLS: Final[dict[str, Tool[Any, Any]]] = {
    tool.name: tool
    for module in (trips, sync, legs, action_items, commitments, map_pins, messages, shares, events)
    for tool in vars(module).values()
    if isinstance(tool, Tool) and not tool.hints["readOnlyHint"]
}
NO_TRIP: Final = ""
"""The tripId of a plan that only creates a trip."""
_STAND_IN: Final = "none"
"""The trip of a twin on which such a plan is tried out."""
_SHIFTS: Final = frozenset({"shiftDays", "shiftMinutes"})
_SHIFTED: Final = ("startDate", "startTime", "endTime")
_LONGEST_NAME: Final = 64
_AN_ID: Final = "created"
"""Stands for an id that is not known yet, where only the form of the arguments is checked."""


@dataclass(frozen=True, slots=True)
class TripNow:
    """The trip of a plan as it is now, with its events."""

    export: TripExport
    events: list[Event]
    number: int | None
    """The trip's id in the Events API, if known."""
    without_events: str | None = None
    """Why the events could not be read; None if they were, or are not asked for."""

    @staticmethod
    def of_no_trip(group_id: str) -> "TripNow":
        """What a plan for a new trip in this group starts from: a trip that only its twin has."""
        stand_in = Trip.model_validate({"_id": _STAND_IN, "groupId": group_id})
        return TripNow(TripExport(trip=stand_in), [], None)

    @property
    def state(self) -> TripState:
        return TripState(
            with_content(self.export.model_dump(mode="json", exclude_none=True)),
            [with_content(event.model_dump(mode="json", exclude_none=True)) for event in self.events],
        )

    async def check(self) -> CheckedTrip:
        size = sum(map(len, (self.export.legs, self.export.map_pins, self.export.commitments, self.events)))
        found = await offload(size, lambda: every_finding(Journey.of(self.export, self.events)))
        return CheckedTrip(found, {leg.id: leg.start_date for leg in self.export.legs})


async def read_now(client: TripsClient, trip_id: str, conduct: Conduct) -> TripNow:
    """Raises: TripsError."""
    if trip_id == NO_TRIP:
        return TripNow(TripExport(), [], None)
    export = await client.call(EXPORT_TRIP, ExportTrip(trip_id=trip_id))
    note_members(client, trip_id, export)
    found = await events_of(client, trip_id, export, conduct)
    number = conduct.event_trips.get(trip_id)
    if number is None and conduct.one_store and export.trip is not None:
        number = export.trip.number
    return TripNow(export, found.events, number, found.note)


@dataclass(frozen=True, slots=True)
class _Named:
    index: int
    tool: str


def checked(changes: Sequence[Change], trip_id: str, conduct: Conduct) -> list[Change]:
    """The changes with the trip filled in. Raises: ToolRefusedError with all faults."""
    found = [_with_trip(change, trip_id) for change in changes]
    _raise_if_any(
        [fault for index, change in enumerate(found) for fault in _faults(index, change, found, trip_id, conduct)]
    )
    return found


def _raise_if_any(found: Sequence[Fault]) -> None:
    """Raises: ToolRefusedError."""
    if found:
        said = "; ".join(f"{fault.path}: {fault.reason}" for fault in found)
        raise ToolRefusedError(within_bounds(f"Not planned, nothing was sent. Fix these changes: {said}."))


def params_of(tool: Tool[Any, Any], arguments: JsonObject, path: str) -> tuple[Any, list[Fault]]:
    """The tool's params, or what is wrong with the arguments."""
    try:
        return tool.parsed(arguments), []
    except ValidationError as error:
        return None, [Fault(path=f"{path}.{one.path}", reason=one.reason) for one in faults(error, tool.asked)]
    except ToolRefusedError as error:
        return None, [Fault(path=path, reason=str(error).removeprefix("Not sent: ").rstrip("."))]


def _with_trip(change: Change, trip_id: str) -> Change:
    tool = WRITING_TOOLS.get(change.tool)
    if tool is None or "tripId" not in tool.input_schema["properties"] or change.arguments.get("tripId"):
        return change
    return Change(
        change.tool, {"tripId": trip_id, **{k: v for k, v in change.arguments.items() if k != "tripId"}}, change.name
    )


def _faults(index: int, change: Change, changes: Sequence[Change], trip_id: str, conduct: Conduct) -> Iterator[Fault]:
    at = f"changes.{index}"
    tool = WRITING_TOOLS.get(change.tool)
    if tool is None:
        yield Fault(path=f"{at}.tool", reason=_not_plannable(change.tool))
        return
    if change.tool in conduct.absent:
        yield Fault(path=f"{at}.tool", reason="not offered by this server; leave this change out")
        return
    earlier = {one.name: _Named(place, one.tool) for place, one in enumerate(changes[:index]) if one.name}
    if change.name is not None:
        yield from _faults_of_name(change.name, at, earlier)
    yield from _faults_of_references(change, at, changes, earlier)
    own_trip = change.arguments.get("tripId", trip_id)
    if own_trip != trip_id and not str(own_trip).startswith("@"):
        yield Fault(
            path=f"{at}.arguments.tripId", reason=f"this plan is about {trip_id}; leave it out, or make another plan"
        )
    given = change.with_ids(lambda name, field: _stand_in(name, field, earlier))
    _, found = params_of(tool, given, f"{at}.arguments")
    yield from found


def _faults_of_name(name: str, at: str, earlier: dict[str, _Named]) -> Iterator[Fault]:
    if not name.isidentifier() or len(name) > _LONGEST_NAME:
        yield Fault(path=f"{at}.as", reason="expected a name of letters, digits and _, such as kyoto")
    elif name in earlier:
        yield Fault(path=f"{at}.as", reason=f"changes.{earlier[name].index} has this name already")


def _faults_of_references(
    change: Change, at: str, changes: Sequence[Change], earlier: dict[str, _Named]
) -> Iterator[Fault]:
    for path, reference in change.references():
        name = reference.partition(".")[0]
        if name not in earlier:
            yield Fault(path=f"{at}.arguments.{path}", reason=_why_unknown(name, change, changes))


def _why_unknown(name: str, change: Change, changes: Sequence[Change]) -> str:
    place = next((place for place, one in enumerate(changes) if one.name == name), None)
    if place is None:
        return f"no change has as: {name[:_LONGEST_NAME]}"
    if change.name == name:
        return f"@{name} is what this change creates; it has no id before"
    if change.name is not None and _needs(name, change.name, changes):
        return f"@{name} itself needs @{change.name}; create one of them without the other, and link them by an update"
    return f"@{name} is created only by changes.{place}; put that one first"


def _needs(name: str, other: str, changes: Sequence[Change]) -> bool:
    """Whether the change of this name refers to the other one, also through others."""
    by_name = {one.name: {ref.partition(".")[0] for _, ref in one.references()} for one in changes if one.name}
    seen: set[str] = set()
    waiting = {name}
    while waiting:
        seen |= waiting
        waiting = {needed for one in waiting for needed in by_name.get(one, ())} - seen
    return other in seen


def _stand_in(reference: str, field: str, earlier: dict[str, _Named]) -> str | int:
    named = earlier.get(reference.partition(".")[0])
    if named is not None and named.tool == "create_event":
        return 1
    return 1 if field in ("trip_id", "trip_ids") else _AN_ID


def _not_plannable(name: str) -> str:
    known = {entry["listing"]["name"]: entry for entry in entries()}
    entry = known.get(name)
    if entry is None:
        return "unknown tool; name a tool that writes, such as update_leg"
    if entry["toolset"] == "plans":
        return f"a plan cannot contain {name}; list its changes instead"
    return f"{name} only reads; name a tool that writes, such as update_leg"


@dataclass(frozen=True, slots=True)
class Trial:
    difference: Difference
    before: CheckedTrip
    after: CheckedTrip
    trip_after: TripNow
    changes: list[Change]
    """As they are to be applied: what depends on the present, such as a shift, stands with its outcome."""
    names: dict[str, str]
    """By the id that the twin gave to a new item: what the plan calls it, such as @kyoto."""


async def unheard(progress: float, total: float | None, message: str | None) -> None:
    """Nobody waits for the progress of a trial."""


async def tried(changes: Sequence[Change], now: TripNow, trip_id: str, conduct: Conduct) -> Trial:
    """Raises: ToolRefusedError with the faults of all changes; TripsError."""
    if conduct.twin is None:
        raise ToolRefusedError("Plans are not available here; make each change with its own tool.")
    snapshot = now.state
    others = _numbers_in(changes) - {now.number}
    inside = replace(conduct, one_store=True, event_trips={})
    async with conduct.twin(snapshot.export, snapshot.events, now.number, others) as twin:
        before = await read_now(twin, trip_id, inside)
        run = _Run(twin, inside)
        for index, change in enumerate(changes):
            await run.make(index, change)
        _raise_if_any(run.faults)
        new_trips = [await read_now(twin, new_trip, inside) for new_trip in run.new_trips]
        after = new_trips[0] if trip_id == NO_TRIP and new_trips else await read_now(twin, trip_id, inside)
        found = difference(before.state, after.state)
        for new_trip in new_trips:
            whole = difference(TripState({}), new_trip.state)
            found = replace(found, created=_merged(found.created, whole.created))
        return Trial(found, await before.check(), await after.check(), after, run.changes, run.names)


def _numbers_in(changes: Iterable[Change]) -> set[int]:
    """The trips, by number, that the changes put events on."""
    return {
        number for change in changes for number in change.arguments.get("trip_ids") or () if isinstance(number, int)
    }


def _merged(some: tuple[ItemDiff, ...], more: tuple[ItemDiff, ...]) -> tuple[ItemDiff, ...]:
    """An event can be on both trips."""
    known = {(one.kind, one.id) for one in some}
    return (*some, *(one for one in more if (one.kind, one.id) not in known))


@dataclass
class _Run:
    twin: TripsClient
    conduct: Conduct
    faults: list[Fault] = field(default_factory=list[Fault])
    changes: list[Change] = field(default_factory=list[Change])
    new_trips: list[str] = field(default_factory=list[str])
    names: dict[str, str] = field(default_factory=dict[str, str])
    _ids: CreatedIds = field(default_factory=CreatedIds)
    _failed: set[str] = field(default_factory=set[str])

    async def make(self, index: int, change: Change) -> None:
        """Notes the faults. What depends on a change that failed is not tried."""
        if any(reference.partition(".")[0] in self._failed for _, reference in change.references()):
            self._fail(change)
            return
        self.changes.append(change)
        at = f"changes.{index}"
        tool = WRITING_TOOLS[change.tool]
        if tool.outbound:  # nobody is to be told of a trial
            self._ids.add(change.name, {"": "sent"})
            return
        try:
            found = await self._made(tool, change, f"{at}.arguments")
        except UnknownReferenceError as error:
            found = [Fault(path=f"{at}.arguments", reason=str(error))]
        except InvalidError as error:
            found = [Fault(path=f"{at}.arguments.{one.path}", reason=one.reason) for one in error.details]
            found = found or [Fault(path=at, reason=str(error).rstrip("."))]
        except (TripsError, ToolRefusedError) as error:
            found = [Fault(path=at, reason=_reason(error, tool))]
        if found:
            self.faults += found
            self._fail(change)

    async def _made(self, tool: Tool[Any, Any], change: Change, at: str) -> list[Fault]:
        arguments = change.with_ids(self._ids.id_of)
        given = await bound(self.twin, arguments, tool.input_schema["properties"], self.conduct)
        params, found = params_of(tool, given, at)
        if found or tool.write is None:
            return found
        await keep_to_the_trip(self.twin, params, self.conduct)
        result = (await tool.write(self.twin, params, unheard)).result
        told = wire(result)
        if refused := refusals(told):
            return [Fault(path=f"{at}.{place}", reason=why) for place, why in refused]
        self.changes[-1] = _settled(change, told)
        ids = ids_in(told)
        self._ids.add(change.name, ids)
        if change.tool == "create_trip":
            self.new_trips.append(str(ids[""]))
        if change.name is not None:
            self.names |= {str(one): f"@{change.name}" + (f".{place}" if place else "") for place, one in ids.items()}
        return []

    def _fail(self, change: Change) -> None:
        if change.name is not None:
            self._failed.add(change.name)


def _settled(change: Change, told: JsonObject) -> Change:
    """A shift is from where a commitment is, so taken twice it would be two: it becomes the times that it leads to."""
    if not _SHIFTS & change.arguments.keys():
        return change
    kept = {name: value for name, value in change.arguments.items() if name not in _SHIFTS}
    return Change(change.tool, kept | {name: told[name] for name in _SHIFTED if name in told}, change.name)


def wire(result: Result) -> JsonObject:
    return result.model_dump(mode="json", exclude_none=True)


def refusals(told: JsonObject) -> list[tuple[str, str]]:
    """The items of a batch or import that were refused: place and reason."""
    reports = {"items": told} | {part: told[part] for part in ("legs", "actionItems", "mapPins") if part in told}
    return [
        (f"{part}.{one.get('index', place)}", _reason_of_item(one))
        for part, report in reports.items()
        for place, one in enumerate(report.get("results", ()))
        if one.get("status") == "error"
    ]


def _reason_of_item(one: JsonObject) -> str:
    error = one.get("error", {})
    details = "; ".join(f"{detail['path']}: {detail['reason']}" for detail in error.get("details", ()))
    return details or str(error.get("message", "refused")).rstrip(".")


def _reason(error: Exception, tool: Tool[Any, Any]) -> str:
    look = f"; look it up with {tool.lookup}" if tool.lookup else ""
    return str(error).rstrip(".") + look
