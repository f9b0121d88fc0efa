"""Parsing of times as services and travellers write them, without inventing anything."""

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trips_mcp.itinerary.local_time import Moment, read_date, read_moment, read_time, read_zone

TUESDAY = date(2026, 7, 21)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-07-21", TUESDAY),
        (" 2026-07-21 ", TUESDAY),
        ("2026-07-21T00:00:00.000Z", TUESDAY),
        ("2026-07-21T15:00:00Z", None),
        ("2026-02-30", None),
        ("20260721", None),
        ("2026-W30-2", None),
        ("21.7.2026", None),
        ("0001-01-01", None),
        ("9999-12-31", None),
        ("", None),
        (None, None),
    ],
)
def test_a_date_is_read_as_it_is_written_or_not_at_all(text: str | None, day: date | None) -> None:
    assert read_date(text) == day


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("09:05", time(9, 5)),
        ("9:05", time(9, 5)),
        ("09:05:30", time(9, 5, 30)),
        ("3:30 pm", time(15, 30)),
        ("12:00 AM", time(0, 0)),
        ("24:00", None),
        ("25:00", None),
        ("13:00 pm", None),
        ("9", None),
        ("from 15:00", None),
        ("noon", None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_of_day_is_read_as_it_is_written_or_not_at_all(text: str | None, at: time | None) -> None:
    assert read_time(text) == at


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2026-07-21T11:25", "Asia/Tokyo", Moment(TUESDAY, time(11, 25), "Asia/Tokyo")),
        ("2026-07-21 11:25:00", None, Moment(TUESDAY, time(11, 25))),
        ("2026-07-21", "Asia/Tokyo", Moment(TUESDAY, None, "Asia/Tokyo")),
        # an offset is not a zone: with the zone it is brought to its clock, without it stays as written
        ("2026-07-20T22:25:00Z", "Asia/Tokyo", Moment(TUESDAY, time(7, 25), "Asia/Tokyo")),
        ("2026-07-21T07:25+09:00", "Asia/Tokyo", Moment(TUESDAY, time(7, 25), "Asia/Tokyo")),
        ("2026-07-21T07:25+0900", None, Moment(TUESDAY, time(7, 25))),
        ("2026-07-21T07:25+99:00", "Asia/Tokyo", None),
        ("2026-07-21T25:00", None, None),
        ("9998-12-31T23:00Z", "Pacific/Kiritimati", None),
        ("the day after", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_a_moment_is_a_date_and_time_or_a_date(text: str | None, zone: str | None, moment: Moment | None) -> None:
    assert read_moment(text, zone) == moment


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Asia/Tokyo", "Asia/Tokyo"),
        (" Asia/Tokyo ", "Asia/Tokyo"),
        ("Mars/Olympus", None),
        ("../../etc/passwd", None),
        ("America", None),
        ("localtime", None),
        ("+09:00", None),
        ("\0", None),
        ("", None),
        (None, None),
    ],
)
def test_a_zone_is_one_that_exists(name: str | None, zone: str | None) -> None:
    assert read_zone(name) == zone


@pytest.mark.parametrize(
    ("moment", "instant"),
    [
        (Moment(TUESDAY, time(11, 25), "Asia/Tokyo"), datetime(2026, 7, 21, 2, 25, tzinfo=UTC)),
        (Moment(TUESDAY, time(11, 25), "America/New_York"), datetime(2026, 7, 21, 15, 25, tzinfo=UTC)),
        (Moment(TUESDAY, time(11, 25)), None),
        (Moment(TUESDAY, None, "Asia/Tokyo"), None),
    ],
)
def test_an_instant_takes_a_time_and_a_zone(moment: Moment, instant: datetime | None) -> None:
    assert moment.instant == instant


@pytest.mark.parametrize(
    ("day", "at", "zone", "is_gap", "is_fold"),
    [
        (date(2026, 3, 29), time(2, 30), "Europe/Paris", True, False),
        (date(2026, 3, 29), time(3, 0), "Europe/Paris", False, False),
        (date(2026, 10, 25), time(2, 30), "Europe/Paris", False, True),
        (date(2026, 3, 8), time(2, 30), "America/New_York", True, False),
        (date(2026, 11, 1), time(1, 30), "America/New_York", False, True),
        (date(2026, 11, 1), time(2, 0), "America/New_York", False, False),
        (date(2026, 4, 5), time(1, 45), "Australia/Lord_Howe", False, True),  # half an hour
        (date(2011, 12, 30), time(12, 0), "Pacific/Apia", True, False),  # a whole day
        (date(2026, 3, 29), time(2, 30), "Asia/Tokyo", False, False),
        (date(2026, 3, 29), time(2, 30), None, False, False),
        (date(2026, 3, 29), None, "Europe/Paris", False, False),
    ],
)
def test_an_hour_may_not_exist_or_exist_twice(
    day: date, at: time | None, zone: str | None, is_gap: bool, is_fold: bool
) -> None:
    moment = Moment(day, at, zone)

    assert (moment.gap, moment.fold) == (is_gap, is_fold)


@given(text=st.text() | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.?[0-9:]{0,8}(Z|[+-][0-9:]{0,5})?"))
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    for zone in (None, "Pacific/Kiritimati", "Pacific/Pago_Pago"):
        moment = read_moment(text, zone)
        assert moment is None or (moment.weekday and moment.gap in (True, False))
        assert moment is None or zone is None or moment.time is None or moment.instant is not None
    assert read_date(text) is None or str(read_date(text)) in text
    assert read_zone(text) is None or read_zone(text) == text.strip()
    read_time(text)
