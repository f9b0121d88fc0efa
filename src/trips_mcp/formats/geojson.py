"""GeoJSON (RFC 7946): pins and places of the route as points, the route as a line cut at 180 degrees."""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from trips_mcp.formats.outline import Outline, Point

JsonFields = dict[str, Any]


def render(outline: Outline) -> str:
    return json.dumps(feature_collection(outline), ensure_ascii=False, separators=(",", ":"))


def feature_collection(outline: Outline) -> JsonFields:
    return {"type": "FeatureCollection", "features": [*_places(outline), *_route(outline)]}


def _places(outline: Outline) -> Iterator[JsonFields]:
    for place in outline.places:
        more = {"category": place.category, "notes": place.notes}
        yield _feature(_point(place.point), {"kind": "pin", "id": place.key, "name": place.name} | _given(more))


def _route(outline: Outline) -> Iterator[JsonFields]:
    for number, stop in enumerate(outline.route, 1):
        dates = {"startDate": str(stop.starts or ""), "endDate": str(stop.ends or "")}
        names = {"kind": "leg", "id": stop.key, "name": stop.name, "order": number}
        yield _feature(_point(stop.point), names | _given(dates))
    lines = cut_at_antimeridian([stop.point for stop in outline.route])
    if lines:
        yield _feature(_lines(lines), {"kind": "route", "name": outline.title})


def cut_at_antimeridian(points: Sequence[Point]) -> list[list[Point]]:
    """Lines of two points or more, none of which crosses 180 degrees (RFC 7946, 3.1.9)."""
    lines: list[list[Point]] = [list(points[:1])]
    for start, end in pairwise(points):
        if abs(end.longitude - start.longitude) > 180:
            latitude, edge = _crossing(start, end)
            lines[-1].append(Point(latitude, edge))
            lines.append([Point(latitude, -edge)])
        lines[-1].append(end)
    return [line for line in lines if len(set(line)) > 1]


def _crossing(start: Point, end: Point) -> tuple[float, float]:
    """The latitude of the crossing, and the side from which it is crossed: 180 or -180."""
    edge = 180.0 if start.longitude > 0 else -180.0
    beyond = end.longitude + 2 * edge
    whole = beyond - start.longitude
    part = (edge - start.longitude) / whole if whole else 0.0
    return start.latitude + part * (end.latitude - start.latitude), edge


def _lines(lines: Sequence[Sequence[Point]]) -> JsonFields:
    drawn = [[_position(point) for point in line] for line in lines]
    if len(drawn) == 1:
        return {"type": "LineString", "coordinates": drawn[0]}
    return {"type": "MultiLineString", "coordinates": drawn}


def _point(point: Point) -> JsonFields:
    return {"type": "Point", "coordinates": _position(point)}


def _position(point: Point) -> list[float]:
    """Longitude first; seven digits are a centimetre."""
    return [round(point.longitude, 7), round(point.latitude, 7)]


def _feature(geometry: JsonFields, properties: JsonFields) -> JsonFields:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _given(fields: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value}
