"""Copies of a trip: what a new trip on other dates gets, and what stays with the old bookings."""

import json
from datetime import date
from math import ceil
from typing import Any

import pytest

from trips_mcp.contract.trips import TripExport
from trips_mcp.itinerary.journey import Journey
from trips_mcp.planning.copy import PARTS, copy
from trips_mcp.planning.draft import Draft, NotPlannableError

from .applied import parsed

Json = dict[str, Any]

TRIP: Json = {
    "trip": {"_id": "trip_1", "title": "Lisbon", "startDate": "2026-10-20", "endDate": "2026-10-26"},
    "legs": [
        {
            "_id": "leg_1",
            "order": 1,
            "title": "Lisbon",
            "destination": "Lisbon",
            "startDate": "2026-10-20",
            "endDate": "2026-10-26",
            "timezone": "Europe/Lisbon",
            "clientRef": "sheet-1",
            "accommodation": {
                "name": "Casa",
                "address": "Rua 1",
                "checkIn": "2026-10-20T15:00",
                "checkOut": "11:00",
                "confirmationNumber": "SECRET-1",
                "doorCode": "SECRET-2",
                "wifiName": "SECRET-3",
                "wifiPassword": "SECRET-4",
                "hostPhone": "SECRET-5",
                "checkInInstructions": "SECRET-6",
                "gateCode": "SECRET-7",
                "notes": "Quiet at the back",
            },
            "flights": [
                {
                    "flightNumber": "TP1",
                    "from": "LHR",
                    "to": "LIS",
                    "departure": "2026-10-20T09:00",
                    "arrival": "2026-10-20T11:45",
                    "departureTimezone": "Europe/London",
                    "arrivalTimezone": "Europe/Lisbon",
                    "confirmationNumber": "SECRET-8",
                    "seat": "SECRET-9",
                }
            ],
            "rentalCar": {"company": "Carros", "pickUp": "2026-10-21T10:00", "confirmationNumber": "SECRET-10"},
        }
    ],
    "mapPins": [{"_id": "pin_1", "name": "Belém", "lat": 38.7, "lng": -9.2, "category": "sight", "clientRef": "p"}],
    "commitments": [
        {
            "_id": "com_1",
            "title": "Fado",
            "startDate": "2026-10-25",
            "startTime": "01:30",
            "endTime": "03:00",
            "timezone": "Europe/Lisbon",
            "category": "activity",
            "legId": "leg_1",
            "mapPinId": "pin_1",
        },
        {"_id": "com_2", "title": "Ada", "startDate": "2026-10-22", "isAllDay": True, "category": "party"},
    ],
    "actionItems": [
        {"_id": "todo_1", "text": "Passports", "urgency": "before_trip", "completed": True, "owner": "user_1"},
        {"_id": "todo_2", "text": "Pay by 21 October", "urgency": "now", "completed": False},
    ],
}
EVENTS: list[Json] = [{"id": 1, "title": "Tram", "type": "activity", "date": "2026-10-21"}]


def copied(export: Json = TRIP, start: str = "2027-03-23", *leave_out: str, events: list[Json] = EVENTS) -> Draft:
    journey = Journey.of(*parsed(export, events))
    return copy(journey, "Lisbon again", date.fromisoformat(start), group_id="group_1", leave_out=leave_out)


def items(draft: Draft, tool: str) -> list[Json]:
    """What the calls of a tool create."""
    calls = [change.arguments for change in draft.changes if change.tool == tool]
    return [item for call in calls for item in call.get("items", [call])]


def without(value: Json, *names: str) -> Json:
    return {name: inner for name, inner in value.items() if name not in names}


