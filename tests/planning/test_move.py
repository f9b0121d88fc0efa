"""Moves of a trip: what a traveller expects to find on the new dates, and what is left to rebook."""

from datetime import date
from typing import Any

import pytest

from trips_mcp.itinerary.journey import Journey
from trips_mcp.planning.change import Change
from trips_mcp.planning.draft import Draft, NotPlannableError
from trips_mcp.planning.move import move

from .applied import moved, parsed

Json = dict[str, Any]

ROME: Json = {
    "_id": "leg_rome",
    "order": 1,
    "title": "Rome",
    "destination": "Rome",
    "startDate": "2026-10-12",
    "endDate": "2026-10-15",
    "timezone": "Europe/Rome",
    "accommodation": {"name": "Pensione", "checkIn": "15:00", "checkOut": "2026-10-15T10:00"},
    "rentalCar": {"company": "Noleggio", "pickUp": "2026-10-13T09:00", "dropOff": "2026-10-15"},
}
FLORENCE: Json = {
    "_id": "leg_florence",
    "order": 2,
    "title": "Florence",
    "destination": "Florence",
    "startDate": "2026-10-15",
    "endDate": "2026-10-18",
    "timezone": "Europe/Rome",
    "accommodation": {"name": "Albergo", "checkIn": "2026-10-15T16:30", "checkOut": "2026-10-18T10:00"},
}
HOME: Json = {
    "_id": "leg_home",
    "order": 3,
    "title": "On the way home",
    "destination": "London",
    "startDate": "2026-10-18",
    "endDate": "2026-10-18",
    "timezone": "Europe/London",
    "flights": [
        {
            "airline": "BA",
            "flightNumber": "BA553",
            "from": "FCO",
            "to": "LHR",
            "departure": "2026-10-18T18:10",
            "arrival": "2026-10-18T20:00",
            "departureTimezone": "Europe/Rome",
            "arrivalTimezone": "Europe/London",
            "confirmationNumber": "QX7K2P",
            "seat": "12A",
            "terminal": "3",
        }
    ],
}
PLANS: list[Json] = [
    {"_id": "com_forum", "title": "Forum", "startDate": "2026-10-13", "startTime": "10:00", "category": "activity"},
    {
        "_id": "com_uffizi",
        "title": "Uffizi",
        "startDate": "2026-10-16",
        "startTime": "09:15",
        "endTime": "12:00",
        "timezone": "Europe/Rome",
        "category": "activity",
        "legId": "leg_florence",
    },
    {"_id": "com_birthday", "title": "Ada", "startDate": "2026-10-17", "isAllDay": True, "category": "birthday"},
]
EVENTS: list[Json] = [
    {"id": 4, "title": "Train to Florence", "type": "train", "date": "2026-10-15", "time": "11:20"},
    {"id": 5, "title": "Cooking class", "type": "activity", "date": "2026-10-17", "time": "18:00"},
]


def trip(**more: Any) -> Json:
    return {
        "trip": {"_id": "trip_1", "title": "Italy", "startDate": "2026-10-12", "endDate": "2026-10-18"},
        "legs": [ROME, FLORENCE, HOME],
        "commitments": PLANS,
        "mapPins": [],
        "actionItems": [],
        **more,
    }


def planned(
    export: Json, first: str, days: int, last: str | None = None, *, booked: bool = False, events: list[Json] = EVENTS
) -> Draft:
    journey = Journey.of(*parsed(export, events))
    until = None if last is None else date.fromisoformat(last)
    return move(journey, date.fromisoformat(first), days, until, booked=booked)


def after(export: Json, draft: Draft, events: list[Json] = EVENTS) -> dict[str, str]:
    """Each dated field by the part's id."""
    export, events = moved(export, events, draft.changes)
    found = {"trip": f"{export['trip']['startDate']} {export['trip']['endDate']}"}
    found |= {leg["_id"]: f"{leg['startDate']} {leg['endDate']}" for leg in export["legs"]}
    found |= {plan["_id"]: plan["startDate"] for plan in export["commitments"]}
    return found | {f"event {event['id']}": event["date"] for event in events}


