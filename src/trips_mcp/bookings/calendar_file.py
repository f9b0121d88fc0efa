"""Calendar files (iCalendar): entries of airlines, railways, hotels, TripIt and Google as bookings."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from trips_mcp.bookings.calendar_text import CalendarEntry, looks_like_travel, read_entry
from trips_mcp.bookings.html_page import read_loose_json, visible_text
from trips_mcp.bookings.model import Booking, FileReading
from trips_mcp.bookings.schema_org import read_items
from trips_mcp.bookings.times_and_places import WrittenTime, is_zone, real_position
from trips_mcp.json_values import is_list, is_object

FEW: Final = 20
"""A file with more entries is somebody's calendar: only what looks like travel is read."""
_MOST: Final = 500
"""Entries that are parsed."""
_FOLD: Final = re.compile(r"\r?\n[ \t]")
_METHOD: Final = re.compile(r"^METHOD:[ \t]*(\w+)", re.MULTILINE)
_MARKUP: Final = re.compile(r"^X-KDE-KITINERARY-RESERVATION[^:\n]*:(.*)$", re.MULTILINE)
_UNESCAPED: Final = re.compile(r"\\([\\,;nN])")
_HTML: Final = re.compile(r"<(?:br|p|div|table|a|b|span|html|ul)\b", re.IGNORECASE)
_CANCELLED: Final = re.compile(
    r"(?:canceled|cancelled|storniert|abgesagt|annul\S*|cancelad\S*|annullat\S*)\b", re.IGNORECASE
)


def read_calendar(text: str) -> FileReading:
    """Bookings of a calendar. Entries that are no travel are counted in one sentence."""
    text = _FOLD.sub("", text).replace("\r\n", "\n")
    blocks, zones = _blocks(text)
    if not blocks:
        return FileReading(unread=("The calendar has no entries.",))
    candidates = blocks if len(blocks) <= FEW else [block for block in blocks if looks_like_travel(block)]
    found, failed = _read(candidates[:_MOST], "\n".join(zones[:50]), _method(text), len(blocks))
    left_out = max(len(candidates) - _MOST, 0)
    skipped = len(blocks) - failed - found.entries - left_out
    unread: list[str] = []
    if left_out:
        unread.append(f"Only {_MOST} entries are read; {_count(left_out)} about travel were not.")
    if failed:
        unread.append(f"{_count(failed)} of the calendar could not be read.")
    if skipped > 0:
        unread.append(f"{_count(skipped)} of the calendar {'is' if skipped == 1 else 'are'} not about travel.")
    return FileReading(tuple(found.bookings), unread=tuple(unread))


def _blocks(text: str) -> tuple[list[str], list[str]]:
    """The entries without their alarms, and the time zones."""
    found: dict[str, list[str]] = {"VEVENT": [], "VTIMEZONE": []}
    lines: list[str] = []
    inside, is_alarm = "", False
    for line in text.split("\n"):
        mark, _, name = line.strip().upper().partition(":")
        if mark == "BEGIN" and name in found:
            inside, lines, is_alarm = name, [], False
        is_alarm = is_alarm or (mark, name) == ("BEGIN", "VALARM")
        if inside and not is_alarm and line.strip():
            lines.append(line)
        is_alarm = is_alarm and (mark, name) != ("END", "VALARM")
        if mark == "END" and name == inside:
            found[inside].append("\n".join(lines))
            inside = ""
    return found["VEVENT"], found["VTIMEZONE"]


@dataclass(frozen=True, slots=True)
class _Found:
    bookings: Sequence[Booking]
    entries: int
    """That gave a booking, or were replaced by a newer version."""


def _read(blocks: Sequence[str], zones: str, method: str, total: int) -> tuple[_Found, int]:
    newest: dict[tuple[str, str], tuple[Any, ...]] = {}
    bookings: dict[tuple[str, str], Sequence[Booking]] = {}
    failed = entries = 0
    for index, (block, event) in enumerate(_events(blocks, zones)):
        if event is None:
            failed += 1
            continue
        key, version = _identity(event, index), _version(event)
        entry = _entry(event, method, total)
        read = _from_markup(block, entry) or read_entry(entry)
        entries += bool(read)
        if version >= newest.get(key, version):
            newest[key], bookings[key] = version, read
    return _Found(_one_per_stay([one for read in bookings.values() for one in read]), entries), failed


def _events(blocks: Sequence[str], zones: str) -> Iterator[tuple[str, Any]]:
    """Each entry parsed by itself, so that a broken one, or a broken time zone, breaks no other."""
    for block in blocks:
        event = _parsed(block, zones)
        yield block, event if event is not None or not zones else _parsed(block, "")


def _parsed(block: str, zones: str) -> Any:
    from icalendar import Calendar

    lines = f"BEGIN:VCALENDAR\n{zones}\n{block}\nEND:VCALENDAR\n".split("\n")
    content = "\r\n".join(line for line in lines if line.strip() and not _MARKUP.match(line))
    try:
        calendar: Any = Calendar.from_ical(content)
        return calendar.walk("VEVENT")[0]
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError):
        return None


