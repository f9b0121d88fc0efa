"""What a model is shown of an import: all of a small one, of a large one what it can act on."""

from collections.abc import Iterable, Iterator
from typing import Final

from trips_mcp.contract.batches import BatchReport, ItemError, ItemOutcome
from trips_mcp.contract.sync import SyncReport

_LARGE: Final = 50
_DONE: Final = ("created", "updated", "unchanged")


def of_batch(report: BatchReport) -> BatchReport:
    return report if len(report.results) <= _LARGE else _condensed(report)


def of_sync(report: SyncReport) -> SyncReport:
    lists = {"legs": report.legs, "action_items": report.action_items, "map_pins": report.map_pins}
    given = {name: told for name, told in lists.items() if told is not None}
    if sum(len(told.results) for told in given.values()) <= _LARGE:
        return report
    return report.model_copy(update={name: _condensed(told) for name, told in given.items()})


def _condensed(report: BatchReport) -> BatchReport:
    """Counts, every failure, and the ids that no clientRef stands for; what was not sent is told in a note."""
    kept = [result for result in report.results if result.status != "not_sent" and not _is_known(result)]
    return report.model_copy(update={"results": list(_without_repetition(kept))})


def _without_repetition(results: Iterable[ItemOutcome]) -> Iterator[ItemOutcome]:
    """A message that many share, as when a whole request was refused, is told once."""
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
