"""Random itineraries: every question has an answer, and the order of the parts does not change it."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trips_mcp.itinerary.day import day_of
from trips_mcp.itinerary.day_expressions import Unclear, read_day
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import WEEKDAYS
from trips_mcp.itinerary.markdown import day_in_markdown, timeline_in_markdown
from trips_mcp.itinerary.results import Thing
from trips_mcp.itinerary.timeline import timeline_of
from trips_mcp.json_values import is_list, is_object

from .trips import Json, journey, quoted

FIRST = date(2026, 7, 19)
MOST = 40_000
SMALL = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
VERY_MANY = settings(SMALL, max_examples=300)

EMPTINESS = re.compile(r"\bNone\b|\[\]|\{\}")
"""Texts that an answer must not show for missing values."""
UNCHANGING_ZONES = ["Asia/Tokyo", "Asia/Kolkata", "Africa/Lagos", "Pacific/Honolulu", "Pacific/Kiritimati", None]
CHANGING_ZONES = ["Europe/Paris", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe", "Mars/Olympus", ""]
DAYS = st.integers(-2, 12).map(lambda days: str(FIRST + timedelta(days)))
TIMES = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 5, 30, 59]))
TITLES = st.sampled_from(["Tea", "Sea", "Jazz", "", "Zoo\nline", "Café \u200b"])
TEXTS = st.sampled_from([None, "", "quiet\nplace", "by the \u202esea"]) | st.text(max_size=20)
ODD = st.sampled_from(["", "soon", "24:00", "2026-02-30", "9999-12-31", "2026-07-20T10:00+99:00", "\0", "day 3"])
WORDS = st.text(max_size=12)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def some(kind: str, parts: st.SearchStrategy[Json], most: int) -> st.SearchStrategy[list[Json]]:
    """Give each part its own id."""
    return st.lists(parts, max_size=most).map(
        lambda found: [{"_id": f"{kind}_{number}", **part} for number, part in enumerate(found)]
    )


def plausible(zones: Sequence[str | None]) -> st.SearchStrategy[dict[str, Any]]:
    zone = st.sampled_from(zones)
    moment = st.builds("{}T{}".format, DAYS, TIMES)
    flights = st.fixed_dictionaries(
        {"flightNumber": TITLES, "from": TITLES, "to": maybe(TITLES)},
        optional={"departure": moment, "arrival": moment, "departureTimezone": zone, "arrivalTimezone": zone},
    )
    stay = st.fixed_dictionaries(
        {"name": TITLES},
        optional={
            "address": TEXTS,
            "checkIn": moment | DAYS | TIMES,
            "checkOut": moment | DAYS | TIMES,
            "notes": TEXTS,
        },
    )
    car = st.fixed_dictionaries({}, optional={"company": TITLES, "pickUp": moment | TIMES, "dropOff": moment | DAYS})
    legs = st.fixed_dictionaries(
        {"title": TITLES, "destination": TITLES, "startDate": DAYS, "endDate": DAYS, "timezone": zone},
        optional={
            "accommodation": stay,
            "flights": st.lists(flights, max_size=2),
            "rentalCar": car,
            "order": st.integers(),
        },
    )
    plans = st.fixed_dictionaries(
        {"title": TITLES, "startDate": DAYS},
        optional={
            "startTime": TIMES,
            "endTime": TIMES,
            "isAllDay": st.booleans(),
            "timezone": zone,
            "legId": st.sampled_from(["leg_0", "leg_1", "leg_9"]),
            "mapPinId": st.sampled_from(["pin_0", "pin_9"]),
            "category": st.sampled_from(["dinner", "birthday", "other"]),
            "notes": TEXTS,
        },
    )
    events = st.fixed_dictionaries(
        {"title": TITLES, "date": DAYS},
        optional={"time": TIMES, "location": TEXTS, "description": TEXTS, "type": TEXTS},
    )
    pins = st.fixed_dictionaries({"name": TITLES}, optional={"lat": st.floats(-90, 90), "lng": st.floats(-180, 180)})
    todos = st.fixed_dictionaries(
        {"text": TITLES, "urgency": st.sampled_from(["now", "before_trip", "nice_to_have"])},
        optional={"completed": st.booleans()},
    )
    return st.fixed_dictionaries(
        {
            "dates": maybe(st.just(f"{FIRST} {FIRST + timedelta(10)}")),
            "legs": some("leg", legs, 4),
            "plans": some("com", plans, 5),
            "events": st.lists(events, max_size=3).map(lambda found: [{"id": n, **one} for n, one in enumerate(found)]),
            "pins": some("pin", pins, 2),
            "todos": some("todo", todos, 3),
        }
    )


def spoilt(parts: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """Replace some values by odd texts."""

    def spoil(value: Any) -> Any:
        if is_object(value):
            return {key: spoil(inner) for key, inner in value.items()}
        if is_list(value):
            return [spoil(inner) for inner in value]
        if isinstance(value, str) and data.draw(st.integers(0, 3)) == 0:
            return data.draw(ODD | WORDS)
        return value

    return {name: part if name == "dates" else spoil(part) for name, part in parts.items()}


def answers(trip: Journey) -> dict[str, Any]:
    """Answers to every question about its days, in both forms."""
    told: dict[str, Any] = {}
    days = list(trip.extent or ())[:40]
    for day in days:
        answer = day_of(trip, day, FIRST)
        told[str(day)] = [
            answer.model_dump(mode="json", exclude_none=True),
            day_in_markdown(quoted(answer, by_members=True)),
        ]
    timeline = timeline_of(trip, today=FIRST)
    told["all"] = [
        timeline.model_dump(mode="json", exclude_none=True),
        timeline_in_markdown(quoted(timeline, by_members=True)),
    ]
    return told


def texts_in(value: object) -> Iterator[str]:
    """All texts of the trip, which may contain words such as None."""
    if isinstance(value, str):
        yield value
    elif is_object(value):
        yield from texts_in(list(value.values()))
    elif is_list(value):
        for inner in value:
            yield from texts_in(inner)


def holds_for_any(parts: dict[str, Any]) -> None:
    trip = journey(**parts)

    for structured, text in answers(trip).values():
        assert len(json.dumps(structured, ensure_ascii=False)) < MOST
        assert len(text) < MOST
        assert text.startswith("# ")
        assert EMPTINESS.search("\n".join(texts_in(parts))) or not EMPTINESS.search(text)
    for said in ("today", "Tuesday", "day 2", "2026-07-20", "20 July"):
        found = read_day(trip, said, datetime(2026, 7, 20, 12, tzinfo=UTC))
        assert isinstance(found, Unclear) or trip.extent is None or found in trip.extent


def holds_for_plausible(parts: dict[str, Any]) -> None:
    trip = journey(**parts)

    known = set(re.findall(r"[0-9]{2}:[0-9]{2}", json.dumps(parts)))
    for day, (structured, _) in answers(trip).items():
        things: list[Json] = structured.get("things", []) if day != "all" else []
        times = {thing[end] for thing in things for end in ("time", "until") if end in thing}
        assert times <= known, "a time was made up"
    timeline = timeline_of(trip)
    told = [thing for row in timeline.rows or [] for thing in row.things or []] + (timeline.undated or [])
    plans = {thing.commitment_id or f"{thing.event_id}" for thing in told if thing.kind in ("commitment", "event")}
    moves = {f"{thing.leg_id} {thing.flight}" for thing in told if thing.kind.startswith("flight")}
    assert timeline.continues is None
    assert plans == {*(one["_id"] for one in parts["plans"]), *(str(one["id"]) for one in parts["events"])}
    assert moves == {f"{one['_id']} {n}" for one in parts["legs"] for n, _ in enumerate(one.get("flights", []))}
    for day in trip.extent or ():
        (row,) = [row for row in timeline.rows or [] if row.date <= str(day) <= (row.until or row.date).split()[-1]]
        assert [*map(gist, row.things or [])] == [*map(gist, day_of(trip, day).things or [])]


def gist(thing: Thing) -> tuple[object, ...]:
    """The values that both answers must share."""
    ids = thing.leg_id, thing.flight, thing.commitment_id, thing.event_id
    return (thing.kind, thing.time, thing.until, thing.until_date, thing.since, *ids)


def holds_when_shifted(parts: dict[str, Any]) -> None:
    """Move by a day, which also changes weekdays, in zones without clock changes."""
    shifted = json.loads(DATE.sub(later(1), json.dumps(parts)))

    there = json.dumps(answers_of_today(shifted, FIRST + timedelta(1)))

    assert json.loads(earlier(there)) == json.loads(json.dumps(answers_of_today(parts, FIRST)))


def answers_of_today(parts: dict[str, Any], today: date) -> dict[str, Any]:
    trip = journey(**parts)
    told: dict[str, Any] = {
        str(day): [
            day_of(trip, day, today).model_dump(mode="json", exclude_none=True),
            day_in_markdown(day_of(trip, day, today)),
        ]
        for day in trip.extent or ()
    }
    timeline = timeline_of(trip, today=today)
    told["all"] = [timeline.model_dump(mode="json", exclude_none=True), timeline_in_markdown(timeline)]
    return told


DATE = re.compile(r"2026-[0-9]{2}-[0-9]{2}")
WEEKDAY = re.compile("|".join(WEEKDAYS))


def later(days: int) -> Callable[[re.Match[str]], str]:
    return lambda found: str(date.fromisoformat(found[0]) + timedelta(days))


def earlier(text: str) -> str:
    text = DATE.sub(later(-1), text)
    return WEEKDAY.sub(lambda found: WEEKDAYS[(WEEKDAYS.index(found[0]) - 1) % 7], text)


def holds_in_any_order(parts: dict[str, Any], data: st.DataObject) -> None:
    mixed: dict[str, Any] = {
        name: data.draw(st.permutations(part)) if is_list(part) else part for name, part in parts.items()
    }

    assert answers(journey(**mixed)) == answers(journey(**parts))


@given(parts=plausible([*UNCHANGING_ZONES, *CHANGING_ZONES]), data=st.data())
@SMALL
def test_any_itinerary_has_answers(parts: dict[str, Any], data: st.DataObject) -> None:
    holds_for_any(parts)
    holds_for_any(spoilt(parts, data))


@given(parts=plausible([*UNCHANGING_ZONES, *CHANGING_ZONES]))
@SMALL
def test_everything_is_told_and_alike_and_no_time_is_made_up(parts: dict[str, Any]) -> None:
    holds_for_plausible(parts)


@given(parts=plausible(UNCHANGING_ZONES))
@SMALL
def test_a_trip_a_day_later_has_the_same_answers_a_day_later(parts: dict[str, Any]) -> None:
    holds_when_shifted(parts)


@given(parts=plausible([*UNCHANGING_ZONES, *CHANGING_ZONES]), data=st.data())
@SMALL
def test_the_order_of_the_parts_changes_nothing(parts: dict[str, Any], data: st.DataObject) -> None:
    holds_in_any_order(parts, data)


@pytest.mark.soak
@given(parts=plausible([*UNCHANGING_ZONES, *CHANGING_ZONES]), data=st.data())
@VERY_MANY
def test_all_that_holds_for_very_many(parts: dict[str, Any], data: st.DataObject) -> None:
    holds_for_any(parts)
    holds_for_any(spoilt(parts, data))
    holds_for_plausible(parts)
    holds_in_any_order(parts, data)


@pytest.mark.soak
@given(parts=plausible(UNCHANGING_ZONES))
@VERY_MANY
def test_very_many_a_day_later(parts: dict[str, Any]) -> None:
    holds_when_shifted(parts)
