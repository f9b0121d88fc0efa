"""The one way to a plan, whatever made its changes: they are checked, tried out, shown, and kept to be applied."""

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from trips_mcp.client import TripsClient
from trips_mcp.client.outcome import Outcome
from trips_mcp.history import Origin, PlanRecord
from trips_mcp.json_values import JsonObject
from trips_mcp.planning.change import Change, IdsOfChange, Step, steps_of
from trips_mcp.planning.draft import DraftNote
from trips_mcp.planning.preview import FindingKey, ItemKey, digest
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.error_text import ToolRefusedError
from trips_mcp.tools.plans.results import Preview, preview_of
from trips_mcp.tools.plans.trial import Trial, TripNow, checked, read_now, tried

FORMAT: Final = 2
"""The version of the body. A plan of another version is refused."""
VALID_SECONDS: Final = 3600.0
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_TARGETS: Final = {
    "legId": "leg",
    "commitmentId": "commitment",
    "itemId": "action_item",
    "pinId": "map_pin",
    "mapPinId": "map_pin",
    "event_id": "event",
}
"""Arguments that name an item, and its kind."""
_LINKING: Final = frozenset({"create_commitment", "update_commitment"})
_KINDS_WITH_REF: Final = {
    "create_leg": "leg",
    "create_action_item": "action_item",
    "create_map_pin": "map_pin",
    "upsert_legs": "leg",
    "upsert_action_items": "action_item",
    "upsert_map_pins": "map_pin",
}
_LISTS_WITH_REF: Final = {"legs": "leg", "actionItems": "action_item", "mapPins": "map_pin"}


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
    """A plan as it is kept until it is applied, and what became of each change."""

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


@dataclass(frozen=True, slots=True)
class PlanContext:
    """What a plan is made with: the caller's client, and the rules of the server."""

    client: TripsClient
    conduct: Conduct


async def plan(
    context: PlanContext,
    trip_id: str,
    changes: Sequence[Change],
    notes: Sequence[DraftNote] = (),
    *,
    origins: Mapping[int, Origin] | None = None,
    now: TripNow | None = None,
) -> Outcome[Preview]:
    """Try the changes out, keep the plan, and return its preview.

    `origins`: by index, what the changes undo. `now`: the trip, if it was just read.

    Raises: ToolRefusedError with the faults of all changes; TripsError.
    """
    client, conduct = context.client, context.conduct
    now = now or await read_now(client, trip_id, conduct)
    found = checked([_with_number(change, now, conduct) for change in changes], trip_id, conduct)
    origins = origins or {}
    if now.without_events is not None and any(change.tool.endswith("_event") for change in found):
        raise ToolRefusedError(f"Not planned: {now.without_events}")
    trial = await tried(found, now, trip_id, conduct)
    found = trial.changes
    steps = plan_steps(found, conduct, origins)
    preview = preview_of(
        trial,
        found,
        steps,
        trip_id,
        notes=notes,
        masks=conduct.mask_secrets,
        others=len(now.export.members) != 1,
        reads=reads_to_apply(now),
    )
    remarks = () if now.without_events is None else (now.without_events,)
    if not _writes_anything(preview, found):
        return Outcome(preview, remarks, client.rate_limit)
    made_at = time.time()
    kept = Plan(
        id=_new_id(),
        trip_id=trip_id,
        changes=found,
        steps=steps,
        bound=_bound(found, now, trial),
        findings=trial.before.keys(),
        origins=origins,
    )
    await client.history.put_plan(record_of(kept, client, made_at))
    preview = preview.model_copy(update={"plan_id": kept.id, "minutes_valid": round(VALID_SECONDS / 60)})
    return Outcome(preview, remarks, client.rate_limit)


def reads_to_apply(now: TripNow) -> int:
    """The requests of an application that only read: the trip before and after, and its events."""
    return 4 if now.number is not None else 2


