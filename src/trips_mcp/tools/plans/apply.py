"""A plan applied: its calls made in order, each once, also when another process resumes it.

Before each call the plan's record says what was made. A call has an Idempotency-Key that follows from the plan and its
place in it, so the call that was under way when a process died is completed, not repeated.
"""

from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import time
from typing import Any, Final
from weakref import WeakKeyDictionary

import anyio

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import (
    BadAnswerError,
    CannotConnectError,
    OutcomeUnknownError,
    RateLimitedError,
    ServerFaultError,
    TripsError,
    UnavailableError,
)
from trips_mcp.client.outcome import Outcome, Report
from trips_mcp.client.writes import as_step
from trips_mcp.contract.trips import SyncReport
from trips_mcp.delivery import delivering
from trips_mcp.history import ChangeQuery, HistoryError, Origin, PlanRecord, made_by
from trips_mcp.itinerary.check import Finding
from trips_mcp.itinerary.formatting import fitting
from trips_mcp.json_values import JsonObject
from trips_mcp.planning.change import (
    TOGETHER,
    Change,
    CreatedIds,
    IdsOfChange,
    Step,
    UnknownReferenceError,
    ids_in,
    import_arguments,
)
from trips_mcp.planning.preview import digest
from trips_mcp.tools.error_text import ToolRefusedError
from trips_mcp.tools.plans.plan import Plan, PlanContext, bound_items, read_plan, refs_in, refs_of, targets_of
from trips_mcp.tools.plans.results import ApplyReport, ChangeReport, State
from trips_mcp.tools.plans.trial import WRITING_TOOLS, TripNow, params_of, read_now, refusals, unheard, wire

_SECONDS: Final = 40.0
"""No change is begun later: hosts wait about a minute for an answer."""
_FEW: Final = 100
"""A report on more changes lists those alone that created something with a name, or were not made."""
_ROOM_OF_FINDINGS: Final = 10_000
"""Characters."""
_UNLINKING: Final = frozenset({"delete_leg", "delete_map_pin"})
_MAY_PASS: Final = (
    BadAnswerError,
    CannotConnectError,
    OutcomeUnknownError,
    RateLimitedError,
    ServerFaultError,
    UnavailableError,
)
"""Errors after which the same call may succeed."""
_AGAIN: Final = "This plan was applied before; nothing was written now. This is the report of then."
_KINDS: Final = {"action_item": "to-do", "map_pin": "pin"}
_UNDER_WAY: Final[WeakKeyDictionary[TripsClient, set[str]]] = WeakKeyDictionary()


async def apply(context: PlanContext, plan_id: str, report: Report) -> Outcome[ApplyReport]:
    """Raises: ToolRefusedError, TripsError; nothing was written by this call then."""
    client, conduct = context.client, context.conduct
    record = await client.history.get_plan(client.account, plan_id)
    if record is None:
        raise ToolRefusedError(
            "Nothing was written: there is no such plan. A plan is valid for an hour, with the key that made it; "
            "make it anew."
        )
    plan = read_plan(record)
    if conduct.trip not in (None, plan.trip_id):
        raise ToolRefusedError(f"Nothing was written: this server is bound to the trip {conduct.trip} (--trip).")
    if plan.report is not None:
        return Outcome(ApplyReport.model_validate(plan.report), (_AGAIN,), client.rate_limit)
    if record.state == "planned" and time() >= record.expires:
        raise ToolRefusedError("Nothing was written: this plan has expired after an hour; make it anew.")
    numbered = enumerate(plan.changes, 1)
    if absent := [f"change {number}" for number, change in numbered if change.tool in conduct.absent]:
        named = ", ".join(absent[:10]) + (", …" if len(absent) > 10 else "")
        raise ToolRefusedError(
            f"Nothing was written: this server does not offer the tool of {named}; make a plan without it."
        )
    if record.state != "planned":
        await _raise_if_undone(client, plan)
    with _alone_with(client, plan_id):
        return await _Applying(context, plan, report).run(is_new=record.state == "planned")


