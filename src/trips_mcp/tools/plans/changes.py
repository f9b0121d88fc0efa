"""The changes of a plan as a call gives them, each checked like a call of its tool."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from trips_mcp.contract.errors import Fault, faults
from trips_mcp.json_values import JsonObject
from trips_mcp.planning.change import Change, UnknownReferenceError
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
from trips_mcp.tools.tool import Tool

MOST_CHANGES: Final = 500
WRITING_TOOLS: Final[dict[str, Tool[Any, Any]]] = {
    tool.name: tool
    for module in (trips, sync, legs, action_items, commitments, map_pins, messages, shares, events)
    for tool in vars(module).values()
    if isinstance(tool, Tool) and not tool.hints["readOnlyHint"]
}
_LONGEST_NAME: Final = 64
_AN_ID: Final = "created"
"""Stands for an id that is not known yet, where only the form of the arguments is checked."""


@dataclass(frozen=True, slots=True)
class _Named:
    index: int
    tool: str


def checked(changes: Sequence[Change], trip_id: str, conduct: Conduct) -> list[Change]:
    """The changes with the trip filled in. Raises: ToolRefusedError with all faults."""
    found = [_with_trip(change, trip_id) for change in changes]
    raise_if_any(
        [fault for index, change in enumerate(found) for fault in _faults(index, change, found, trip_id, conduct)]
    )
    return found


def raise_if_any(found: Sequence[Fault]) -> None:
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


def unresolved(error: UnknownReferenceError, at: str) -> Fault:
    return Fault(path=f"{at}.arguments", reason=str(error))


def numbers_in(changes: Iterable[Change]) -> set[int]:
    """The trips, by number, that the changes put events on."""
    return {
        number for change in changes for number in change.arguments.get("trip_ids") or () if isinstance(number, int)
    }
