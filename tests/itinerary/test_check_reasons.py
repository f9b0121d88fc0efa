"""What a finding tells a reader: likely duplicates, why it is not certain, and nights that a journey may take."""

from datetime import date

import pytest

from trips_mcp.itinerary.check import Finding, check, in_words
from trips_mcp.itinerary.day import day_of
from trips_mcp.itinerary.journey import Journey

from .trips import Json, event, journey, leg, pin, plan

DAYS = "2026-07-18 2026-07-22"


def in_kyoto(*plans: Json, events: tuple[Json, ...] = (), stay: Json | str | None = "Inn") -> Journey:
    pins = [pin("Sato", 35.003, 135.778), pin("Temple", 35.004, 135.779)]
    return journey(DAYS, legs=[leg("Kyoto", DAYS, "Asia/Tokyo", stay=stay)], plans=plans, pins=pins, events=events)


def twice(trip: Journey) -> list[Finding]:
    return [finding for finding in check(trip).findings if finding.kind == "same_booking_twice"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Dinner at Sato|19:00 21:00", "Sató dinner|19:00 21:00", True),
        ("Dinner at Sato|19:00 21:00", "Sato dinner|19:30 21:30", True),
        ("Dinner at Sato|19:00 21:00", "Dinner|19:00 21:00", True),
        ("Dinner at Sato|19:00 21:00", "Sato dinner|21:00 22:00", False),
        ("Dinner at Sato|19:00 21:00", "Dinner at Oku|19:00 21:00", False),
        ("Museum tour|10:00 11:00", "Boat tour|10:00 11:00", False),
        ("Session 1|10:00 11:00", "Session 2|10:00 11:00", False),
        ("Dinner at Sato", "Sato dinner", True),
        ("Session 1", "Session 2", False),
    ],
)
def test_an_entry_that_is_in_twice_is_told_as_a_duplicate(one: str, other: str, expected: bool) -> None:
    plans = [plan(title, "2026-07-20", times) for title, _, times in (text.partition("|") for text in (one, other))]

    found = twice(in_kyoto(*plans))

    assert [finding.grade for finding in found] == (["possible"] if expected else [])
    assert all(finding.not_certain and finding.fix_with == "delete_commitment" for finding in found)
    assert all(len(finding.about) == 2 for finding in found)


@pytest.mark.parametrize(
    ("where", "start", "expected"),
    [("pin_sato", "19:00", True), ("pin_temple", "19:00", False), ("pin_sato", "19:30", False)],
)
def test_two_entries_at_one_place_and_time_may_be_one(where: str, start: str, expected: bool) -> None:
    first = plan("Birthday", "2026-07-20", "19:00 21:00", mapPinId="pin_sato")

    found = twice(in_kyoto(first, plan("Kaiseki", "2026-07-20", f"{start} 21:00", mapPinId=where)))

    assert [finding.why.partition(" and overlap")[0] for finding in found] == (
        ["Commitment com_birthday and commitment com_kaiseki are at one place"] if expected else []
    )


def test_an_overlap_that_may_be_a_duplicate_is_told_as_both() -> None:
    report = check(
        in_kyoto(plan("Dinner at Sato", "2026-07-20", "19:00 21:00"), plan("Sato dinner", "2026-07-20", "19:00 21:00"))
    )

    assert {(one.grade, one.kind) for one in report.findings} == {
        ("certain", "overlap"),
        ("possible", "same_booking_twice"),
    }
    assert "Not certain: There may be two things at that time." in in_words(report)


GAP = {"name": "Inn", "checkIn": "2026-07-18", "checkOut": "2026-07-20"}


def test_a_night_that_a_sleeper_train_may_take_is_explained() -> None:
    trip = in_kyoto(
        events=(event("Sunrise", "2026-07-20", "21:50", type="train", id=7),), stay={**GAP, "checkOut": "2026-07-20"}
    )

    report = check(trip)

    assert any(note.startswith("Nights without") and "Monday 2026-07-20 (event 7)." in note for note in report.notes)
    (night,) = [one for one in report.findings if one.kind == "no_bed"]
    assert "the night of Tuesday 2026-07-21" in night.why
    assert any("A journey of that evening may take it (event_id 7)." in line for line in unclear(trip, "2026-07-20"))


def test_a_night_bus_among_the_commitments_makes_a_missing_bed_less_certain() -> None:
    trip = in_kyoto(plan("Night bus to Tokyo", "2026-07-20", "22:30"), stay=GAP)

    (night, *_) = [one for one in check(trip).findings if one.kind == "no_bed"]

    assert (night.grade, night.not_certain) == ("possible", "A journey of that time may last through the night.")
    assert any("(commitmentId com_night_bus_to_tokyo)" in line for line in unclear(trip, "2026-07-20"))


def test_a_night_after_a_journey_by_day_is_found() -> None:
    trip = in_kyoto(events=(event("Ride", "2026-07-20", "09:00", type="train", id=7),), stay=GAP)

    assert [one.kind for one in check(trip).findings] == ["no_bed"]
    assert not any("Nights without a bed" in note for note in check(trip).notes)
    assert not any("may take it" in line for line in unclear(trip, "2026-07-20"))


def unclear(trip: Journey, day: str) -> list[str]:
    return day_of(trip, date.fromisoformat(day)).unclear or []
