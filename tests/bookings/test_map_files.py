"""Saved places: GPX, KML, KMZ, GeoJSON, Google Takeout, CSV."""

import json

import pytest

from .made_up import archive, read

GPX = '<?xml version="1.0"?><gpx><wpt lat="35.0036" lon="135.7726"><name>Nishiki</name><desc>Market</desc></wpt></gpx>'
KML = (
    '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>Nishiki</name><description><![CDATA[<b>Market</b>]]>'
    "</description><Point><coordinates>135.7726,35.0036,0</coordinates></Point></Placemark><Placemark><name>Way</name>"
    "<LineString><coordinates>1,2 3,4</coordinates></LineString></Placemark></Document></kml>"
)
GEOJSON = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [135.7726, 35.0036]},
                "properties": {"name": "Nishiki", "description": "Market"},
            }
        ],
    }
)
TAKEOUT = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [135.7726, 35.0036]},
                "properties": {"location": {"name": "Nishiki", "address": "Kyoto"}, "Comment": "Market"},
            },
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [0, 0]},
                "properties": {"location": {"name": "Nowhere"}},
            },
        ],
    }
)
CSV = "Title;Lat;Lng;Notes\nNishiki;35,0036;135,7726;Market\n"
LINKS = 'Title,Note,URL,Comment\nNishiki,Market,"https://www.google.com/maps/search/35.0036,135.7726",\n'


@pytest.mark.parametrize(
    "data",
    [
        GPX.encode(),
        KML.encode(),
        archive({"doc.kml": KML}),
        GEOJSON.encode(),
        TAKEOUT.encode(),
        CSV.encode(),
        LINKS.encode(),
    ],
    ids=["gpx", "kml", "kmz", "geojson", "takeout", "csv", "links"],
)
def test_a_place_has_its_name_position_and_note(data: bytes) -> None:
    (place,) = read(data).places

    assert (place.name, place.latitude, place.longitude, place.notes) == ("Nishiki", 35.0036, 135.7726, "Market")


def test_places_without_a_position_are_counted() -> None:
    assert read(TAKEOUT).unread == ("1 place has no position.",)
    assert read("Title,Note,URL\nNishiki,,https://maps.google.com/?cid=1\n", "Saved.csv").unread == (
        "1 place has no position.",
    )
