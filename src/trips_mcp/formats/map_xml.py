"""GPX 1.1 (pins as waypoints, legs as a route) and KML 2.2 (for Google Earth and My Maps)."""

import re
from collections.abc import Iterable
from typing import Final
from xml.etree import ElementTree

from trips_mcp.contract.fields import without_hidden
from trips_mcp.formats.geojson import cut_at_antimeridian
from trips_mcp.formats.outline import Outline, Point

_GPX: Final = "http://www.topografix.com/GPX/1/1"
_KML: Final = "http://www.opengis.net/kml/2.2"
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold."""


def render_gpx(outline: Outline) -> str:
    root = ElementTree.Element("gpx", {"version": "1.1", "creator": "trips-mcp", "xmlns": _GPX})
    _element(ElementTree.SubElement(root, "metadata"), "name", outline.title)
    for place in outline.places:
        point = _point(root, "wpt", place.point)
        _element(point, "name", place.name)
        _element(point, "desc", place.notes)
        _element(point, "type", place.category)
    if outline.route:
        route = ElementTree.SubElement(root, "rte")
        _element(route, "name", outline.title)
        for stop in outline.route:
            _element(_point(route, "rtept", stop.point), "name", stop.name)
    return _document(root)


def render_kml(outline: Outline) -> str:
    root = ElementTree.Element("kml", {"xmlns": _KML})
    whole = ElementTree.SubElement(root, "Document")
    _element(whole, "name", outline.title)
    if outline.places:
        _places(whole, outline)
    if outline.route:
        _route(whole, outline)
    return _document(root)


def _places(whole: ElementTree.Element, outline: Outline) -> None:
    folder = _folder(whole, "Places")
    for place in outline.places:
        mark = ElementTree.SubElement(folder, "Placemark")
        _element(mark, "name", place.name)
        _element(mark, "description", "\n".join(filter(None, (place.category, place.notes))))
        _element(ElementTree.SubElement(mark, "Point"), "coordinates", _coordinates([place.point]))


def _route(whole: ElementTree.Element, outline: Outline) -> None:
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


def _point(parent: ElementTree.Element, name: str, point: Point) -> ElementTree.Element:
    """GPX has longitudes from -180, included, to 180, excluded."""
    longitude = -180.0 if point.longitude == 180 else point.longitude
    return ElementTree.SubElement(parent, name, {"lat": f"{point.latitude:.7f}", "lon": f"{longitude:.7f}"})
