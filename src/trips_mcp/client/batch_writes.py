"""A batch of any size, split into requests that an API accepts, sent as one write each, and reported as one.

Each request stays within the operation's number of items and below 1 MiB. If a part fails, the report of the earlier
parts is kept. The same call again finishes the batch and duplicates nothing: items with a clientRef are recognised,
and for the others the journal keeps the notes of answered parts.
"""

import json
import unicodedata
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, Generic, Literal

from pydantic.alias_generators import to_camel
from pydantic_core import MISSING

from trips_mcp.client.errors import (
    ApiError,
    BadAnswerError,
    InvalidError,
    OutcomeUnknownError,
    RateLimitedError,
    TripsError,
)
from trips_mcp.client.outcome import Outcome, Report
from trips_mcp.client.writes import PartNotes, is_dry_run
from trips_mcp.contract.batches import BatchReport, ItemError, ItemOutcome, limits
from trips_mcp.contract.errors import Fault
from trips_mcp.contract.models import Item, Params, Result
from trips_mcp.contract.operation import Operation, P, R
from trips_mcp.json_values import is_list, is_object

LARGEST: Final = 2**20 - 1024
"""Bytes of items in a request. The rest of the MiB is for the JSON around them."""
_COUNTS: Final = ("created", "updated", "unchanged", "errors")

Undone = Literal["error", "unknown", "not_sent"]
_STATUS_TEXTS: Final[dict[Undone, str]] = {
    "error": "Refused",
    "unknown": "Unknown whether taken",
    "not_sent": "Not sent",
}


@dataclass(frozen=True, slots=True)
class BatchPart(Generic[P]):
    params: P
    places: Mapping[str, list[int]]
    """For each list, the items' indexes in the whole list."""
    end: int
    """Number of items up to the end of this part."""

    def items(self, name: str) -> list[tuple[int, Item]]:
        """Each item of the list with its index in the whole list."""
        return list(zip(self.places[name], getattr(self.params, name), strict=True))


def parts_of(params: P) -> list[BatchPart[P]]:
    """The parts in order. Every item gets a clientRef unless `params` switches that off."""
    most = limits(type(params))
    waiting = {
        name: deque(enumerate(_with_client_refs(params, name))) for name in most if getattr(params, name) is not MISSING
    }
    parts: list[BatchPart[P]] = []
    end = 0
    while not parts or any(waiting.values()):
        taken = _next(waiting, most)
        end += sum(map(len, taken.values()))
        lists = {name: [item for _, item in items] for name, items in taken.items()}
        part = params.model_copy(update={**lists, "auto_client_ref": MISSING})
        parts.append(BatchPart(part, {name: [place for place, _ in items] for name, items in taken.items()}, end))
    return parts


def client_ref(item: Item) -> str | None:
    ref = getattr(item, "client_ref", None)
    return ref if isinstance(ref, str) else None


def _next(waiting: dict[str, deque[tuple[int, Item]]], most: dict[str, int]) -> dict[str, list[tuple[int, Item]]]:
    """The items for one request, removed from the queues."""
    taken: dict[str, list[tuple[int, Item]]] = {name: [] for name in waiting}
    room = LARGEST
    for name, queue in waiting.items():
        while queue and len(taken[name]) < most[name]:
            room -= len(queue[0][1].model_dump_json().encode()) + 1
            # an item that is too large by itself goes alone; the API refuses it
            if room < 0 and any(taken.values()):
                return taken
            taken[name].append(queue.popleft())
    return taken


def _with_client_refs(params: Params, name: str) -> Iterator[Item]:
    items: list[Item] = getattr(params, name)
    derives = getattr(params, "auto_client_ref", True) is not False
    twins = Counter[str]()
    for item in items:
        yield _with_client_ref(item, twins) if derives and client_ref(item) is None else item


def _with_client_ref(item: Item, twins: Counter[str]) -> Item:
    """Adds a clientRef that any process derives from the same content. Identical items are numbered.

    Texts that are equivalent in Unicode count as equal: clients on a Mac write ü as two characters, others as one.
    """
    content = json.dumps(_composed(item.model_dump(mode="json")), sort_keys=True, separators=(",", ":"))
    digest = sha256(content.encode()).hexdigest()[:32]
    twins[digest] += 1
    return item.model_copy(update={"client_ref": f"auto-{digest}-{twins[digest]}"})


