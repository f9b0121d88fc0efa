"""Search finds words where travellers expect them, in any script, but never access secrets."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trips_mcp.cli.demo.steps import Sample
from trips_mcp.contract.events import Event
from trips_mcp.contract.fields import SECRETS
from trips_mcp.contract.trips import TripExport
from trips_mcp.itinerary.hits import Hit
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.search import SearchReport, in_words, search

from .trips import Json, event, flight, journey, leg, pin, plan, quoted

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def japan(**more: Any) -> Journey:
    return Journey.of(
        TripExport.model_validate(
            {
                "trip": {"_id": "trip_1", "startDate": "2026-07-19", "endDate": "2026-07-28"},
                "legs": [
                    leg(
                        "Tokyo",
                        "2026-07-19 2026-07-24",
                        "Asia/Tokyo",
                        stay={
                            "name": "Paper Lantern Inn",
                            "address": "3-0-7 Yanaka, Taito City",
                            "hostName": "Ms Aoyama",
                            "notes": "Futons on tatami. Breakfast at 07:30, ask the evening before.",
                        },
                        flights=[
                            {
                                **flight(
                                    "JL 44", "LHR 2026-07-18T19:50 Europe/London", "HND 2026-07-19T16:30 Asia/Tokyo"
                                ),
                                "airline": "Japan Airlines",
                            }
                        ],
                    ),
                    leg(
                        "Kyoto",
                        "2026-07-24 2026-07-28",
                        "Asia/Tokyo",
                        rentalCar={
                            "company": "Kitsune Rent-a-Car",
                            "pickUp": "2026-07-25T08:00",
                            "location": "Kyoto Station",
                        },
                    ),
                ],
                "commitments": [
                    plan(
                        "Kaiseki dinner",
                        "2026-07-25",
                        "18:30 21:00",
                        legId="leg_kyoto",
                        notes="Shoes off.",
                        category="dinner",
                    ),
                    plan("Tea", "2026-07-26", "14:00 15:30", mapPinId="pin_kiyomizu-dera"),
                ],
                "mapPins": [
                    pin("Kiyomizu-dera", 34.99, 135.78),
                    {**pin("Station", 35.0, 135.7), "notes": "Kiyomizu by bus 206"},
                ],
                "actionItems": [{"_id": "todo_1", "text": "Order the pocket Wi-Fi", "owner": "user_1"}],
                "members": [
                    {"userId": "user_1", "name": "Noriko Sató", "email": "noriko@example.com", "phone": "+81 3"}
                ],
                **more,
            }
        ),
        [
            Event.model_validate(
                event(
                    "Nozomi to Kyoto",
                    "2026-07-24",
                    "11:30",
                    id=7,
                    type="train",
                    description="Fuji on the right",
                    location="Tokyo Station",
                )
            )
        ],
    )


def found(report: SearchReport) -> list[str]:
    return [said(hit) for hit in report.hits]


def said(hit: Hit) -> str:
    ids = (hit.commitment_id, hit.event_id, hit.pin_id if hit.kind == "pin" else None, hit.item_id, hit.user_id)
    whose = next((one for one in ids if one is not None), hit.leg_id)
    return f"{hit.kind} {whose} in {hit.field}"


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("tokyo", ["leg leg_tokyo in title", "event 7 in location", "flight leg_tokyo in flights.0.to"]),
        ("paper lantern", ["stay leg_tokyo in accommodation.name"]),
        ("yanaka", ["stay leg_tokyo in accommodation.address"]),
        ("aoyama", ["stay leg_tokyo in accommodation.hostName"]),
        ("breakfast", ["stay leg_tokyo in accommodation.notes"]),
        ("breakfast tokyo", ["stay leg_tokyo in accommodation.notes"]),
        ("JL44", ["flight leg_tokyo in flights.0.flightNumber"]),
        ("jl 44", ["flight leg_tokyo in flights.0.flightNumber"]),
        ("flight HND", ["flight leg_tokyo in flights.0.to"]),
        ("hotel yanaka", ["stay leg_tokyo in accommodation.address"]),
        ("flight", []),
        ("hotel", []),
        ("44", ["flight leg_tokyo in flights.0.flightNumber"]),
        ("hnd", ["flight leg_tokyo in flights.0.to"]),
        ("lhr hnd", ["flight leg_tokyo in flights.0.from"]),
        ("japan airlines", ["flight leg_tokyo in flights.0.airline"]),
        ("rent a car", ["rental leg_kyoto in rentalCar.company"]),
        ("dinner", ["commitment com_kaiseki_dinner in title"]),
        ("dinner kyoto", ["commitment com_kaiseki_dinner in title"]),
        ("shoes", ["commitment com_kaiseki_dinner in notes"]),
        ("nozomi", ["event 7 in title"]),
        ("train", ["event 7 in type"]),
        ("fuji", ["event 7 in description"]),
        (
            "kiyomizu",
            ["pin pin_kiyomizu-dera in name", "commitment com_tea in mapPinId", "pin pin_station in notes"],
        ),
        ("wi-fi", ["action_item todo_1 in text"]),
        ("wifi", ["action_item todo_1 in text"]),
        ("noriko", ["member user_1 in name", "action_item todo_1 in owner"]),
        ("sato", ["member user_1 in name", "action_item todo_1 in owner"]),
        ("kyoto osaka", []),
        ("noriko@example.com", []),
    ],
)
def test_a_trip_is_searched_by_titles_places_notes_and_texts(query: str, hits: list[str]) -> None:
    assert found(search(japan(), query)) == hits


ALIKE = [
    ("Hawai\u02bbi", "Hawai'i", "Hawai\u2018i", "Hawai\u2019i", "Hawai`i", "Hawai\u00b4i", "Hawaii", "HAWAI\u02bcI"),
    ("Kaua\u02bbi", "Kaua'i", "Kauai"),
    ("Wi-Fi", "WiFi", "Wi\u2011Fi"),
    ("M\u00fcnchen", "Mu\u0308nchen", "Muenchen", "Munchen", "m\u00fcn\u00adchen"),
    ("\u00d6sterbro", "Oesterbro", "Osterbro"),
    ("K\u00f8benhavn", "Koebenhavn", "Kobenhavn"),
    ("\u00c5lesund", "Aalesund", "Alesund", "A\u030alesund"),
    ("J\u00e4rvi", "Jaervi", "Jarvi"),
    ("Ky\u200boto", "Kyoto", "Ky\u2060oto", "\ufeffKyoto", "Ky\u00adoto", "Ky\u200doto"),
    (
        "\u0643\u062a\u0627\u0628\u064a",
        "\u06a9\u062a\u0627\u0628\u06cc",
        "\u0643\u062a\u0627\u0628\u0649",
    ),  # kitabi in Arabic and Persian
    (
        "\u0645\u062f\u0631\u0633\u0629",
        "\u0645\u062f\u0631\u0633\u0647",
        "\u0645\u062f\u0640\u0631\u0633\u0629",
    ),  # madrasa
    ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u064a\u062e\u0648\u0627\u0647\u0645"),
    ("\u0623\u0647\u0631\u0627\u0645", "\u0627\u0647\u0631\u0627\u0645"),  # ahram, with and without hamza
    ("Gate 42", "Gate \u0664\u0662", "Gate \u06f4\u06f2", "Gate \u096a\u0968", "Gate \uff14\uff12"),
]


@pytest.mark.parametrize(
    ("written", "asked"), [pair for first, *others in ALIKE for one in others for pair in ((first, one), (one, first))]
)
def test_a_word_is_found_in_all_the_ways_that_people_write_it(written: str, asked: str) -> None:
    searched = Journey.of(TripExport.model_validate({"mapPins": [pin("Home", 1, 1), pin(written, 1, 1)]}))

    assert [hit.title for hit in search(searched, asked).hits] == [written]


def test_the_words_around_are_shown_where_they_are_written_otherwise() -> None:
    notes = f"{'Grüße an alle. ' * 20}Treffen in Mu\u0308nchen am Marienplatz. {'Bis bald. ' * 20}"
    searched = Journey.of(TripExport.model_validate({"mapPins": [{**pin("Home", 1, 1), "notes": notes}]}))

    [hit] = search(searched, "muenchen").hits

    assert hit.excerpt is not None
    assert "Treffen in München am Marienplatz" in hit.excerpt
    assert len(hit.excerpt) < 200


@pytest.mark.parametrize(("written", "asked"), [("Poet's Inn", "pot"), ("Blue bar", "blu bars"), ("Tokyo", "tōkyōō")])
def test_words_that_are_others_are_not_found(written: str, asked: str) -> None:
    searched = Journey.of(TripExport.model_validate({"mapPins": [pin(written, 1, 1)]}))

    assert search(searched, asked).hits == []


def test_a_hit_has_the_ids_and_the_time_to_go_on_with() -> None:
    [dinner] = search(japan(), "kaiseki").hits
    [bus] = search(japan(), "fuji").hits
    [stay] = search(japan(), "lantern").hits

    assert dinner.model_dump(exclude_none=True) == {
        "kind": "commitment",
        "commitmentId": "com_kaiseki_dinner",
        "legId": "leg_kyoto",
        "title": "Kaiseki dinner",
        "date": "2026-07-25",
        "weekday": "Saturday",
        "time": "18:30",
        "zone": "Asia/Tokyo",
        "endTime": "21:00",
        "field": "title",
    }
    assert bus.model_dump(exclude_none=True) == {
        "kind": "event",
        "event_id": 7,
        "eventTitle": "Nozomi to Kyoto",
        "date": "2026-07-24",
        "weekday": "Friday",
        "time": "11:30",
        "zone": "Asia/Tokyo",
        "address": "Tokyo Station",
        "field": "description",
        "excerpt": "Fuji on the right",
    }
    assert (stay.date, stay.weekday, stay.until) == ("2026-07-19", "Sunday", "Friday 2026-07-24")


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Café Zürich", "cafe zurich"),
        ("Cafe Zurich", "CAFÉ ZÜRICH"),
        ("Cafe\u0301", "café"),
        ("Café", "cafe\u0301"),
        ("Łódź, Tromsø", "lodz tromso"),
        ("Straße", "STRASSE"),
        ("İstanbul", "istanbul"),
        ("\uff34\uff4f\uff4b\uff59\uff4f", "tokyo"),
        ("京都の清水寺に行く", "清水寺"),
        ("京都の清水寺に行く", "清水　京都"),
        ("ｶﾞｲﾄﾞ付き", "ガイド"),
        ("서울역에서 만나요", "서울역"),
        ("วัดโพธิ์และวัดอรุณ", "วัดอรุณ"),
        ("Αθήνα", "αθηνα"),
        ("Москва́", "москва"),
        ("القُدس", "القدس"),
        ("मुंबई होटल", "होटल"),
        ("Hauptbahnhof", "bahnhof"),
        ("Temples of Nara", "temple"),
        ("Fireworks 🎆 at nine", "🎆"),
        ("100% cotton", "100%"),
        ("a.m., e.g. tea/coffee", "coffee"),
        ("L'Opéra", "opera"),
    ],
)
def test_words_are_found_whatever_the_case_the_accents_and_the_script(text: str, query: str) -> None:
    trip = journey("2026-07-19 2026-07-24", plans=[plan(text, "2026-07-20", _id="com_1")])

    assert found(search(trip, query)) == ["commitment com_1 in title"]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("The party starts", "art"),
        ("かき", "がき"),
        ("Rome", "Romeo"),
        ("होटल", "हटल"),
        ("Tea ceremony", "tea coffee"),
    ],
)
def test_other_words_are_not_found(text: str, query: str) -> None:
    trip = journey("2026-07-19 2026-07-24", plans=[plan(text, "2026-07-20", _id="com_1")])

    assert search(trip, query).hits == []


def test_titles_come_before_places_and_places_before_notes_and_whole_words_before_parts() -> None:
    trip = journey(
        "2026-07-19 2026-07-24",
        plans=[
            plan("Long walk", "2026-07-19", notes="then tea", _id="notes"),
            plan("Teahouse", "2026-07-20", _id="start"),
            plan("Green tea", "2026-07-23", _id="late"),
            plan("Green tea", "2026-07-21", _id="early"),
            plan("At noon", "2026-07-19", mapPinId="pin_tea_garden", _id="place"),
        ],
        pins=[pin("Tea garden", 35, 139)],
    )

    assert [hit.commitment_id or hit.pin_id for hit in search(trip, "tea").hits] == [
        "early",
        "late",
        "pin_tea_garden",
        "start",
        "place",
        "notes",
    ]


@pytest.mark.parametrize("query", ["", "   ", "—", "?!", "\n\t", "\u3000"])
def test_without_words_nothing_is_searched(query: str) -> None:
    report = search(japan(), query)

    assert (report.hits, in_words(report)) == ([], "Say which words to look for.")


def test_what_is_not_there_is_said_and_what_is_not_searched() -> None:
    unsearched = "Door codes, passwords, phone and confirmation numbers are not searched."

    assert in_words(search(japan(), "osaka")) == f"Nothing in the trip has that word. {unsearched}"
    assert in_words(search(japan(), "osaka castle")) == (
        f"Nothing in the trip has all 2 words; try fewer. {unsearched}"
    )


def test_an_empty_trip_has_nothing() -> None:
    assert search(Journey.of(TripExport()), "tokyo").hits == []


def test_no_secret_is_found_or_shown() -> None:
    sample = Sample.load()
    trip = Journey.of(TripExport.model_validate({"trip": sample.trip, **sample.sync}))
    inner = [
        one
        for leg in trip.stretches
        for one in (leg.source.accommodation, leg.source.rental_car, *(leg.source.flights or ()))
    ]
    secrets = {
        value for part in inner if part for name, value in part.model_dump(exclude_none=True).items() if name in SECRETS
    }
    names = [stay.name for stay in trip.stays]

    assert len(secrets) > 12
    assert [found(search(trip, secret)) for secret in secrets] == [[]] * len(secrets)
    shown = "".join(search(trip, name).model_dump_json() + in_words(search(trip, name)) for name in names)
    assert all(name in shown for name in names)
    assert not any(secret in shown for secret in secrets)


def test_strangers_words_are_quoted() -> None:
    report = search(japan(), "kyoto")

    assert in_words(quoted(report)).splitlines() == [
        "3 hits, best first:",
        "- leg “Kyoto” · Friday 2026-07-24 to Tuesday 2026-07-28 · in title · legId leg_kyoto",
        "- event “«Nozomi to Kyoto»” · Friday 2026-07-24 11:30 Asia/Tokyo · at «Tokyo Station» · in title · event_id 7",
        "- rental “Kitsune Rent-a-Car” · Saturday 2026-07-25 08:00 Asia/Tokyo · at Kyoto Station"
        " · in rentalCar.location · legId leg_kyoto",
    ]


def test_long_notes_are_shown_around_the_word_in_one_line() -> None:
    notes = "Ärger " * 500 + "\nthe Öl lamp\n" + "und so weiter " * 500
    trip = journey("2026-07-19 2026-07-24", plans=[plan("x", "2026-07-20", notes=notes)])

    [hit] = search(trip, "lamp").hits

    assert hit.excerpt is not None
    assert "the Öl lamp" in hit.excerpt
    assert len(hit.excerpt) < 200
    assert "\n" not in hit.excerpt
    assert (hit.excerpt[0], hit.excerpt[-1]) == ("…", "…")


def test_a_word_far_inside_a_long_title_is_seen_too() -> None:
    trip = journey("2026-07-19 2026-07-24", plans=[plan(f"{'very ' * 38}late", "2026-07-20")])

    [hit] = search(trip, "late").hits

    assert "late" in (hit.excerpt or "")


def test_many_hits_are_cut_and_counted() -> None:
    trip = journey(
        "2026-07-19 2026-07-24",
        plans=[plan(f"Tea {n}", "2026-07-20", _id=f"com_{n}") for n in range(10_000)],
    )

    report = search(trip, "tea")

    assert 10 < len(report.hits) <= 50
    assert len(report.hits) + (report.not_shown or 0) == 10_000
    assert len(json.dumps(report.model_dump(mode="json", exclude_none=True))) < 40_000
    assert "more are not shown; add a word to narrow it down." in in_words(report)


WORDS = st.sampled_from(["tea", "Kyoto", "JL44", "清水", "Wi-Fi", "é", "", "a", "\u0301", "\u200b"])
TEXTS = st.lists(WORDS | st.text(max_size=6), max_size=4).map(" ".join)


@st.composite
def trips(draw: st.DrawFn) -> Json:
    def some(most: int, *names: str) -> list[Json]:
        fields = st.fixed_dictionaries({}, optional=dict.fromkeys(names, TEXTS))
        return [{**one, "_id": f"{names[0]}_{n}"} for n, one in enumerate(draw(st.lists(fields, max_size=most)))]

    return {
        "legs": some(3, "title", "destination", "startDate"),
        "commitments": some(4, "title", "notes", "category"),
        "mapPins": some(3, "name", "category", "notes"),
        "actionItems": some(3, "text", "owner"),
    }


def shuffled(draw: st.DrawFn, trip: Json) -> Json:
    return {name: draw(st.permutations(parts)) for name, parts in trip.items()}


@st.composite
def twice(draw: st.DrawFn) -> tuple[Json, Json, str]:
    trip = draw(trips())
    return trip, shuffled(draw, trip), draw(TEXTS)


def any_order_gives_the_same_hits(asked: tuple[Json, Json, str]) -> None:
    one, other, query = asked

    report = search(Journey.of(TripExport.model_validate(one)), query)

    assert report == search(Journey.of(TripExport.model_validate(other)), query)
    assert bool(report.hits) != bool(report.note)
    in_words(report)


@FEW
@given(asked=twice())
def test_any_words_in_any_trip(asked: tuple[Json, Json, str]) -> None:
    any_order_gives_the_same_hits(asked)


@pytest.mark.soak
@settings(FEW, max_examples=600)
@given(asked=twice())
def test_thousands_of_words_in_thousands_of_trips(asked: tuple[Json, Json, str]) -> None:
    any_order_gives_the_same_hits(asked)


@FEW
@given(text=st.text(min_size=1, max_size=30))
def test_every_text_is_found_by_itself_if_it_has_a_word(text: str) -> None:
    trip = journey("2026-07-19 2026-07-24", plans=[plan(text, "2026-07-20", _id="com_1")])

    report = search(trip, text)

    assert found(report) == ["commitment com_1 in title"] or report.note == "Say which words to look for."
