"""A batch of any size, sent part by part, one write each, and told as one.

A part that fails does not lose the report of those before it. The same call again finishes a batch that broke off,
and doubles nothing: items with a clientRef are recognised, and of others the parts that were answered are noted.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Literal

from pydantic.alias_generators import to_camel

from trips_mcp.client.batch_split import BatchPart, client_ref, parts_of
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
from trips_mcp.contract.batches import BatchReport, ItemError, ItemOutcome
from trips_mcp.contract.errors import Fault
from trips_mcp.contract.models import Item, Result
from trips_mcp.contract.operation import Operation, P, R

_COUNTS: Final = ("created", "updated", "unchanged", "errors")

Undone = Literal["error", "unknown", "not_sent"]
_SAID: Final[dict[Undone, str]] = {
    "error": "Refused",
    "unknown": "Unknown whether taken",
    "not_sent": "Not sent",
}


async def in_parts(
    operation: Operation[P, R],
    asked: P,
    send: Callable[[P, PartNotes | None], Awaitable[Outcome[R]]],
    notes: PartNotes,
    report: Report | None,
) -> Outcome[R]:
    """`send` for every part in turn, until one fails in a way that the next would too.

    `notes`: of the parts that were answered; they are kept until all are, so that none of them is sent again.

    Raises: TripsError, where nothing at all was carried out.
    """
    parts = parts_of(asked)
    if len(parts) == 1:
        return await send(parts[0].asked, None)
    merged = _Merged(operation, parts)
    whole = parts[-1].end
    complete = False
    try:
        for part in parts:
            try:
                merged.add(part, await send(part.asked, notes))
            except InvalidError as refused:  # it is about these items, and need not be so of others
                merged.refuse(part, refused)
            except TripsError as error:
                merged.break_off(part, error)
                break
            if report is not None:
                await report(part.end, whole, f"{part.end} of {whole} items")
        else:
            complete = True
    finally:
        await notes.end(complete=complete)
    return merged.outcome()


@dataclass(slots=True)
class _List:
    """What has become of the items of one list so far."""

    results: list[ItemOutcome] = field(default_factory=list[ItemOutcome])
    counts: Counter[str] = field(default_factory=Counter[str])

    @property
    def report(self) -> dict[str, Any]:
        return {"results": self.results, **{what: self.counts[what] for what in _COUNTS}}


class _Merged(Generic[P, R]):
    def __init__(self, operation: Operation[P, R], parts: Sequence[BatchPart[P]]) -> None:
        self._operation = operation
        self._parts = parts
        self._writes = not is_dry_run(parts[0].asked)
        self._lists = {name: _List() for name in parts[0].places}
        self._done: list[Outcome[R]] = []
        self._refusals: list[TripsError] = []
        self._end: TripsError | None = None
        self._notes: list[str] = []

    def add(self, part: BatchPart[P], outcome: Outcome[R]) -> None:
        self._done.append(outcome)
        self._notes += [note for note in outcome.notes if note not in self._notes]
        for name, places in part.places.items():
            told = _report_on(outcome.result, name)
            self._lists[name].results += _placed(told.results, places)
            self._lists[name].counts.update({what: getattr(told, what) for what in _COUNTS})

    def refuse(self, part: BatchPart[P], error: InvalidError) -> None:
        self._refusals.append(error)
        self._mark("error", [part], error)
        self._notes.append(f"{error} {_span('error', [part])} Mend them and send them again.")

    def break_off(self, part: BatchPart[P], error: TripsError) -> None:
        """Neither this part nor what comes after it is done."""
        self._end = error
        status = _status(error, self._writes)
        self._mark(status, [part], error)
        later = self._parts[self._parts.index(part) + 1 :]
        self._mark("not_sent", later)
        undone: dict[Undone, list[BatchPart[P]]] = {status: [part]}
        undone.setdefault("not_sent", []).extend(later)
        spans = (_span(status, parts) for status, parts in undone.items() if parts)
        what = "It" if self._writes else "The preview, which wrote nothing,"
        self._notes.append(" ".join((f"{what} broke off. {error}", *spans, self._how_to_finish(status, error))))

    def outcome(self) -> Outcome[R]:
        """Raises: TripsError, if no part was carried out."""
        if not self._done:
            raise self._end or self._refusals[0]
        last = self._done[-1]
        reports = {name: told.report for name, told in self._lists.items()}
        update = (
            reports["items"]
            if isinstance(last.result, BatchReport)
            else {name: BatchReport.model_validate(told, by_name=True) for name, told in reports.items()}
        )
        return Outcome(last.result.model_copy(update=update), tuple(self._notes), last.rate_limit)

    def _mark(self, status: Undone, parts: Sequence[BatchPart[P]], error: TripsError | None = None) -> None:
        for part in parts:
            for name in part.places:
                marks = [
                    _marked(place, item, status, None if error is None else _told(error, name, at))
                    for at, (place, item) in enumerate(part.items(name))
                ]
                self._lists[name].results += marks
                self._lists[name].counts["errors"] += len(marks)

    def _how_to_finish(self, status: Undone, error: TripsError) -> str:
        again = f"call {self._operation.name} again"
        seconds: float | None = getattr(error, "retry_after", None)
        first = "Mend that" if status == "error" else "" if seconds is None else f"Wait {seconds:.0f} seconds"
        do = f"{first}, then {again}" if first else again.capitalize()
        if not self._writes:
            return f"{do} for the whole of it: what is counted here is the part that was looked at."
        return f"{do} with the same arguments: that finishes it, and doubles nothing."


def _report_on(result: Result, name: str) -> BatchReport:
    told = result if isinstance(result, BatchReport) else getattr(result, name, None)
    return told if isinstance(told, BatchReport) else BatchReport()


def _placed(results: Sequence[ItemOutcome], places: Sequence[int]) -> Iterator[ItemOutcome]:
    """The results with the items' places in the whole list, where the API says which item it means."""
    for at, result in enumerate(results):
        said = at if result.index is None else result.index
        yield result.model_copy(update={"index": places[said]}) if 0 <= said < len(places) else result


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


def _told(error: TripsError, name: str, at: int) -> ItemError:
    """The failure of a part, as that of the item that stands there in the part's list."""
    match error:
        case ApiError():
            whose = f"{to_camel(name)}.{at}."
            own = [
                Fault(path=f.path.removeprefix(whose), reason=f.reason)
                for f in error.details
                if f.path.startswith(whose)
            ]
            return ItemError(code=error.code, message=str(error), details=own or None)
        case OutcomeUnknownError():
            return ItemError(code="OUTCOME_UNKNOWN", message=str(error))
        case _:
            return ItemError(code="NOT_SENT", message=str(error))


def _span(status: Undone, parts: Sequence[BatchPart[Any]]) -> str:
    places = {name: [place for part in parts for place in part.places[name]] for name in parts[0].places}
    spans = (f"{to_camel(name)} {_range(held)}" for name, held in places.items() if held)
    return f"{_SAID[status]}: {', '.join(spans)}."


def _range(places: Sequence[int]) -> str:
    return f"{places[0]}" if len(places) == 1 else f"{places[0]} to {places[-1]}"
