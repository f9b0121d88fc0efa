"""Accepted dates, times, zones and ids, and the messages for others."""

from typing import Any

import pytest
from pydantic import ValidationError

from trips_mcp.contract import OPERATIONS
from trips_mcp.contract.errors import faults
from trips_mcp.contract.legs import LegItem
from trips_mcp.contract.operation import Operation
from trips_mcp.contract.trips import GetTrip

LEG: dict[str, Any] = {
    "order": 0,
    "title": "Gion",
    "destination": "Kyoto",
    "startDate": "2028-02-29",
    "endDate": "2028-02-29",
    "timezone": "Asia/Tokyo",
}


def refused(fields: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ValidationError) as refusal:
        LegItem.model_validate(fields, strict=True, by_name=False)
    return {fault.path: fault.reason for fault in faults(refusal.value, LegItem)}


@pytest.mark.parametrize("zone", ["Europe/London", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5"])
def test_iana_zones_are_accepted(zone: str) -> None:
    assert LegItem.model_validate({**LEG, "timezone": zone}, strict=True).timezone == zone


@pytest.mark.parametrize(
    "zone", ["", "Europe", "+09:00", "asia/tokyo", "posix/Asia/Tokyo", "../etc/passwd", "/UTC", "localtime", "Factory"]
)
def test_what_is_no_iana_zone_is_refused(zone: str) -> None:
    assert "IANA" in refused({**LEG, "timezone": zone})["timezone"]


@pytest.mark.parametrize(
    "day",
    ["2027-02-29", "2026-13-01", "2026-1-01", "20260101", "2026-01-01T00:00", "٢٠٢٦-01-01", "0000-01-01"],
)
def test_what_is_no_date_of_the_calendar_is_refused(day: str) -> None:
    assert refused({**LEG, "startDate": day})["startDate"] == "not a real date, expected YYYY-MM-DD"


@pytest.mark.parametrize(
    "time",
    ["2026-11-01", "2026-11-01T24:00", "2026-11-01 10:00", "2026-11-01T10:00Z", "2026-11-01T10:00+09:00"],
)
def test_a_flights_times_are_local_without_an_offset(time: str) -> None:
    assert "YYYY-MM-DDTHH:mm" in refused({**LEG, "flights": [{"departure": time}]})["flights.0.departure"]


def test_a_trip_of_one_day_is_fine_and_one_that_ends_before_it_starts_is_not() -> None:
    LegItem.model_validate(LEG, strict=True)

    assert refused({**LEG, "endDate": "2028-02-28"}) == {"endDate": "is before startDate"}


def test_every_fault_is_named_at_once() -> None:
    assert refused({"order": "1", "title": "x" * 201, "flights": {}, "colour": 1}) == {
        "order": "expected a number",
        "title": "at most 200 characters",
        "destination": "required",
        "startDate": "required",
        "endDate": "required",
        "timezone": "required",
        "flights": "expected a list",
        "colour": "unknown field; accepted: order, title, destination, startDate, endDate, timezone, "
        "accommodation, flights, rentalCar, clientRef",
    }


@pytest.mark.parametrize("trip_id", ["a/b", "..", ".", "%2e%2e", "%2E", "a%2fb", "a\\b", "a\0", "\n", "", "x" * 257])
def test_what_could_lead_a_path_astray_is_no_id(trip_id: str) -> None:
    with pytest.raises(ValidationError):
        GetTrip(trip_id=trip_id)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_has_a_name_of_its_own_and_the_places_of_its_path(
    operation: Operation[Any, Any],
) -> None:
    wire_names = {field.alias or name for name, field in operation.params.model_fields.items()}

    assert [other.name for other in OPERATIONS].count(operation.name) == 1
    assert all(place[: place.index("}")] in wire_names for place in operation.path.split("{")[1:])


@pytest.mark.parametrize(
    "text", [" ", "\n\t", "\u3000", "\u00a0", "\u200b", "\u2800", "\u3164", "\ufe0f", "\u2060 \u00ad", "\u034f"]
)
@pytest.mark.parametrize(
    ("operation", "field", "others"),
    [
        ("create_trip", "title", {"groupId": "g", "startDate": "2027-04-01", "endDate": "2027-04-02"}),
        ("update_leg", "destination", {"tripId": "t", "legId": "l"}),
        ("create_map_pin", "name", {"tripId": "t", "lat": 1, "lng": 1}),
        ("create_action_item", "text", {"tripId": "t", "urgency": "now"}),
        ("send_message", "content", {"tripId": "t", "channelId": "c"}),
        ("create_event", "title", {"type": "food", "date": "2027-04-01"}),
    ],
)
def test_a_text_that_nobody_can_see_is_no_title_and_no_message(
    operation: str, field: str, others: dict[str, Any], text: str
) -> None:
    params = next(known for known in OPERATIONS if known.name == operation).params
    params.model_validate({**others, field: f"{text}a"}, strict=True)

    with pytest.raises(ValidationError) as refusal:
        params.model_validate({**others, field: text}, strict=True)

    assert [(fault.path, fault.reason) for fault in faults(refusal.value, params)] == [
        (field, "only blanks or invisible characters; write some text")
    ]
