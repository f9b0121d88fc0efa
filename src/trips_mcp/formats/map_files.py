"""Files for maps: GeoJSON (RFC 7946), GPX 1.1, and KML 2.2 for Google Earth and My Maps.

Pins and places of the route are points; the route is a line cut at 180 degrees, in GPX a route.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final
from xml.etree import ElementTree

from trips_mcp.contract.fields import without_hidden
from trips_mcp.formats.outline import Outline, Point

JsonFields = dict[str, Any]
_GPX: Final = "http://www.topografix.com/GPX/1/1"
_KML: Final = "http://www.opengis.net/kml/2.2"
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold."""


def render_geojson(outline: Outline) -> str:
    return json.dumps(feature_collection(outline), ensure_ascii=False, separators=(",", ":"))


def feature_collection(outline: Outline) -> JsonFields:
    return {"type": "FeatureCollection", "features": [*_features_of_places(outline), *_features_of_route(outline)]}


def _features_of_places(outline: Outline) -> Iterator[JsonFields]:
    for place in outline.places:
        more = {"category": place.category, "notes": place.notes}
        yield _feature(_geometry(place.point), {"kind": "pin", "id": place.key, "name": place.name} | _given(more))


def _features_of_route(outline: Outline) -> Iterator[JsonFields]:
    for number, stop in enumerate(outline.route, 1):
        dates = {"startDate": str(stop.starts or ""), "endDate": str(stop.ends or "")}
        names = {"kind": "leg", "id": stop.key, "name": stop.name, "order": number}
        yield _feature(_geometry(stop.point), names | _given(dates))
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


def _geometry(point: Point) -> JsonFields:
    return {"type": "Point", "coordinates": _position(point)}


def _position(point: Point) -> list[float]:
    """Longitude first; seven digits are a centimetre."""
    return [round(point.longitude, 7), round(point.latitude, 7)]


def _feature(geometry: JsonFields, properties: JsonFields) -> JsonFields:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _given(fields: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value}


def render_gpx(outline: Outline) -> str:
    root = ElementTree.Element("gpx", {"version": "1.1", "creator": "trips-mcp", "xmlns": _GPX})
    _element(ElementTree.SubElement(root, "metadata"), "name", outline.title)
    for place in outline.places:
        point = _gpx_point(root, "wpt", place.point)
        _element(point, "name", place.name)
        _element(point, "desc", place.notes)
        _element(point, "type", place.category)
    if outline.route:
        route = ElementTree.SubElement(root, "rte")
        _element(route, "name", outline.title)
        for stop in outline.route:
            _element(_gpx_point(route, "rtept", stop.point), "name", stop.name)
    return _document(root)


def render_kml(outline: Outline) -> str:
    root = ElementTree.Element("kml", {"xmlns": _KML})
    whole = ElementTree.SubElement(root, "Document")
    _element(whole, "name", outline.title)
    if outline.places:
        _kml_places(whole, outline)
    if outline.route:
        _kml_route(whole, outline)
    return _document(root)


def _kml_places(whole: ElementTree.Element, outline: Outline) -> None:
    folder = _folder(whole, "Places")
    for place in outline.places:
        mark = ElementTree.SubElement(folder, "Placemark")
        _element(mark, "name", place.name)
        _element(mark, "description", "\n".join(filter(None, (place.category, place.notes))))
        _element(ElementTree.SubElement(mark, "Point"), "coordinates", _coordinates([place.point]))


def _kml_route(whole: ElementTree.Element, outline: Outline) -> None:
    folder = _folder(whole, "Route")
    for stop in outline.route:
        mark = ElementTree.SubElement(folder, "Placemark")
        _element(mark, "name", stop.name)
        _element(mark, "description", " to ".join(str(day) for day in (stop.starts, stop.ends) if day))
        _element(ElementTree.SubElement(mark, "Point"), "coordinates", _coordinates([stop.point]))
    lines = cut_at_antimeridian([stop.point for stop in outline.route])
    if lines:
        mark = ElementTree.SubElement(folder, "Placemark")
        _element(mark, "name", outline.title)
        drawn = ElementTree.SubElement(mark, "MultiGeometry")
        for line in lines:
            string = ElementTree.SubElement(drawn, "LineString")
            _element(string, "tessellate", "1")
            _element(string, "coordinates", _coordinates(line))


def _folder(whole: ElementTree.Element, name: str) -> ElementTree.Element:
    folder = ElementTree.SubElement(whole, "Folder")
    _element(folder, "name", name)
    return folder


def _coordinates(points: Iterable[Point]) -> str:
    return " ".join(f"{point.longitude:.7f},{point.latitude:.7f}" for point in points)


def _element(parent: ElementTree.Element, name: str, text: str) -> None:
    """An empty text makes no element."""
    if text:
        ElementTree.SubElement(parent, name).text = _NO_XML.sub("", without_hidden(text))


def _document(root: ElementTree.Element) -> str:
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _gpx_point(parent: ElementTree.Element, name: str, point: Point) -> ElementTree.Element:
    """GPX has longitudes from -180, included, to 180, excluded."""
    longitude = -180.0 if point.longitude == 180 else point.longitude
    return ElementTree.SubElement(parent, name, {"lat": f"{point.latitude:.7f}", "lon": f"{longitude:.7f}"})
