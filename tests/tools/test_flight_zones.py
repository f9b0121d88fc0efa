"""Flights without time zones get those of their airport codes, and the answer says so."""

from typing import Any

import pytest

from .conftest import Do

LEG: dict[str, Any] = {
    "order": 1,
    "title": "Home",
    "destination": "San Francisco",
    "startDate": "2026-11-01",
    "endDate": "2026-11-03",
    "timezone": "America/Los_Angeles",
}
BY_CODES: dict[str, Any] = {
    "flightNumber": "NH10",
    "from": "HND",
    "departure": "2026-11-01T19:53",
    "to": "Newark (EWR)",
    "arrival": "2026-11-01T18:59",
}
ZONES = ("Asia/Tokyo", "America/New_York")
REMARK = "Missing time zones of flights are filled in from airport codes: HND Asia/Tokyo, EWR America/New_York."


def zones_of(flight: dict[str, Any]) -> tuple[str | None, str | None]:
    return flight.get("departureTimezone"), flight.get("arrivalTimezone")


async def stored(do: Do, trip_id: str) -> list[tuple[str | None, str | None]]:
    return [
        zones_of(flight)
        for leg in (await do("list_legs", tripId=trip_id))["items"]
        for flight in leg.get("flights", ())
    ]


async def test_a_leg_is_created_with_the_zones_of_its_airport_codes(do: Do, trip_id: str) -> None:
    told = await do("create_leg", tripId=trip_id, flights=[BY_CODES], **LEG)

    assert zones_of(told["flights"][0]) == ZONES
    assert told["remarks"] == [REMARK]
    assert await stored(do, trip_id) == [ZONES]


async def test_a_leg_is_updated_with_the_zones_of_its_airport_codes(do: Do, trip_id: str) -> None:
    leg = await do("create_leg", tripId=trip_id, **LEG)

    told = await do("update_leg", tripId=trip_id, legId=leg["_id"], flights=[BY_CODES])

    assert "remarks" not in leg
    assert zones_of(told["flights"][0]) == ZONES
    assert told["remarks"] == [REMARK]


@pytest.mark.parametrize("tool", ["upsert_legs", "sync_trip"])
async def test_an_import_fills_zones_in_and_adds_nothing_when_it_is_sent_again(do: Do, trip_id: str, tool: str) -> None:
    legs = [
        {**LEG, "flights": [BY_CODES]},
        {**LEG, "title": "Out", "flights": [BY_CODES, {"from": "VIE", "departure": "2026-11-02T09:00"}]},
        LEG,
    ]
    arguments: dict[str, Any] = {"tripId": trip_id, "items" if tool == "upsert_legs" else "legs": legs}

    first, again = await do(tool, **arguments), await do(tool, **arguments)

    remark = REMARK.replace("America/New_York.", "America/New_York, VIE Europe/Vienna.")
    assert [told["remarks"] for told in (first, again)] == [[remark]] * 2
    assert (again.get("legs") or again)["unchanged"] == 3
    assert await stored(do, trip_id) == [ZONES, ZONES, ("Europe/Vienna", None)]


async def test_a_preview_of_an_import_says_what_would_be_filled_in(do: Do, trip_id: str) -> None:
    told = await do("sync_trip", tripId=trip_id, dryRun=True, legs=[{**LEG, "flights": [BY_CODES]}])

    assert told["remarks"] == [REMARK]
    assert await stored(do, trip_id) == []


async def test_a_zone_that_is_given_stays(do: Do, trip_id: str) -> None:
    flight = {**BY_CODES, "departureTimezone": "Asia/Seoul", "arrivalTimezone": "Europe/Madrid"}

    told = await do("create_leg", tripId=trip_id, flights=[flight, {**BY_CODES, "departureTimezone": ""}], **LEG)

    assert [zones_of(flight) for flight in told["flights"]] == [("Asia/Seoul", "Europe/Madrid"), ZONES]


@pytest.mark.parametrize("place", ["XXX", "Springfield", "Tokyo", "Road trip", "THE station", "TYO", ""])
async def test_a_name_that_is_not_an_airport_code_stays_unknown(do: Do, trip_id: str, place: str) -> None:
    told = await do("create_leg", tripId=trip_id, flights=[{**BY_CODES, "from": place, "to": place}], **LEG)

    assert zones_of(told["flights"][0]) == (None, None)
    assert "remarks" not in told


async def test_an_end_without_a_time_needs_no_zone(do: Do, trip_id: str) -> None:
    told = await do("create_leg", tripId=trip_id, flights=[{"from": "HND", "to": "EWR"}], **LEG)

    assert told["flights"] == [{"from": "HND", "to": "EWR"}]


async def test_many_codes_are_counted(do: Do, trip_id: str) -> None:
    codes = ["VIE", "HND", "EWR", "LHR", "CDG", "SFO", "SYD", "HNL", "AKL", "GRU", "SIN", "FRA"]

    told = await do(
        "create_leg", tripId=trip_id, flights=[{**BY_CODES, "from": code, "to": code} for code in codes], **LEG
    )

    assert told["remarks"][0].endswith("AKL Pacific/Auckland, GRU America/Sao_Paulo and 2 more.")


async def test_a_zone_that_a_read_infers_is_not_stored(do: Do, trip_id: str) -> None:
    leg = await do("create_leg", tripId=trip_id, flights=[{**BY_CODES, "from": "Tokyo"}], **LEG)

    for tool in ("get_timeline", "check_trip", "export_trip", "list_legs"):
        await do(tool, tripId=trip_id)
    await do("update_leg", tripId=trip_id, legId=leg["_id"], title="Home again")

    assert await stored(do, trip_id) == [(None, "America/New_York")]
