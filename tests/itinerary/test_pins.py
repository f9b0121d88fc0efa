"""What a check says about pins: impossible coordinates, and pins far from the others or under another sun."""

import pytest

from trips_mcp.itinerary.check import check
from trips_mcp.itinerary.journey import Journey

from .trips import Json, journey, leg, pin, plan

NAXOS = [pin("Beach", 37.1, 25.4), pin("Port", 37.11, 25.41)]
TOKYO = [pin("Shrine", 35.72, 139.76), pin("Market", 35.67, 139.77), pin("Park", 35.69, 139.71)]


def road_trip(*pins: Json, zone: str = "Europe/Athens") -> Journey:
    """One leg of a place nobody knows, with a visit to each pin."""
    return journey(
        "2026-07-01 2026-07-28",
        legs=[leg("On the road", "2026-07-01 2026-07-28", zone)],
        pins=pins,
        plans=[visit(one, f"2026-07-{day:02}") for day, one in enumerate(pins, 1)],
    )


def visit(to: Json, date: str | None, **more: str) -> Json:
    return plan(f"Visit {to['name']}", date, "10:00 11:00" if date else "", mapPinId=to["_id"], **more)


def said(trip: Journey) -> list[str]:
    """Of pins alone, in the order of the report."""
    kinds = ("bad_coordinates", "pin_far_from_leg")
    return [f"{finding.grade}: {finding.why}" for finding in check(trip).findings if finding.kind in kinds]


@pytest.mark.parametrize(
    ("lat", "lng", "wrong"),
    [
        (1, None, "not_checkable: Pin pin_one has no coordinates."),
        (None, 1, "not_checkable: Pin pin_one has no coordinates."),
        (None, None, "not_checkable: Pin pin_one has no coordinates."),
        (0, 0, "certain: Pin pin_one has the coordinates 0, 0, which is open sea."),
        (90.5, 1, "certain: Pin pin_one has coordinates that do not exist (lat 90.5, lng 1)."),
        (-90.5, 1, "certain: Pin pin_one has coordinates that do not exist (lat -90.5, lng 1)."),
        (1, 180.5, "certain: Pin pin_one has coordinates that do not exist (lat 1, lng 180.5)."),
        (1, -180.5, "certain: Pin pin_one has coordinates that do not exist (lat 1, lng -180.5)."),
        (90, 1, None),
        (-90, 1, None),
        (1, 180, None),
        (1, -180, None),
        (0, 1, None),
        (1, 0, None),
    ],
)
def test_coordinates_are_those_of_a_place_on_earth(lat: float | None, lng: float | None, wrong: str | None) -> None:
    one = {"_id": "pin_one", "name": "One", "lat": lat, "lng": lng}

    assert said(journey("2026-07-01 2026-07-28", pins=[one])) == ([] if wrong is None else [wrong])


def test_one_of_three_pins_is_far_from_250_km_on() -> None:
    assert said(road_trip(*NAXOS, pin("Lesbos", 39.2, 26.3))) == []
    assert said(road_trip(*NAXOS, pin("Thasos", 39.9, 25.4))) == [
        "possible: Pin pin_thasos is 310 km from the middle of the pins of leg leg_on_the_road."
    ]


def test_one_of_three_pins_with_lat_and_lng_swapped_is_told_so() -> None:
    assert said(road_trip(*NAXOS, pin("Temple", 25.4, 37.1))) == [
        "possible: Pin pin_temple is 1,708 km from the middle of the pins of leg leg_on_the_road; "
        "with lat and lng the other way round it would be near."
    ]


def test_a_pin_with_impossible_coordinates_is_not_compared_with_others() -> None:
    assert said(road_trip(*NAXOS, pin("Wrong", 95, 60))) == [
        "certain: Pin pin_wrong has coordinates that do not exist (lat 95, lng 60)."
    ]


def test_the_pins_of_each_of_two_legs_are_compared_among_themselves() -> None:
    greek, japanese = leg("Naxos", "2026-07-01 2026-07-10", "Europe/Athens"), leg("Tokyo", "2026-07-10 2026-07-28", "")
    thasos, osaka = pin("Thasos", 39.9, 25.4), pin("Osaka", 34.69, 135.5)
    plans = [visit(one, "2026-07-05", legId=greek["_id"]) for one in (*NAXOS, thasos)]
    plans += [visit(one, "2026-07-15", legId=japanese["_id"]) for one in (*TOKYO, osaka)]
    trip = journey("2026-07-01 2026-07-28", legs=[greek, japanese], pins=[*NAXOS, thasos, *TOKYO, osaka], plans=plans)

    assert said(trip) == [
        "possible: Pin pin_thasos is 310 km from the middle of the pins of leg leg_naxos.",
        "possible: Pin pin_osaka is 400 km from the middle of the pins of leg leg_tokyo.",
    ]


