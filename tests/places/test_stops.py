"""Stops of flights and trains, and zones of positions."""

import pytest

from trips_mcp.places.airports import airport
from trips_mcp.places.cities import distance_km, zone_at
from trips_mcp.places.stops import find_stop


@pytest.mark.parametrize(
    ("text", "zone", "known_by"),
    [
        ("HND", "Asia/Tokyo", "airport code HND"),
        ("hnd", "Asia/Tokyo", "airport code HND"),
        ("Tokyo (HND)", "Asia/Tokyo", "airport code HND"),
        ("HND Tokyo Haneda", "Asia/Tokyo", "airport code HND"),
        ("New York JFK", "America/New_York", "airport code JFK"),
        ("JFK Terminal 4", "America/New_York", "airport code JFK"),
        ("THE", "America/Fortaleza", "airport code THE"),
        ("NYC", "America/New_York", "city code NYC"),
        ("Rom", "Europe/Rome", "city Rome"),
        ("The Hague", "Europe/Amsterdam", "city The Hague"),
        ("THE Hague", "Europe/Amsterdam", "city The Hague"),
        ("Vienna Airport", "Europe/Vienna", "city Vienna"),
        ("Wien Hbf", "Europe/Vienna", "city Vienna"),
        ("Paris Gare de Lyon", "Europe/Paris", "city Paris"),
        ("Milano Centrale", "Europe/Rome", "city Milan"),
        ("London St Pancras International", "Europe/London", "city London"),
        ("東京駅", "Asia/Tokyo", "city Tokyo"),
        ("Tokyo Haneda", "Asia/Tokyo", "airport Tokyo Haneda"),
        ("Milano Malpensa", "Europe/Rome", "airport Malpensa"),
        ("Londres Heathrow", "Europe/London", "airport London Heathrow"),
    ],
)
def test_a_stop_is_known_as_tickets_write_it(text: str, zone: str, known_by: str) -> None:
    stop = find_stop(text)

    assert stop is not None
    assert (stop.zone, stop.known_by) == (zone, known_by)


@pytest.mark.parametrize(
    "text",
    [
        "XXX",
        "",
        "Home",
        "the airport",
        "AND then",
        "THE airport",
        "Springfield",
        "Springfield Union Station",
        "Road trip",
    ],
)
def test_a_stop_that_is_not_clear_is_unknown(text: str) -> None:
    assert find_stop(text) is None


@pytest.mark.parametrize(
    ("latitude", "longitude", "zone"),
    [
        (48.208, 16.373, "Europe/Vienna"),
        (21.276, -157.827, "Pacific/Honolulu"),
        (36.058, -112.143, "America/Phoenix"),
        (-54.81, -68.30, "America/Argentina/Ushuaia"),
        (64.96, -19.02, None),
        (45.8, -30.0, None),
        (0.0, 0.0, None),
        (90.0, 0.0, None),
        (-90.0, 180.0, None),
    ],
)
def test_the_zone_of_a_position_is_that_of_what_is_nearest(latitude: float, longitude: float, zone: str | None) -> None:
    found = zone_at(latitude, longitude)

    assert (found.zone if found else None) == zone


@pytest.mark.parametrize(
    ("country", "zone"), [("ES", "Europe/Madrid"), ("PT", "Europe/Lisbon"), ("JP", None), (None, None)]
)
def test_where_two_zones_meet_the_country_tells(country: str | None, zone: str | None) -> None:
    found = zone_at(37.19, -7.41, country)  # the ferry between Ayamonte and Vila Real de Santo António

    assert (found.zone if found else None) == zone


@pytest.mark.parametrize(
    ("one", "other", "km"), [("LHR", "JFK", 5540), ("SIN", "SFO", 13593), ("SYD", "AKL", 2157), ("HNL", "APW", 4186)]
)
def test_distances_are_those_of_great_circles(one: str, other: str, km: int) -> None:
    here, there = airport(one), airport(other)
    assert here is not None
    assert there is not None

    assert distance_km(here.position, there.position) == pytest.approx(km, rel=0.005)


def test_distances_are_right_at_the_edges() -> None:
    assert distance_km((0, 180), (0, -180)) == pytest.approx(0, abs=1e-6)
    assert distance_km((0, 0), (0, 180)) == pytest.approx(20_015, abs=1)
    assert distance_km((90, 0), (90, 123)) == pytest.approx(0, abs=1e-6)
