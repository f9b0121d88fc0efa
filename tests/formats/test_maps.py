"""GeoJSON, GPX and KML, and the rules of the formats that map programs rely on."""

import json
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.itinerary.test_any_itinerary import CHANGING_ZONES, plausible, spoilt
from tests.itinerary.trips import Json, export, leg, pin
from trips_mcp.formats import FORMAT, FormatName
from trips_mcp.formats.map_files import cut_at_antimeridian, feature_collection
from trips_mcp.formats.outline import Outline, Point, outline_of

GPX = "{http://www.topografix.com/GPX/1/1}"
KML = "{http://www.opengis.net/kml/2.2}"
HOSTILE = "</name><script>alert(1)</script> & \x00\x0b \u202e \U0001f5fc"


def around_the_pacific(**parts: Any) -> Outline:
    legs = [
        leg("Tokyo", "2026-07-20 2026-07-24", "Asia/Tokyo"),
        leg("Honolulu", "2026-07-24 2026-07-29", "Pacific/Honolulu"),
    ]
    return outline_of(export(legs=legs, **parts))


def by_kind(outline: Outline) -> dict[str, Json]:
    return {one["properties"]["kind"]: one for one in feature_collection(outline)["features"]}


def test_pins_and_legs_are_points_and_the_route_is_cut_at_the_antimeridian() -> None:
    found = by_kind(around_the_pacific(pins=[pin("Onsen", 35.2, 139.0) | {"category": "bath"}]))

    assert found["pin"]["geometry"] == {"type": "Point", "coordinates": [139.0, 35.2]}
    assert found["pin"]["properties"] == {"kind": "pin", "id": "pin_onsen", "name": "Onsen", "category": "bath"}
    west, east = found["route"]["geometry"]["coordinates"]
    assert found["route"]["geometry"]["type"] == "MultiLineString"
    assert (west[-1][0], east[0][0]) == (180.0, -180.0)
    assert west[-1][1] == east[0][1]


@given(st.lists(st.builds(Point, st.floats(-90, 90), st.floats(-180, 180)), max_size=8))
def test_no_line_crosses_180_degrees(points: list[Point]) -> None:
    lines = cut_at_antimeridian(points)

    for line in lines:
        assert len(line) >= 2
        assert all(abs(end.longitude - start.longitude) <= 180 for start, end in pairwise(line))
        assert all(abs(point.latitude) <= 90 and abs(point.longitude) <= 180 for point in line)
    drawn = {point for line in lines for point in line}
    assert len(set(points)) <= 1 or drawn >= {point for point in points if abs(point.longitude) < 180}


def test_gpx_has_waypoints_and_a_route_in_order() -> None:
    outline = around_the_pacific(pins=[pin("Onsen", 35.2, 139.0) | {"category": "bath", "notes": "No soap"}])

    root = ElementTree.fromstring(FORMAT["gpx"].render(outline))  # noqa: S314 - our own

    [waypoint] = root.findall(f"{GPX}wpt")
    assert [(child.tag.removeprefix(GPX), child.text) for child in waypoint] == [
        ("name", "Onsen"),
        ("desc", "No soap"),
        ("type", "bath"),
    ]
    names = [point.findtext(f"{GPX}name") for point in root.findall(f"{GPX}rte/{GPX}rtept")]
    assert names == ["Tokyo", "Honolulu"]


def test_gpx_has_no_longitude_of_180() -> None:
    root = ElementTree.fromstring(FORMAT["gpx"].render(outline_of(export(pins=[pin("Taveuni", -16.8, 180)]))))  # noqa: S314

    assert [float(one.attrib["lon"]) for one in root.findall(f"{GPX}wpt")] == [-180.0]


def test_kml_has_longitude_before_latitude() -> None:
    root = ElementTree.fromstring(FORMAT["kml"].render(around_the_pacific(pins=[pin("Onsen", 35.2, 139.0)])))  # noqa: S314

    marks = root.findall(f".//{KML}Placemark")
    points = {mark.findtext(f"{KML}name"): mark.findtext(f"{KML}Point/{KML}coordinates") for mark in marks}
    assert points["Onsen"] == "139.0000000,35.2000000"
    assert len(root.findall(f".//{KML}LineString")) == 2


@pytest.mark.parametrize("name", ["gpx", "kml"])
def test_xml_holds_any_text(name: FormatName) -> None:
    outline = outline_of(export(pins=[pin("x", 1, 2) | {"name": HOSTILE, "notes": HOSTILE, "category": HOSTILE}]))

    root = ElementTree.fromstring(FORMAT[name].render(outline))  # noqa: S314

    assert not [one for one in root.iter() if one.tag.endswith("}script")]
    assert "<script>" in "".join(root.itertext())


@pytest.mark.parametrize(("lat", "lng"), [(91, 0), (0, 181), (None, 3), (2, None)])
def test_a_pin_off_the_globe_is_left_out(lat: float | None, lng: float | None) -> None:
    outline = outline_of(export(pins=[pin("x", 0, 0) | {"lat": lat, "lng": lng}]))

    assert feature_collection(outline)["features"] == []


def test_a_trip_without_anything_is_an_empty_file() -> None:
    assert json.loads(FORMAT["geojson"].render(outline_of(export()))) == {"type": "FeatureCollection", "features": []}
    assert FORMAT["md"].render(outline_of(export())) == "# A trip\n"


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), plausible(CHANGING_ZONES))
def test_any_trip_makes_every_file(data: st.DataObject, parts: dict[str, Any]) -> None:
    chosen = data.draw(st.sampled_from([parts, spoilt(parts, data)]))
    chosen.pop("events")
    outline = outline_of(export(**chosen))

    for name in ("gpx", "kml"):
        ElementTree.fromstring(FORMAT[name].render(outline))  # noqa: S314
    for feature in json.loads(FORMAT["geojson"].render(outline))["features"]:
        assert feature["type"] == "Feature"
        assert feature["properties"]["name"]
    assert FORMAT["md"].render(outline).startswith("# ")
