"""Timeline of a whole trip, with a line for each thing."""

from datetime import date, timedelta
from typing import Any

from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.markdown import timeline_in_markdown
from trips_mcp.itinerary.timeline import timeline_of

from .trips import event, flight, journey, leg, pin, plan, quoted, todo

MOST = 40_000


def told(trip: Journey, **asked: Any) -> list[str]:
    """Lines of its text. Strangers' words are between « and »."""
    text = timeline_in_markdown(quoted(timeline_of(trip, **asked)))
    return [line for line in text.split("\n") if line]


JAPAN = journey(
    "2026-07-18 2026-07-31",
    legs=[
        leg(
            "Tokyo",
            "2026-07-19 2026-07-24",
            "Asia/Tokyo",
            stay={"name": "Hotel Hibiya", "checkIn": "15:00"},
            flights=[flight("JL44", "LHR 2026-07-18T11:25 Europe/London", "HND 2026-07-19T09:25 Asia/Tokyo")],
        ),
        leg("Kyoto", "2026-07-24 2026-07-30", "Asia/Tokyo", stay="Machiya", title="The house"),
        leg(
            "London",
            "2026-07-30 2026-07-31",
            "Europe/London",
            flights=[flight("JL43", "HND 2026-07-30T11:30 Asia/Tokyo", "LHR 2026-07-30T17:55 Europe/London")],
        ),
    ],
    plans=[
        plan("Tea", "2026-07-26", "14:00 15:00", mapPinId="pin_uji", notes="Long notes"),
        plan("Sushi", "some evening"),
    ],
    events=[event("Jazz", "2026-07-26", "20:00", location="Blue Note", description="Long words")],
    pins=[pin("Uji", 34.8844, 135.7997)],
    todos=[todo("Passports", "now"), todo("Cash", "before_trip")],
)


def test_a_trip_is_told_a_line_a_thing_and_days_without_any_together() -> None:
    assert told(JAPAN) == [
        "# A trip (tripId trip_1)",
        "Saturday 2026-07-18 to Friday 2026-07-31, 14 days.",
        "- Tokyo: 2026-07-19 to 2026-07-24, Asia/Tokyo, stay: Hotel Hibiya (legId leg_tokyo)",
        "- The house, Kyoto: 2026-07-24 to 2026-07-30, Asia/Tokyo, stay: Machiya (legId leg_kyoto)",
        "- London: 2026-07-30 to 2026-07-31, Europe/London (legId leg_london)",
        "Due: Passports (now, itemId todo_passports); Cash (before_trip, itemId todo_cash).",
        "Not a date, time or zone, so left out: commitment com_sushi startDate.",
        "## Saturday 2026-07-18",
        "- JL44 LHR → HND, 11:25 Europe/London → Sunday 2026-07-19 09:25 Asia/Tokyo, 14 h (legId leg_tokyo, flight 0).",
        "Sleep: under way, JL44 LHR → HND (legId leg_tokyo, flight 0).",
        "## Sunday 2026-07-19 (Asia/Tokyo)",
        "- 09:25 arrives: JL44 LHR → HND, Saturday 2026-07-18 11:25 Europe/London → 09:25 Asia/Tokyo, 14 h "
        "(legId leg_tokyo, flight 0).",
        "- 15:00: check-in Hotel Hibiya (legId leg_tokyo).",
        "Sleep: Hotel Hibiya (legId leg_tokyo).",
        "## Monday 2026-07-20 to Thursday 2026-07-23 (Asia/Tokyo)",
        "Nothing is planned.",
        "## Friday 2026-07-24 to Saturday 2026-07-25 (Asia/Tokyo)",
        "Nothing is planned.",
        "Sleep: Machiya (legId leg_kyoto).",
        "## Sunday 2026-07-26 (Asia/Tokyo)",
        "- 14:00-15:00: Tea, pin Uji (pinId pin_uji) (commitmentId com_tea).",
        "- 20:00: «Jazz», at «Blue Note» (event_id 415).",
        "## Monday 2026-07-27 to Wednesday 2026-07-29 (Asia/Tokyo)",
        "Nothing is planned.",
        "## Thursday 2026-07-30",
        "- JL43 HND → LHR, 11:30 Asia/Tokyo → 17:55 Europe/London, 14 h 25 min (legId leg_london, flight 0).",
        "Sleep: not set.",
        "## Friday 2026-07-31 (Europe/London)",
        "Nothing is planned.",
        "## Without a date",
        "- date not set: Sushi (commitmentId com_sushi).",
    ]


