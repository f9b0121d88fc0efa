"""The preview of a plan and the report on an applied one, as results and in words."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Final, Literal

from pydantic import Field

from trips_mcp.contract.fields import BY_MEMBERS, OTHERS
from trips_mcp.contract.models import Result
from trips_mcp.itinerary.check import Finding
from trips_mcp.itinerary.check.findings import line_of
from trips_mcp.itinerary.formatting import one_line
from trips_mcp.json_values import JsonObject
from trips_mcp.planning.draft import DraftNote
from trips_mcp.planning.preview import ItemKind, fields_of
from trips_mcp.tools.tool_mentions import Hint

_KINDS: Final[dict[str, str]] = {"action_item": "to-do", "map_pin": "pin"}


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
    yield hint("Show the user what matters of this; if they agree, call apply_plan.")


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
