"""Markdown (CommonMark with task lists): a trip day by day, for people, without ids."""

import re
from collections.abc import Iterator
from datetime import date
from itertools import groupby
from typing import Final

from trips_mcp.contract.fields import without_hidden
from trips_mcp.formats.outline import Outline, OutlineEntry
from trips_mcp.itinerary.formatting import clock, one_line
from trips_mcp.itinerary.local_time import WEEKDAYS, Moment

_MARKS: Final = re.compile(r"([\\`*_\[\]<>#|~&])")
_AT_START: Final = re.compile(r"^(\d*)([-+.)])(?=\s|$)")


def render(outline: Outline) -> str:
    blocks = [f"# {_plain(outline.title)}"]
    if outline.starts and outline.ends:
        blocks.append(f"{_day(outline.starts)} to {_day(outline.ends)}")
    blocks += [_listed(title, lines) for title, lines in _sections(outline) if lines]
    return "\n\n".join(blocks) + "\n"


def _sections(outline: Outline) -> Iterator[tuple[str, list[str]]]:
    for day, entries in groupby(outline.entries, key=lambda entry: entry.starts.day):
        where = _where(outline, day)
        yield f"{_day(day)}{f' · {where}' if where else ''}", [_entry(entry) for entry in entries]
    yield "To do", [f"- [{'x' if item.done else ' '}] {_plain(item.text)}" for item in outline.to_dos]
    yield (
        "Places",
        [
            f"- {_plain(place.name)}{f' ({_plain(place.category)})' if place.category else ''}: "
            f"{place.point.latitude:.5f}, {place.point.longitude:.5f}"
            f"{f'. {_plain(place.notes)}' if place.notes else ''}"
            for place in outline.places
        ],
    )


def _listed(title: str, lines: list[str]) -> str:
    return f"## {title}\n\n" + "\n".join(lines)


def _where(outline: Outline, day: date) -> str:
    names = (one_line(leg.title or leg.destination) for leg in outline.journey.stretches_on(day))
    return " / ".join(_plain(name) for name in dict.fromkeys(names) if name)


def _entry(entry: OutlineEntry) -> str:
    place = f", {_plain(entry.location)}" if entry.location and entry.kind not in ("flight", "stay") else ""
    details = "".join(f"\n  - {_plain(one_line(detail))}" for detail in entry.details)
    return f"- {_when(entry)}**{_plain(entry.title)}**{place}{details}"


def _when(entry: OutlineEntry) -> str:
    starts, ends = entry.starts, entry.ends
    if entry.kind in ("stay", "car"):
        return f"until {_day(ends.day)}: " if ends and ends.day > starts.day else ""
    if starts.time is None:
        return ""
    if ends is None or ends.time is None:
        return f"{clock(starts.time)}{f' {starts.zone}' if starts.zone else ''} "
    zone = f" {starts.zone} " if starts.zone and starts.zone != ends.zone else ""
    return f"{clock(starts.time)}{zone}-{' ' if zone else ''}{_end(starts, ends)} "


def _end(starts: Moment, ends: Moment) -> str:
    at = clock(ends.time) if ends.time else ""
    day = "" if ends.day == starts.day else f" ({_day(ends.day)})"
    zone = f" {ends.zone}" if ends.zone and ends.zone != starts.zone else ""
    return f"{at}{zone}{day}"


def _day(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()]} {day}"


def _plain(text: str) -> str:
    """Text that no reader takes for markup."""
    escaped = _MARKS.sub(r"\\\1", one_line(without_hidden(text)))
    return _AT_START.sub(r"\1\\\2", escaped)
