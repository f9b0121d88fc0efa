"""The preview of a trial and the report on an applied plan, as results and in words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from trips_mcp.contract.batches import limits
from trips_mcp.contract.fields import BY_MEMBERS, OTHERS
from trips_mcp.contract.models import Result
from trips_mcp.itinerary.check import Finding
from trips_mcp.itinerary.check.findings import line_of
from trips_mcp.itinerary.formatting import fitting, one_line, weight
from trips_mcp.json_values import JsonObject, is_list, is_object
from trips_mcp.planning.change import TOGETHER, Change, Step
from trips_mcp.planning.draft import DraftNote
from trips_mcp.planning.preview import Difference, ItemDiff, ItemKind, fields_of
from trips_mcp.tools.plans.trial import WRITING_TOOLS, Trial
from trips_mcp.tools.secrets import is_secret
from trips_mcp.tools.tool_mentions import Hint

_KINDS: Final[dict[str, str]] = {"action_item": "to-do", "map_pin": "pin"}
_ROOM: Final = 16_000
"""Characters of all items. A result may have 40,000, and its text repeats them."""
_ROOM_OF_FINDINGS: Final = 10_000
"""Characters of those that the plan causes, and of those that it fixes."""
_FINAL: Final = {
    "send_message": "A message cannot be taken back.",
    "create_share_token": "An earlier share link stops working, and cannot be restored.",
    "revoke_share_token": "The share link stops working; a later one is another link.",
}


class PlannedItem(Result):
    kind: ItemKind
    id: str | None = None
    """None for a new item, which has no id yet."""
    name: str | None = None
    """What the plan calls a new item: @name, or the change that creates it."""
    title: Annotated[str | None, BY_MEMBERS] = None
    before: Annotated[JsonObject | None, BY_MEMBERS] = None
    """Of a changed item, only what differs. An index stands for the entry of a list."""
    after: Annotated[JsonObject | None, BY_MEMBERS] = None
    unlinked_from: list[str] | None = None
    """Ids of deleted items that it was linked to."""
    sets_secrets: list[str] | None = None
    """Where secrets are masked: the paths that the plan sets, whatever they are now."""


class PlannedEvent(PlannedItem):
    """Anybody may have planned an event."""

    title: Annotated[str | None, OTHERS] = None
    before: Annotated[JsonObject | None, OTHERS] = None
    after: Annotated[JsonObject | None, OTHERS] = None


class Preview(Result):
    plan_id: str | None = None
    """None if the plan changes nothing."""
    trip_id: str | None = None
    """None if the plan creates the trip."""
    minutes_valid: int | None = None
    caused: list[Finding] = Field(default_factory=list[Finding])
    fixed: list[Finding] = Field(default_factory=list[Finding])
    findings_not_shown: int | None = None
    notes: list[DraftNote] = Field(default_factory=list[DraftNote])
    deleted: list[PlannedItem] = Field(default_factory=list[PlannedItem])
    unlinked: list[PlannedItem] = Field(default_factory=list[PlannedItem])
    changed: list[PlannedItem] = Field(default_factory=list[PlannedItem])
    created: list[PlannedItem] = Field(default_factory=list[PlannedItem])
    sent: list[str] = Field(default_factory=list[str])
    """Calls that reach other people. They were checked, but not tried out."""
    not_shown: int | None = None
    requests: int
    seconds: int
    """How long that takes at 60 requests a minute."""
    cannot_be_undone: list[str] = Field(default_factory=list[str])


State = Literal["applied", "unfinished", "stopped"]
"""
- unfinished: the rest can be made by applying the plan again.
- stopped: the service refused a change; the rest was not sent.
"""


class ChangeReport(Result):
    change: int
    """Its index, as in the path changes.0. In words it is change 1."""
    tool: str
    status: Literal["done", "refused", "unknown", "not_sent"]
    id: str | None = None
    """Of what it created."""
    ids: list[str] | None = None
    name: str | None = None
    why: str | None = None


class ApplyReport(Result):
    plan_id: str
    trip_id: str
    """Empty if the trip was to be created and was not."""
    state: State
    done: int
    total: int
    why: str | None = None
    changes: list[ChangeReport] = Field(default_factory=list[ChangeReport])
    caused: list[Finding] = Field(default_factory=list[Finding])
    """Findings of the trip now that were not there before."""


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


def preview_in_words(preview: Preview, hint: Hint) -> str:
    return "\n".join(filter(None, _preview_lines(preview, hint)))


def report_in_words(report: ApplyReport, hint: Hint) -> str:
    return "\n".join(filter(None, _report_lines(report, hint)))


def _preview_lines(preview: Preview, hint: Hint) -> Iterator[str]:
    yield from _findings("This plan causes", preview.caused)
    yield from _findings("This plan fixes", preview.fixed)
    if preview.findings_not_shown:
        yield f"{_counted(preview.findings_not_shown, 'more finding')} not shown; after the plan, use check_trip."
    for note in preview.notes:
        yield f"- {note.kind.replace('_', ' ')}: {note.why}"
    yield from _items("Deleted", preview.deleted, "before")
    yield from _items("Unlinked", preview.unlinked, "")
    yield from _items("Changed", preview.changed, "both")
    yield from _items("Created", preview.created, "after")
    if preview.sent:
        yield f"Reaches other people, and was not tried out: {', '.join(preview.sent)}."
    if preview.not_shown:
        yield f"{preview.not_shown} more items are not shown."
    yield from preview.cannot_be_undone
    if preview.plan_id is None:
        yield "Nothing would change, so there is nothing to apply."
        return
    yield f"{_counted(preview.requests, 'request')}, about {_duration(preview.seconds)} at 60 a minute."
    yield f"Nothing was written. Plan {preview.plan_id} is valid for {preview.minutes_valid} minutes."
    yield hint("Show the user what matters of this, and if they agree, call apply_plan.")


def _report_lines(report: ApplyReport, hint: Hint) -> Iterator[str]:
    done = f"{report.done} of {_counted(report.total, 'change')} made"
    match report.state:
        case "applied":
            yield f"Applied: {done}."
        case "unfinished":
            yield f"Not finished: {done}. {report.why or ''}".rstrip()
            yield hint("Call apply_plan again with this planId to make the rest; nothing is made twice.")
        case "stopped":
            yield f"Stopped: {done}. {report.why or ''}".rstrip()
            yield hint("What was made stays. Plan the rest anew with plan_changes.")
    for change in report.changes:
        yield _change_line(change, report.total)
    yield from _findings("The trip now has", report.caused, "new finding")


def _change_line(change: ChangeReport, total: int) -> str:
    created = change.id or ", ".join(change.ids or ())
    status = change.status.replace("_", " ")
    what = f"- Change {change.change + 1} of {total}, {change.tool}: {status}"
    named = f" (@{change.name})" if change.name else ""
    return what + (f", {created}{named}" if created else "") + (f": {change.why}" if change.why else "")


def _findings(title: str, findings: list[Finding], noun: str = "finding") -> Iterator[str]:
    if findings:
        yield f"{title} {_counted(len(findings), noun)}:"
        yield from map(line_of, findings)


def _items(title: str, items: list[PlannedItem], shown: Literal["before", "after", "both", ""]) -> Iterator[str]:
    if not items:
        return
    yield f"{title} ({len(items)}):"
    for item in items:
        yield f"- {_head(item)}"
        if shown == "both":
            yield from (f"    {line}" for line in _differences(item))
        elif item.unlinked_from:
            yield f"    no longer linked to {', '.join(item.unlinked_from)}"
        elif fields := (item.before if shown == "before" else item.after):
            yield f"    {', '.join(f'{path} {_value(value)}' for path, value in fields_of(fields))}"
        if item.sets_secrets:
            yield f"    sets {', '.join(item.sets_secrets)} (masked here)"


def _head(item: PlannedItem) -> str:
    kind = _KINDS.get(item.kind, item.kind)
    title = f" “{one_line(item.title)}”" if item.title else ""
    known = item.id or item.name
    return f"{kind}{title}" + (f" ({known})" if known else "")


def _differences(item: PlannedItem) -> Iterator[str]:
    before, after = dict(fields_of(item.before or {})), dict(fields_of(item.after or {}))
    for path in _in_order((*before, *after)):
        yield f"{path}: {_value(before.get(path))} → {_value(after.get(path))}"


def _in_order(paths: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(paths))


def _value(value: object) -> str:
    if value is None:
        return "nothing"
    return one_line(str(value).lower() if isinstance(value, bool) else str(value))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _duration(seconds: int) -> str:
    return _counted(seconds, "second") if seconds < 90 else _counted(round(seconds / 60), "minute")
