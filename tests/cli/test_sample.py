"""The sample trips are consistent: dates, zones, flight times, places, references."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from trips_mcp.cli.demo.steps import KYOTO, Sample
from trips_mcp.contract.events import CreateEvent
from trips_mcp.contract.trips import SyncTrip

EXAMPLE = Path(__file__).parents[2] / "examples" / "kyoto.json"


@pytest.fixture
def sample() -> Sample:
    return Sample.load()


@pytest.fixture(params=["kyoto.json", "date-line.json"])
def either(request: pytest.FixtureRequest) -> Sample:
    return Sample.load(EXAMPLE.with_name(request.param))


def moment(local: str, zone: str) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def test_the_example_is_the_file_that_ships_with_the_demo() -> None:
    assert EXAMPLE.read_bytes() == KYOTO.read_bytes()


def test_it_is_what_sync_trip_and_create_event_take(either: Sample) -> None:
    SyncTrip.model_validate({"tripId": "jx7", **either.sync}, strict=True, by_name=False)
    CreateEvent.model_validate(either.event, strict=True, by_name=False)


def test_it_is_large_enough_for_a_demo(sample: Sample) -> None:
    zones = {leg["timezone"] for leg in sample.sync["legs"]}

    assert (sample.count("legs"), sample.count("mapPins") >= 16, sample.count("actionItems") >= 9) == (4, True, True)
    assert len(zones) >= 2
    assert {item["urgency"] for item in sample.sync["actionItems"]} == {"now", "before_trip", "nice_to_have"}


def test_every_row_has_its_own_client_ref(either: Sample) -> None:
    refs = [row["clientRef"] for rows in either.sync.values() for row in rows]

    assert len(refs) == len(set(refs))


def test_legs_follow_each_other_within_the_trip(sample: Sample) -> None:
    legs = sorted(sample.sync["legs"], key=lambda leg: leg["order"])

    assert legs[0]["startDate"] == sample.trip["startDate"]
    assert legs[-1]["endDate"] == sample.trip["endDate"]
    for before, after in pairwise(legs):
        assert before["endDate"] <= after["startDate"]


def test_flights_take_as_long_as_such_flights_take(sample: Sample) -> None:
    flights: list[dict[str, Any]] = [flight for leg in sample.sync["legs"] for flight in leg.get("flights", [])]
    hours = {
        flight["flightNumber"]: (
            moment(flight["arrival"], flight["arrivalTimezone"])
            - moment(flight["departure"], flight["departureTimezone"])
        )
        / timedelta(hours=1)
        for flight in flights
    }

    assert hours == pytest.approx({"JL44": 13.67, "JL106": 1.25, "JL43": 14.42}, abs=0.01)


def test_commitments_name_legs_and_pins_that_exist_and_dates_within_the_leg(either: Sample) -> None:
    legs = {leg["clientRef"]: leg for leg in either.sync["legs"]}
    pins = {pin["clientRef"] for pin in either.sync["mapPins"]}

    for commitment in either.commitments:
        leg = legs[commitment["leg"]]
        assert leg["startDate"] <= commitment["startDate"] <= leg["endDate"]
        assert commitment.get("mapPin") in {*pins, None}
