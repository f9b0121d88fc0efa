"""Airports as tickets and travellers name them."""

import subprocess
import sys
from zoneinfo import available_timezones

import pytest

from trips_mcp.places.airports import airport, airport_at, airports_named, metropolitan
from trips_mcp.places.tables import values


@pytest.mark.parametrize(
    ("code", "name", "city", "country", "zone"),
    [
        ("HND", "Tokyo Haneda", "Tokyo", "JP", "Asia/Tokyo"),
        ("EWR", "Newark Liberty", "Newark", "US", "America/New_York"),
        ("BNE", "Brisbane", "Brisbane", "AU", "Australia/Brisbane"),
        ("APW", "Faleolo", "Apia", "WS", "Pacific/Apia"),
        ("GUM", "Guam", "Tamuning", "GU", "Pacific/Guam"),
        ("hnl", "Honolulu Daniel K. Inouye", "Honolulu", "US", "Pacific/Honolulu"),
        ("AAA", "Anaa", "", "PF", "Pacific/Tahiti"),
        ("ZZV", "Zanesville Municipal", "Zanesville", "US", "America/New_York"),
    ],
)
def test_an_airport_is_known_by_its_code(code: str, name: str, city: str, country: str, zone: str) -> None:
    found = airport(code)

    assert found is not None
    assert (found.code, found.name, found.city) == (code.upper(), name, city)
    assert (found.country, found.zone) == (country, zone)


@pytest.mark.parametrize("code", ["XXX", "ZZZ", "", "H", "HN", "HNDX", "H1D", "ÄÖÜ", "TYO", "\nHN", "羽田空"])
def test_what_is_no_airports_code_is_none(code: str) -> None:
    assert airport(code) is None


def test_every_airport_has_its_own_code_position_and_a_zone_that_exists() -> None:
    zones, count = available_timezones(), len(values("airports", "names"))
    found = [airport_at(row) for row in range(count)]

    assert count > 7_800
    assert len({one.code for one in found}) == count
    assert [one for one in found if airport(one.code) != one] == []
    assert [one for one in found if not (abs(one.latitude) <= 90 and abs(one.longitude) <= 180)] == []
    assert {one.zone for one in found} - zones == set()


@pytest.mark.parametrize(
    ("code", "name", "airports"),
    [
        ("TYO", "Tokyo", {"HND", "NRT"}),
        ("LON", "London", {"LCY", "LGW", "LHR", "LTN", "SEN", "STN"}),
        ("NYC", "New York", {"EWR", "JFK", "LGA"}),
        ("PAR", "Paris", {"BVA", "CDG", "ORY"}),
        ("mil", "Milan", {"BGY", "LIN", "MXP"}),
    ],
)
def test_the_code_of_a_city_stands_for_its_airports(code: str, name: str, airports: set[str]) -> None:
    found = metropolitan(code)

    assert found is not None
    assert (found.name, {one.code for one in found.airports}) == (name, airports)


@pytest.mark.parametrize("code", ["HND", "XXX", "LO"])
def test_the_code_of_one_airport_is_no_citys(code: str) -> None:
    assert metropolitan(code) is None


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Tokyo Haneda", {"HND"}),
        ("haneda airport", {"HND"}),
        ("London Heathrow Terminal 5", {"LHR"}),
        ("Flughafen München", set[str]()),
        ("O'Hare", {"ORD"}),
        ("O\u2019Hare International", {"ORD"}),
        ("Vaclav Havel", {"PRG"}),
        ("the", set[str]()),
        ("International Airport", set[str]()),
        ("", set[str]()),
    ],
)
def test_airports_are_found_by_all_the_words_of_their_names(text: str, codes: set[str]) -> None:
    assert {one.code for one in airports_named(text)} == codes


def test_nothing_is_read_before_the_first_question() -> None:
    program = (
        "from trips_mcp.places import airports, aliases, cities, stops\n"
        "from trips_mcp.places import tables\n"
        "print(tables.values.cache_info().currsize, tables._columns.cache_info().currsize)"
    )

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert ended.stdout.split() == ["0", "0"]
