"""Cities in the languages that travellers write, and ambiguous names."""

from zoneinfo import available_timezones

import pytest

from trips_mcp.places.cities import city_at, country, country_named, find_cities, find_city
from trips_mcp.places.tables import values


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("Vienna", "Wien Vienne Viena Wenen Wiedeń ウィーン 維也納 维也纳 VIENNA wien"),
        ("Munich", "München Muenchen Munchen Múnich Munique ミュンヘン 慕尼黑"),
        ("Florence", "Firenze Florenz Florença フィレンツェ 佛罗伦萨"),
        ("Cologne", "Köln Koeln Koln Colonia Keulen ケルン"),
        ("Tokyo", "Tokio Tóquio 東京 東京都 东京"),
        ("Kyoto", "Kyōto Kioto Quioto 京都 京都市"),
        ("Prague", "Praha Prag プラハ 布拉格"),
        ("Lisbon", "Lisboa Lissabon Lisbonne リスボン 里斯本"),
        ("Athens", "Αθήνα Athen Athènes Atene アテネ"),
        ("Moscow", "Москва Moskau Moscou モスクワ 莫斯科"),
        ("Seoul", "서울 Séoul ソウル 首尔"),
        ("Bangkok", "กรุงเทพมหานคร バンコク 曼谷"),
        ("Cairo", "القاهرة Kairo カイロ"),
        ("Geneva", "Genève Genf Ginevra Ginebra ジュネーヴ"),
    ],
)
def test_a_city_is_one_in_every_language(name: str, names: str) -> None:
    expected = find_city(name)
    assert expected is not None

    found = {written: find_city(written) for written in names.split()}

    assert {written for written, city in found.items() if city != expected} == set()


@pytest.mark.parametrize(
    ("text", "country_code", "zone"),
    [
        ("Vienna, Austria", "AT", "Europe/Vienna"),
        ("Wien (Österreich)", "AT", "Europe/Vienna"),
        ("Springfield, IL", "US", "America/Chicago"),
        ("Springfield, Massachusetts, USA", "US", "America/New_York"),
        ("Portland, Maine", "US", "America/New_York"),
        ("Paris, Texas", "US", "America/Chicago"),
        ("Birmingham, UK", "GB", "Europe/London"),
        ("Valencia, España", "ES", "Europe/Madrid"),
        ("Valencia, スペイン", "ES", "Europe/Madrid"),
        ("San José, Costa Rica", "CR", "America/Costa_Rica"),
        ("Queenstown, New Zealand", "NZ", "Pacific/Auckland"),
        ("京都\u3001日本", "JP", "Asia/Tokyo"),
        ("Lisbon, old town", "PT", "Europe/Lisbon"),
        ("Frankfurt", "DE", "Europe/Berlin"),
        ("São Paulo", "BR", "America/Sao_Paulo"),
        ("sao-paulo", "BR", "America/Sao_Paulo"),
        ("Zermatt", "CH", "Europe/Zurich"),
        ("Hallstatt", "AT", "Europe/Vienna"),
        ("Ko Samui", "TH", "Asia/Bangkok"),
        ("Reykjavik", "IS", "Atlantic/Reykjavik"),
    ],
)
def test_what_follows_a_name_tells_which_is_meant(text: str, country_code: str, zone: str) -> None:
    city = find_city(text)

    assert city is not None
    assert (city.country, city.zone) == (country_code, zone)


@pytest.mark.parametrize("text", ["Springfield", "Portland", "Birmingham", "Valencia", "San José", "Cambridge"])
def test_a_name_of_several_is_answered_with_all_of_them_and_never_guessed(text: str) -> None:
    assert find_city(text) is None
    assert len({city.zone for city in find_cities(text)}) > 1


@pytest.mark.parametrize(
    "text",
    ["Road trip", "", " ", "-", "Somewhere warm", "Vienna, Japan", "XXX", "day 3", "Hotel", "a" * 10_000, "|", "\n"],
)
def test_what_is_no_city_is_unknown(text: str) -> None:
    assert find_cities(text) == ()


def test_a_foreign_name_may_be_another_citys_own() -> None:
    assert {city.country for city in find_cities("Florencia")} == {"IT", "CO", "CU"}
    assert [city.country for city in find_cities("Florencia, Italia")] == ["IT"]


def test_a_country_or_a_position_nearby_tells_namesakes_apart() -> None:
    assert [city.region for city in find_cities("Springfield", near=(39.9, -89.6))] == ["Illinois"]
    assert [city.country for city in find_cities("Valencia", country="ES")] == ["ES"]
    assert find_cities("Valencia", country="JP") == ()
    assert len(find_cities("Springfield", near=(48.2, 16.4))) > 1


def test_every_city_has_a_position_and_a_zone_that_exists() -> None:
    count = len(values("cities", "names"))
    found = [city_at(row) for row in range(count)]

    assert count > 4_000
    assert {city.zone for city in found} - available_timezones() == set()
    assert [city for city in found if not (abs(city.latitude) <= 90 and abs(city.longitude) <= 180)] == []
    assert [city.name for city in found if country(city.country) is None] == []
    assert [city for city in found[::50] if city not in find_cities(city.name) and find_city(city.name) is None] == []


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *(("Austria", "AT"), ("Österreich", "AT"), ("Autriche", "AT"), ("オーストリア", "AT"), ("奥地利", "AT")),
        *(("USA", "US"), ("United States", "US"), ("Vereinigte Staaten", "US"), ("Estados Unidos", "US")),
        *(("UK", "GB"), ("Scotland", "GB"), ("Holland", "NL"), ("Pays-Bas", "NL"), ("日本", "JP"), ("Giappone", "JP")),
        *(("Türkiye", "TR"), ("Turkey", "TR"), ("Côte d\u2019Ivoire", "CI"), ("대한민국", "KR"), ("Deutschland", "DE")),
    ],
)
def test_a_country_is_known_by_its_names(name: str, code: str) -> None:
    found = country_named(name)

    assert found is not None
    assert found.code == code


@pytest.mark.parametrize("name", ["", "AT", "Atlantis", "Vienna"])
def test_what_is_no_countrys_name_is_none(name: str) -> None:
    assert country_named(name) is None
