"""A plan as it is kept until it is applied: its changes, what it is bound to, and what became of each change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from trips_mcp.history import Origin, PlanRecord
from trips_mcp.json_values import JsonObject
from trips_mcp.planning.change import Change
from trips_mcp.planning.created_ids import IdsOfChange
from trips_mcp.planning.findings import FindingKey
from trips_mcp.planning.steps import Step
from trips_mcp.tools.error_text import ToolRefusedError

FORMAT: Final = 2
"""The version of the body. A plan of another version is refused."""
VALID_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Bound:
    """What a plan is bound to: it is refused if any of this is no longer so."""

    digests: Mapping[str, str]
    """By "kind id": the digest of each item that it changes or deletes."""
    there: Sequence[str]
    """Items that it links to."""
    absent: Sequence[str]
    """"kind clientRef" of items that it creates."""


@dataclass(frozen=True, slots=True)
class Plan:
    id: str
    trip_id: str
    changes: Sequence[Change]
    steps: Sequence[Step]
    """Kept too: a plan that is resumed must make the same calls."""
    bound: Bound
    findings: Sequence[FindingKey]
    """Keys of the findings of the trip before."""
    origins: Mapping[int, Origin] = field(default_factory=dict[int, Origin])
    """By index, what the changes undo."""
    done: Mapping[int, IdsOfChange] = field(default_factory=dict[int, IdsOfChange])
    """The changes that were made, with the ids of what they created."""
    report: JsonObject | None = None
    """Of the applied plan."""

    def with_done(self, done: Mapping[int, IdsOfChange]) -> "Plan":
        return replace(self, done={**self.done, **done})

    def as_json(self) -> JsonObject:
        return {
            "changes": [change.as_json() for change in self.changes],
            "steps": [step.changes for step in self.steps],
            "digests": dict(self.bound.digests),
            "there": list(self.bound.there),
            "absent": list(self.bound.absent),
            "findings": [[key.on_day, key.in_place, key.listed, key.count] for key in self.findings],
            "origins": {str(index): [one.undoes, one.replaces] for index, one in self.origins.items()},
            "done": {str(index): ids for index, ids in self.done.items()},
            "report": self.report,
        }


def read_plan(record: PlanRecord) -> Plan:
    """Raises: ToolRefusedError for a plan of another version."""
    if record.format != FORMAT:
        raise ToolRefusedError(
            "Nothing was written: this plan was made by another version of trips-mcp; make the plan anew."
        )
    body: dict[str, Any] = record.body
    return Plan(
        record.id,
        record.trip,
        [Change.of_json(one) for one in body["changes"]],
        [Step(tuple(step)) for step in body["steps"]],
        Bound(body["digests"], body["there"], body["absent"]),
        [FindingKey(one, other, tuple(listed), count) for one, other, listed, count in body["findings"]],
        {
            int(index): Origin(plan=record.id, undoes=undoes, replaces=replaces)
            for index, (undoes, replaces) in body["origins"].items()
        },
        {int(index): ids for index, ids in body["done"].items()},
        body["report"],
    )
