"""The recorder of writes, which notes in the history what each one changed.

It needs the items before, which it reads at most once a minute for each trip. A write never fails because of it.
"""

import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from trips_mcp.client.errors import OutcomeUnknownError, TripsError
from trips_mcp.client.item_changes import (
    Before,
    is_batch_of_items,
    made,
    may_merge,
    planned,
    target,
    without_lists,
)
from trips_mcp.client.outcome import Outcome
from trips_mcp.client.snapshots import ATTACHED, Snapshots
from trips_mcp.client.writes import is_joined
from trips_mcp.contract.models import Params, Result
from trips_mcp.contract.operation import Operation, P, R
from trips_mcp.history import History, ItemChange, RecordedChange, current_origin
from trips_mcp.json_values import JsonObject


class Recorder:
    def __init__(self, history: History, snapshots: Snapshots) -> None:
        self._history = history
        self._snapshots = snapshots

    def saw(self, params: Params, result: Result) -> None:
        """Takes the result of any read."""
        if self._history.records:
            self._snapshots.saw(params, result)

    async def recorded(
        self,
        operation: Operation[P, R],
        params: P,
        send: Callable[[], Awaitable[Outcome[R]]],
        *,
        account: str,
        digest: str,
    ) -> Outcome[R]:
        """The outcome of `send`, with a note if the change cannot be undone. Raises: what `send` raises."""
        arguments = params.model_dump(mode="json")
        before = await self._before(operation, arguments)
        origin = current_origin()
        change = RecordedChange(
            id=secrets.token_hex(6),
            account=account,
            tool=operation.name,
            arguments=without_lists(operation, arguments),
            made_at=time.time(),
            trip=arguments.get("tripId", ""),
            numbers=tuple(arguments.get("trip_ids", ())),
            items=planned(operation, arguments, before),
            digest=digest,
            plan=origin.plan,
            undoes=origin.undoes,
            replaces=origin.replaces,
        )
        change = self._with_trips(change)
        trouble = await self._history.begin(change)
        try:
            outcome = await send()
        except OutcomeUnknownError:
            self._snapshots.forget(change.trip)
            raise
        except TripsError:
            await self._history.discard(change)
            raise
        except BaseException:  # cancelled: the write may be under way
            self._snapshots.forget(change.trip)
            raise
        trouble = await self._finish(operation, arguments, change, outcome, before) or trouble
        if trouble is not None:
            return _noting(outcome, f"This change cannot be undone: {trouble}.")
        return outcome

    async def _before(self, operation: Operation[Any, Any], arguments: JsonObject) -> Before:
        of = target(operation, arguments)
        if of is not None and of[0] == "event":
            whole = operation.method == "DELETE" or ATTACHED in _renamed(arguments)
            event = await self._snapshots.event(int(of[1]), with_trips=whole)
            return Before(event=event, is_known=event is not None)
        if of is None and not may_merge(operation, arguments):
            return Before()
        kind, id_ = of or (None, "")
        trip = await self._snapshots.trip(arguments["tripId"], kind, id_)
        return Before(trip, is_known=trip is not None)

    async def _finish(
        self,
        operation: Operation[P, R],
        arguments: JsonObject,
        change: RecordedChange,
        outcome: Outcome[R],
        before: Before,
    ) -> str | None:
        """Records what was changed. The reason if that fails."""
        completed = await self._completed(change, is_joined(outcome.notes))
        if completed is not None:
            before = replace(
                before,
                is_known=all(item.before_is_known for item in completed.items),
                earlier={(item.kind, item.id): item for item in completed.items if item.id},
            )
        items = made(operation, arguments, outcome.result, before)
        self._keep_up(change, items)
        if completed is None:
            if not items:
                await self._history.discard(change)
                return None
            return await self._history.finish(self._with_trips(replace(change, items=items, state="done")))
        await self._history.discard(change)
        if completed.state == "done":
            if not is_batch_of_items(operation):
                return None  # recorded, but its answer was not delivered
            items = _together(completed.items, items)
        if not items:
            await self._history.discard(completed)
            return None
        return await self._history.finish(self._with_trips(replace(completed, items=items, state="done")))

    async def _completed(self, change: RecordedChange, joined: bool) -> RecordedChange | None:
        """The change of an earlier call that this one completes: for a step of a plan, also without the journal."""
        return await self._history.earlier(change) if joined or change.plan else None

    def _keep_up(self, change: RecordedChange, items: tuple[ItemChange, ...]) -> None:
        """Keeps the snapshots as the write left the trip."""
        for item in items:
            if item.id:
                self._snapshots.put(change.trip, item.kind, item.id, item.after)

    def _with_trips(self, change: RecordedChange) -> RecordedChange:
        """The change with the trips that it is on, as far as they are known."""
        attached = {
            number
            for item in change.items
            for state in (item.before, item.after)
            if state is not None
            for number in state.get(ATTACHED, ())
        }
        numbers = tuple(sorted({*change.numbers, *attached}))
        trip = change.trip
        if not trip and change.tool == "create_trip" and change.items:
            trip = change.items[0].id
        return replace(change, numbers=numbers, trip=trip)


def _together(earlier: tuple[ItemChange, ...], later: tuple[ItemChange, ...]) -> tuple[ItemChange, ...]:
    known = {(item.kind, item.id) for item in earlier if item.id}
    return (*(item for item in earlier if item.id), *(item for item in later if (item.kind, item.id) not in known))


def _renamed(arguments: JsonObject) -> set[str]:
    names = {*arguments, *arguments.get("clear", ())}
    return {ATTACHED if name == "trip_ids" else name for name in names}


def _noting(outcome: Outcome[R], note: str) -> Outcome[R]:
    return replace(outcome, notes=(*outcome.notes, note))
