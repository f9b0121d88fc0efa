"""Which findings a plan causes and which it fixes.

A finding of before and one of after are the same if they are of one kind and concern the same items. A leg's nights
without a bed move with the leg, so a shifted date is no new finding.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from trips_mcp.itinerary.check import Finding
from trips_mcp.itinerary.local_time import read_date

_BY_DAY: Final = frozenset({"no_bed", "two_beds", "leg_gap", "leg_overlap"})
"""Kinds that the same items can have on several days."""


@dataclass(frozen=True, slots=True)
class FindingKey:
    on_day: str
    """The problem, its items and, for some kinds, its day."""
    in_place: str
    """The same with the day as a distance from the start of its leg; without a day if it is between two items."""


@dataclass(frozen=True, slots=True)
class CheckedTrip:
    findings: Sequence[Finding]
    leg_starts: Mapping[str, str | None]

    def keys(self) -> list[FindingKey]:
        return [self._key(one) for one in self.findings]

    def not_in(self, known: Collection[FindingKey]) -> list[Finding]:
        """The findings beyond these; two equal ones are two."""
        left = Counter(known)
        by_day: dict[str, list[FindingKey]] = {}
        for key in known:
            by_day.setdefault(key.on_day, []).append(key)
        unmatched: list[tuple[Finding, FindingKey]] = []
        for finding, key in zip(self.findings, self.keys(), strict=True):
            if same := by_day.get(key.on_day):
                left[same.pop()] -= 1
            else:
                unmatched.append((finding, key))
        in_place = Counter(key.in_place for key in left.elements())
        new: list[Finding] = []
        for finding, key in unmatched:
            in_place[key.in_place] -= 1
            if in_place[key.in_place] < 0:
                new.append(finding)
        return new

    def _key(self, finding: Finding) -> FindingKey:
        about = "; ".join(
            f"{one.leg_id or one.commitment_id or one.event_id or one.pin_id} {one.flight} {one.field}"
            for one in finding.about
        )
        thing = f"{finding.grade} {finding.kind} {about}"
        if finding.kind not in _BY_DAY and finding.about:
            return FindingKey(thing, thing)
        return FindingKey(f"{thing} {finding.date}", f"{thing} {self._place(finding)}")

    def _place(self, finding: Finding) -> str:
        if len(finding.about) != 1:
            return "between" if finding.about else str(finding.date)
        start = read_date(self.leg_starts.get(finding.about[0].leg_id or ""))
        day = read_date(finding.date)
        return str(finding.date) if start is None or day is None else f"{(day - start).days} days after its start"