def test_a_part_of_it_can_be_asked_for() -> None:
    assert told(JAPAN, first=date(2026, 7, 24), last=date(2026, 7, 25)) == [
        "# A trip (tripId trip_1)",
        "Saturday 2026-07-18 to Friday 2026-07-31, 14 days.",
        "- Tokyo: 2026-07-19 to 2026-07-24, Asia/Tokyo, stay: Hotel Hibiya (legId leg_tokyo)",
        "- The house, Kyoto: 2026-07-24 to 2026-07-30, Asia/Tokyo, stay: Machiya (legId leg_kyoto)",
        "Due: Passports (now, itemId todo_passports); Cash (before_trip, itemId todo_cash).",
        "Not a date, time or zone, so left out: commitment com_sushi startDate.",
        "## Friday 2026-07-24 to Saturday 2026-07-25 (Asia/Tokyo)",
        "Nothing is planned.",
        "Sleep: Machiya (legId leg_kyoto).",
        "## Without a date",
        "- date not set: Sushi (commitmentId com_sushi).",
    ]
    assert "Nothing of the trip lies between these days." in told(JAPAN, first=date(2027, 1, 1))


def test_a_day_that_the_date_line_takes_is_told() -> None:
    by = flight("QF12", "LAX 2026-07-20T22:30 America/Los_Angeles", "SYD 2026-07-22T06:30 Australia/Sydney")
    trip = journey(
        "2026-07-20 2026-07-23",
        legs=[leg("Sydney", "2026-07-22 2026-07-23", "Australia/Sydney", stay="The Rocks", flights=[by])],
    )

    lines = told(trip)

    assert lines[lines.index("## Tuesday 2026-07-21") + 1] == "Skipped: the date line is crossed."


def test_an_empty_trip_and_one_without_dates() -> None:
    assert told(journey("2026-07-20 2026-07-23")) == [
        "# A trip (tripId trip_1)",
        "Monday 2026-07-20 to Thursday 2026-07-23, 4 days.",
        "Nothing is planned yet.",
        "## Monday 2026-07-20 to Wednesday 2026-07-22",
        "Nothing is planned.",
        "Sleep: not set.",
        "## Thursday 2026-07-23",
        "Nothing is planned.",
    ]
    assert told(journey(None)) == [
        "# A trip (tripId trip_1)",
        "The trip has no dates, and nothing in it has one.",
    ]


def busy(days: int, plans_a_day: int) -> Journey:
    first = date(2026, 3, 1)
    each = [first + timedelta(day) for day in range(days)]
    return journey(
        f"{each[0]} {each[-1]}",
        legs=[
            leg(f"Town {day}", f"{day} {day + timedelta(5)}", "Europe/Rome", stay=f"Inn of the {day}")
            for day in each[::5]
        ],
        plans=[
            plan(f"Sight {n} of {day}", str(day), f"{8 + n}:00 {9 + n}:00") for day in each for n in range(plans_a_day)
        ],
        events=[event(f"Concert {day}", str(day), "21:00", location="Town hall\u200b") for day in each],
    )


def test_a_long_trip_comes_in_parts_that_miss_nothing() -> None:
    trip = busy(120, 5)
    seen: list[str] = []
    first: date | None = None
    parts = 0
    while True:
        timeline = timeline_of(trip, first=first)
        assert len(timeline.model_dump_json(exclude_none=True)) < MOST
        assert len("\n".join(told(trip, first=first))) < MOST
        seen += [str(thing.title) for row in timeline.rows or [] for thing in row.things or []]
        parts += 1
        if timeline.continues is None:
            break
        first = date.fromisoformat(timeline.continues)

    assert len(seen) == len(set(seen)) == 120 * 6
    assert 1 < parts < 10
    assert told(trip)[-1].startswith("Not all fits in one answer: get_timeline with from 2026-0")


def test_of_very_many_legs_and_plans_without_a_date_the_rest_is_counted() -> None:
    trip = journey(
        None,
        legs=[leg(f"Town {n}", f"2026-07-{n % 28 + 1:02} 2026-07-30", "Europe/Rome") for n in range(100)],
        plans=[plan(f"Sight {n}", None) for n in range(100)],
    )

    timeline, lines = timeline_of(trip), told(trip)

    assert len(timeline.legs or []) + (timeline.more_legs or 0) == 100
    assert f"- and {timeline.more_legs} more legs: list_legs gives all." in lines
    assert len(timeline.undated or []) + (timeline.more_undated or 0) == 100
    assert lines[-1] == f"- and {timeline.more_undated} more: list_commitments and list_trip_events give all."


def test_one_day_that_is_too_full_is_cut_with_a_count() -> None:
    trip = journey(
        "2026-07-20 2026-07-23",
        legs=[leg("Rome", "2026-07-20 2026-07-23", "Europe/Rome")],
        plans=[plan(f"Sight {n}", "2026-07-21", "10:00") for n in range(3_000)] + [plan("Rest", "2026-07-22")],
    )

    timeline = timeline_of(trip)
    row = (timeline_of(trip, first=date(2026, 7, 21)).rows or [])[0]

    assert timeline.continues == "2026-07-21"
    assert len(row.things or []) + (row.more_things or 0) == 3_000
    assert f"- and {row.more_things} more: get_day has more of this day." in told(trip, first=date(2026, 7, 21))
