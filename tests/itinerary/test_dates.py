"""Day expressions within a trip's own dates."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trips_mcp.itinerary.day_expressions import Unclear, read_day

from .trips import Json, flight, journey, leg, plan

TOKYO_THEN_NEW_YORK = journey(
    "2026-07-19 2026-07-28",
    legs=[
        leg("Tokyo", "2026-07-19 2026-07-24", "Asia/Tokyo"),
        leg("New York", "2026-07-24 2026-07-28", "America/New_York"),
    ],
)
LONG_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("2026-07-21", date(2026, 7, 21)),
        ("2026/07/21", date(2026, 7, 21)),
        (" 2026-07-21 ", date(2026, 7, 21)),
        ("Wednesday", date(2026, 7, 22)),
        ("wed", date(2026, 7, 22)),
        ("WED.", date(2026, 7, 22)),
        ("on Thursday", date(2026, 7, 23)),
        ("thurs", date(2026, 7, 23)),
        ("day 1", date(2026, 7, 19)),
        ("Day 10", date(2026, 7, 28)),
        ("day3", date(2026, 7, 21)),
        ("21 July", date(2026, 7, 21)),
        ("21st of July", date(2026, 7, 21)),
        ("July 21", date(2026, 7, 21)),
        ("Jul 21st, 2026", date(2026, 7, 21)),
        ("21 jul. 2026", date(2026, 7, 21)),
        ("Tuesday, 21 July", date(2026, 7, 21)),
        ("Tue 2026-07-21", date(2026, 7, 21)),
        ("２０２６-07-21", date(2026, 7, 21)),  # noqa: RUF001
    ],
)
def test_a_day_is_understood_as_travellers_say_it(said: str, day: date) -> None:
    assert read_day(TOKYO_THEN_NEW_YORK, said, LONG_BEFORE) == day


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("2026-07-18", "Saturday 2026-07-18 is outside the trip."),
        ("1 August", "Saturday 2026-08-01 is outside the trip."),
        ("21 July 2027", "Wednesday 2027-07-21 is outside the trip."),
        ("30 February", "There is no such date."),
        ("Wednesday 21 July", "2026-07-21 is a Tuesday, no Wednesday."),
        ("day 0", "The trip has day 1 to day 10."),
        ("day 11", "The trip has day 1 to day 10."),
        ("tomorrow", "Which day is tomorrow is not known: no leg with a time zone covers the present."),
        ("21.7", "That names no day: give a date"),  # may be a date here, and a time there
        ("19", "That names no day: give a date"),
        ("30.2.", "There is no such date."),
        ("7/29", "Wednesday 2026-07-29 is outside the trip."),
        ("29/7", "Wednesday 2026-07-29 is outside the trip."),
        ("13/14", "There is no such date."),
        ("the 18th", "No day of the trip has the number 18."),
        ("third Wednesday", "The trip has 1 Wednesday."),
        ("the day we fly to Honolulu", "That names no day: give a date"),
        ("tuesday monday", "That names no day: give a date"),
        ("Mittwoch, 21. Juli", "2026-07-21 is a Tuesday, no Wednesday."),
        ("9" * 5_000, "That names no day: give a date"),
        ("soon", "That names no day: give a date"),
        ("", "That names no day: give a date"),
        ("tu", "That names no day: give a date"),
    ],
)
def test_what_is_no_day_of_the_trip_is_told_with_the_trips_dates(said: str, why: str) -> None:
    found = read_day(TOKYO_THEN_NEW_YORK, said, LONG_BEFORE)

    assert isinstance(found, Unclear)
    assert found.why.startswith(why)
    assert found.why.endswith("The trip runs from Sunday 2026-07-19 to Tuesday 2026-07-28.")
    assert not found.choices or said.startswith("third")


SAID_IN = {
    "2026-07-19": (
        "day one|first day|the 19th|Tag 1|erster Tag|der 19.|am 19.|premier jour|le 19|primer día|el 19|"
        "primo giorno|il 19|primeiro dia|o dia 19|eerste dag|de 19e|初日|1日目|最初の日|19日|"
        "first Sunday|erster Sonntag|premier dimanche|primer domingo|prima domenica|primeiro domingo|"
        "eerste zondag|最初の日曜日|第1日曜日"
    ),
    "2026-07-21": (
        "day 3|day three|third day|3rd day|the 21st|21st|21.|21.7.|21. 7. 2026|21.07.26|7/21|21/7|"
        "21/07/2026|July 21st|July the 21st|Tag drei|dritter Tag|3. Tag|21. Juli|21. Juli 2026|jour 3|"
        "troisième jour|3e jour|21 juillet|mardi 21 juillet|mardi 21|tercer día|21 de julio|"
        "el 21 de julio de 2026|martes, 21 de julio|terzo giorno|21 luglio|martedì 21 luglio|"
        "terceiro dia|21 de julho|terça-feira, 21 de julho|terça feira 21|derde dag|dag 3|21 juli|"
        "dinsdag 21 juli|3日目|三日目|7月21日|2026年7月21日|７月２１日|火曜日 7月21日|Di, 21. Juli|"
        "Tue 21|first Tuesday|1st Tuesday"
    ),
    "2026-07-22": (
        "Mittwoch|Mi.|am Mittwoch|mercredi|mer.|miércoles|mercoledì|quarta-feira|quarta|woensdag|水曜日|"
        "水曜|this Wednesday|diesen Mittwoch|ce mercredi|este miércoles|questo mercoledì|nesta quarta|"
        "deze woensdag|今週の水曜日|last Wednesday|letzter Mittwoch"
    ),
    "2026-07-28": (
        "last day|the last day|the last day of the|final day|day 10|letzter Tag|der letzte Tag|"
        "dernier jour|le dernier jour|último día|el último día|ultimo giorno|l'ultimo giorno|"
        "l\u2019ultimo giorno|último dia|laatste dag|最終日|最後の日|10日目|second Tuesday|2nd Tuesday|"
        "zweiter Dienstag|deuxième mardi|2e mardi|segundo martes|secondo martedì|segunda terça|"
        "tweede dinsdag|第二火曜日|2番目の火曜日|last Tuesday|dernier mardi|最後の火曜日"
    ),
}


@pytest.mark.parametrize(
    ("said", "day"), [(said, day) for day, listed in SAID_IN.items() for said in listed.split("|")]
)
def test_a_day_is_understood_in_eight_languages(said: str, day: str) -> None:
    assert str(read_day(TOKYO_THEN_NEW_YORK, said, LONG_BEFORE)) == day
    assert str(read_day(TOKYO_THEN_NEW_YORK, said.upper(), LONG_BEFORE)) == day


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ("Tuesday", ("2026-10-06", "2026-10-13", "2026-10-20")),
        ("10/6", ("2026-06-10", "2026-10-06")),
        ("6/10", ("2026-06-10", "2026-10-06")),
        ("6.10.", ("2026-10-06",)),
        ("10/16", ("2026-10-16",)),
        ("16/10", ("2026-10-16",)),
        ("10/16/2026", ("2026-10-16",)),
        ("first Tuesday", ("2026-06-02",)),
        ("día 19", ("2026-06-19", "2026-06-23")),
        ("día 3", ("2026-06-07",)),
    ],
)
def test_of_several_readings_those_that_lie_in_the_trip_are_offered(said: str, days: tuple[str, ...]) -> None:
    month = journey("2026-10-05 2026-10-20")
    summer_and_autumn = journey("2026-06-01 2026-10-20")
    trip = (
        month
        if said == "Tuesday"
        else journey("2026-06-05 2026-06-25")
        if said.startswith("día")
        else summer_and_autumn
    )
    found = read_day(trip, said, LONG_BEFORE)
    known = found.choices if isinstance(found, Unclear) else (found,)

    assert tuple(map(str, known)) == days


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("this Friday", "2026-07-24"),
        ("this Wednesday", "2026-07-22"),
        ("diesen Freitag", "2026-07-24"),
        ("今週の金曜日", "2026-07-24"),
        *(
            (word, "2026-07-22")
            for word in ("heute", "aujourd'hui", "aujourd\u2019hui", "hoy", "oggi", "hoje", "vandaag", "今日")
        ),
        *((word, "2026-07-22") for word in ("heute Abend", "ce soir", "esta noche", "stasera", "vanavond", "今夜")),
        *((word, "2026-07-23") for word in ("morgen", "demain", "mañana", "domani", "amanhã", "明日")),
        *((word, "2026-07-21") for word in ("gestern", "hier", "ayer", "ieri", "ontem", "gisteren", "昨日")),
    ],
)
def test_days_are_counted_from_today_in_eight_languages(said: str, day: str) -> None:
    wednesday = datetime(2026, 7, 22, 3, tzinfo=UTC)

    assert str(read_day(TOKYO_THEN_NEW_YORK, said, wednesday)) == day


def test_next_friday_may_be_this_weeks_or_the_next_weeks() -> None:
    wednesday = datetime(2026, 7, 15, 3, tzinfo=UTC)
    trip = journey("2026-07-13 2026-07-28", legs=[leg("Tokyo", "2026-07-13 2026-07-28", "Asia/Tokyo")])

    assert read_day(trip, "next Friday", wednesday) == Unclear(
        "That may be 2026-07-17 or 2026-07-24.", choices=(date(2026, 7, 17), date(2026, 7, 24))
    )
    assert read_day(trip, "next Monday", wednesday) == date(2026, 7, 20)


@given(st.text(max_size=80))
def test_whatever_is_said_is_a_day_of_the_trip_or_a_sentence(said: str) -> None:
    found = read_day(TOKYO_THEN_NEW_YORK, said, LONG_BEFORE)

    assert isinstance(found, Unclear) or date(2026, 7, 19) <= found <= date(2026, 7, 28)


def test_two_tuesdays_are_both_offered() -> None:
    found = read_day(TOKYO_THEN_NEW_YORK, "Tuesday", LONG_BEFORE)

    assert found == Unclear("Tuesday may be 2026-07-21 or 2026-07-28.", choices=(date(2026, 7, 21), date(2026, 7, 28)))


def test_of_very_many_tuesdays_the_first_ones_are_offered() -> None:
    found = read_day(journey("2026-01-01 2027-12-31"), "Tuesday", LONG_BEFORE)

    assert isinstance(found, Unclear)
    assert found.why.endswith("2026-03-24 or one of 92 later ones.")
    assert len(found.choices) == 12


def test_a_weekday_that_does_not_occur_is_told() -> None:
    found = read_day(journey("2026-07-20 2026-07-23"), "sunday", LONG_BEFORE)

    assert found == Unclear("The trip has no Sunday. The trip runs from Monday 2026-07-20 to Thursday 2026-07-23.")


def test_a_date_without_a_year_may_come_twice_in_a_long_trip() -> None:
    found = read_day(journey("2026-01-01 2027-12-31"), "21 July", LONG_BEFORE)

    assert found == Unclear(
        "That date may be 2026-07-21 or 2027-07-21.", choices=(date(2026, 7, 21), date(2027, 7, 21))
    )
    assert read_day(journey("2026-12-20 2027-01-10"), "2 January", LONG_BEFORE) == date(2027, 1, 2)
    assert read_day(journey("2026-01-01 2027-12-31"), "Wednesday 21 July", LONG_BEFORE) == date(2027, 7, 21)


@pytest.mark.parametrize(
    ("now", "said", "day"),
    [
        # it is the 22nd in Tokyo while it is still the 21st in New York, but the Tokyo leg covers it
        ("2026-07-21T20:00Z", "today", date(2026, 7, 22)),
        ("2026-07-21T20:00Z", "tonight", date(2026, 7, 22)),
        ("2026-07-21T20:00Z", "Tomorrow", date(2026, 7, 23)),
        ("2026-07-21T14:59Z", "yesterday", date(2026, 7, 20)),
        # after the change-over New York's clock counts
        ("2026-07-26T02:00Z", "today", date(2026, 7, 25)),
    ],
)
def test_today_is_that_of_the_leg_which_covers_it(now: str, said: str, day: date) -> None:
    assert read_day(TOKYO_THEN_NEW_YORK, said, datetime.fromisoformat(now)) == day


def test_where_two_legs_of_different_dates_cover_the_present_both_are_offered() -> None:
    trip = journey(
        "2026-07-19 2026-07-28",
        legs=[
            leg("Auckland", "2026-07-19 2026-07-22", "Pacific/Auckland"),
            leg("Honolulu", "2026-07-21 2026-07-28", "Pacific/Honolulu"),
        ],
    )

    found = read_day(trip, "tomorrow", datetime(2026, 7, 22, 3, tzinfo=UTC))

    assert isinstance(found, Unclear)
    assert "their dates differ" in found.why
    assert found.choices == (date(2026, 7, 22), date(2026, 7, 23))


@pytest.mark.parametrize(
    ("legs", "now"),
    [
        ([leg("Nowhere", "2026-07-19 2026-07-28", None)], "2026-07-21T12:00Z"),
        ([leg("Nowhere", "2026-07-19 2026-07-28", "Mars/Olympus")], "2026-07-21T12:00Z"),
        ([leg("Tokyo", "2026-07-19 2026-07-28", "Asia/Tokyo")], "2026-08-21T12:00Z"),
        ([], "2026-07-21T12:00Z"),
    ],
    ids=["a leg without a zone", "a leg with an unknown zone", "after the trip", "no legs"],
)
def test_today_is_not_guessed(legs: list[Json], now: str) -> None:
    found = read_day(journey("2026-07-19 2026-07-28", legs=legs), "today", datetime.fromisoformat(now))

    assert isinstance(found, Unclear)
    assert found.why.startswith("Which day is today is not known")
    assert not found.choices


def test_tomorrow_on_the_last_day_is_outside_the_trip() -> None:
    found = read_day(TOKYO_THEN_NEW_YORK, "tomorrow", datetime(2026, 7, 28, 20, tzinfo=UTC))

    assert found == Unclear(
        "Wednesday 2026-07-29 is outside the trip. The trip runs from Sunday 2026-07-19 to Tuesday 2026-07-28."
    )


def test_a_day_outside_the_dates_on_which_something_is_planned_can_be_asked_for() -> None:
    red_eye = flight("NH211", "LHR 2026-07-18T19:00 Europe/London", "HND 2026-07-19T15:50 Asia/Tokyo")
    trip = journey(
        "2026-07-19 2026-07-28", legs=[leg("Tokyo", "2026-07-19 2026-07-28", "Asia/Tokyo", flights=[red_eye])]
    )

    assert read_day(trip, "2026-07-18", LONG_BEFORE) == date(2026, 7, 18)
    assert read_day(trip, "day 1", LONG_BEFORE) == date(2026, 7, 19)


def test_a_trip_without_dates_has_those_of_its_parts() -> None:
    trip = journey(None, plans=[plan("Dinner", "2026-07-21"), plan("Lunch", "2026-07-23")])

    assert read_day(trip, "day 3", LONG_BEFORE) == date(2026, 7, 23)
    assert read_day(trip, "Wednesday", LONG_BEFORE) == date(2026, 7, 22)


def test_a_trip_without_any_dates_has_no_days() -> None:
    found = read_day(journey(None, plans=[plan("Dinner", "some day")]), "today", LONG_BEFORE)

    assert isinstance(found, Unclear)
    assert found.why.startswith("The trip has no dates")


@given(said=st.text(max_size=30) | st.from_regex(r"(day |tue |jul )?[0-9]{1,4}( jul(y)?)?( [0-9]{4})?"))
def test_whatever_is_said_is_a_day_of_the_trip_or_unclear(said: str) -> None:
    for trip in (TOKYO_THEN_NEW_YORK, journey(None), journey("2026-07-21 2026-07-21")):
        found = read_day(trip, said, datetime(2026, 7, 21, 12, tzinfo=UTC))
        if isinstance(found, Unclear):
            assert found.why.endswith(".")
        else:
            assert trip.dates is not None
            assert found in trip.dates