def _composed(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if is_list(value):
        return [_composed(part) for part in value]
    if is_object(value):
        return {key: _composed(part) for key, part in value.items()}
    return value


async def in_parts(
    operation: Operation[P, R],
    params: P,
    send: Callable[[P, PartNotes | None], Awaitable[Outcome[R]]],
    notes: PartNotes,
    report: Report | None,
) -> Outcome[R]:
    """Sends the parts in order, and stops at an error that later parts would meet too.

    `notes`: the notes of answered parts. They are kept until all parts are answered, so that none is sent again.

    Raises: TripsError if nothing was carried out.
    """
    parts = parts_of(params)
    if len(parts) == 1:
        return await send(parts[0].params, None)
    merged = _Merged(operation, parts)
    total = parts[-1].end
    complete = False
    try:
        for part in parts:
            try:
                merged.add(part, await send(part.params, notes))
            except InvalidError as refused:  # it concerns these items; other parts may be valid
                merged.refuse(part, refused)
            except TripsError as error:
                merged.break_off(part, error)
                break
            if report is not None:
                await report(part.end, total, f"{part.end} of {total} items")
        else:
            complete = True
    finally:
        await notes.end(complete=complete)
    return merged.outcome()


@dataclass(slots=True)
class _MergedList:
    """The results so far for the items of one list."""

    results: list[ItemOutcome] = field(default_factory=list[ItemOutcome])
    counts: Counter[str] = field(default_factory=Counter[str])

    @property
    def report(self) -> dict[str, Any]:
        return {"results": self.results, **{count: self.counts[count] for count in _COUNTS}}


class _Merged(Generic[P, R]):
    def __init__(self, operation: Operation[P, R], parts: Sequence[BatchPart[P]]) -> None:
        self._operation = operation
        self._parts = parts
        self._writes = not is_dry_run(parts[0].params)
        self._lists = {name: _MergedList() for name in parts[0].places}
        self._done: list[Outcome[R]] = []
        self._refusals: list[TripsError] = []
        self._end: TripsError | None = None
        self._notes: list[str] = []

    def add(self, part: BatchPart[P], outcome: Outcome[R]) -> None:
        self._done.append(outcome)
        self._notes += [note for note in outcome.notes if note not in self._notes]
        for name, places in part.places.items():
            report = _report_on(outcome.result, name)
            self._lists[name].results += _placed(report.results, places)
            self._lists[name].counts.update({count: getattr(report, count) for count in _COUNTS})

    def refuse(self, part: BatchPart[P], error: InvalidError) -> None:
        self._refusals.append(error)
        self._mark("error", [part], error)
        self._notes.append(f"{error} {_span('error', [part])} Fix them and send them again.")

    def break_off(self, part: BatchPart[P], error: TripsError) -> None:
        """Records that neither this part nor any later one was carried out."""
        self._end = error
        status = _status(error, self._writes)
        self._mark(status, [part], error)
        later = self._parts[self._parts.index(part) + 1 :]
        self._mark("not_sent", later)
        undone: dict[Undone, list[BatchPart[P]]] = {status: [part]}
        undone.setdefault("not_sent", []).extend(later)
        spans = (_span(status, parts) for status, parts in undone.items() if parts)
        subject = "It" if self._writes else "The preview, which wrote nothing,"
        self._notes.append(" ".join((f"{subject} broke off. {error}", *spans, self._how_to_finish(status, error))))

    def outcome(self) -> Outcome[R]:
        """Raises: TripsError if no part was carried out."""
        if not self._done:
            raise self._end or self._refusals[0]
        last = self._done[-1]
        reports = {name: merged.report for name, merged in self._lists.items()}
        update = (
            reports["items"]
            if isinstance(last.result, BatchReport)
            else {name: BatchReport.model_validate(report, by_name=True) for name, report in reports.items()}
        )
        return Outcome(last.result.model_copy(update=update), tuple(self._notes), last.rate_limit)

    def _mark(self, status: Undone, parts: Sequence[BatchPart[P]], error: TripsError | None = None) -> None:
        for part in parts:
            for name in part.places:
                marks = [
                    _marked(place, item, status, None if error is None else _item_error(error, name, at))
                    for at, (place, item) in enumerate(part.items(name))
                ]
                self._lists[name].results += marks
                self._lists[name].counts["errors"] += len(marks)

    def _how_to_finish(self, status: Undone, error: TripsError) -> str:
        again = f"call {self._operation.name} again"
        seconds: float | None = getattr(error, "retry_after", None)
        first = "Fix that" if status == "error" else "" if seconds is None else f"Wait {seconds:.0f} seconds"
        advice = f"{first}, then {again}" if first else again.capitalize()
        if not self._writes:
            return f"{advice} for the whole of it: what is counted here is the part that was looked at."
        return f"{advice} with the same arguments: that finishes it, and doubles nothing."


def _report_on(result: Result, name: str) -> BatchReport:
    report = result if isinstance(result, BatchReport) else getattr(result, name, None)
    return report if isinstance(report, BatchReport) else BatchReport()


def _placed(results: Sequence[ItemOutcome], places: Sequence[int]) -> Iterator[ItemOutcome]:
    """The results with the items' indexes in the whole list; an index out of range is left as it is."""
    for at, result in enumerate(results):
        index = at if result.index is None else result.index
        yield result.model_copy(update={"index": places[index]}) if 0 <= index < len(places) else result


def _marked(place: int, item: Item, status: Undone, error: ItemError | None) -> ItemOutcome:
    known = {"client_ref": ref} if (ref := client_ref(item)) is not None else {}
    return ItemOutcome.model_validate({"index": place, **known, "status": status, "error": error})


def _status(error: TripsError, writes: bool) -> Undone:
    match error:
        case OutcomeUnknownError() | BadAnswerError() if writes:
            return "unknown"
        case ApiError() if not isinstance(error, RateLimitedError):
            return "error"
        case _:
            return "not_sent"


def _item_error(error: TripsError, name: str, at: int) -> ItemError:
    """The failure of a part as the error of its item at index `at`."""
    match error:
        case ApiError():
            prefix = f"{to_camel(name)}.{at}."
            own = [
                Fault(path=fault.path.removeprefix(prefix), reason=fault.reason)
                for fault in error.details
                if fault.path.startswith(prefix)
            ]
            return ItemError(code=error.code, message=str(error), details=own or None)
        case OutcomeUnknownError():
            return ItemError(code="OUTCOME_UNKNOWN", message=str(error))
        case _:
            return ItemError(code="NOT_SENT", message=str(error))


def _span(status: Undone, parts: Sequence[BatchPart[Any]]) -> str:
    places = {name: [place for part in parts for place in part.places[name]] for name in parts[0].places}
    spans = (f"{to_camel(name)} {_range(indexes)}" for name, indexes in places.items() if indexes)
    return f"{_STATUS_TEXTS[status]}: {', '.join(spans)}."


def _range(places: Sequence[int]) -> str:
    return f"{places[0]}" if len(places) == 1 else f"{places[0]} to {places[-1]}"