def _entry(event: Any, method: str, total: int) -> CalendarEntry:
    summary, status = _text(event, "SUMMARY"), _text(event, "STATUS").upper()
    starts, ends = _written(event, "DTSTART"), _written(event, "DTEND")
    if ends is None and starts is not None:
        ends = _after(starts, event)
    is_all_day = starts is not None and starts.clock is None
    return CalendarEntry(
        uid=_text(event, "UID"),
        summary=summary,
        description=_description(event),
        location=_text(event, "LOCATION"),
        starts=starts,
        ends=ends,
        is_all_day=is_all_day,
        is_cancelled=method == "CANCEL" or status == "CANCELLED" or bool(_CANCELLED.match(summary)),
        is_sent=bool(method) and total <= FEW,
        is_meeting="ATTENDEE" in event,
        position=_position(event),
    )


def _description(event: Any) -> str:
    """As text, where Google and Outlook write HTML."""
    text = _text(event, "DESCRIPTION") or _text(event, "X-ALT-DESC")
    return visible_text(text) if _HTML.search(text) else text


def _from_markup(block: str, entry: CalendarEntry) -> Sequence[Booking]:
    """Reservations that a mail program has put into the entry as JSON-LD."""
    found = _MARKUP.search(block)
    if found is None:
        return ()
    text = _UNESCAPED.sub(lambda one: "\n" if one[1] in "nN" else one[1], found[1])
    values = read_loose_json(text)
    items = [one for value in values for one in (value if is_list(value) else [value]) if is_object(one)]
    read = read_items(items, "calendar")
    return [
        replace(one, source_id=one.source_id or entry.uid, status="cancelled" if entry.is_cancelled else one.status)
        for one in read
    ]


def _one_per_stay(bookings: Sequence[Booking]) -> Sequence[Booking]:
    """TripIt and others send check-in and check-out, pick-up and drop-off, as two entries."""
    found: list[Booking] = []
    for one in bookings:
        half = next((index for index, other in enumerate(found) if _completes(other, one)), None)
        if half is None:
            found.append(one)
            continue
        first, last = (one, found[half]) if one.starts else (found[half], one)
        found[half] = replace(
            first,
            ends=last.ends,
            destination=last.origin if first.kind == "car" else first.destination,
            confirmation_number=first.confirmation_number or last.confirmation_number,
        )
    return found


def _completes(one: Booking, other: Booking) -> bool:
    if one.kind != other.kind or one.kind not in ("stay", "car") or one.name != other.name:
        return False
    if bool(one.starts) == bool(other.starts) or bool(one.ends) == bool(other.ends):
        return False
    starts, ends = one.starts or other.starts, one.ends or other.ends
    return starts is not None and ends is not None and timedelta() <= ends.day - starts.day <= timedelta(days=90)


def _identity(event: Any, index: int) -> tuple[str, str]:
    return _text(event, "UID") or str(index), _text(event, "RECURRENCE-ID")


def _version(event: Any) -> tuple[Any, ...]:
    """Newer is greater. By time before SEQUENCE, which some senders start again at 0."""
    changed = _written(event, "LAST-MODIFIED") or _written(event, "DTSTAMP")
    moment = f"{changed.day}T{changed.clock or time()}" if changed else ""
    sequence = _text(event, "SEQUENCE")
    return moment, int(sequence) if sequence.isdecimal() else 0


def _written(event: Any, name: str) -> WrittenTime | None:
    prop = _first(event.get(name))
    try:
        value = getattr(prop, "dt", None)
    except ValueError:  # what icalendar raises for a value that it could not parse
        return None
    if isinstance(value, datetime):
        named = str(getattr(prop, "params", {}).get("TZID", "")) or getattr(value.tzinfo, "key", "")
        offset = value.utcoffset()
        if offset is not None and (named in ("UTC", "") or not is_zone(named)):
            known = getattr(value.tzinfo, "key", "")
            if known not in ("", "UTC") and is_zone(known):
                return WrittenTime(value.date(), value.time(), None, known)
            return WrittenTime(value.date(), value.time(), offset)
        return WrittenTime(value.date(), value.time(), None, named if is_zone(named) else None)
    return WrittenTime(value) if isinstance(value, date) else None


def _after(starts: WrittenTime, event: Any) -> WrittenTime | None:
    duration = getattr(event.get("DURATION"), "dt", None)
    if not isinstance(duration, timedelta):
        return None
    try:
        moment = datetime.combine(starts.day, starts.clock or time()) + duration
    except OverflowError:
        return None
    return replace(starts, day=moment.date(), clock=None if starts.clock is None else moment.time())


def _position(event: Any) -> tuple[float, float] | None:
    geo = event.get("GEO")
    return real_position(getattr(geo, "latitude", None), getattr(geo, "longitude", None))


def _first(value: Any) -> Any:
    return value[0] if is_list(value) and value else value


def _text(event: Any, name: str) -> str:
    value = _first(event.get(name))
    if value is None:
        return ""
    return str(value).strip()[:20_000]


def _method(text: str) -> str:
    found = _METHOD.search(text)
    return found[1].upper() if found else ""


def _count(number: int) -> str:
    return "1 entry" if number == 1 else f"{number:,} entries"
