"""Free time of a day, computed in UTC.

Free time lies between 08:00 and 22:00, by the clocks of the current place. Only certain gaps count as free; the
others are named as unclear.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from trips_mcp.itinerary.day_items import Placed
from trips_mcp.itinerary.formatting import clock, one_line
from trips_mcp.itinerary.local_time import Moment, zone_info
from trips_mcp.itinerary.results import Gap, Thing

_FROM: Final = time(8)
_UNTIL: Final = time(22)
_LEAST: Final = timedelta(hours=2)
_MOST_NAMED: Final = 5
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNKNOWN: Final = "UTC"
"""Replaces the zones of a day that has none, so that wall times are compared."""


@dataclass(frozen=True, slots=True)
class FreeTime:
    gaps: Sequence[Gap] = ()
    unclear: Sequence[str] = ()
    """Sentences on time that may or may not be free."""


def free_time(day: date, placed: Iterable[Placed]) -> FreeTime:
    """Gaps before, between and after things. None if no thing has a time, or one takes the whole day."""
    things = [one for one in placed if one.fills and one.thing.category != "birthday"]
    if any(one.thing.all_day for one in things):
        return FreeTime()
    has_zones = any(at.zone for one in things for at in (one.begins, one.until) if at)
    busy = [_Busy.of(one, None if has_zones else _UNKNOWN) for one in things]
    known = sorted((one for one in busy if one.first), key=lambda one: one.first or _EPOCH)
    parts = list(_parts(day, known))
    gaps = [part.gap for part in parts if part.unknown is None]
    loose = [one.name for one in busy if not one.first] if gaps else []
    return FreeTime(gaps, [*_unclear(parts), *_loose(loose)])


@dataclass(frozen=True, slots=True)
class _Busy:
    """A thing that occupies the traveller."""

    thing: Thing
    starts: datetime | None
    starts_in: str | None
    ends: datetime | None
    ends_in: str | None

    @classmethod
    def of(cls, one: Placed, assumed: str | None) -> "_Busy":
        starts, ends = _instant(one.begins, assumed), _instant(one.until, assumed)
        if starts and ends and ends < starts:
            ends = None
        starts_in, ends_in = (at.zone if at else None for at in (one.begins, one.until))
        return cls(one.thing, starts, starts_in, ends, ends_in)

    @property
    def first(self) -> datetime | None:
        """Its earliest known instant."""
        return self.starts or self.ends

    @property
    def name(self) -> str:
        thing = self.thing
        if thing.commitment_id:
            return f"commitment {one_line(thing.commitment_id)}"
        if thing.event_id is not None:
            return f"event {thing.event_id}"
        if thing.flight is not None:
            return f"flight {thing.flight} of leg {one_line(thing.leg_id or '')}".rstrip()
        return f"the car of leg {one_line(thing.leg_id or '')}".rstrip()


def _instant(moment: Moment | None, assumed: str | None) -> datetime | None:
    return None if moment is None else replace(moment, zone=moment.zone or assumed).instant


@dataclass(frozen=True, slots=True)
class _Part:
    """A gap of at least `_LEAST`."""

    gap: Gap
    unknown: str | None = None
    """Why the gap may not be free."""


def _parts(day: date, known: Sequence[_Busy]) -> Iterator[_Part]:
    """Gaps around things in order of start. A thing without an end lasts until the next one starts."""
    if not known:
        return
    since: datetime | None = None
    here = known[0].starts_in or known[0].ends_in
    unknown: str | None = None
    for one in known:
        if one.first is None:
            continue
        if one.starts is None:
            unknown = f"{one.name} has no departure"
        if gap := _gap(day, since, one.first, here):
            yield _Part(gap.model_copy(update={"before": _before(one, here)}), unknown)
        if since is None or since < (one.ends or one.first):
            since, here = one.ends or one.first, one.ends_in if one.ends else one.starts_in
        unknown = None if one.ends else f"{one.name} has no end"
    if gap := _gap(day, since, None, here):
        yield _Part(gap, unknown)


def _gap(day: date, since: datetime | None, until: datetime | None, zone: str | None) -> Gap | None:
    """The gap within the day's waking hours, by the clocks of `zone`."""
    clocks = zone_info(zone or _UNKNOWN)
    first = datetime.combine(day, _FROM, clocks).astimezone(UTC)
    last = datetime.combine(day, _UNTIL, clocks).astimezone(UTC)
    start, end = max(since or first, first), min(until or last, last)
    if end - start < _LEAST:
        return None
    return Gap(time=clock(start.astimezone(clocks).time()), until=clock(end.astimezone(clocks).time()), zone=zone)


def _before(one: _Busy, here: str | None) -> str | None:
    """What the traveller must leave for before the gap ends."""
    if one.thing.kind == "flight":
        return "flight"
    there = one.starts_in or one.ends_in
    if here == there or here is None or there is None or one.first is None:
        return None
    offsets = {one.first.astimezone(zone_info(zone)).utcoffset() for zone in (here, there)}
    return f"thing in {there}" if len(offsets) > 1 else None


def _unclear(parts: Sequence[_Part]) -> Iterator[str]:
    """At most one sentence."""
    found = [part for part in parts if part.unknown is not None]
    if found:
        said = [f"{part.gap.time}-{part.gap.until} ({part.unknown})" for part in found[:_MOST_NAMED]]
        yield f"Not known to be free: {', '.join(said)}."


def _loose(names: Sequence[str]) -> Iterator[str]:
    if names:
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        yield f"Without a time or zone, these may take some of the free time: {', '.join(names[:_MOST_NAMED])}{more}."
