"""Zones inferred from airports, cities and pins, and how the answers name their source."""

from collections.abc import Sequence
from datetime import date
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trips_mcp.itinerary.check import check
from trips_mcp.itinerary.day import day_of
from trips_mcp.itinerary.day_items import duration
from trips_mcp.itinerary.formatting import length
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.markdown import day_in_markdown
from trips_mcp.places.airports import airport

from .trips import Json, event, flight, journey, leg, pin, plan, quoted


def flying(*flights: Json, dates: str = "2027-01-01 2027-12-01") -> Journey:
    """A leg without a zone, so that only the flights give one."""
    return journey(dates, legs=[leg("Here and there", dates, None, stay="A bed", flights=list(flights))])


def on_day(trip: Journey, day: str) -> list[str]:
    """Lines of its plans. Other people's words are between « and »."""
    text = day_in_markdown(quoted(day_of(trip, date.fromisoformat(day))))
    return [line for line in text.split("\n") if line.startswith("- ")]


def own_findings(trip: Journey) -> list[str]:
    """Without that of the leg, which has no zone."""
    kinds = ("arrival_before_departure", "connection_too_short", "too_long_under_way", "overlap", "zone_contradicts")
    found = [f"{one.grade} {one.kind}" for one in check(trip).findings if one.kind in kinds]
    lacking = [part for one in check(trip).findings if one.kind == "no_zone" for part in one.about if part.flight]
    return found + [f"no zone {part.field}" for part in lacking]


@pytest.mark.parametrize(
    ("departs", "arrives", "taken", "weekdays"),
    [
        ("SIN 2026-11-10T09:25", "SFO 2026-11-10T08:15", "14 h 50 min", ("Tuesday", "Tuesday")),
        ("HND 2027-03-03T19:53", "EWR 2027-03-03T18:59", "13 h 06 min", ("Wednesday", "Wednesday")),
        ("BNE 2027-01-15T08:00", "SYD 2027-01-15T10:35", "1 h 35 min", ("Friday", "Friday")),
        ("AKL 2027-06-05T23:55", "HNL 2027-06-05T10:00", "8 h 05 min", ("Saturday", "Saturday")),
        ("HNL 2027-06-05T14:00", "APW 2027-06-06T19:15", "6 h 15 min", ("Saturday", "Sunday")),
        ("GUM 2027-02-01T07:00", "HNL 2027-01-31T18:15", "7 h 15 min", ("Monday", "Sunday")),
        ("lhr 2027-06-05T10:00", "Paris-CDG 2027-06-05T12:20", "1 h 20 min", ("Saturday", "Saturday")),
    ],
)
def test_a_flight_with_codes_alone_takes_as_long_as_it_does(
    departs: str, arrives: str, taken: str, weekdays: tuple[str, str]
) -> None:
    trip = flying(flight("XX1", departs, arrives), dates="2026-11-01 2027-12-01")
    (move,) = trip.moves
    time = duration(move)

    assert time is not None
    assert length(time) == taken
    assert move.departs is not None
    assert move.arrives is not None
    assert (move.departs.weekday, move.arrives.weekday) == weekdays
    assert own_findings(trip) == []


def test_a_connection_by_codes_alone_stands_after_the_flight_that_feeds_it_and_is_too_short() -> None:
    feeding = flight("NH10", "HND 2027-03-03T19:53", "EWR 2027-03-03T18:59")
    connecting = flight("UA2", "EWR 2027-03-03T19:20", "SFO 2027-03-03T22:40")

    for order in permutations((feeding, connecting)):
        trip = flying(*order)

        first, second = on_day(trip, "2027-03-03")
        assert first.startswith("- NH10 HND → EWR, 19:53 Asia/Tokyo → 18:59 America/New_York, 13 h 06 min")
        assert second.startswith("- UA2 EWR → SFO, 19:20 America/New_York → 22:40 America/Los_Angeles, 6 h 20 min")
        assert own_findings(trip) == ["certain connection_too_short"]


def test_what_a_zone_is_inferred_from_is_said() -> None:
    trip = flying(flight("NH10", "HND 2027-03-03T19:53", "Newark 2027-03-03T18:59 America/New_York"))
    both = flying(flight("NH10", "HND 2027-03-03T19:53", "EWR 2027-03-03T18:59"))

    assert "zone from airport code HND" in on_day(trip, "2027-03-03")[0]
    assert "zones from airport codes HND and EWR" in on_day(both, "2027-03-03")[0]
    assert both.moves[0].source.departure_timezone is None


def test_an_arrival_on_the_wrong_date_is_certain_by_codes_alone() -> None:
    trip = flying(flight("VY8", "LHR 2027-06-05T22:20", "BCN 2027-06-05T00:20"))

    (finding,) = [one for one in check(trip).findings if one.kind == "arrival_before_departure"]

    assert finding.grade == "certain"
    assert finding.why.endswith(
        "Its zones are from airport code LHR and airport code BCN. If it arrives a day later, it takes 1 h."
    )


@pytest.mark.parametrize("place", ["XXX", "Home", "Springfield", "Road trip", "THE airport", "a" * 5_000])
def test_a_place_that_is_not_known_leaves_the_zone_unknown_and_said(place: str) -> None:
    unknown: Json = {"from": place, "departure": "2027-03-03T10:00", "to": "VIE", "arrival": "2027-03-03T12:00"}
    trip = flying(unknown)
    (move,) = trip.moves

    assert move.departs is not None
    assert move.departs.zone is None
    assert "zone unknown" in on_day(trip, "2027-03-03")[0]


