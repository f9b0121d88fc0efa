"""Saved places out of map files: GPX, KML, GeoJSON, Google Takeout and CSV."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from xml.parsers import expat

from trips_mcp.bookings.model import FileReading, SavedPlace
from trips_mcp.bookings.times_and_places import real_position
from trips_mcp.json_values import JsonObject, is_list, is_object

MOST: Final = 5_000
"""Places of one file."""
_DEEPEST: Final = 60
_LONGEST: Final = 2_000
"""Characters of a name or a note."""
_IN_URL: Final = re.compile(r"(?:@|/search/|[?&](?:q|query|ll)=|!3d)(-?\d{1,2}\.\d+)(?:,|%2C|!4d)\+?(-?\d{1,3}\.\d+)")
_TAG: Final = re.compile(r"<[^>]{0,500}>")
_COLUMNS: Final[Mapping[str, str]] = {
    "name": "name|title|place|titel|nombre|nom|nome|label",
    "latitude": "latitude|lat|y|breitengrad|breite",
    "longitude": "longitude|lon|lng|long|x|langengrad|laengengrad",
    "notes": "notes|note|description|comment|notiz|desc|comments",
    "address": "address|adresse|direccion|indirizzo",
    "url": "url|link|google maps url",
}


class _UnsafeXmlError(Exception):
    """The file has a DTD or entities, or nests too deeply."""


def read_xml_places(data: bytes) -> FileReading:
    """Waypoints of GPX, placemarks of KML. Entities and DTDs are refused."""
    reader = _XmlReader()
    try:
        reader.read(data)
    except _UnsafeXmlError:
        return FileReading(unread=("The map file has a DTD, entities or too deep a nesting, so it was not read.",))
    except (expat.ExpatError, ValueError, LookupError):
        return _result(reader.places, reader.without_position, is_broken=True)
    return _result(reader.places, reader.without_position)


def read_geojson(values: JsonObject) -> FileReading:
    """Points of GeoJSON, also those of Google Takeout (`Saved Places.json`)."""
    found: list[SavedPlace] = []
    without = 0
    for feature in _features(values, 0):
        place = _of_feature(feature)
        if place is None:
            without += 1
        else:
            found.append(place)
        if len(found) >= MOST:
            break
    return _result(found, without)


def read_csv_places(text: str) -> FileReading | None:
    """Rows with columns for a name and a position, or with links of Google Maps. None if it has no such columns."""
    lines = text.lstrip("\ufeff").splitlines()
    start = next((index for index, line in enumerate(lines[:10]) if _columns(_row(line))), None)
    if start is None:
        return None
    columns = _columns(_row(lines[start]))
    mark = _delimiter(lines[start])
    found: list[SavedPlace] = []
    without = 0
    try:
        for row in csv.reader(io.StringIO("\n".join(lines[start + 1 :])), delimiter=mark):
            value = {name: row[at].strip() for name, at in columns.items() if at < len(row)}
            place = _of_row(value)
            if place is not None:
                found.append(place)
            elif any(value.values()):
                without += 1
            if len(found) >= MOST:
                break
    except csv.Error:
        return _result(found, without, is_broken=True)
    return _result(found, without)


def _result(places: list[SavedPlace], without: int, *, is_broken: bool = False) -> FileReading:
    unread: list[str] = []
    if is_broken:
        unread.append("The map file is damaged; what comes after the damage was not read.")
    if without:
        unread.append(f"{without:,} {'place has' if without == 1 else 'places have'} no position.")
    if not places and not unread:
        unread.append("The map file has no places.")
    return FileReading(places=tuple(places[:MOST]), unread=tuple(unread))


class _XmlReader:
    """Collects `wpt` (GPX) and `Placemark` with a point (KML) by their local names."""

    def __init__(self) -> None:
        self.places: list[SavedPlace] = []
        self.without_position = 0
        self._depth = 0
        self._place: dict[str, str] | None = None
        self._place_depth = 0
        self._field = ""
        self._text: list[str] = []

    def read(self, data: bytes) -> None:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.buffer_text = True
        parser.Parse(data, True)

    def _refuse(self, *_: object) -> None:
        raise _UnsafeXmlError

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _UnsafeXmlError
        name = tag.rpartition(":")[2]
        if self._place is None and name in ("wpt", "Placemark"):
            self._place = {"lat": attributes.get("lat", ""), "lon": attributes.get("lon", ""), "kind": name}
            self._place_depth = self._depth
        elif self._place is not None and name in ("LineString", "Polygon", "LinearRing"):
            self._place["kind"] = "line"
        self._field, self._text = name, []

    def _data(self, text: str) -> None:
        if self._place is not None and sum(map(len, self._text[-1:])) < 10 * _LONGEST:
            self._text.append(text)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        place = self._place
        if place is None:
            return
        text = "".join(self._text).strip()
        if tag.rpartition(":")[2] == self._field and text:
            place.setdefault(self._field, text[: 2 * _LONGEST])
        self._text = []
        if self._depth == self._place_depth - 1:
            self._place = None
            self._finish(place)

    def _finish(self, place: Mapping[str, str]) -> None:
        if place["kind"] == "line" or len(self.places) >= MOST:
            return
        longitude, _, rest = place.get("coordinates", "").partition(",")
        latitude = rest.partition(",")[0]
        found = _place(
            place.get("name", ""),
            place["lat"] or latitude,
            place["lon"] or longitude,
            place.get("desc") or place.get("description") or place.get("cmt", ""),
            place.get("address", ""),
        )
        if found is None:
            self.without_position += 1
        else:
            self.places.append(found)


def _features(value: Any, depth: int) -> Iterator[JsonObject]:
    if not is_object(value) or depth > _DEEPEST:
        return
    if value.get("type") == "Feature":
        yield value
    several = value.get("features")
    inner: list[Any] = several if is_list(several) else []
    for one in inner:
        yield from _features(one, depth + 1)


def _of_feature(feature: JsonObject) -> SavedPlace | None:
    geometry, facts = feature.get("geometry"), feature.get("properties")
    facts = facts if is_object(facts) else {}
    location = facts.get("location") or facts.get("Location")
    location = location if is_object(location) else {}
    name = next((facts[key] for key in ("name", "title", "Title", "Name") if isinstance(facts.get(key), str)), "")
    name = name or str(location.get("name") or location.get("Business Name") or "")
    address = str(location.get("address") or location.get("Address") or facts.get("address") or "")
    notes = str(facts.get("description") or facts.get("notes") or facts.get("Comment") or facts.get("comment") or "")
    if not is_object(geometry) or geometry.get("type") != "Point":
        return None
    point = geometry.get("coordinates")
    if not is_list(point) or len(point) < 2:
        return None
    return _place(name or address.split(",")[0], str(point[1]), str(point[0]), notes, address)


def _of_row(value: Mapping[str, str]) -> SavedPlace | None:
    latitude, longitude = value.get("latitude", ""), value.get("longitude", "")
    if not (latitude and longitude):
        found = _IN_URL.search(value.get("url", ""))
        latitude, longitude = (found[1], found[2]) if found else ("", "")
    name = value.get("name", "") or value.get("address", "").split(",")[0]
    return _place(name, latitude, longitude, value.get("notes", ""), value.get("address", ""))


def _place(name: str, latitude: str, longitude: str, notes: str, address: str) -> SavedPlace | None:
    found = real_position(latitude, longitude)
    if found is None:
        return None
    north, east = found
    plain = " ".join(_TAG.sub(" ", notes).split())
    named = " ".join(name.split())[:300] or f"{north:.5f}, {east:.5f}"
    return SavedPlace(named, north, east, plain[:_LONGEST], " ".join(address.split())[:500])


def _columns(row: list[str]) -> Mapping[str, int]:
    """Where each column is. Empty if the row is no header of places."""
    titles = [title.strip().strip('"').casefold().replace("_", " ").replace("ä", "a") for title in row]
    found: dict[str, int] = {}
    for name, known in _COLUMNS.items():
        at = next((index for index, title in enumerate(titles) if title in known.split("|")), None)
        if at is not None:
            found[name] = at
    has_position = {"latitude", "longitude"} <= set(found)
    return found if has_position or {"name", "url"} <= set(found) else {}


def _row(line: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=_delimiter(line)), list[str]())
    except csv.Error:
        return []


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)


def as_geojson(data: bytes) -> JsonObject | None:
    """The parsed file if it is GeoJSON."""
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return values if is_object(values) and values.get("type") in ("FeatureCollection", "Feature") else None
