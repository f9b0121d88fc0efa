"""Search finds places by names in other languages and by country; a hit says by which."""

import pytest

from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.search import in_words, search

from .trips import event, flight, journey, leg, pin, plan


def europe() -> Journey:
    return journey(
        "2027-06-01 2027-06-30",
        legs=[
            leg(
                "Wien",
                "2027-06-01 2027-06-05",
                "Europe/Vienna",
                stay={"name": "Hotel Sacher", "address": "Philharmonikerstr. 4, 1010 Wien, Österreich"},
                flights=[
                    flight("OS52", "NRT 2027-06-01T10:00 Asia/Tokyo", "VIE 2027-06-01T16:00"),
                    flight("UA1", "EWR 2027-06-01T10:00", "HNL 2027-06-01T15:00"),
                ],
            ),
            leg("München", "2027-06-05 2027-06-08", "Europe/Berlin", stay="Pension Isar"),
            leg("Firenze", "2027-06-08 2027-06-12", "Europe/Rome", stay="Casa Rossi"),
            leg("Nizza", "2027-06-12 2027-06-14", "Europe/Paris", stay="Le Palais"),
            leg("Springfield", "2027-06-14 2027-06-16", "America/Chicago", stay="Motel"),
        ],
        plans=[plan("Dinner", "2027-06-02", "19:00 21:00", legId="leg_wien"), plan("Nice walk", "2027-06-06")],
        pins=[pin("Schönbrunn", 48.18, 16.31)],
        events=[event("Opera", "2027-06-03", "19:00", location="Wien")],
    )


def hits(query: str) -> list[str]:
    return sorted(f"{hit.kind} {hit.title or hit.event_title}" for hit in search(europe(), query).hits)


@pytest.mark.parametrize("name", ["Vienna", "Vienne", "Wien", "VIENA", "ウィーン", "維也納", "Wenen"])
def test_vienna_is_found_by_all_its_names(name: str) -> None:
    assert {"leg Wien", "stay Hotel Sacher", "event Opera"} <= set(hits(name))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Munich", ["leg München"]),
        ("Monaco di Baviera", ["leg München"]),
        ("Florence", ["leg Firenze"]),
        ("Florenz", ["leg Firenze"]),
        ("Nice", ["commitment Nice walk", "leg Nizza"]),
        ("Austria", ["event Opera", "flight OS52 NRT → VIE", "leg Wien", "stay Hotel Sacher"]),
        ("Italien", ["leg Firenze"]),
        ("dinner vienna", ["commitment Dinner"]),
        ("Honolulu", ["flight UA1 EWR → HNL"]),
        ("flight", []),
        ("New York", ["flight UA1 EWR → HNL"]),
        ("Tokio", ["flight OS52 NRT → VIE"]),
        ("日本", ["flight OS52 NRT → VIE"]),
    ],
)
def test_places_are_found_by_other_names_and_by_their_countries(query: str, found: list[str]) -> None:
    assert hits(query) == found


@pytest.mark.parametrize("query", ["Monaco", "Illinois", "Massachusetts", "Vienn", "Aust", "Rio", "palace vienna"])
def test_part_of_a_name_or_a_namesake_is_no_hit(query: str) -> None:
    assert hits(query) == []


def test_a_hit_says_by_which_name_it_was_found() -> None:
    report = search(europe(), "Vienne")
    (hit,) = [hit for hit in report.hits if hit.kind == "leg"]

    assert (hit.field, hit.known_as) == ("title", "vienne")
    assert "in title, known as vienne" in in_words(report)
    assert [hit.known_as for hit in search(europe(), "Wien").hits if hit.kind == "leg"] == [None]


def test_what_has_the_words_themselves_comes_first() -> None:
    first, second = search(europe(), "Nice").hits

    assert (first.kind, first.known_as) == ("commitment", None)
    assert (second.kind, second.known_as) == ("leg", "nice")


def japan() -> Journey:
    return journey(
        "2027-10-01 2027-10-20",
        legs=[
            leg("ウィーン滞在", "2027-10-01 2027-10-03", "Europe/Vienna", stay="ホテルザッハー"),
            leg(
                "東京都", "2027-10-03 2027-10-07", "Asia/Tokyo", stay={"name": "宿", "address": "東京都台東区谷中3-0-7"}
            ),
            leg("京都の旅", "2027-10-07 2027-10-12", "Asia/Tokyo", stay="町家"),
            leg("서울여행", "2027-10-12 2027-10-14", "Asia/Seoul", stay="한옥"),
        ],
        plans=[plan("清水寺見学", "2027-10-08", legId="leg_京都の旅")],
        pins=[pin("キリマンジャロ珈琲", 35.0, 139.7)],
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Vienna", ["leg ウィーン滞在"]),
        ("Wien", ["leg ウィーン滞在"]),
        ("ウィーン", ["leg ウィーン滞在"]),
        ("ウィーンのホテル", ["stay ホテルザッハー"]),
        ("オーストリア", ["leg ウィーン滞在"]),
        ("Tokyo", ["leg 東京都", "stay 宿"]),
        ("東京", ["leg 東京都", "stay 宿"]),
        ("京都", ["leg 京都の旅"]),  # is in 東京都 by letters alone
        ("Kyoto", ["leg 京都の旅"]),
        ("京都への旅", ["leg 京都の旅"]),
        ("清水寺の見学", ["commitment 清水寺見学"]),
        ("Seoul", ["leg 서울여행"]),
        ("서울", ["leg 서울여행"]),
        ("Lima", []),
        ("Taitung", []),
        ("大阪のホテル", []),
    ],
)
def test_places_are_found_in_texts_without_spaces(query: str, found: list[str]) -> None:
    assert sorted(f"{hit.kind} {hit.title}" for hit in search(japan(), query).hits) == found


def test_a_hit_in_such_a_text_says_by_which_name() -> None:
    (vienna,) = search(japan(), "Vienna").hits
    (same,) = search(japan(), "ウィーンの滞在").hits

    assert vienna.known_as == "vienna"
    assert same.known_as is None