def whys(draft: Draft, kind: str) -> list[str]:
    return [note.why for note in draft.notes if note.kind == kind]


def of(draft: Draft, tool: str, which: str = "") -> Json:
    """The arguments of its one change with this tool."""
    (found,) = (
        change.arguments
        for change in draft.changes
        if change.tool == tool and (not which or which in change.arguments.values())
    )
    return found


def test_everything_from_a_day_on_is_a_day_later() -> None:
    draft = planned(trip(), "2026-10-15", 1)

    assert after(trip(), draft) == {
        "trip": "2026-10-12 2026-10-19",
        "leg_rome": "2026-10-12 2026-10-16",
        "leg_florence": "2026-10-16 2026-10-19",
        "leg_home": "2026-10-19 2026-10-19",
        "com_forum": "2026-10-13",
        "com_uffizi": "2026-10-17",
        "com_birthday": "2026-10-18",
        "event 4": "2026-10-16",
        "event 5": "2026-10-18",
    }


def test_a_leg_that_is_under_way_ends_later_and_keeps_its_beginning() -> None:
    draft = planned(trip(), "2026-10-14", 2)

    assert of(draft, "update_leg", "leg_rome") == {
        "tripId": "trip_1",
        "legId": "leg_rome",
        "endDate": "2026-10-17",
        "accommodation": {"checkOut": "2026-10-17T10:00"},
        "rentalCar": {"dropOff": "2026-10-17"},
    }


def test_a_shorter_leg_ends_earlier() -> None:
    draft = planned(trip(), "2026-10-17", -1)

    assert after(trip(), draft)["leg_florence"] == "2026-10-15 2026-10-17"
    assert after(trip(), draft)["trip"] == "2026-10-12 2026-10-17"


def test_a_whole_trip_moves_with_its_dates_and_its_times_stay() -> None:
    draft = planned(trip(), "2026-10-12", 365, booked=True)

    found, events = moved(trip(), EVENTS, draft.changes)
    assert found["trip"] == {**trip()["trip"], "startDate": "2027-10-12", "endDate": "2027-10-18"}
    assert found["legs"][0]["accommodation"] == {
        "name": "Pensione",
        "checkIn": "15:00",
        "checkOut": "2027-10-15T10:00",
    }
    assert found["legs"][2]["flights"] == [
        {**HOME["flights"][0], "departure": "2027-10-18T18:10", "arrival": "2027-10-18T20:00"}
    ]
    assert found["commitments"][1] == {**PLANS[1], "startDate": "2027-10-16"}
    assert events[0] == {**EVENTS[0], "date": "2027-10-15"}


def test_a_flight_stays_and_is_to_rebook_unless_bookings_move_too() -> None:
    left, taken = planned(trip(), "2026-10-18", 1), planned(trip(), "2026-10-18", 1, booked=True)

    assert "flights" not in of(left, "update_leg", "leg_home")
    assert whys(left, "to_rebook") == [
        "Flight BA553 is booked for Sunday 2026-10-18 18:10 Europe/Rome; the things around it move to 2026-10-19."
    ]
    assert of(taken, "update_leg", "leg_home")["flights"][0]["departure"] == "2026-10-19T18:10"
    assert whys(taken, "to_rebook") == []


def test_a_booked_stay_keeps_its_dates_where_only_its_leg_had_them() -> None:
    booked = {**FLORENCE, "accommodation": {"name": "Albergo", "checkIn": "16:30", "confirmationNumber": "HM4"}}

    draft = planned(trip(legs=[ROME, booked]), "2026-10-15", 1)

    assert of(draft, "update_leg", "leg_florence")["accommodation"] == {
        "checkIn": "2026-10-15T16:30",
        "checkOut": "2026-10-18",
    }
    assert whys(draft, "to_rebook") == [
        "The stay of leg leg_florence is booked from 2026-10-15 to 2026-10-18; leg leg_florence is now from "
        "2026-10-16 to 2026-10-19."
    ]


