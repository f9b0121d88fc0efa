"""A trip as a file in an answer."""

from typing import Any

import pytest

from trips_mcp.client import TripsClient
from trips_mcp.contract.map_pins import MapPinItem, UpsertMapPins

from .conftest import Do
from .services import Call

FORMATS = {
    "ics": ("text/calendar", "BEGIN:VCALENDAR"),
    "gpx": ("application/gpx+xml", "<?xml"),
    "kml": ("application/vnd.google-earth.kml+xml", "<?xml"),
    "geojson": ("application/geo+json", '{"type":"FeatureCollection"'),
    "md": ("text/markdown", "# Kyoto"),
    "json": ("application/json", "{"),
}


@pytest.fixture
async def planned(do: Do, trip_id: str) -> str:
    stay = {"name": "Granvia", "doorCode": "K4711", "confirmationNumber": "HX-12"}
    dates = {"startDate": "2026-11-01", "endDate": "2026-11-09"}
    leg = {"order": 1, "title": "Kyoto", "destination": "Kyoto", "timezone": "Asia/Tokyo", "accommodation": stay}
    await do("create_leg", tripId=trip_id, **leg, **dates)
    await do("create_map_pin", tripId=trip_id, name="Inari", lat=34.97, lng=135.77, notes="gate 99")
    return trip_id


@pytest.mark.parametrize("form", FORMATS)
async def test_each_format_is_a_file_with_its_type_and_no_secret(form: str, call: Call, planned: str) -> None:
    answer = await call("export_file", tripId=planned, format=form)

    media_type, start = FORMATS[form]
    assert answer.attachment is not None
    assert answer.structured is not None
    assert answer.structured["fileName"] == f"Kyoto.{form}"
    assert answer.attachment.media_type == answer.structured["mediaType"] == media_type
    assert answer.attachment.text.startswith(start)
    assert len(answer.attachment.text) == answer.structured["characters"]
    assert not any(code in answer.attachment.text for code in ("K4711", "HX-12", "gate 99"))
    assert answer.attachment.text not in answer.text


async def test_a_page_is_named_as_a_file_to_write_and_a_resource(call: Call, planned: str) -> None:
    answer = await call("export_file", tripId=planned, format="html")

    assert answer.attachment is None
    assert (answer.structured or {})["mediaType"] == "text/html"
    assert (answer.structured or {})["uri"] == f"trips://{planned}/page.html"
    assert remarks(answer.structured) == [
        f"The file is too long for an answer. Run `trips-mcp export {planned} --format html -o FILE`, or read the "
        f"resource trips://{planned}/page.html."
    ]


async def test_a_file_too_long_for_an_answer_is_named_as_a_resource(
    call: Call, planned: str, trips: TripsClient
) -> None:
    pins = [MapPinItem(name=f"Place {number} {'x' * 150}", lat=35.0, lng=135.7) for number in range(200)]
    for start in range(0, 200, 50):
        await trips.map_pins.upsert(UpsertMapPins(trip_id=planned, items=pins[start : start + 50]))

    map_file = await call("export_file", tripId=planned, format="geojson")
    route = await call("export_file", tripId=planned, format="gpx")

    assert map_file.attachment is route.attachment is None
    assert remarks(map_file.structured) == [
        f"The file is too long for an answer. Read the resource trips://{planned}/places.geojson."
    ]
    assert remarks(route.structured) == [
        f"The file is too long for an answer. Run `trips-mcp export {planned} --format gpx`."
    ]


def remarks(structured: dict[str, Any] | None) -> list[str]:
    return (structured or {})["remarks"]


async def test_an_unknown_format_names_those_there_are(call: Call, trip_id: str) -> None:
    answer = await call("export_file", tripId=trip_id, format="pdf")

    assert answer.is_error
    assert all(form in answer.text for form in FORMATS)


async def test_a_trip_that_is_not_there_says_where_to_look(call: Call) -> None:
    answer = await call("export_file", tripId="nowhere", format="ics")

    assert answer.is_error
    assert "list_trips" in answer.text