def test_a_copy_is_a_new_trip_of_the_same_length_with_all_parts() -> None:
    draft = copied()

    assert [(change.tool, change.name) for change in draft.changes] == [
        ("create_trip", "trip"),
        ("upsert_legs", "legs"),
        ("upsert_map_pins", "pins"),
        ("upsert_action_items", "todos"),
        ("create_commitment", None),
        ("create_commitment", None),
    ]
    assert draft.changes[0].arguments == {
        "groupId": "group_1",
        "title": "Lisbon again",
        "startDate": "2027-03-23",
        "endDate": "2027-03-29",
    }
    assert {change.arguments["tripId"] for change in draft.changes[1:]} == {"@trip"}
    assert [change.arguments.get("autoClientRef") for change in draft.changes[1:4]] == [False, False, False]


def test_a_leg_keeps_its_times_on_the_new_dates() -> None:
    (leg,) = items(copied(), "upsert_legs")

    assert leg == {
        "order": 1,
        "title": "Lisbon",
        "destination": "Lisbon",
        "startDate": "2027-03-23",
        "endDate": "2027-03-29",
        "timezone": "Europe/Lisbon",
        "accommodation": {
            "name": "Casa",
            "address": "Rua 1",
            "checkIn": "2027-03-23T15:00",
            "checkOut": "11:00",
            "notes": "Quiet at the back",
        },
        "flights": [
            {
                "flightNumber": "TP1",
                "from": "LHR",
                "to": "LIS",
                "departure": "2027-03-23T09:00",
                "arrival": "2027-03-23T11:45",
                "departureTimezone": "Europe/London",
                "arrivalTimezone": "Europe/Lisbon",
            }
        ],
        "rentalCar": {"company": "Carros", "pickUp": "2027-03-24T10:00"},
    }


def test_commitments_are_linked_to_the_new_leg_and_pin() -> None:
    ada, fado = items(copied(), "create_commitment")

    assert fado == {
        **without(TRIP["commitments"][0], "_id"),
        "tripId": "@trip",
        "startDate": "2027-03-28",
        "legId": "@legs.1",
        "mapPinId": "@pins.1",
    }
    assert ada == {"tripId": "@trip", "title": "Ada", "startDate": "2027-03-25", "isAllDay": True, "category": "other"}


def test_todos_are_unticked_and_nobody_s() -> None:
    assert items(copied(), "upsert_action_items") == [
        {"text": "Passports", "urgency": "before_trip"},
        {"text": "Pay by 21 October", "urgency": "now"},
    ]


def test_nothing_secret_is_in_a_copy_and_a_note_counts_what_stays_behind() -> None:
    draft = copied()

    assert "SECRET" not in json.dumps([change.arguments for change in draft.changes])
    assert [note.why for note in draft.notes] == [
        "Not copied: 1 Wi-Fi name, 1 Wi-Fi password, 1 check-in instruction, 3 confirmation numbers, 1 door code, "
        "1 host phone number, 1 seat, 1 to-do owner, 1 event. Messages and share links stay too.",
        "1 flight is copied without a booking and with the old times of day; check them for the new dates.",
        "A to-do names 2026-10-21; its text stays as it is.",
    ]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_left_out(part: str) -> None:
    export = {**TRIP, "trip": {**TRIP["trip"], "number": 7}}
    whole, without_it = (json.dumps(asked(copied(export, "2027-03-23", *left))) for left in ((), (part,)))
    sign = {
        "legs": '"Europe/London"',
        "accommodation": '"Casa"',
        "flights": '"TP1"',
        "rentalCars": '"Carros"',
        "mapPins": "Bel",
        "commitments": '"Fado"',
        "actionItems": "Passports",
        "events": '"Tram"',
        "notes": "Quiet",
    }[part]

    assert sign in whole
    assert sign not in without_it


def asked(draft: Draft) -> list[Json]:
    return [change.arguments for change in draft.changes]


def test_a_commitment_of_a_leg_that_is_left_out_is_linked_to_none() -> None:
    _, fado = items(copied(TRIP, "2027-03-23", "legs", "mapPins"), "create_commitment")

    assert not {"legId", "mapPinId"} & fado.keys()