def test_a_booked_stay_fits_again_once_its_leg_is_back() -> None:
    booked = {**FLORENCE, "accommodation": {**FLORENCE["accommodation"], "confirmationNumber": "HM4"}}
    export = trip(legs=[ROME, booked])

    there, events = moved(export, EVENTS, planned(export, "2026-10-15", 1).changes)
    back = planned(there, "2026-10-16", -1, events=events)

    assert whys(back, "to_rebook") == []
    assert moved(there, events, back.changes) == (export, EVENTS)


def test_a_booked_car_and_a_booked_event_stay() -> None:
    car = {**ROME, "rentalCar": {**ROME["rentalCar"], "confirmationNumber": "RC9"}}
    events = [{**EVENTS[0], "booking_status": "confirmed"}, {**EVENTS[1], "booking_status": "not_booked"}]

    draft = planned(trip(legs=[car]), "2026-10-15", 3, events=events)

    assert "rentalCar" not in of(draft, "update_leg", "leg_rome")
    assert whys(draft, "to_rebook") == [
        "The car of leg leg_rome is booked from 2026-10-13 to 2026-10-15; leg leg_rome is now from 2026-10-12 to "
        "2026-10-18.",
        "Event 4 is booked for Thursday 2026-10-15 11:20 Europe/Rome; the things around it move to 2026-10-18.",
    ]
    assert [change.arguments["event_id"] for change in draft.changes if change.tool == "update_event"] == [5]


def test_an_event_that_is_a_flight_is_a_booking() -> None:
    flight = {"id": 9, "title": "To Pisa", "type": "Flight", "date": "2026-10-17", "time": "07:00"}

    draft = planned(trip(), "2026-10-17", 1, events=[flight])

    assert not [change for change in draft.changes if change.tool == "update_event"]
    assert "Event 9 is booked" in whys(draft, "to_rebook")[-1]


def test_between_two_dates_only_what_lies_there_moves() -> None:
    draft = planned(trip(), "2026-10-16", 1, "2026-10-16")

    assert [(change.tool, change.arguments) for change in draft.changes] == [
        ("update_commitment", {"tripId": "trip_1", "commitmentId": "com_uffizi", "startDate": "2026-10-17"})
    ]


def test_between_two_dates_a_change_of_place_moves_with_its_day() -> None:
    draft = planned(trip(), "2026-10-15", 1, "2026-10-15")

    found = after(trip(), draft)
    assert (found["leg_rome"], found["leg_florence"]) == ("2026-10-12 2026-10-16", "2026-10-16 2026-10-18")
    assert found["leg_home"] == "2026-10-18 2026-10-18"
    assert found["trip"] == "2026-10-12 2026-10-18"


def test_the_first_day_is_swapped_without_moving_the_leg_that_begins_on_it() -> None:
    arrival = {"_id": "com_walk", "title": "Walk", "startDate": "2026-10-12", "category": "activity"}

    draft = planned(trip(commitments=[arrival]), "2026-10-12", 1, "2026-10-12")

    assert [change.tool for change in draft.changes] == ["update_commitment"]


def test_the_trip_grows_for_what_moves_out_of_it() -> None:
    later, earlier = planned(trip(), "2026-10-16", 9, "2026-10-16"), planned(trip(), "2026-10-13", -4, "2026-10-13")

    assert of(later, "update_trip") == {"tripId": "trip_1", "endDate": "2026-10-25"}
    assert of(earlier, "update_trip")["startDate"] == "2026-10-09"


def test_the_trip_still_holds_what_stays() -> None:
    lone = {"_id": "com_late", "title": "Last supper", "startDate": "2026-10-17", "category": "dinner"}

    draft = planned(trip(legs=[], commitments=[lone]), "2026-10-18", -5, events=[])

    assert of(draft, "update_trip") == {"tripId": "trip_1", "endDate": "2026-10-17"}


def test_a_check_in_after_midnight_goes_with_its_night() -> None:
    late = {**FLORENCE, "accommodation": {"name": "Albergo", "checkIn": "2026-10-16T00:40"}}

    draft = planned(trip(legs=[late]), "2026-10-16", 1)

    assert "accommodation" not in of(draft, "update_leg", "leg_florence")


