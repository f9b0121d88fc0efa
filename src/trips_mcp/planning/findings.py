"""Which findings a plan causes and which it fixes.

A finding of before and one of after are the same if they are of one kind and concern the same items. A leg's nights
without a bed move with the leg, so a shifted date is no new finding.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from trips_mcp.itinerary.check import CitedPart, Finding
from trips_mcp.itinerary.local_time import read_date

_BY_DAY: Final = frozenset({"no_bed", "two_beds", "leg_gap", "leg_overlap"})
"""Kinds that the same items can have on several days."""
_LISTS: Final = frozenset({"no_date", "no_end", "no_zone"})
"""Kinds of which one finding lists all items of a sort."""


@dataclass(frozen=True, slots=True)
class FindingKey:
    on_day: str
    """The problem, its items and, for some kinds, its day."""
    in_place: str
    """The same with the day as a distance from the start of its leg; without a day if it is between two items."""
    listed: tuple[str, ...] = ()
    """Of a finding that lists items: those that it names."""
    count: int = 0
    """Of a finding that lists items: all of them."""

    def goes_beyond(self, other: "FindingKey") -> bool:
        """Whether it lists items that the other does not; where not all are named, whether it lists more."""
        if self.count == len(self.listed) and other.count == len(other.listed):
            return not set(self.listed) <= set(other.listed)
        return self.count > other.count


@dataclass(frozen=True, slots=True)
class CheckedTrip:
    findings: Sequence[Finding]
    leg_starts: Mapping[str, str | None]

    def keys(self) -> list[FindingKey]:
        return [self._key(one) for one in self.findings]

    def not_in(self, known: Collection[FindingKey]) -> list[Finding]:
        """The findings beyond these; two equal ones are two."""
        keys = self.keys()
        new = {*_longer_lists(keys, known), *_unmatched(keys, known)}
        return [finding for place, finding in enumerate(self.findings) if place in new]

    def _key(self, finding: Finding) -> FindingKey:
        parts = tuple(map(_part, finding.about))
        if finding.kind in _LISTS and finding.about:
            sort = f"{finding.grade} {finding.kind} {_sort(finding.about[0])}"
            return FindingKey(sort, sort, parts, len(parts) + (finding.more or 0))
        thing = f"{finding.grade} {finding.kind} {'; '.join(parts)}"
        if finding.kind not in _BY_DAY and finding.about:
            return FindingKey(thing, thing)
        return FindingKey(f"{thing} {finding.date}", f"{thing} {self._place(finding)}")

    def _place(self, finding: Finding) -> str:
        if len(finding.about) != 1:
            return "between" if finding.about else str(finding.date)
        start = read_date(self.leg_starts.get(finding.about[0].leg_id or ""))
        day = read_date(finding.date)
        return str(finding.date) if start is None or day is None else f"{(day - start).days} days after its start"


def _longer_lists(keys: Sequence[FindingKey], known: Collection[FindingKey]) -> Iterator[int]:
    """The places of findings that list more than before."""
    before = {key.on_day: key for key in known if key.count}
    for place, key in enumerate(keys):
        if key.count and (key.on_day not in before or key.goes_beyond(before[key.on_day])):
            yield place


def _unmatched(keys: Sequence[FindingKey], known: Collection[FindingKey]) -> Iterator[int]:
    """The places of other findings that none of before is the same as; first those of the same day are matched."""
    left = [key for key in known if not key.count]
    by_day = Counter(key.on_day for key in left)
    rest = [(place, key) for place, key in enumerate(keys) if not key.count and not _taken(by_day, key.on_day)]
    in_place: Counter[str] = Counter()
    for key in left:
        if _taken(by_day, key.on_day):
            in_place[key.in_place] += 1
    yield from (place for place, key in rest if not _taken(in_place, key.in_place))


def _taken(counts: Counter[str], key: str) -> bool:
    """Whether there was one left, which is taken."""
    if counts[key] <= 0:
        return False
    counts[key] -= 1
    return True


def _part(one: CitedPart) -> str:
    return f"{one.leg_id or one.commitment_id or one.event_id or one.pin_id} {one.flight} {one.field}"


def _sort(one: CitedPart) -> str:
    if one.leg_id:
        return "flight" if one.flight else "leg"
    return "commitment" if one.commitment_id else "event"
