"""Pins without a link to a leg: a check compares them with the known places of the legs."""

from collections.abc import Sequence

import pytest

from trips_mcp.itinerary.check import check
from trips_mcp.itinerary.journey import Journey

from .trips import Json, flight, journey, leg, pin

NAXOS = [(37.1 + n / 100, 25.4 + n / 100) for n in range(6)]
"""Six places of one island."""


def far_pins(trip: Journey) -> list[tuple[str | None, str]]:
    found = [finding for finding in check(trip).findings if finding.kind == "pin_far_from_leg"]
    assert all(finding.grade == "possible" for finding in found)
    return [(finding.about[0].pin_id, finding.why) for finding in found]


def pinned(*legs: Json, more: Sequence[Json] = ()) -> Journey:
    """Six pins on Naxos without a link to a leg, and more."""
    pins = [pin(f"Naxos {n}", *place) for n, place in enumerate(NAXOS)]
    return journey("2027-05-01 2027-05-20", legs=legs, pins=[*pins, *more])


TOKYO = pin("Tokyo", 35.68, 139.77)


@pytest.mark.parametrize(
    ("legs", "said"),
    [
        ([leg("Naxos", "2027-05-01 2027-05-20", "Europe/Athens")], "km from the middle of the pins of leg leg_naxos."),
        (
            [
                leg("Athens", "2027-05-01 2027-05-05", "Europe/Athens"),
                leg("Naxos", "2027-05-05 2027-05-20", "Europe/Athens"),
            ],
            "km from the nearest place of a leg or flight.",
        ),
        (
            [
                leg("The boat", "2027-05-01 2027-05-05", "Europe/Athens"),
                leg("Somewhere", "2027-05-05 2027-05-20", "Europe/Athens"),
            ],
            "hours ahead of the clocks of leg leg_the_boat (Europe/Athens), and no other leg fits it.",
        ),
        ([], "km from the middle of the pins of the trip."),
    ],
    ids=["one leg", "legs whose places are known", "legs whose places are not", "no legs"],
)
def test_a_pin_that_nothing_links_is_judged_too(legs: list[Json], said: str) -> None:
    ((pin_id, why),) = far_pins(pinned(*legs, more=[TOKYO]))

    assert pin_id == "pin_tokyo"
    assert why.endswith(said)
    assert far_pins(pinned(*legs)) == []


def test_pins_of_other_legs_and_at_airports_of_the_flights_are_none_that_stray() -> None:
    home = flight("A3 600", "LHR 2027-05-20T15:00", "ATH 2027-05-20T20:00")
    legs = [
        leg("Athens", "2027-05-01 2027-05-05", "Europe/Athens", flights=[home]),
        leg("Naxos", "2027-05-05 2027-05-10", "Europe/Athens"),
        leg("Tokyo", "2027-05-10 2027-05-20", "Asia/Tokyo"),
    ]

    assert far_pins(pinned(*legs, more=[TOKYO, pin("Heathrow", 51.47, -0.45), pin("Nikko", 36.75, 139.6)])) == []
    assert far_pins(pinned(leg("Naxos", "2027-05-05 2027-05-20", "Europe/Athens", flights=[home]))) == []


def test_where_little_can_be_said_of_pins_that_is_said() -> None:
    unknown = [leg(name, "2027-05-01 2027-05-20", "Europe/Athens") for name in ("The boat", "Somewhere")]

    assert (
        "6 pins are linked to no leg, and where each leg is, is not known: only longitudes and zones are compared."
        in (check(pinned(*unknown)).notes)
    )
    assert not any("pin" in note for note in check(pinned(leg("Naxos", "2027-05-01 2027-05-20", None))).notes)