def test_clock_times_stay_local_over_a_clock_change() -> None:
    """Europe/Rome leaves summer time on 2026-10-25. The service sends the car's hour as an instant."""
    car = {
        **FLORENCE,
        "rentalCar": {"company": "Noleggio", "pickUp": "2026-10-16T07:00:00Z", "dropOff": "2026-10-17T18:00"},
    }

    draft = planned(trip(legs=[car]), "2026-10-16", 14)

    assert of(draft, "update_leg", "leg_florence")["rentalCar"] == {
        "pickUp": "2026-10-30T09:00",
        "dropOff": "2026-10-31T18:00",
    }


def test_instants_of_flights_and_events_become_local_times() -> None:
    flight = {**HOME["flights"][0], "departure": "2026-10-18T16:10:00Z", "arrival": "2026-10-18T19:00:00+00:00"}
    event = {"id": 7, "title": "Fado", "type": "activity", "date": "2026-10-16T19:30:00Z"}
    export = trip(legs=[FLORENCE, {**HOME, "flights": [flight]}])

    draft = planned(export, "2026-10-16", 14, booked=True, events=[event])

    (written,) = of(draft, "update_leg", "leg_home")["flights"]
    assert (written["departure"], written["arrival"]) == ("2026-11-01T18:10", "2026-11-01T20:00")
    assert of(draft, "update_event") == {"event_id": 7, "date": "2026-10-30", "time": "21:30"}


def test_an_overnight_flight_moves_as_one_and_not_from_its_middle() -> None:
    night = {**HOME["flights"][0], "departure": "2026-10-17T23:10", "arrival": "2026-10-18T06:00"}
    export = trip(legs=[FLORENCE, {**HOME, "flights": [night]}])

    from_departure = planned(export, "2026-10-17", 1, booked=True)
    from_arrival = planned(export, "2026-10-18", 1, booked=True)

    (written,) = of(from_departure, "update_leg", "leg_home")["flights"]
    assert (written["departure"], written["arrival"]) == ("2026-10-18T23:10", "2026-10-19T06:00")
    assert "flights" not in of(from_arrival, "update_leg", "leg_home")
    assert whys(from_arrival, "to_rebook") == ["Flight BA553 leaves on 2026-10-17, before 2026-10-18, and stays."]


def test_all_flights_of_a_leg_are_sent_when_one_moves() -> None:
    out = {
        **HOME["flights"][0],
        "flightNumber": "BA552",
        "departure": "2026-10-12T07:00",
        "arrival": "2026-10-12T10:40",
    }
    export = trip(legs=[{**HOME, "startDate": "2026-10-12", "flights": [HOME["flights"][0], out]}])

    draft = planned(export, "2026-10-18", 1, booked=True)

    first, second = of(draft, "update_leg", "leg_home")["flights"]
    assert (first["departure"], first["terminal"]) == ("2026-10-19T18:10", "3")
    assert second == out


def test_flights_that_cannot_be_written_back_stay_and_are_named() -> None:
    odd = {"flightNumber": "XX1", "departure": "sometime"}
    export = trip(legs=[{**HOME, "flights": [HOME["flights"][0], odd]}])

    draft = planned(export, "2026-10-18", 1, booked=True)

    assert "flights" not in of(draft, "update_leg", "leg_home")
    assert whys(draft, "left_as_is") == [
        "The flights of leg leg_home stay: one of them has a value that update_leg does not take; fix it."
    ]


TODOS = [
    "Buy tickets by 16 October",
    "Post office on 2026-10-17, before noon",
    "Am 16.10. Karten abholen",
    "Call the hotel 10/16",
    "Réserver pour le 16 octobre 2026",
    "チケットを10月16日に買う",
    "Oct 17th: pay the rest",
]


@pytest.mark.parametrize("text", TODOS)
def test_a_todo_that_names_a_date_that_moves_is_named_and_left(text: str) -> None:
    todo = {"_id": "todo_1", "text": text, "urgency": "now", "completed": False}

    draft = planned(trip(actionItems=[todo]), "2026-10-16", 1)

    (found,) = (note for note in draft.notes if note.kind == "names_date")
    assert found.item_id == "todo_1"
    assert found.title == text
    assert not [change for change in draft.changes if "action_item" in change.tool]
    assert text not in found.why


