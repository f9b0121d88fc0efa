"""The requests of a plan: consecutive creations go together where the API has a batch."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from trips_mcp.json_values import JsonObject
from trips_mcp.planning.change import Change

TOGETHER: Final = {"create_leg": "legs", "create_action_item": "actionItems", "create_map_pin": "mapPins"}
"""Tools whose calls one import can make, and its list of them."""
_MOST: Final = 500
"""Items in one import."""


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
