"""Of very many findings of one kind no more are built than a report could show; the others are counted.

Where everything overlaps, what a finding says and cites takes far longer than finding it.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final

from trips_mcp.itinerary.check.findings import Finding, Grade

MOST: Final = 100
"""Findings that a report shows."""

Found = Finding | Grade
"""A finding, or of one that is only counted the grade."""


class Enough:
    """For findings that come by date, the earliest first: of each grade these are built, as these may be shown."""

    def __init__(self) -> None:
        self._built: Counter[Grade] = Counter()

    def of(self, grade: Grade, build: Callable[[], Finding]) -> Found:
        if self._built[grade] == MOST:
            return grade
        self._built[grade] += 1
        return build()