@pytest.mark.parametrize(
    "text",
    ["Buy tickets by 14 October", "Room 16/10a", "10:16 train", "16 October 2025", "Call 030 2026-10", "1.2.3.4"],
)
def test_a_todo_without_a_date_that_moves_is_not_named(text: str) -> None:
    todo = {"_id": "todo_1", "text": text, "urgency": "now"}

    assert whys(planned(trip(actionItems=[todo]), "2026-10-16", 1), "names_date") == []


def test_a_note_that_names_a_date_that_moves_is_named() -> None:
    plans = [{**PLANS[0], "notes": "Tickets are for 16 Oct, not for us"}]

    assert whys(planned(trip(commitments=plans), "2026-10-16", 1), "names_date") == [
        "Commitment com_forum names 2026-10-16 (moves to 2026-10-17); its text stays as it is."
    ]


BAD = [
    (("2026-10-15", 0), "days: 0 is not possible; use 1 to 3650, or -1 to -3650 for earlier."),
    (("2026-10-15", 3651), "days: 3651 is not possible; use 1 to 3650, or -1 to -3650 for earlier."),
    (("2026-10-15", 1, "2026-10-14"), "to: 2026-10-14 is before from, 2026-10-15; swap them, or leave out to."),
    (
        ("2025-10-15", 1),
        "from: 2025-10-15 is outside the trip, which lasts from 2026-10-12 to 2026-10-18; use a day of it.",
    ),
    (
        ("2026-10-15", 1, "2027-10-15"),
        "to: 2027-10-15 is outside the trip, which lasts from 2026-10-12 to 2026-10-18; use a day of it.",
    ),
    (
        ("2026-10-18", -4),
        "days: -4 is too far for leg leg_florence, 2026-10-15 to 2026-10-18: it would end it before it starts; move "
        "at most 3 days earlier, or choose other dates.",
    ),
    (
        ("2026-10-15", 4, "2026-10-15"),
        "days: 4 is too far for leg leg_florence, 2026-10-15 to 2026-10-18: it would start it after it ends; move at "
        "most 3 days later, or choose other dates.",
    ),
]


@pytest.mark.parametrize(("asked", "why"), BAD)
def test_a_move_that_is_not_possible_says_why(asked: tuple[Any, ...], why: str) -> None:
    with pytest.raises(NotPlannableError) as refused:
        planned(trip(), *asked)

    assert str(refused.value) == why


def test_a_trip_without_dates_has_nothing_to_move() -> None:
    with pytest.raises(NotPlannableError, match=r"^The trip has no dates to move; set startDate and endDate"):
        planned(trip(trip={"_id": "trip_1"}), "2026-10-15", 1)


def test_a_day_with_nothing_but_bookings_says_how_to_move_them() -> None:
    stay = {**HOME, "startDate": "2026-10-14", "endDate": "2026-10-20", "flights": HOME["flights"]}
    export = trip(trip={"_id": "trip_1", "startDate": "2026-10-12", "endDate": "2026-10-20"}, legs=[stay])

    with pytest.raises(
        NotPlannableError, match=r"^Only bookings lie from 2026-10-18 to 2026-10-18 \(1\), .* moveBooked"
    ):
        planned(export, "2026-10-18", 1, "2026-10-18")
    with pytest.raises(NotPlannableError, match=r"^Nothing of the trip lies from 2026-10-19 to 2026-10-19 that can"):
        planned(export, "2026-10-19", 1, "2026-10-19")


def test_a_move_out_of_the_calendar_is_refused() -> None:
    export = trip(trip={"_id": "trip_1", "startDate": "8999-10-12", "endDate": "8999-10-20"}, legs=[], commitments=[])

    with pytest.raises(NotPlannableError, match=r"^days: 3650 leads out of the years 1000 to 9000"):
        planned(export, "8999-10-12", 3650, events=[])


def test_a_change_is_a_call_of_a_tool() -> None:
    assert planned(trip(), "2026-10-18", 1).changes[0] == Change(
        "update_trip", {"tripId": "trip_1", "endDate": "2026-10-19"}
    )
