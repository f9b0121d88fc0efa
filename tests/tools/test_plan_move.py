"""plan_move and plan_copy from the preview to the trip, through apply_plan, on a fresh embedded backend."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from trips_mcp.client import TripsClient
from trips_mcp.connect import twin
from trips_mcp.settings import Settings
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.selection import choose

from .services import Call, calls_on

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
Do = Callable[..., Awaitable[Json]]


@pytest.fixture
def call(trips: TripsClient) -> Call:
    return calls_on(trips, Conduct(twin=twin))


@pytest.fixture
def do(call: Call) -> Do:
    """The structured content of a call that must succeed."""

    async def do(tool: str, /, **arguments: Any) -> Json:
        answer = await call(tool, **arguments)
        assert not answer.is_error, answer.text
        assert answer.structured is not None
        return answer.structured

    return do


@pytest.fixture
async def italy(do: Do) -> str:
    """Rome and Florence, with a booked stay, a flight home, a dinner, a train and a to-do."""
    me = await do("get_me")
    trip = await do(
        "create_trip", groupId=me["defaultGroupId"], title="Italy", startDate="2026-10-12", endDate="2026-10-18"
    )
    of_trip = {"tripId": trip["_id"]}
    place = {"timezone": "Europe/Rome", **of_trip}
    await do(
        "create_leg",
        **place,
        order=1,
        title="Rome",
        destination="Rome",
        startDate="2026-10-12",
        endDate="2026-10-15",
        accommodation={"name": "Pensione", "checkIn": "15:00", "doorCode": "K4711", "confirmationNumber": "HX1"},
    )
    florence = await do(
        "create_leg",
        **place,
        order=2,
        title="Florence",
        destination="Florence",
        startDate="2026-10-15",
        endDate="2026-10-18",
        flights=[{"flightNumber": "BA553", "from": "FLR", "departure": "2026-10-18T18:10", "seat": "12A"}],
    )
    pin = await do("create_map_pin", **of_trip, name="Uffizi", lat=43.7678, lng=11.2553)
    await do(
        "create_commitment",
        **place,
        title="Uffizi",
        startDate="2026-10-16",
        startTime="09:15",
        category="activity",
        legId=florence["_id"],
        mapPinId=pin["_id"],
    )
    await do(
        "create_event", type="train", title="To Florence", date="2026-10-15", time="11:20", trip_ids=[trip["number"]]
    )
    todo = await do("create_action_item", **of_trip, text="Collect tickets on 16 October", urgency="now")
    await do("update_action_item", **of_trip, itemId=todo["_id"], completed=False)
    return trip["_id"]


def dates(export: Json) -> Json:
    trip = export["trip"]
    return {
        "trip": (trip["startDate"], trip["endDate"]),
        **{leg["title"]: (leg["startDate"], leg["endDate"]) for leg in export["legs"]},
        **{plan["title"]: (plan["startDate"], plan.get("startTime")) for plan in export["commitments"]},
        **{event["title"]: (event["date"], event.get("time")) for event in export["events"]},
    }


async def test_a_move_is_shown_then_made(do: Do, call: Call, italy: str) -> None:
    before = await do("export_trip", tripId=italy)

    preview = await do("plan_move", tripId=italy, **{"from": "Thursday"}, days=1)
    untouched = await do("export_trip", tripId=italy)
    applied = await call("apply_plan", planId=preview["planId"])
    after = await do("export_trip", tripId=italy)

    assert untouched == before
    assert sorted(item["kind"] for item in preview["changed"]) == ["commitment", "event", "leg", "leg", "trip"]
    assert {(note["kind"], note["why"].partition(" is booked")[0]) for note in preview["notes"]} == {
        ("to_rebook", f"The stay of leg {before['legs'][0]['_id']}"),
        ("to_rebook", "Flight BA553"),
        ("names_date", "A to-do names 2026-10-16 (moves to 2026-10-17); its text stays as it is."),
    }
    assert applied.text.startswith("Applied: 5 of 5 changes made.")
    assert dates(after) == {
        "trip": ("2026-10-12", "2026-10-19"),
        "Rome": ("2026-10-12", "2026-10-16"),
        "Florence": ("2026-10-16", "2026-10-19"),
        "Uffizi": ("2026-10-17", "09:15"),
        "To Florence": ("2026-10-16", "11:20"),
    }
    assert after["legs"][1]["flights"] == before["legs"][1]["flights"]
    assert after["legs"][0]["accommodation"] == {**before["legs"][0]["accommodation"], "checkOut": "2026-10-15"}


async def test_moved_there_and_back_with_its_bookings_a_trip_is_as_it_was(do: Do, italy: str) -> None:
    before = await do("export_trip", tripId=italy)

    there = await do("plan_move", tripId=italy, **{"from": "day 1"}, days=200, moveBooked=True)
    await do("apply_plan", planId=there["planId"])
    moved = await do("export_trip", tripId=italy)
    back = await do("plan_move", tripId=italy, **{"from": "day 1"}, days=-200, moveBooked=True)
    await do("apply_plan", planId=back["planId"])
    after = await do("export_trip", tripId=italy)

    assert moved["legs"][1]["flights"][0]["departure"] == "2027-05-06T18:10"
    assert dates(after) == dates(before)
    assert after["legs"] == before["legs"]


async def test_between_two_days_only_those_move(do: Do, italy: str) -> None:
    preview = await do("plan_move", tripId=italy, **{"from": "2026-10-16"}, to="2026-10-16", days=1)

    assert [(item["kind"], item["before"], item["after"]) for item in preview["changed"]] == [
        ("commitment", {"startDate": "2026-10-16"}, {"startDate": "2026-10-17"})
    ]


async def test_a_copy_is_shown_then_made(do: Do, call: Call, italy: str) -> None:
    before = await do("export_trip", tripId=italy)

    preview = await do("plan_copy", tripId=italy, title="Italy again", startDate="2027-03-22")
    trips = (await do("list_trips"))["items"]
    applied = await call("apply_plan", planId=preview["planId"])
    (copy,) = [trip for trip in (await do("list_trips"))["items"] if trip["title"] == "Italy again"]
    made = await do("export_trip", tripId=copy["_id"])

    assert len(trips) == 1
    assert not applied.is_error
    assert applied.text.startswith("Applied: ")
    assert await do("export_trip", tripId=italy) == before
    assert dates(made) == {
        "trip": ("2027-03-22", "2027-03-28"),
        "Rome": ("2027-03-22", "2027-03-25"),
        "Florence": ("2027-03-25", "2027-03-28"),
        "Uffizi": ("2027-03-26", "09:15"),
        "To Florence": ("2027-03-25", "11:20"),
    }
    (uffizi,) = made["commitments"]
    assert (uffizi["legId"], uffizi["mapPinId"]) == (made["legs"][1]["_id"], made["mapPins"][0]["_id"])
    assert [item["text"] for item in made["actionItems"]] == ["Collect tickets on 16 October"]
    assert not any(code in json.dumps(made) for code in ("K4711", "HX1", "12A"))


async def test_parts_are_left_out_of_a_copy(do: Do, italy: str) -> None:
    preview = await do(
        "plan_copy", tripId=italy, title="Bare", startDate="2027-03-22", leaveOut=["commitments", "events", "flights"]
    )

    assert sorted(item["kind"] for item in preview["created"]) == ["action_item", "leg", "leg", "map_pin", "trip"]
    assert "BA553" not in json.dumps(preview["created"])


@pytest.mark.parametrize(
    ("tool", "given", "why"),
    [
        ("plan_move", {"from": "day 1", "days": 0}, "days: 0 is not possible; use 1 to 3650, or -1 to -3650"),
        ("plan_move", {"from": "day 1", "days": 9999}, "days: 9999 is not possible; use 1 to 3650, or -1 to -3650"),
        ("plan_move", {"from": "day 3", "to": "day 2", "days": 1}, "to: 2026-10-13 is before from, 2026-10-14; "),
        ("plan_move", {"from": "2025-10-15", "days": 1}, "from: Wednesday 2025-10-15 is outside the trip. The trip"),
        ("plan_move", {"from": "soonish", "days": 1}, "from: That names no day: give a date"),
        (
            "plan_copy",
            {"title": "x", "startDate": "2027-02-31"},
            "Not sent. Fix the arguments of plan_copy: startDate: ",
        ),
        ("plan_copy", {"title": "x", "startDate": "9999-02-01"}, "startDate: 9999-02-01 leads out of the years 1000 "),
        (
            "plan_copy",
            {"title": "x", "startDate": "2027-02-01", "leaveOut": ["hotels"]},
            "Not sent. Fix the arguments of plan_copy: leaveOut.0: expected one of legs, accommodation, flights, ",
        ),
    ],
)
async def test_what_cannot_be_planned_is_one_sentence(call: Call, italy: str, tool: str, given: Json, why: str) -> None:
    answer = await call(tool, tripId=italy, **given)

    assert answer.is_error
    assert answer.text.startswith(why)
    assert "\n" not in answer.text


def test_a_server_offers_what_it_can_also_apply() -> None:
    def offered(**settings: str) -> set[str]:
        chosen = choose(Settings.from_env({f"TRIPS_MCP_{name}": value for name, value in settings.items()}))
        return {"plan_move", "plan_copy"} & {listing["name"] for listing in chosen.listing}

    assert offered() == {"plan_move", "plan_copy"}
    assert offered(READ_ONLY="true") == set()
    assert offered(TRIP="trip_1") == {"plan_move"}