def _new_id() -> str:
    bits = secrets.randbits(50)
    return "plan_" + "".join(_ALPHABET[bits >> shift & 31] for shift in range(0, 50, 5))


def _with_number(change: Change, now: TripNow, conduct: Conduct) -> Change:
    """On a server that is bound to one trip, a new event is on that trip."""
    if conduct.trip is None or now.number is None or change.tool != "create_event" or change.arguments.get("trip_ids"):
        return change
    return Change(change.tool, {**change.arguments, "trip_ids": [now.number]}, change.name)


def record_of(plan: Plan, client: TripsClient, made_at: float) -> PlanRecord:
    return PlanRecord(
        id=plan.id,
        account=client.account,
        trip=plan.trip_id,
        format=FORMAT,
        made_at=made_at,
        expires=made_at + VALID_SECONDS,
        state="planned",
        body=plan.as_json(),
    )


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


def plan_steps(changes: Sequence[Change], conduct: Conduct, origins: Mapping[int, Origin]) -> list[Step]:
    if "sync_trip" in conduct.absent:
        return [Step((index,)) for index in range(len(changes))]
    return steps_of(changes, origins.keys())


def bound_items(now: TripNow) -> dict[str, JsonObject]:
    """The trip's items by "kind id"."""
    return {_key(key): item for key, item in now.state.items().items()}


def refs_in(items: Mapping[str, JsonObject]) -> dict[str, str]:
    """By "kind clientRef", the key of each item that has one."""
    return {f"{key.partition(' ')[0]} {item['clientRef']}": key for key, item in items.items() if "clientRef" in item}


def _key(key: ItemKey) -> str:
    return f"{key[0]} {key[1]}"


def _writes_anything(preview: Preview, changes: Sequence[Change]) -> bool:
    if preview.sent or preview.deleted or preview.unlinked or preview.changed or preview.created:
        return True
    return any(change.tool == "create_trip" for change in changes)


def _bound(changes: Sequence[Change], now: TripNow, trial: Trial) -> Bound:
    items = bound_items(now)
    targets = {_key(key) for key in trial.difference.touched}
    links: set[str] = set()
    for change in changes:
        changed, linked = targets_of(change)
        targets |= changed
        links |= linked
    known_refs = refs_in(items)
    refs = set(refs_of(changes))
    targets |= {known_refs[ref] for ref in refs if ref in known_refs}
    return Bound(
        digests={key: digest(items[key]) for key in sorted(targets) if key in items},
        there=sorted((links - targets) & items.keys()),
        absent=sorted(refs - known_refs.keys()),
    )


def targets_of(change: Change) -> tuple[set[str], set[str]]:
    """The items that the change is about, and those that it links to, by "kind id"."""
    targets: set[str] = set()
    links: set[str] = set()
    for name, kind in _TARGETS.items():
        item_id = change.arguments.get(name)
        if item_id is not None and not str(item_id).startswith("@"):
            is_link = change.tool in _LINKING and name in ("legId", "mapPinId")
            (links if is_link else targets).add(f"{kind} {item_id}")
    if change.tool in ("update_trip", "archive_trip"):
        targets.add(f"trip {change.arguments['tripId']}")
    return targets, links


def refs_of(changes: Sequence[Change]) -> Iterator[str]:
    """ "kind clientRef" of the items of this trip that the changes create or merge into."""
    for change in changes:
        if str(change.arguments.get("tripId", "")).startswith("@"):
            continue
        if (kind := _KINDS_WITH_REF.get(change.tool)) is not None:
            items: list[Any] = change.arguments.get("items") or [change.arguments]
            yield from (f"{kind} {item['clientRef']}" for item in items if item.get("clientRef"))
        if change.tool == "sync_trip":
            for name, kind in _LISTS_WITH_REF.items():
                for item in change.arguments.get(name) or ():
                    if item.get("clientRef"):
                        yield f"{kind} {item['clientRef']}"
