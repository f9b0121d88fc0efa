"""The view of an import report: all of a small one; of a large one, what a model can act on."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from pydantic.alias_generators import to_camel

from trips_mcp.contract.batches import BatchReport, ItemError, ItemOutcome
from trips_mcp.contract.sync import SyncReport

_LARGE: Final = 50
_DONE: Final = ("created", "updated", "unchanged")
_ROOM: Final = 30_000
"""Characters of a report's outcomes; the three lists of a sync share them."""
_FEW_SPANS: Final = 100

Shown = tuple[BatchReport, tuple[str, ...]]


def of_batch(report: BatchReport) -> Shown:
    return _fitting(report if len(report.results) <= _LARGE else _condensed(report), _ROOM, "items")


def of_sync(report: SyncReport) -> tuple[SyncReport, tuple[str, ...]]:
    lists = {"legs": report.legs, "action_items": report.action_items, "map_pins": report.map_pins}
    given = {name: told for name, told in lists.items() if told is not None}
    small = sum(len(told.results) for told in given.values()) <= _LARGE
    shown = {
        name: _fitting(told if small else _condensed(told), _ROOM // len(given), to_camel(name))
        for name, told in given.items()
    }
    fitting = report.model_copy(update={name: told for name, (told, _) in shown.items()})
    return fitting, tuple(note for _, notes in shown.values() for note in notes)


def _condensed(report: BatchReport) -> BatchReport:
    """Counts, failures, and the ids of items without a clientRef; a note says what was not sent."""
    kept = [result for result in report.results if result.status != "not_sent" and not _is_known(result)]
    return report.model_copy(update={"results": list(_without_repetition(kept))})


def _fitting(report: BatchReport, room: int, what: str) -> Shown:
    """As many outcomes as fit, and a note with the places of the others."""
    for place, result in enumerate(report.results):
        room -= len(result.model_dump_json(exclude_none=True, exclude_unset=True)) + 1
        if room < 0 and place > 0:
            rest = report.results[place:]
            told = f"Too many to show: the outcomes of {what} {_spans(rest)} are left out; the counts are of all."
            return report.model_copy(update={"results": report.results[:place]}), (told,)
    return report, ()


def _spans(results: Sequence[ItemOutcome]) -> str:
    """The items' places in short: `3, 7-9`."""
    spans: list[tuple[int, int]] = []
    for place in sorted({result.index for result in results if result.index is not None}):
        if spans and spans[-1][1] == place - 1:
            spans[-1] = (spans[-1][0], place)
        else:
            spans.append((place, place))
    told = ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in spans[:_FEW_SPANS])
    return f"{told} and more" if len(spans) > _FEW_SPANS else told


def _without_repetition(results: Iterable[ItemOutcome]) -> Iterator[ItemOutcome]:
    """Each message is given once: many items share one if a whole request was refused."""
    told: set[str] = set()
    for result in results:
        error = result.error
        if error is not None and error.message in told and not error.details:
            result = result.model_copy(update={"error": ItemError(code=error.code)})
        elif error is not None and error.message is not None:
            told.add(error.message)
        yield result


def _is_known(result: ItemOutcome) -> bool:
    return result.status in _DONE and result.client_ref is not None
