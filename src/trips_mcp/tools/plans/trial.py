"""A plan tried out on a twin of the trip: what it does, and what is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import InvalidError, TripsError
from trips_mcp.contract.errors import Fault
from trips_mcp.contract.events import Event
from trips_mcp.contract.exports import EXPORT_TRIP, ExportTrip, TripExport
from trips_mcp.contract.models import Result
from trips_mcp.contract.trips import Trip
from trips_mcp.itinerary.check import every_finding
from trips_mcp.itinerary.journey import Journey
from trips_mcp.json_values import JsonObject
from trips_mcp.planning.change import Change, CreatedIds, UnknownReferenceError, ids_in
from trips_mcp.planning.preview import CheckedTrip, Difference, ItemDiff, TripState, difference
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.error_text import ToolRefusedError
from trips_mcp.tools.plans.changes import WRITING_TOOLS, numbers_in, params_of, raise_if_any, unresolved
from trips_mcp.tools.results.answer import with_content
from trips_mcp.tools.single_trip import bound, keep_to_the_trip
from trips_mcp.tools.tool import Tool
from trips_mcp.tools.trip_reading import events_of, note_members, offload

NO_TRIP: Final = ""
"""The tripId of a plan that only creates a trip."""
_STAND_IN: Final = "none"
"""The trip of a twin on which such a plan is tried out."""
_SHIFTS: Final = frozenset({"shiftDays", "shiftMinutes"})
_SHIFTED: Final = ("startDate", "startTime", "endTime")


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
    others = numbers_in(changes) - {now.number}
    inside = replace(conduct, one_store=True, event_trips={})
    async with conduct.twin(snapshot.export, snapshot.events, now.number, others) as twin:
        before = await read_now(twin, trip_id, inside)
        run = _Run(twin, inside)
        for index, change in enumerate(changes):
            await run.make(index, change)
        raise_if_any(run.faults)
        new_trips = [await read_now(twin, new_trip, inside) for new_trip in run.new_trips]
        after = new_trips[0] if trip_id == NO_TRIP and new_trips else await read_now(twin, trip_id, inside)
        found = difference(before.state, after.state)
        for new_trip in new_trips:
            whole = difference(TripState({}), new_trip.state)
            found = replace(found, created=_merged(found.created, whole.created))
        return Trial(found, await before.check(), await after.check(), after, run.changes, run.names)


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
            found = [unresolved(error, at)]
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