def test_why_a_far_pin_may_be_right_depends_on_its_link() -> None:
    linked = road_trip(*NAXOS, pin("Thasos", 39.9, 25.4))
    loose = journey("2026-07-01 2026-07-28", pins=[*NAXOS, pin("Thasos", 39.9, 25.4)])

    for trip, doubt, day in (
        (linked, "A plan may lead far away from its leg.", "2026-07-03"),
        (loose, "No commitment links the pin to a leg.", None),
    ):
        (found,) = (one for one in check(trip).findings if one.kind == "pin_far_from_leg")
        assert (found.not_certain, found.fix_with, found.date) == (doubt, "update_map_pin", day)


def test_of_two_pins_each_is_measured_by_the_other() -> None:
    assert said(road_trip(pin("North", 40, 10), pin("South", 20, 30))) == [
        f"possible: Pin pin_{one} is 2,927 km from the other pin of leg leg_on_the_road." for one in ("north", "south")
    ]


def test_where_most_pins_are_far_apart_a_pin_has_to_be_four_times_as_far() -> None:
    route = [pin(f"Stop {lat}", lat, 2) for lat in (43, 45, 47, 49)]

    assert said(road_trip(*route, pin("Last", 52, 2), zone="Europe/Paris")) == []
    assert said(road_trip(*route, pin("Last", 57, 2), zone="Europe/Paris")) == [
        "possible: Pin pin_last is 1,112 km from the middle of the pins of leg leg_on_the_road."
    ]


@pytest.mark.parametrize(("lat", "lng", "km"), [(-30, -40, "10,505"), (-30, 40, "8,608"), (10, 100, "8,168")])
def test_the_middle_of_a_wide_road_trip_is_a_place_on_the_ground(lat: float, lng: float, km: str) -> None:
    """The distances are those of the haversine formula, from the median of all six on each axis."""
    wide = [(40, 20), (52, 20), (46, 32), (45, 22), (47, 23)]
    stops = [pin(f"Stop {number}", *place) for number, place in enumerate(wide)]

    assert said(road_trip(*stops, pin("Far", lat, lng))) == [
        f"possible: Pin pin_far is {km} km from the middle of the pins of leg leg_on_the_road."
    ]


def test_pins_at_the_two_ends_of_the_earth() -> None:
    assert said(road_trip(pin("Here", 28, 178), pin("There", -28, -2))) == [
        f"possible: Pin pin_{one} is 20,015 km from the other pin of leg leg_on_the_road." for one in ("here", "there")
    ]


def test_pins_that_have_no_middle_are_compared_with_the_zone_all_the_same() -> None:
    around = [pin(f"At {lng:g}", 0, lng) for lng in (180, -180, 1e-20, -1e-20)]

    assert {why.partition(" is ")[0] for why in said(road_trip(*around))} == {
        "possible: Pin pin_at_180",
        "possible: Pin pin_at_-180",
    }


@pytest.mark.parametrize(
    ("zone", "lat", "lng", "sun"),
    [
        ("Atlantic/Reykjavik", 0, 67.5, None),
        ("Atlantic/Reykjavik", 0, 75, "longitude 75, where the sun is 5 hours ahead of the clocks"),
        ("Atlantic/Reykjavik", 0, -75, "longitude -75, where the sun is 5 hours behind the clocks"),
        ("Pacific/Auckland", 0, -120, None),  # across the date line
        ("Pacific/Auckland", 0, -60, "longitude -60, where the sun is 8 hours ahead of the clocks"),
        ("Europe/Athens", 66, 160, "longitude 160, where the sun is 8 hours ahead of the clocks"),
        ("Europe/Athens", -66, 160, "longitude 160, where the sun is 8 hours ahead of the clocks"),
        ("Europe/Athens", 66.5, 160, None),  # near the poles zones follow no sun
        ("Europe/Athens", -66.5, 160, None),
    ],
)
def test_the_only_pin_is_compared_with_the_zone(zone: str, lat: float, lng: float, sun: str | None) -> None:
    trip = road_trip(pin("One", lat, lng), zone=zone)

    expected = f"possible: Pin pin_one is at {sun} of leg leg_on_the_road ({zone})."
    assert said(trip) == ([] if sun is None else [expected])


