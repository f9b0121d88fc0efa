"""One self-contained HTML page with map, timeline and list; it asks the network for nothing.

`views/` holds its source, and `views/src/model.ts` declares the shape of its data. The built page is package data; this
module puts the data in.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any, Final

from trips_mcp.formats.outline import Outline, OutlineEntry, Place, Point
from trips_mcp.itinerary.check import Finding, check
from trips_mcp.itinerary.check.findings import CitedPart
from trips_mcp.itinerary.day import free_time
from trips_mcp.itinerary.day_items import things_on
from trips_mcp.itinerary.formatting import clock, one_line
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment
from trips_mcp.itinerary.model import Stretch

JsonFields = dict[str, Any]

_DAY: Final = timedelta(days=1)
_MOST_DAYS: Final = 400
"""Of a longer trip, only the days on which something begins or ends."""
_METRE: Final = 5
"""Decimal places of a degree."""
_NO_DATA: Final = '<script type="application/json" id="trip">null</script>'
_NO_TITLE: Final = "<title>Trip</title>"
_POLICY: Final = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">\n?')
_UNSAFE: Final = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
"""Characters that end a script, or a line in old readers of scripts, or that UTF-8 cannot hold."""


def page_of(outline: Outline, after: Outline | None = None) -> JsonFields:
    """`after` is the trip as a plan would leave it; the page then shows the differences."""
    page: JsonFields = {"format": 1, "trip": _state(outline)}
    return page if after is None else page | {"after": _state(after)}


def _state(outline: Outline) -> JsonFields:
    journey = outline.journey
    legs = dict(zip(map(id, journey.stretches), _unique(f"leg-{leg.id}" for leg in journey.stretches), strict=True))
    first_key = {leg.id: legs[id(leg)] for leg in reversed(journey.stretches)}
    points = {stop.key: stop.point for stop in outline.route}
    report = check(journey)
    keys = _Keys(outline, first_key)
    return {
        "id": outline.trip_id,
        "title": outline.title,
        "days": [_day(journey, day, legs) for day in _days(outline)],
        "legs": [_leg(leg, legs[id(leg)], points.get(leg.id)) for leg in journey.stretches],
        "items": [*(_item(entry, first_key) for entry in outline.entries), *_undated(journey)],
        "pins": list(map(_pin, outline.places)),
        "toDos": list(_to_dos(outline)),
        "findings": [_finding(one, keys) for one in report.findings],
        **_given(
            {"starts": _text(outline.starts), "ends": _text(outline.ends), "moreFindings": report.not_shown},
        ),
    }


def _days(outline: Outline) -> Iterable[date]:
    extent = outline.journey.extent
    if extent is None:
        return ()
    if len(extent) <= _MOST_DAYS:
        return [extent.first + number * _DAY for number in range(len(extent))]
    ends = {end.day for entry in outline.entries for end in (entry.starts, entry.ends) if end}
    return sorted(ends | {day for leg in outline.journey.stretches for day in (leg.starts, leg.ends) if day})


def _day(journey: Journey, day: date, legs: dict[int, str]) -> JsonFields:
    gaps = free_time(day, things_on(journey, day)).gaps
    return _given(
        {
            "date": str(day),
            "zone": journey.zone_on(day),
            "legs": [legs[id(leg)] for leg in journey.stretches_on(day)],
            "free": [_given({"from": gap.time, "until": gap.until, "zone": gap.zone}) for gap in gaps],
        }
    )


def _leg(leg: Stretch, key: str, point: Point | None) -> JsonFields:
    name, days = one_line(leg.title or leg.destination) or "Leg", leg.days
    destination = one_line(leg.destination)
    return _given(
        {
            "key": key,
            "name": name,
            "destination": destination if destination != name else "",
            "starts": _text(leg.starts),
            "ends": str(days.last) if days else "",
            "zone": leg.zone,
            "point": _position(point),
        }
    )


def _pin(place: Place) -> JsonFields:
    return _given(
        {
            "key": f"pin-{place.key}",
            "name": place.name,
            "category": place.category,
            "notes": place.notes,
            "point": _position(place.point),
        }
    )


def _to_dos(outline: Outline) -> Iterator[JsonFields]:
    keys = _unique(f"to-do-{item.key}" for item in outline.to_dos)
    for item, key in zip(outline.to_dos, keys, strict=True):
        yield {"key": key, "text": item.text, "done": item.done, **_given({"urgency": item.urgency})}


def _item(entry: OutlineEntry, legs: dict[str, str]) -> JsonFields:
    return _given(
        {
            "key": entry.key,
            "kind": entry.kind,
            "title": entry.title,
            "starts": _when(entry.starts),
            "ends": _when(entry.ends),
            "place": entry.location,
            "point": _position(entry.point),
            "toPlace": entry.end_location,
            "toPoint": _position(entry.end_point),
            "category": entry.category,
            "leg": legs.get(entry.leg_id),
            "pin": f"pin-{entry.pin_id}" if entry.pin_id else "",
            "details": list(entry.details),
        }
    )


def _undated(journey: Journey) -> Iterator[JsonFields]:
    moves = (
        (f"undated-flight-{move.leg_id}-{move.index}", "flight", move.label)
        for move in journey.moves
        if move.days is None
    )
    plans = (
        (f"undated-{one.kind}-{one.id}", one.kind, one.title) for one in journey.appointments if one.starts is None
    )
    lacking = [*moves, *plans]
    for key, (_, kind, title) in zip(_unique(key for key, *_ in lacking), lacking, strict=True):
        yield {"key": key, "kind": kind, "title": one_line(title) or kind.capitalize()}


class _Keys:
    """The keys of what findings cite by ids."""

    def __init__(self, outline: Outline, legs: dict[str, str]) -> None:
        self._legs = legs
        self._pins = {place.key for place in outline.places}
        self._items: dict[tuple[str, str], str] = {}
        for entry in outline.entries:
            whose = entry.kind if entry.kind in ("commitment", "event") else entry.leg_id
            self._items.setdefault((whose, entry.part), entry.key)

    def of(self, cited: CitedPart) -> str | None:
        if cited.pin_id is not None:
            return f"pin-{cited.pin_id}" if cited.pin_id in self._pins else None
        if cited.commitment_id is not None:
            return self._items.get(("commitment", cited.commitment_id))
        if cited.event_id is not None:
            return self._items.get(("event", str(cited.event_id)))
        leg = cited.leg_id or ""
        part = cited.flight or (cited.field or "").partition(".")[0]
        return self._items.get((leg, part)) or self._legs.get(leg)


def _finding(one: Finding, keys: _Keys) -> JsonFields:
    return _given(
        {
            "grade": one.grade,
            "kind": one.kind,
            "date": one.date,
            "why": one.why,
            "doubt": one.not_certain,
            "about": list(dict.fromkeys(filter(None, map(keys.of, one.about)))),
        }
    )


def _when(at: Moment | None) -> JsonFields | None:
    if at is None:
        return None
    when = _given({"date": str(at.day), "time": clock(at.time) if at.time else None, "zone": at.zone})
    instant = at.instant
    if instant is None or at.time is None:
        return when
    offset = datetime.combine(at.day, at.time, UTC) - instant
    return when | {"offset": round(offset / timedelta(minutes=1))}


def _position(point: Point | None) -> list[float] | None:
    """Longitude first, as in GeoJSON."""
    return None if point is None else [round(point.longitude, _METRE), round(point.latitude, _METRE)]


def _unique(keys: Iterable[str]) -> Iterator[str]:
    """A key that comes twice is counted."""
    seen: Counter[str] = Counter()
    for key in keys:
        seen[key] += 1
        yield key if seen[key] == 1 else f"{key}-{seen[key]}"


def _text(day: date | None) -> str:
    return "" if day is None else str(day)


def _given(fields: JsonFields) -> JsonFields:
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def render(outline: Outline) -> str:
    return to_html(page_of(outline))


def to_html(page: Mapping[str, Any]) -> str:
    """The page with this data, which is what `page_of` returns."""
    data = json.dumps(page, ensure_ascii=False, separators=(",", ":"))
    data = _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", data)
    title = _UNSAFE.sub(" ", page["trip"]["title"])
    before, middle, after = _parts()
    return f"{before}<title>{escape(title)}</title>{middle}{_NO_DATA.replace('null', data)}{after}"


@cache
def for_chat() -> str:
    """The page without data, for a host with MCP Apps, which has the data and sets the policy for scripts."""
    before, middle, after = _parts()
    return f"{_POLICY.sub('', before)}{_NO_TITLE}{middle}{_NO_DATA}{after}"


@cache
def policy() -> str:
    """The page's Content-Security-Policy, for the header."""
    found = _POLICY.search(_parts()[0])
    return found[1] if found else "default-src 'none'"


@cache
def _parts() -> tuple[str, str, str]:
    """The page around its title and its data."""
    text = files("trips_mcp.formats").joinpath("data/trip.html").read_text("utf-8")
    before, _, rest = text.partition(_NO_TITLE)
    middle, _, after = rest.partition(_NO_DATA)
    return before, middle, after
