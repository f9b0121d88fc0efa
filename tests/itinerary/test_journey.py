"""Parsing of a trip: what it says, and what it leaves open."""

from datetime import date, time
from typing import Any

import pytest

from trips_mcp.contract.events import Event
from trips_mcp.contract.trips import TripExport
from trips_mcp.itinerary.day import day_of
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment
from trips_mcp.itinerary.markdown import day_in_markdown, timeline_in_markdown
from trips_mcp.itinerary.model import Days, Unreadable
from trips_mcp.itinerary.timeline import timeline_of

from .trips import Json, event, export, flight, journey, leg, plan

TUESDAY = date(2026, 7, 21)


@pytest.mark.parametrize(
    ("number", "airline", "ends", "label"),
    [
        ("JL44", "Japan Airlines", ("LHR", "HND"), "JL44 LHR → HND"),
        ("44", "JL", ("LHR", "HND"), "JL 44 LHR → HND"),
        (None, "JAL", ("LHR", None), "JAL LHR → ?"),
        ("NJ 40466", None, (None, None), "NJ 40466"),
        (None, None, (None, None), ""),
    ],
)
def test_a_flight_is_called_by_what_is_known_of_it(
    number: str | None, airline: str | None, ends: tuple[str | None, str | None], label: str
) -> None:
    told = {"flightNumber": number, "airline": airline, "from": ends[0], "to": ends[1]}
    trip = journey(None, legs=[leg("Tokyo", "2026-07-19 2026-07-22", "Asia/Tokyo", flights=[told])])

    assert [move.label for move in trip.moves] == [label]


@pytest.mark.parametrize(
    ("departs", "zones"),
    [
        # on the first and the last day of a leg one comes from elsewhere, or goes there
        ("2026-07-19T10:00", (None, None)),
        ("2026-07-22T10:00", (None, None)),
        ("2026-07-20T10:00", ("Asia/Tokyo", "Asia/Tokyo")),
        ("2026-07-20T10:00 Europe/London", ("Europe/London", "Asia/Tokyo")),
        ("2026-07-20T01:00Z", ("Asia/Tokyo", "Asia/Tokyo")),
    ],
)
def test_a_flights_missing_zone_is_the_legs_only_in_its_midst(
    departs: str, zones: tuple[str | None, str | None]
) -> None:
    by = flight("NH1", f"Here {departs}", f"There {departs[:10]}T11:30")
    trip = journey(None, legs=[leg("Japan", "2026-07-19 2026-07-22", "Asia/Tokyo", flights=[by])])

    (move,) = trip.moves

    assert move.departs is not None
    assert move.arrives is not None
    assert (move.departs.zone, move.arrives.zone) == zones
    assert move.departs.time == time(10)


@pytest.mark.parametrize(
    ("times", "starts", "ends"),
    [
        ("19:00 21:00", time(19), Moment(TUESDAY, time(21))),
        ("22:30 01:00", time(22, 30), Moment(date(2026, 7, 22), time(1))),
        ("19:00", time(19), None),
        ("", None, None),
        ("late later", None, None),
    ],
)
def test_an_end_before_the_start_is_on_the_next_day(times: str, starts: time | None, ends: Moment | None) -> None:
    trip = journey(None, plans=[plan("Dinner", "2026-07-21", times)])

    (dinner,) = trip.appointments

    assert dinner.starts == Moment(TUESDAY, starts)
    assert dinner.ends == ends
    assert dinner.zone_from == "unknown"


def test_an_event_written_with_its_instant_is_brought_to_the_days_zone() -> None:
    tokyo = leg("Tokyo", "2026-07-19 2026-07-22", "Asia/Tokyo")
    trip = journey(None, legs=[tokyo], events=[event("Jazz", "2026-07-21T11:00:00Z")])

    (jazz,) = trip.appointments

    assert jazz.starts == Moment(TUESDAY, time(20), "Asia/Tokyo")


@pytest.mark.parametrize(
    ("dates", "days"),
    [
        ("2026-07-19 2026-07-28", Days(date(2026, 7, 19), date(2026, 7, 28))),
        ("2026-07-28 2026-07-19", Days(date(2026, 7, 19), date(2026, 7, 28))),
        ("2026-07-19 soon", Days(date(2026, 7, 19), date(2026, 7, 22))),
        (None, Days(TUESDAY, date(2026, 7, 22))),
    ],
)
def test_a_trips_days_are_its_own_else_those_of_its_parts(dates: str | None, days: Days) -> None:
    trip = journey(dates, legs=[leg("Tokyo", "2026-07-21 2026-07-22", "Asia/Tokyo")])

    assert trip.dates == days