async def _raise_if_undone(client: TripsClient, plan: Plan) -> None:
    """What comes next builds on what was made. Raises: ToolRefusedError."""
    try:
        made = await client.history.changes(ChangeQuery(accounts=tuple(client.accounts), plan=plan.id))
    except HistoryError:
        return
    if any(change.undone for change in made):
        raise ToolRefusedError(
            f"{len(plan.done)} of {len(plan.changes)} changes were made before, and no more now: "
            "what was made was undone since; make a new plan."
        )


@contextmanager
def _alone_with(client: TripsClient, plan_id: str) -> Generator[None]:
    under_way = _UNDER_WAY.setdefault(client, set())
    if plan_id in under_way:
        raise ToolRefusedError("This plan is being applied by another call just now; wait for its answer.")
    under_way.add(plan_id)
    try:
        yield
    finally:
        under_way.discard(plan_id)


@dataclass(frozen=True, slots=True)
class _End:
    """Why no further change was made."""

    state: State
    why: str
    places: Collection[int]
    """The changes of the call that failed."""


class _Applying:
    def __init__(self, context: PlanContext, plan: Plan, report: Report) -> None:
        self._client = context.client
        self._conduct = context.conduct
        self._plan = plan
        self._report = report
        self._ids = CreatedIds()
        self._refused: dict[int, str] = {}

    async def run(self, *, is_new: bool) -> Outcome[ApplyReport]:
        now = await read_now(self._client, self._plan.trip_id, self._conduct)
        self._check(now, is_new=is_new)
        end = await self._make_all()
        if end is not None:
            return Outcome(self._report_of(end), rate_limit=self._client.rate_limit)
        return await self._finished()

    def _check(self, now: TripNow, *, is_new: bool) -> None:
        """Raises: ToolRefusedError if what the plan is bound to differs."""
        items = bound_items(now)
        bound = self._plan.bound
        refs = refs_in(items)
        concerned = None if is_new else self._still_concerned()
        differing = [
            key for key, known in bound.digests.items() if _is_among(key, concerned) and digest(items.get(key)) != known
        ]
        differing += [key for key in bound.there if _is_among(key, concerned) and key not in items]
        differing += [refs[ref] for ref in bound.absent if _is_among(ref, concerned) and ref in refs]
        differing += self._newly_linked(items) if is_new else []
        if not differing:
            return
        named = ", ".join(map(_in_words, differing[:10])) + (", …" if len(differing) > 10 else "")
        done = len(self._plan.done)
        what = "Nothing was written" if not done else f"{done} of {len(self._plan.changes)} changes were made before"
        anew = "make the plan anew" if not done else "make a new plan for the rest"
        raise ToolRefusedError(f"{what}, and no more now: since the plan was made, {named} changed; {anew}.")

    def _newly_linked(self, items: Mapping[str, JsonObject]) -> list[str]:
        """Commitments that a deletion would unlink, though the preview does not show it."""
        deletions = [change for change in self._plan.changes if change.tool in _UNLINKING]
        deleted = {key for change in deletions for key in targets_of(change)[0]}
        return [
            key
            for key, item in items.items()
            if key.startswith("commitment ") and key not in self._plan.bound.digests
            if deleted & {f"leg {item.get('legId')}", f"map_pin {item.get('mapPinId')}"}
        ]

    def _still_concerned(self) -> set[str]:
        """What the changes to come alone are about: the earlier ones changed the rest themselves."""
        waiting = [step for step in self._plan.steps if not self._is_done(step)]
        begun = [index for step in (*self._done_steps(), *waiting[:1]) for index in step.changes]
        later = [index for step in waiting[1:] for index in step.changes]
        return self._concerned(later) - self._concerned(begun)

    def _concerned(self, indexes: Collection[int]) -> set[str]:
        changes = [self._plan.changes[index] for index in indexes]
        return {key for change in changes for keys in targets_of(change) for key in keys} | set(refs_of(changes))

    def _is_done(self, step: Step) -> bool:
        return all(index in self._plan.done for index in step.changes)

    def _done_steps(self) -> list[Step]:
        return [step for step in self._plan.steps if self._is_done(step)]

    async def _make_all(self) -> _End | None:
        """None when all changes are made."""
        began = anyio.current_time()
        total = len(self._plan.changes)
        for index, ids in self._plan.done.items():
            self._ids.add(self._plan.changes[index].name, dict(ids))
        for step in self._plan.steps:
            if self._is_done(step):
                continue
            if anyio.current_time() - began > _SECONDS:
                return _End("unfinished", f"{_SECONDS:.0f} seconds are over.", ())
            try:
                await self._make(step)
            except _MAY_PASS as error:
                return _End("unfinished", _with_wait(error), step.changes)
            except (TripsError, ToolRefusedError, UnknownReferenceError) as error:
                return _End("stopped", str(error), step.changes)
            except HistoryError as error:
                return _End("unfinished", str(error), step.changes)
            if self._refused:
                return _End("stopped", "The service refused a part of it.", ())
            await self._report(len(self._plan.done), total, f"{len(self._plan.done)} of {total} changes")
        return None

    async def _make(self, step: Step) -> None:
        """Makes a call, and notes it as delivered when the plan's record has its outcome."""
        changes = [self._resolved(self._plan.changes[index]) for index in step.changes]
        arguments = import_arguments(changes) if step.is_import else changes[0].arguments
        tool = WRITING_TOOLS["sync_trip" if step.is_import else changes[0].tool]
        params, faults = params_of(tool, arguments, "arguments")
        if faults or tool.write is None:
            raise ToolRefusedError("; ".join(f"{fault.path}: {fault.reason}" for fault in faults))
        await self._note(state="applying")
        origin = self._plan.origins.get(step.changes[0], Origin())
        with (
            as_step(f"{self._plan.id} {step.changes[0]}"),
            made_by(replace(origin, plan=self._plan.id)),
            delivering() as delivery,
        ):
            try:
                result = (await tool.write(self._client, params, unheard)).result
                told = wire(result)
                made = _ids_of_import(step, changes, result) if step.is_import else {step.changes[0]: ids_in(told)}
                self._note_refusals(step, changes, told)
                done = {index: ids for index, ids in made.items() if index not in self._refused}
                with anyio.CancelScope(shield=True):
                    await self._note(state="applying", done=done)
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await delivery.abandon()
                raise
            with anyio.CancelScope(shield=True):
                await delivery.confirm()
        for index, ids in done.items():
            self._ids.add(self._plan.changes[index].name, ids)

    def _resolved(self, change: Change) -> Change:
        return Change(change.tool, change.with_ids(self._ids.id_of), change.name)

    def _note_refusals(self, step: Step, changes: list[Change], told: JsonObject) -> None:
        for place, why in refusals(told):
            part, _, position = place.rpartition(".")
            index = _places(step, changes).get((part, int(position)), step.changes[0])
            self._refused[index] = why if step.is_import else f"{place}: {why}"

    async def _note(
        self, *, state: str, done: Mapping[int, IdsOfChange] | None = None, report: JsonObject | None = None
    ) -> None:
        """Raises: HistoryError."""

        def noted(record: PlanRecord) -> PlanRecord:
            plan = read_plan(record).with_done(done or {})
            if report is not None:
                plan = replace(plan, report=report)
            return replace(record, state=state, body=plan.as_json())

        if state == "applying" and not done and self._plan.done:
            return  # said before
        record = await self._client.history.update_plan(self._client.account, self._plan.id, noted)
        if record is None:
            raise HistoryError("The plan is no longer kept; make a new plan for the rest.")
        self._plan = read_plan(record)

    async def _finished(self) -> Outcome[ApplyReport]:
        found: list[Finding] = []
        remarks: tuple[str, ...] = ()
        try:
            check = await (await read_now(self._client, self._trip_id, self._conduct)).check()
            new = [_without_titles(finding) for finding in check.not_in(self._plan.findings)]
            found = fitting(new, _ROOM_OF_FINDINGS, others_write=False)
            if len(found) < len(new):
                remarks = (f"{len(new) - len(found)} more new findings are not shown; use check_trip.",)
        except TripsError as error:
            remarks = (f"Applied, but the trip could not be checked: {error}",)
        report = self._report_of(None, found)
        try:
            await self._note(state="applied", report=wire(report))
        except HistoryError as error:
            remarks = (*remarks, str(error))
        return Outcome(report, remarks, self._client.rate_limit)

    @property
    def _trip_id(self) -> str:
        """Of a plan that only creates a trip, that one, once it is there."""
        created = (index for index, change in enumerate(self._plan.changes) if change.tool == "create_trip")
        ids = self._plan.done.get(next(created, -1), {})
        return self._plan.trip_id or str(ids.get("", ""))

    def _report_of(self, end: _End | None, caused: list[Finding] | None = None) -> ApplyReport:
        plan = self._plan
        changes = [self._change_report(index, end) for index in range(len(plan.changes))]
        if len(changes) > _FEW:
            changes = [one for one in changes if one.name or one.status != "done"][: 2 * _FEW]
        return ApplyReport(
            plan_id=plan.id,
            trip_id=self._trip_id,
            state="applied" if end is None else end.state,
            done=len(plan.done),
            total=len(plan.changes),
            why=None if end is None else end.why,
            changes=changes,
            caused=caused or [],
        )

    def _change_report(self, index: int, end: _End | None) -> ChangeReport:
        change = self._plan.changes[index]
        ids = self._plan.done.get(index)
        if ids is not None:
            own = ids.get("")
            several = [str(one) for place, one in ids.items() if place not in ("", "number")]
            creates = not change.tool.startswith(("update_", "delete_", "archive_"))
            return ChangeReport(
                change=index,
                tool=change.tool,
                status="done",
                id=str(own) if own is not None and creates else None,
                ids=several or None,
                name=change.name,
            )
        failed = end is not None and index in end.places
        status = "refused" if index in self._refused else "not_sent"
        if failed and end is not None:
            status = "refused" if end.state == "stopped" else "unknown"
        return ChangeReport(
            change=index, tool=change.tool, status=status, name=change.name, why=self._refused.get(index)
        )


