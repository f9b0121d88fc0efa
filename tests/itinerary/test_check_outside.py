"""Items outside their leg and items outside the whole trip: a check distinguishes them."""

import pytest

from trips_mcp.itinerary.check import check

from .trips import Json, flight, journey, leg, plan

KYOTO = "2026-07-20 2026-07-24"
TRIP = "2026-07-18 2026-07-28"
OUTSIDE_TRIP = "and the whole trip (Saturday 2026-07-18 to Tuesday 2026-07-28)."


def outside(*flights: Json, plans: tuple[Json, ...] = ()) -> str:
    """The reason that the single finding gives."""
    trip = journey(TRIP, legs=[leg("Kyoto", KYOTO, "Asia/Tokyo", stay="Inn", flights=flights)], plans=plans)
    (why,) = [finding.why for finding in check(trip).findings if finding.kind == "outside_leg"]
    return why


@pytest.mark.parametrize(
    ("day", "is_outside_the_trip"), [("2026-07-26", False), ("2026-08-26", True), ("2025-07-21", True)]
)
def test_what_is_outside_the_whole_trip_says_so(day: str, is_outside_the_trip: bool) -> None:
    commitment = outside(plans=(plan("Tea", day, "14:00 15:00", legId="leg_kyoto"),))
    move = outside(flight("NH1", f"HND {day}T08:00 Asia/Tokyo", f"ITM {day}T09:10 Asia/Tokyo"))

    for why in (commitment, move):
        assert "is outside its leg leg_kyoto (Monday 2026-07-20 to Friday 2026-07-24)" in why
        assert why.endswith(OUTSIDE_TRIP) == is_outside_the_trip


@pytest.mark.parametrize(
    ("dates", "is_outside_the_trip"),
    [("2026-07-26 2026-07-27", False), ("2026-08-20 2026-08-24", True), ("2025-07-20 2025-07-24", True)],
)
def test_a_stay_and_a_car_outside_the_whole_trip_say_so(dates: str, is_outside_the_trip: bool) -> None:
    first, last = dates.split()
    stay = {"name": "Inn", "checkIn": first, "checkOut": last}
    car = {"company": "Oku", "pickUp": f"{first}T10:00", "dropOff": f"{last}T10:00"}
    trip = journey(TRIP, legs=[leg("Kyoto", KYOTO, "Asia/Tokyo", stay=stay, rentalCar=car)])

    reasons = [finding.why for finding in check(trip).findings if finding.kind == "outside_leg"]

    assert sorted(why.partition(" (")[0] for why in reasons) == [
        "The rental car of leg leg_kyoto",
        "The stay of leg leg_kyoto",
    ]
    for why in reasons:
        assert "is outside the leg (Monday 2026-07-20 to Friday 2026-07-24)" in why
        assert why.endswith(OUTSIDE_TRIP) == is_outside_the_trip


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ("2026-08-20 2026-08-24", "certain: is outside the trip"),
        ("2026-07-24 2026-08-05", "possible: is partly outside the trip"),
        ("2026-07-18 2026-07-29", None),
    ],
)
def test_a_stay_and_a_car_of_a_leg_without_dates_are_compared_with_the_trip(dates: str, expected: str | None) -> None:
    first, last = dates.split()
    undated = {
        **leg("Kyoto", KYOTO, "Asia/Tokyo", stay={"name": "Inn", "checkIn": first, "checkOut": last}),
        "startDate": None,
        "endDate": None,
        "rentalCar": {"company": "Oku", "pickUp": f"{first}T10:00", "dropOff": f"{last}T10:00"},
    }

    found = [one for one in check(journey(TRIP, legs=[undated])).findings if one.kind == "outside_trip"]

    said = [f"{one.grade}: {one.why.partition(') ')[2].partition(' (')[0]}" for one in found]
    assert said == ([] if expected is None else [expected] * 2)