def test_a_zone_that_is_given_stands_and_is_held_against_the_airports() -> None:
    trip = flying(flight("BA1", "LHR 2027-06-05T10:00 Europe/Madrid", "JFK 2027-06-05T13:00 America/New_York"))

    (finding,) = [one for one in check(trip).findings if one.kind == "zone_contradicts"]

    assert finding.grade == "possible"
    assert finding.why.endswith("but London Heathrow is in Europe/London (UTC+1).")
    assert on_day(trip, "2027-06-05")[0].count("zone from") == 0


@pytest.mark.parametrize(
    ("destination", "zone", "expected"),
    [
        ("Lisbon", "Europe/Madrid", "Lisbon (PT) is in Europe/Lisbon (UTC+1)"),
        ("Lisboa, Portugal", "Europe/Madrid", "Lisbon (PT) is in Europe/Lisbon (UTC+1)"),
        ("東京", "Europe/London", "Tokyo (JP) is in Asia/Tokyo (UTC+9)"),
        ("Springfield", "Asia/Tokyo", "or another city of that name is in America/"),
        ("Lisbon", "Europe/London", None),  # the same clocks
        ("Springfield", "America/Chicago", None),
        ("Springfield", "America/Los_Angeles", None),
        ("Portland", "America/New_York", None),
        ("Road trip", "Europe/Madrid", None),
        ("Somewhere warm", "Asia/Tokyo", None),
        ("", "Asia/Tokyo", None),
        ("Vienna, Virginia", "America/New_York", None),
        ("Lisbon", None, None),
    ],
)
def test_a_legs_destination_checks_its_zone(destination: str, zone: str | None, expected: str | None) -> None:
    there = leg("A week", "2027-06-05 2027-06-12", zone, stay="A bed") | {"destination": destination}
    trip = journey("2027-06-05 2027-06-12", legs=[there])

    found = [one for one in check(trip).findings if one.kind == "zone_contradicts"]

    assert [one.grade for one in found] == ([] if expected is None else ["possible"])
    assert all(expected is not None and expected in one.why for one in found)


def test_a_pins_position_and_an_events_location_tell_a_zone_where_no_leg_does() -> None:
    trip = journey(
        "2027-06-05 2027-06-12",
        plans=[
            plan("Tea", "2027-06-06", "15:00 16:00", mapPinId="pin_tea_house"),
            plan("Swim", "2027-06-06", "17:00 18:00", mapPinId="pin_the_sea"),
            plan("Call", "2027-06-06", "19:00 20:00", mapPinId="pin_tea_house", timezone="Europe/Paris"),
        ],
        pins=[pin("Tea house", 35.003, 135.778), pin("The sea", 45.0, -30.0), pin("Nowhere", 0, 0)],
        events=[
            event("Concert", "2027-06-06", "20:00", location="Wien, Österreich"),
            event("Picnic", "2027-06-06", "12:00", location="Springfield"),
        ],
    )
    zones = {one.title: one.starts.zone for one in trip.appointments if one.starts}

    assert zones == {
        "Tea": "Asia/Tokyo",
        "Swim": None,
        "Call": "Europe/Paris",
        "Concert": "Europe/Vienna",
        "Picnic": None,
    }
    lines = "\n".join(on_day(trip, "2027-06-06"))
    assert "zone from pin near Kyoto" in lines
    assert "zone from location, city Vienna" in lines


def test_a_leg_is_nearer_than_a_pin_or_a_location() -> None:
    trip = journey(
        "2027-06-05 2027-06-12",
        legs=[leg("Kyoto", "2027-06-05 2027-06-12", "Asia/Tokyo")],
        plans=[plan("Tea", "2027-06-06", "15:00 16:00", mapPinId="pin_far")],
        pins=[pin("Far", 48.2, 16.4)],
        events=[event("Concert", "2027-06-06", "20:00", location="Wien")],
    )

    assert [one.starts.zone for one in trip.appointments if one.starts] == ["Asia/Tokyo", "Asia/Tokyo"]


CODES = st.sampled_from(["HND", "EWR", "LHR", "SYD", "HNL", "APW", "KTM", "ADD", "GRU", "YYT", "VIE", "SFO"])
HOURS = st.integers(0, 23)


@given(CODES, CODES, HOURS, HOURS, st.integers(1, 28))
def test_an_inferred_zone_answers_as_the_same_zone_that_is_given(
    start: str, end: str, left: int, landed: int, day: int
) -> None:
    one, other = airport(start), airport(end)
    assert one is not None
    assert other is not None
    departs, arrives = f"{start} 2027-03-{day:02}T{left:02}:00", f"{end} 2027-03-{day:02}T{landed:02}:30"

    inferred = flying(flight("XX1", departs, arrives))
    given_ = flying(flight("XX1", f"{departs} {one.zone}", f"{arrives} {other.zone}"))

    assert [(move.departs, move.arrives) for move in inferred.moves] == [
        (move.departs, move.arrives) for move in given_.moves
    ]
    assert own_findings(inferred) == own_findings(given_)


@given(st.permutations(["HND EWR 19:53 18:59", "EWR SFO 19:20 22:40", "SFO HNL 23:30 23:59"]))
def test_any_order_of_flights_is_one_day(order: Sequence[str]) -> None:
    flights = [
        flight(route[:7].replace(" ", ""), f"{start} 2027-03-03T{left}", f"{end} 2027-03-03T{landed}")
        for route in order
        for start, end, left, landed in [route.split()]
    ]

    lines = on_day(flying(*flights), "2027-03-03")

    assert [line[2:8] for line in lines] == ["HNDEWR", "EWRSFO", "SFOHNL"]