def _places(step: Step, changes: list[Change]) -> dict[tuple[str, int], int]:
    """By list and place in an import: the index of the change."""
    counts: dict[str, int] = {}
    found: dict[tuple[str, int], int] = {}
    for index, change in zip(step.changes, changes, strict=True):
        part = TOGETHER.get(change.tool, "items")
        found[part, counts.get(part, 0)] = index
        counts[part] = counts.get(part, 0) + 1
    return found


def _ids_of_import(step: Step, changes: list[Change], result: Any) -> dict[int, IdsOfChange]:
    found: dict[int, IdsOfChange] = {index: {} for index in step.changes}
    ids = ids_in(wire(result)) if isinstance(result, SyncReport) else {}
    for (part, place), index in _places(step, changes).items():
        if (own := ids.get(f"{part}.{place + 1}")) is not None:
            found[index] = {"": own}
    return found


def _is_among(key: str, concerned: Collection[str] | None) -> bool:
    return concerned is None or key in concerned


def _in_words(key: str) -> str:
    kind, _, item_id = key.partition(" ")
    return f"the {_KINDS.get(kind, kind)} {item_id}"


def _with_wait(error: TripsError) -> str:
    wait: float | None = getattr(error, "retry_after", None)
    return str(error) if wait is None else f"{error} Wait {wait:.0f} seconds first."


def _without_titles(finding: Finding) -> Finding:
    """Titles may be other people's words, and the report of a write does not quote."""
    about = [part.model_copy(update={"title": None, "event_title": None}) for part in finding.about]
    return finding.model_copy(update={"about": about})