def test_events_are_copied_where_the_new_trip_has_a_number() -> None:
    event = {
        **EVENTS[0],
        "date": "2026-10-21T09:30:00Z",
        "description": "Line 28",
        "planner_user_id": "u",
        "revision": 3,
    }
    export = {**TRIP, "trip": {**TRIP["trip"], "number": 7}}

    draft = copied(export, events=[event])

    assert draft.changes[-1].arguments == {
        "type": "activity",
        "title": "Tram",
        "date": "2027-03-24",
        "time": "10:30",
        "description": "Line 28",
        "trip_ids": ["@trip"],
    }
    assert "1 event" not in draft.notes[0].why


def test_a_leg_that_lacks_a_zone_is_named_and_not_copied() -> None:
    draft = copied({**TRIP, "legs": [{**TRIP["legs"][0], "timezone": None, "flights": []}]})

    assert not items(draft, "upsert_legs")
    (found,) = (note for note in draft.notes if note.leg_id == "leg_1")
    assert (found.kind, found.why) == ("left_out", "Leg leg_1 is not copied: fix its timezone first.")
    assert "legId" not in items(draft, "create_commitment")[1]


def test_five_hundred_parts_take_thirteen_requests_at_most() -> None:
    legs = [{**TRIP["legs"][0], "_id": f"leg_{n}", "title": f"Leg {n}"} for n in range(101)]
    pins = [{**TRIP["mapPins"][0], "_id": f"pin_{n}"} for n in range(249)]
    todos = [{**TRIP["actionItems"][0], "_id": f"todo_{n}"} for n in range(150)]

    draft = copied({**TRIP, "legs": legs, "mapPins": pins, "actionItems": todos, "commitments": []})

    sizes = [len(change.arguments.get("items", [None])) for change in draft.changes]
    assert sum(sizes) == 501
    assert sum(ceil(size / 50) for size in sizes) <= 13


def test_a_long_list_is_split_into_calls_and_references_follow() -> None:
    legs = [{**TRIP["legs"][0], "_id": f"leg_{n}", "order": n, "startDate": "2026-10-20"} for n in range(1, 503)]
    plans = [{**TRIP["commitments"][0], "legId": f"leg_{n}"} for n in (1, 500, 501, 502)]

    draft = copied({**TRIP, "legs": legs, "commitments": plans})

    assert [change.name for change in draft.changes if change.tool == "upsert_legs"] == ["legs", "legs_2"]
    by_name = {change.name: change.arguments.get("items", []) for change in draft.changes}
    linked = [plan["legId"][1:].split(".") for plan in items(draft, "create_commitment")]
    assert [by_name[name][int(place) - 1]["order"] for name, place in linked] == [1, 500, 501, 502]


BAD = [
    (
        ("2027-03-23", "hotels"),
        "leaveOut: 'hotels' is no part of a trip; use legs, accommodation, flights, rentalCars, ",
    ),
    (("0027-03-23",), "startDate: 0027-03-23 leads out of the years 1000 to 9000; use another one."),
    (("9001-03-23",), "startDate: 9001-03-23 leads out of the years 1000 to 9000; use another one."),
]


@pytest.mark.parametrize(("given", "why"), BAD)
def test_a_copy_that_is_not_possible_says_why(given: tuple[str, ...], why: str) -> None:
    with pytest.raises(NotPlannableError) as refused:
        copied(TRIP, *given)

    assert str(refused.value).startswith(why)


def test_a_trip_without_dates_or_group_is_not_copied() -> None:
    undated = Journey.of(TripExport.model_validate({"trip": {"_id": "trip_1", "title": "?"}}))
    with pytest.raises(NotPlannableError, match=r"^The trip has no dates to copy; set startDate"):
        copy(undated, "Again", date(2027, 3, 1), group_id="group_1")
    with pytest.raises(NotPlannableError, match=r"^The trip's group is not known"):
        copy(Journey.of(*parsed(TRIP)), "Again", date(2027, 3, 1), group_id=None)
