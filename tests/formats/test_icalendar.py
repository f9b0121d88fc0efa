"""Calendar files, read again by the icalendar library as calendar programs do."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from tests.itinerary.test_any_itinerary import CHANGING_ZONES, UNCHANGING_ZONES, plausible, spoilt
from tests.itinerary.trips import Json, event, export, flight, leg, pin, plan, todo
from trips_mcp.contract.events import Event as ItineraryEvent
from trips_mcp.formats.icalendar import render_feed
from trips_mcp.formats.outline import Outline, outline_of, public_export
from trips_mcp.itinerary.local_time import zone_info

STAMP = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ANY = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])


def written(outline: Outline) -> dict[str, Any]:
    """The entries by title."""
    return {str(one["SUMMARY"]): one for one in events_in(outline)}


def of(*legs: Json, events: tuple[Json, ...] = (), **parts: Any) -> Outline:
    whole = export("2026-07-19 2026-07-29", legs=legs, **parts)
    return outline_of(whole, [ItineraryEvent.model_validate(one) for one in events])


def test_a_flight_keeps_the_clocks_of_both_ends() -> None:
    outline = of(
        leg(
            "Tokyo",
            "2026-07-20 2026-07-24",
            "Asia/Tokyo",
            flights=[flight("JL44", "LHR 2026-07-19T11:25 Europe/London", "HND 2026-07-20T07:15 Asia/Tokyo")],
        )
    )

    [(title, one)] = written(outline).items()

    assert title == "JL44 LHR → HND"
    assert one["DTSTART"].params["TZID"] == "Europe/London"
    assert one["DTSTART"].dt == datetime(2026, 7, 19, 11, 25, tzinfo=zone_info("Europe/London"))
    assert one["DTEND"].params["TZID"] == "Asia/Tokyo"
    assert one["DTEND"].dt - one["DTSTART"].dt == timedelta(hours=11, minutes=50)
    assert one["GEO"].latitude == pytest.approx(51.47, abs=0.05)


def test_a_flight_over_the_date_line_arrives_after_it_left() -> None:
    line = flight("HA864", "HND 2026-07-24T21:25", "HNL 2026-07-24T09:50")

    [one] = written(of(leg("Honolulu", "2026-07-24 2026-07-29", "Pacific/Honolulu", flights=[line]))).values()

    assert one["DTEND"].dt - one["DTSTART"].dt == timedelta(hours=7, minutes=25)


def test_a_stay_covers_its_nights_and_a_car_its_days() -> None:
    outline = of(
        leg("Nara", "2026-07-20 2026-07-24", "Asia/Tokyo", stay={"name": "Ryokan", "address": "1; Gion, Nara"}),
        leg("Uji", "2026-07-24 2026-07-25", "Asia/Tokyo", rentalCar={"company": "Nippon"}),
    )

    entries = written(outline)

    assert [entries["Ryokan"][end].dt for end in ("DTSTART", "DTEND")] == [date(2026, 7, 20), date(2026, 7, 24)]
    assert entries["Ryokan"]["LOCATION"] == "Ryokan, 1; Gion, Nara"
    car = entries["Rental car Nippon"]
    assert [car[end].dt for end in ("DTSTART", "DTEND")] == [date(2026, 7, 24), date(2026, 7, 26)]


@pytest.mark.parametrize(
    ("planned", "starts", "ends"),
    [
        (plan("Tea", "2026-07-21", "10:00 11:30", timezone="Asia/Tokyo"), "20260721T010000", "20260721T023000"),
        (plan("Tea", "2026-07-21", "22:00 00:30", timezone="Asia/Tokyo"), "20260721T130000", "20260721T153000"),
        (plan("Tea", "2026-10-25", "02:30 04:00", timezone="Europe/Paris"), "20261025T003000", "20261025T030000"),
        (plan("Tea", "2026-03-29", "02:30 04:00", timezone="Europe/Paris"), "20260329T013000", "20260329T020000"),
        (plan("Tea", "2026-07-21", "10:00", timezone="Asia/Tokyo"), "20260721T010000", None),
    ],
)
def test_a_commitment_has_its_instants_also_where_clocks_change(planned: Json, starts: str, ends: str | None) -> None:
    one = written(of(plans=[planned]))["Tea"]

    at = [one[end].dt.astimezone(UTC).strftime("%Y%m%dT%H%M%S") for end in ("DTSTART", "DTEND") if end in one]

    assert at == [starts, *([ends] if ends else [])]


def test_times_without_a_zone_float_and_without_a_time_are_whole_days() -> None:
    entries = written(of(plans=[plan("Tea", "2026-07-21", "10:00"), plan("Fair", "2026-07-22", isAllDay=True)]))

    assert entries["Tea"]["DTSTART"].dt == datetime(2026, 7, 21, 10)  # noqa: DTZ001 - it has none
    assert [entries["Fair"][end].dt for end in ("DTSTART", "DTEND")] == [date(2026, 7, 22), date(2026, 7, 23)]


def test_text_of_any_kind_is_read_back_as_it_was() -> None:
    title = "Café; \\n, ü" + "語" * 60
    outline = of(plans=[plan("Tea", "2026-07-21", "10:00 11:00") | {"title": title, "notes": "one\ntwo, \\ three"}])

    text = render_feed(outline, STAMP)

    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert text.count("\n") == text.count("\r\n")
    [one] = events_in(outline)
    assert (one["SUMMARY"], one["DESCRIPTION"]) == (title, "one\ntwo, \\ three")


def test_a_name_cannot_add_a_line() -> None:
    hostile = "Tea\r\nEND:VEVENT\r\nBEGIN:VALARM"

    text = render_feed(of(plans=[plan("x", "2026-07-21") | {"title": hostile, "notes": hostile}]), STAMP)

    assert "BEGIN:VALARM" not in text.split("\r\n")
    assert text.count("BEGIN:VEVENT") == text.count("\r\nEND:VEVENT") == 1


def test_what_changes_keeps_its_uid_and_an_event_counts_its_changes() -> None:
    def entries(departs: str, revision: int) -> dict[str, tuple[str, int]]:
        line = flight("JL44", f"LHR {departs} Europe/London", "HND 2026-07-20T07:15 Asia/Tokyo")
        place = leg("Tokyo", "2026-07-20 2026-07-24", "Asia/Tokyo", stay="Park", flights=[line])
        found = written(of(place, events=(event("Sumo", "2026-07-22", "16:00", revision=revision),)))
        return {title: (str(one["UID"]), one["SEQUENCE"]) for title, one in found.items()}

    before, after = entries("2026-07-19T11:25", 1), entries("2026-07-19T12:40", 4)

    assert {title: uid for title, (uid, _) in before.items()} == {title: uid for title, (uid, _) in after.items()}
    assert (before["Sumo"][1], after["Sumo"][1]) == (1, 4)


def test_to_dos_come_only_if_asked_for() -> None:
    outline = of(todos=[todo("Rail pass", "now"), todo("Visa", "before_trip", completed=True)])

    asked = events_in(outline, "VTODO", to_dos=True)

    assert "VTODO" not in render_feed(outline, STAMP)
    assert {str(one["SUMMARY"]): str(one["STATUS"]) for one in asked} == {
        "Rail pass": "NEEDS-ACTION",
        "Visa": "COMPLETED",
    }


def test_a_zone_is_described_as_it_changes() -> None:
    """Outlook knows zones by their VTIMEZONE alone."""
    tea = plan("Tea", "2026-10-25", "12:00 13:00", timezone="Europe/Paris")

    [zone] = events_in(of(plans=[tea]), "VTIMEZONE")
    described = zone.to_tz()

    for day in range(1, 365, 3):
        at = datetime(2026, 1, 1, 12) + timedelta(day)  # noqa: DTZ001 - compared in two zones
        assert at.replace(tzinfo=described).utcoffset() == at.replace(tzinfo=zone_info("Europe/Paris")).utcoffset(), at


def test_the_same_trip_is_the_same_text() -> None:
    outline = of(leg("Nara", "2026-07-20 2026-07-24", "Asia/Tokyo", stay="Ryokan"), pins=[pin("Ryokan", 34.7, 135.8)])

    assert render_feed(outline, STAMP) == render_feed(outline, STAMP)


@ANY
@given(plausible([*UNCHANGING_ZONES, *CHANGING_ZONES]))
def test_every_instant_of_any_trip_is_read_back(parts: dict[str, Any]) -> None:
    is_read_back(parts)


@pytest.mark.soak
@settings(ANY, max_examples=200)
@given(plausible([*UNCHANGING_ZONES, *CHANGING_ZONES]))
def test_every_instant_of_200_trips_is_read_back(parts: dict[str, Any]) -> None:
    is_read_back(parts)


def is_read_back(parts: dict[str, Any]) -> None:
    outline = any_outline(parts)

    read: dict[str, Any] = {str(one["UID"]): one for one in events_in(outline)}

    assert len(read) == len(outline.entries)
    for entry in outline.entries:
        starts = read[f"{outline.trip_id}-{entry.key}@trips-mcp"]["DTSTART"].dt
        if entry.starts.time is None:
            assert starts == entry.starts.day
        elif instant := entry.starts.instant:
            assert starts.astimezone(UTC) == instant.replace(microsecond=0)
        else:
            assert starts == datetime.combine(entry.starts.day, entry.starts.time)


@ANY
@given(st.data(), plausible(CHANGING_ZONES))
def test_odd_values_never_break_the_file(data: st.DataObject, parts: dict[str, Any]) -> None:
    outline = any_outline(spoilt(parts, data))

    assert len(events_in(outline)) == len(outline.entries)  # ids may be spoilt to the same one


def any_outline(parts: dict[str, Any]) -> Outline:
    events = [ItineraryEvent.model_validate(one) for one in parts.pop("events")]
    return outline_of(export(**parts), events)


def events_in(outline: Outline, kind: str = "VEVENT", **more: bool) -> list[Any]:
    read: Any = Calendar.from_ical(render_feed(outline, STAMP, **more))
    return read.walk(kind)


def test_a_public_file_has_no_code() -> None:
    stay = {"name": "Ryokan", "doorCode": "K4711", "wifiPassword": "s3cret", "confirmationNumber": "RX9"}
    whole = export(
        legs=[leg("Nara", "2026-07-20 2026-07-24", "Asia/Tokyo", stay=stay)],
        plans=[plan("Tea", "2026-07-21", notes="gate 99")],
    )

    private, public = (render_feed(outline_of(one), STAMP) for one in (whole, public_export(whole)))

    assert all(code in private for code in ("K4711", "s3cret", "RX9", "gate 99"))
    assert not any(code in public for code in ("K4711", "s3cret", "RX9", "gate 99"))
    assert "Ryokan" in public
