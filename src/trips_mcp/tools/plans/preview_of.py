"""The preview of a trial: what a model is shown of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from trips_mcp.contract.batches import limits
from trips_mcp.itinerary.check import Finding
from trips_mcp.itinerary.formatting import fitting, weight
from trips_mcp.json_values import JsonObject, is_list, is_object
from trips_mcp.planning.change import Change
from trips_mcp.planning.draft import DraftNote
from trips_mcp.planning.preview import Difference, ItemDiff, fields_of
from trips_mcp.planning.steps import TOGETHER, Step
from trips_mcp.tools.plans.changes import WRITING_TOOLS
from trips_mcp.tools.plans.results import PlannedEvent, PlannedItem, Preview
from trips_mcp.tools.plans.trial import Trial
from trips_mcp.tools.results.secrets import is_secret

_ROOM: Final = 16_000
"""Characters of all items. A result may have 40,000, and its text repeats them."""
_ROOM_OF_FINDINGS: Final = 10_000
"""Characters of those that the plan causes, and of those that it fixes."""
_FINAL: Final = {
    "send_message": "A message cannot be taken back.",
    "create_share_token": "An earlier share link stops working, and cannot be restored.",
    "revoke_share_token": "The share link stops working; a later one is another link.",
}


def preview_of(
    trial: Trial,
    changes: Sequence[Change],
    steps: Sequence[Step],
    trip_id: str,
    *,
    notes: Sequence[DraftNote],
    masks: bool,
    others: bool,
    reads: int,
) -> Preview:
    """`others`: whether members' words are quoted. `reads`: the requests that only read."""
    found = trial.difference
    namer = _Namer(trial.names)
    secrets = _secrets_set(changes) if masks else {}
    lists = {
        "deleted": [_item(one, namer) for one in found.deleted],
        "unlinked": [_item(one, namer) for one in found.changed if one.unlinked_from],
        "changed": list(_changed(found, namer, masks, secrets)),
        "created": [_item(one, namer, new=True) for one in found.created],
    }
    shown, left_out = _fitting(lists, others)
    caused = namer.findings(trial.after.not_in(trial.before.keys()))
    fixed = trial.before.not_in(trial.after.keys())
    shown_caused, shown_fixed = (fitting(many, _ROOM_OF_FINDINGS, others) for many in (caused, fixed))
    requests = sum(_requests(step, changes) for step in steps)
    return Preview(
        trip_id=trip_id or None,
        caused=shown_caused,
        fixed=shown_fixed,
        findings_not_shown=len(caused) + len(fixed) - len(shown_caused) - len(shown_fixed) or None,
        notes=list(notes),
        sent=[change.tool for change in changes if WRITING_TOOLS[change.tool].outbound],
        not_shown=left_out or None,
        requests=requests + reads,
        seconds=requests + reads,
        cannot_be_undone=list(_not_undoable(changes, found)),
        **shown,
    )


class _Namer:
    """Puts what the plan calls a new item in the place of the id that it has on the twin."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def findings(self, found: Sequence[Finding]) -> list[Finding]:
        return [Finding.model_validate(self.named(one.model_dump(mode="json", exclude_none=True))) for one in found]

    def named(self, value: Any) -> Any:
        if is_object(value):
            return {
                name: self.named(inner)
                for name, inner in value.items()
                if not (name == "event_id" and str(inner) in self.names)
            }
        if is_list(value):
            return [self.named(inner) for inner in value]
        return self.names.get(value, value) if isinstance(value, str) and not value.isdecimal() else value


def _item(one: ItemDiff, namer: _Namer, *, new: bool = False) -> PlannedItem:
    kind = PlannedEvent if one.kind == "event" else PlannedItem
    return kind(
        kind=one.kind,
        id=None if new else one.id,
        name=namer.names.get(one.id) if new else None,
        title=one.title or None,
        before=one.before or None,
        after=namer.named(one.after) or None,
        unlinked_from=[item_id for _, item_id in one.unlinked_from] or None,
    )


def _changed(found: Difference, namer: _Namer, masks: bool, secrets: Mapping[str, list[str]]) -> Iterator[PlannedItem]:
    """Without what only lost its link. Where secrets are masked, whether one differs would confirm a guess."""
    shown: set[str] = set()
    for one in found.changed:
        item = _item(one, namer)
        if masks:
            item.before, item.after = _without_secrets(item.before), _without_secrets(item.after)
        if one.kind == "leg" and one.id in secrets:
            item.sets_secrets = secrets[one.id]
        shown.add(one.id)
        only_unlinked = one.unlinked_from and not one.after and len(one.before) == len(one.unlinked_from)
        if (item.before or item.after or item.sets_secrets) and not only_unlinked:
            yield item
    for leg_id, paths in secrets.items():
        if leg_id not in shown and all(leg_id != one.id for one in found.deleted):
            yield PlannedItem(kind="leg", id=leg_id, sets_secrets=paths)


def _without_secrets(item: JsonObject | None) -> JsonObject | None:
    def without(value: Any) -> Any:
        if not is_object(value):
            return value
        kept = {name: without(inner) for name, inner in value.items() if not is_secret(name)}
        return {name: inner for name, inner in kept.items() if inner != {}}

    return without(item) or None


def _secrets_set(changes: Sequence[Change]) -> dict[str, list[str]]:
    """By legId, the secrets that updates give or clear."""
    found: dict[str, list[str]] = {}
    for change in changes:
        leg_id = change.arguments.get("legId")
        if change.tool != "update_leg" or not isinstance(leg_id, str):
            continue
        given = [path for path, _ in fields_of(_lists_as_objects(change.arguments))]
        cleared = [path for path in change.arguments.get("clear") or () if isinstance(path, str)]
        if paths := [path for path in (*given, *cleared) if is_secret(path.rpartition(".")[2])]:
            found[leg_id] = list(dict.fromkeys((*found.get(leg_id, ()), *paths)))
    return found


def _lists_as_objects(value: Any) -> Any:
    if is_list(value):
        return {str(index): _lists_as_objects(inner) for index, inner in enumerate(value)}
    return {name: _lists_as_objects(inner) for name, inner in value.items()} if is_object(value) else value


def _fitting(lists: Mapping[str, list[PlannedItem]], others: bool) -> tuple[dict[str, Any], int]:
    """As many items as there is room for, and the number of the rest."""
    room = _ROOM
    shown: dict[str, Any] = {}
    left_out = 0
    for name, items in lists.items():
        shown[name] = []
        for item in items:
            room -= weight(item, others)
            if room > 0 or not any(shown.values()):
                shown[name].append(item)
            else:
                left_out += 1
    return shown, left_out


def _requests(step: Step, changes: Sequence[Change]) -> int:
    change = changes[step.changes[0]]
    tool = WRITING_TOOLS[change.tool]
    if step.is_import or change.tool in TOGETHER:
        return 1
    most = limits(tool.params)
    lists = {_wire_name(tool.params, name): most for name, most in most.items()}
    return max((-(-len(change.arguments.get(name) or ()) // most) for name, most in lists.items()), default=1) or 1


def _wire_name(params: type[Any], name: str) -> str:
    return params.model_fields[name].alias or name


def _not_undoable(changes: Sequence[Change], found: Difference) -> Iterator[str]:
    yield from (said for tool, said in _FINAL.items() if any(change.tool == tool for change in changes))
    if found.deleted:
        yield "Undone, a deleted item comes back under a new id."