def test_a_leg_without_a_zone_says_nothing_of_the_sun() -> None:
    legs = [leg("Somewhere", "2026-07-01 2026-07-05", None), leg("Elsewhere", "2026-07-05 2026-07-28", None)]

    assert said(journey("2026-07-01 2026-07-28", legs=legs[:1], pins=[pin("One", 1, 160)])) == []
    assert said(journey("2026-07-01 2026-07-28", legs=legs, pins=[pin("One", 1, 160)])) == []


def two_legs(*plans: Json, pins: list[Json]) -> Journey:
    """Greece to the 10th, Japan from then on; where, nobody knows."""
    return journey(
        "2026-07-01 2026-07-20",
        legs=[
            leg("The boat", "2026-07-01 2026-07-10", "Europe/Athens"),
            leg("The hut", "2026-07-10 2026-07-20", "Asia/Tokyo"),
        ],
        plans=plans,
        pins=pins,
    )


def test_pins_are_compared_with_those_of_their_own_leg() -> None:
    plans = [visit(one, "2026-07-03") for one in NAXOS] + [visit(one, "2026-07-14") for one in TOKYO]

    assert said(two_legs(*plans, pins=NAXOS + TOKYO)) == []


def test_a_commitment_says_which_leg_its_pin_is_of() -> None:
    shrine, *others = TOKYO
    booked_early = visit(shrine, "2026-07-03", legId="leg_the_hut")
    plans = [booked_early, *(visit(one, "2026-07-14") for one in others)]

    assert said(two_legs(*plans, pins=TOKYO)) == []
    assert said(two_legs(booked_early | {"legId": "leg_the_boat"}, *plans[1:], pins=TOKYO)) == [
        "possible: Pin pin_shrine is at longitude 139.76, where the sun is 6 hours ahead of the clocks of leg "
        "leg_the_boat (Europe/Athens)."
    ]


def test_a_pin_is_of_the_only_leg_of_its_day() -> None:
    shrine, *_ = TOKYO
    no_pin = plan("Breakfast", "2026-07-02", "08:00 09:00")

    (why,) = said(two_legs(no_pin, visit(shrine, "2026-07-03"), pins=[shrine]))

    assert why.endswith("the clocks of leg leg_the_boat (Europe/Athens).")
    assert said(two_legs(visit(shrine, "2026-07-10"), pins=[shrine])) == []  # the day of the journey is of both
    assert said(two_legs(visit(shrine, "2026-08-01"), pins=[shrine])) == []  # no leg's
    assert said(two_legs(visit(shrine, None), pins=[shrine])) == []


@pytest.mark.parametrize("name", ["title", "destination"])
def test_a_leg_whose_place_one_field_tells_is_where_that_says(name: str) -> None:
    other = {"title": "destination", "destination": "title"}[name]
    untold = None if other == "destination" else "Slow days"
    legs = [
        leg("Athens", "2026-07-01 2026-07-10", "Europe/Athens") | {other: untold},
        leg("Naxos", "2026-07-10 2026-07-20", "Europe/Athens") | {other: untold},
    ]

    assert said(journey("2026-07-01 2026-07-20", legs=legs, pins=[pin("Shrine", 35.72, 139.76)])) == [
        "possible: Pin pin_shrine is 9,465 km from the nearest place of a leg or flight."
    ]


def test_pins_of_which_little_can_be_said_are_counted() -> None:
    note = "linked to no leg, and where each leg is, is not known: only longitudes and zones are compared."
    one_leg = journey("2026-07-01 2026-07-20", legs=[leg("The boat", "2026-07-01 2026-07-20", None)], pins=NAXOS)

    def notes(trip: Journey) -> list[str]:
        return [each.removesuffix(f" {note}") for each in check(trip).notes if each.endswith(note)]

    assert notes(two_legs(pins=NAXOS)) == ["2 pins are"]
    assert notes(two_legs(pins=NAXOS[:1])) == ["1 pin is"]
    assert notes(two_legs(visit(NAXOS[0], "2026-07-03"), pins=NAXOS[:1])) == []
    assert notes(one_leg) == []
