"""iCalendar (RFC 5545). `render` writes a file, `render_feed` what calendars subscribe to."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from trips_mcp.contract.fields import without_hidden
from trips_mcp.formats.outline import Outline, OutlineEntry, ToDo
from trips_mcp.itinerary.local_time import Moment, zone_info

REFRESH: Final = "PT6H"
"""How often a subscribed calendar should read the feed again."""

_DAY: Final = timedelta(days=1)
_OCTETS: Final = 75
"""Of a line, without its end (RFC 5545, 3.1)."""
_CONTROLS: Final = {code: None for code in range(32) if code not in (9, 10)} | {127: None}
_PRIORITY: Final = {"now": 1, "before_trip": 5, "nice_to_have": 9}


def render(outline: Outline, *, to_dos: bool = False) -> str:
    return render_feed(outline, datetime.now(UTC), to_dos=to_dos)


def render_feed(outline: Outline, stamp: datetime, *, to_dos: bool = False) -> str:
    """The same text for the same trip and stamp, so that its digest can be an ETag."""
    written = f"DTSTAMP:{stamp.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//trips-mcp//trips-mcp//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{_escaped(outline.title)}",
        f"X-WR-CALNAME:{_escaped(outline.title)}",
        f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}",
        f"X-PUBLISHED-TTL:{REFRESH}",
        *_zones(outline.entries),
        *(line for entry in outline.entries for line in _event(outline, entry, written)),
        *(line for item in outline.to_dos if to_dos for line in _to_do(outline, item, written)),
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _event(outline: Outline, entry: OutlineEntry, written: str) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_uid(outline, entry.key)}"
    yield written
    yield f"SEQUENCE:{entry.revision}"
    yield from _times(entry)
    yield f"SUMMARY:{_escaped(entry.title)}"
    if entry.location:
        yield f"LOCATION:{_escaped(entry.location)}"
    if entry.point:
        yield f"GEO:{entry.point.latitude:.6f};{entry.point.longitude:.6f}"
    if entry.details:
        yield f"DESCRIPTION:{_escaped(chr(10).join(entry.details))}"
    yield f"CATEGORIES:{_escaped(entry.category or entry.kind)}"
    if entry.starts.time is None:
        yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _times(entry: OutlineEntry) -> Iterator[str]:
    """Entries without a time of day last whole days, and DTEND is the day after the last (RFC 5545, 3.6.1)."""
    starts, ends = entry.starts, entry.ends
    if starts.time is None:
        last = ends.day if ends else starts.day
        after = last if entry.is_night_count else last + _DAY
        yield f"DTSTART;VALUE=DATE:{starts.day:%Y%m%d}"
        yield f"DTEND;VALUE=DATE:{max(after, starts.day + _DAY):%Y%m%d}"
        return
    yield _at("DTSTART", starts)
    if ends is not None and ends.time is not None and _is_after(starts, ends):
        yield _at("DTEND", ends)


def _is_after(starts: Moment, ends: Moment) -> bool:
    before, after = starts.instant, ends.instant
    if before is not None and after is not None:
        return after > before
    if (starts.zone is None) != (ends.zone is None):
        return False  # a floating end cannot be compared with a zoned start
    return (ends.day, ends.time) > (starts.day, starts.time)


def _at(name: str, moment: Moment) -> str:
    """In UTC where the wall clock alone is not enough: an hour that exists twice, or not at all."""
    if moment.zone and (moment.fold or moment.gap) and (instant := moment.instant):
        return f"{name}:{instant:%Y%m%dT%H%M%SZ}"
    zone = f";TZID={moment.zone}" if moment.zone else ""
    return f"{name}{zone}:{moment.day:%Y%m%d}T{moment.time:%H%M%S}"


def _to_do(outline: Outline, item: ToDo, written: str) -> Iterator[str]:
    yield "BEGIN:VTODO"
    yield f"UID:{_uid(outline, f'to-do-{item.key}')}"
    yield written
    yield f"SUMMARY:{_escaped(item.text or 'To do')}"
    yield f"PRIORITY:{_PRIORITY.get(item.urgency, 0)}"
    yield f"STATUS:{'COMPLETED' if item.done else 'NEEDS-ACTION'}"
    if outline.starts and item.urgency != "nice_to_have":
        yield f"DUE;VALUE=DATE:{outline.starts:%Y%m%d}"
    yield "END:VTODO"


def _uid(outline: Outline, key: str) -> str:
    return _escaped(f"{outline.trip_id}-{key}@trips-mcp")


def _zones(entries: Iterable[OutlineEntry]) -> Iterator[str]:
    """A VTIMEZONE for each zone, with the changes of the years around the entries in it."""
    years: dict[str, set[int]] = {}
    for entry in entries:
        for at in (entry.starts, entry.ends):
            if at is not None and at.zone and at.time is not None:
                years.setdefault(at.zone, set()).add(at.day.year)
    for zone in sorted(years):
        yield from _zone(zone, min(years[zone]) - 1, max(years[zone]) + 1)


@lru_cache(maxsize=500)
def _zone(name: str, first: int, last: int) -> tuple[str, ...]:
    start = datetime(max(first, 1), 1, 1, tzinfo=UTC)
    lines = [*_observance(name, start, start)]
    day = start
    while day.year <= last:
        if _offset(name, day) != _offset(name, day + _DAY):
            change = _change(name, day, day + _DAY)
            lines += _observance(name, change - timedelta(seconds=1), change)
        day += _DAY
    return ("BEGIN:VTIMEZONE", f"TZID:{name}", *lines, "END:VTIMEZONE")


def _observance(name: str, before: datetime, at: datetime) -> Iterator[str]:
    old, new = before.astimezone(zone_info(name)), at.astimezone(zone_info(name))
    kind = "DAYLIGHT" if new.dst() else "STANDARD"
    yield f"BEGIN:{kind}"
    yield f"DTSTART:{(at + (old.utcoffset() or timedelta())):%Y%m%dT%H%M%S}"
    yield f"TZOFFSETFROM:{_offset_text(old)}"
    yield f"TZOFFSETTO:{_offset_text(new)}"
    yield f"TZNAME:{_escaped(new.tzname() or name)}"
    yield f"END:{kind}"


def _offset(name: str, at: datetime) -> timedelta | None:
    return at.astimezone(zone_info(name)).utcoffset()


def _change(name: str, before: datetime, after: datetime) -> datetime:
    """The first second after the change, by bisection."""
    old = _offset(name, before)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before).total_seconds() // 2)
        before, after = (middle, after) if _offset(name, middle) == old else (before, middle)
    return after


def _offset_text(at: datetime) -> str:
    text = f"{at:%z}"
    return text or "+0000"


def _escaped(text: str) -> str:
    plain = without_hidden(text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS))
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> str:
    """Lines of at most 75 octets, never split inside a character."""
    if len(line) <= _OCTETS and line.isascii():
        return line
    parts, size = [""], 0
    for letter in line:
        octets = len(letter.encode("utf-8", "replace"))
        if size + octets > _OCTETS:
            parts.append(" ")
            size = 1
        parts[-1] += letter
        size += octets
    return "\r\n".join(parts)