def test_what_cannot_be_read_is_noted_with_its_field() -> None:
    odd = leg(
        "Tokyo", "2026-02-30 later", "Mars/Olympus", flights=[flight("NH1", "HND soon", "CTS 2026-07-21T11:30 X")]
    )
    trip = journey(
        "soon 2026-07-28",
        legs=[odd],
        plans=[plan("Tea", "tomorrow", "noon 13:00", timezone="X")],
        events=[event("Jazz", "never", "late")],
    )

    assert trip.unreadable == (
        Unreadable("commitment", "com_tea", "startDate"),
        Unreadable("commitment", "com_tea", "startTime"),
        Unreadable("commitment", "com_tea", "timezone"),
        Unreadable("event", "415", "date"),
        Unreadable("flight", "leg_tokyo", "flights.0.arrivalTimezone"),
        Unreadable("flight", "leg_tokyo", "flights.0.departure"),
        Unreadable("leg", "leg_tokyo", "endDate"),
        Unreadable("leg", "leg_tokyo", "startDate"),
        Unreadable("leg", "leg_tokyo", "timezone"),
        Unreadable("trip", "trip_1", "startDate"),
    )


EMPTY: dict[str, Json] = {
    "nothing": {},
    "nulls": {"trip": None},
    "a trip alone": {"trip": {}},
    "empty parts": {"legs": [{}], "mapPins": [{}], "actionItems": [{}], "commitments": [{}], "members": [{}]},
    "nested nulls": {
        "legs": [{"_id": "a", "accommodation": None, "flights": None, "rentalCar": None}],
    },
    "nested empties": {"legs": [{"_id": "a", "accommodation": {}, "flights": [{}], "rentalCar": {}}]},
    "ends before starts": {
        "trip": {"_id": "t", "startDate": "2026-07-28", "endDate": "2026-07-19"},
        "legs": [
            {
                "_id": "a",
                "startDate": "2026-07-28",
                "endDate": "2026-07-19",
                "timezone": "Asia/Tokyo",
                "accommodation": {"name": "x", "checkIn": "2026-07-25", "checkOut": "2026-07-20"},
                "flights": [{"departure": "2026-07-25T10:00", "arrival": "2026-07-20T10:00"}],
                "rentalCar": {"pickUp": "2026-07-25", "dropOff": "2026-07-20"},
            }
        ],
    },
    "the ends of time": {
        "trip": {"startDate": "0002-01-01", "endDate": "9998-12-31"},
        "legs": [{"startDate": "0001-01-01", "endDate": "9999-12-31"}, {"startDate": "0002-01-01"}],
        "commitments": [
            {"startDate": "9998-12-31", "startTime": "23:00", "endTime": "01:00", "timezone": "Pacific/Kiritimati"},
            {"startDate": "0002-01-01", "startTime": "00:00", "timezone": "Pacific/Kiritimati"},
        ],
    },
    "the same ids": {
        "legs": [{"_id": "a", "startDate": "2026-07-19"}, {"_id": "a", "startDate": "2026-07-20"}],
        "mapPins": [{"_id": "p"}, {"_id": "p", "name": "x"}],
        "commitments": [{"_id": "c", "legId": "a", "mapPinId": "p", "startDate": "2026-07-20"}] * 2,
    },
    "unknown keys of any kind": {
        "trip": {"_id": "t", "startDate": "2026-07-19", "endDate": "2026-07-20", "surprise": {"a": [None, 1]}},
        "legs": [{"_id": "a", "accommodation": {"pets": True, "rooms": [1, {}]}, "flights": [{"gate": {"x": 1}}]}],
    },
}


@pytest.mark.parametrize("fields", EMPTY.values(), ids=EMPTY.keys())
def test_odd_and_empty_trips_have_answers(fields: Json) -> None:
    events = [Event.model_validate(one) for one in ({}, {"date": "2026-07-19"}, {"id": 1, "time": "10:00"})]
    trip = Journey.of(TripExport.model_validate(fields), events)

    timeline = timeline_of(trip)
    asked = [date.fromisoformat(row.date) for row in timeline.rows or []]
    texts = [day_in_markdown(day_of(trip, day, day)) for day in [TUESDAY, *asked]]

    assert all(text.startswith("# ") for text in [*texts, timeline_in_markdown(timeline)])


@pytest.mark.parametrize("parts", [{}, {"legs": [{"startDate": "2026-07-19"}]}])
def test_a_trip_without_an_id_or_title_is_told_too(parts: dict[str, Any]) -> None:
    assert timeline_in_markdown(timeline_of(journey(None, **parts))).startswith("# A trip (tripId trip_1)")
    assert timeline_in_markdown(timeline_of(Journey.of(export()))).startswith("# A trip")
