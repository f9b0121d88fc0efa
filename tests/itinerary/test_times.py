"""Night flights, date lines and clock changes, through the tools."""

import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings

from trips_mcp.client import Endpoint, TripsClient
from trips_mcp.tools import TOOLS, Answer

from .test_any_itinerary import CHANGING_ZONES, UNCHANGING_ZONES, plausible
from .trips import Json, export, flight, leg, plan

EXPORT = "/trips/trip_1/export"
EVENTS = "/v1/trips/7/itinerary"
PARIS = "Europe/Paris"


TOOL = {tool.name: tool for tool in TOOLS}

Call = Callable[..., Awaitable[Answer]]


async def unheard(progress: float, total: float | None, message: str | None) -> None:
    """Ignore progress."""


@asynccontextmanager
async def trip(
    dates: str, *, legs: Sequence[Json] = (), plans: Sequence[Json] = (), events: Sequence[Json] = (), **more: Any
) -> AsyncGenerator[Call]:
    """The tools of a service with one trip."""
    body = export(dates, legs=legs, plans=plans, **more).model_dump(mode="json", by_alias=True, exclude_none=True)
    body["trip"] = {**body["trip"], "number": 7}
    bodies = {EXPORT: body, EVENTS: {"events": [*events]}}

    def answered(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=json.dumps(bodies[request.url.path]).encode())

    endpoint = Endpoint("https://api.test", "osk_test", httpx.MockTransport(answered))
    async with TripsClient(trips=endpoint, events=endpoint) as client:

        async def call(tool: str, /, **arguments: Any) -> Answer:
            return await TOOL[tool].call(client, {"tripId": "trip_1", **arguments}, unheard)

        yield call


def content(answer: Answer) -> Json:
    return answer.structured or {}


async def things(call: Call, day: str) -> list[Json]:
    answer = await call("get_day", date=day)
    assert not answer.is_error, answer.text
    return content(answer).get("things", [])


async def rows(call: Call) -> dict[str, Json]:
    """By each of their days."""
    answer = await call("get_timeline")
    found: dict[str, Json] = {}
    for row in content(answer).get("rows", []):
        first, last = date.fromisoformat(row["date"]), date.fromisoformat(row.get("until", row["date"]).split()[-1])
        for number in range((last - first).days + 1):
            found[str(first + timedelta(number))] = row
    return found


async def kinds(call: Call) -> set[str]:
    answer = await call("check_trip")
    return {finding["kind"] for finding in content(answer).get("findings", [])}


def flying(departs: str, arrives: str, *, on: str = "2027-01-01 2027-12-31", zone: str = PARIS) -> Any:
    """A trip with one flight."""
    return trip(on, legs=[leg("There", on, zone, stay="Inn", flights=[flight("XX1", departs, arrives)])])


@pytest.mark.parametrize(
    ("departs", "arrives", "takes"),
    [
        pytest.param(
            "Calais 2027-07-01T12:20 Europe/Paris",
            "Folkestone 2027-07-01T11:55 Europe/London",
            "35 min",
            id="4: the clock goes back on the way",
        ),
        pytest.param(
            "A 2027-03-27T23:59 Europe/Paris",
            "B 2027-03-28T04:00 Europe/Paris",
            "3 h 01 min",
            id="5: a night that is an hour shorter",
        ),
        pytest.param(
            "A 2027-10-31T02:40 Europe/Paris",
            "B 2027-10-31T02:20 Europe/Paris",
            "40 min",
            id="7: within the hour that comes twice",
        ),
        pytest.param(
            "A 2027-10-31T02:40 Europe/Paris",
            "B 2027-10-31T02:20 Europe/Berlin",
            "40 min",
            id="within that hour, from zone to zone",
        ),
        pytest.param(
            "A 2027-04-04T01:20 Australia/Lord_Howe",
            "B 2027-04-04T02:20 Australia/Lord_Howe",
            "1 h 30 min",
            id="16: over a change of half an hour",
        ),
        pytest.param(
            "A 2027-04-04T01:45 Australia/Lord_Howe",
            "B 2027-04-04T01:35 Australia/Lord_Howe",
            "20 min",
            id="16: within the half hour that comes twice",
        ),
    ],
)
async def test_how_long_a_flight_takes(departs: str, arrives: str, takes: str) -> None:
    day = departs.split()[1][:10]
    async with flying(departs, arrives) as call:
        told = [*await things(call, day), *(await rows(call))[day]["things"]]
        text = (await call("get_day", date=day)).text + (await call("get_timeline")).text
        found = await kinds(call)

    assert {thing["duration"] for thing in told} == {takes}
    assert "one of them is wrong" not in text
    assert "arrival_before_departure" not in found


async def test_an_arrival_that_no_reading_of_the_clock_allows_is_told() -> None:
    async with flying("A 2027-10-31T02:40 Europe/Paris", "B 2027-10-31T01:20 Europe/Paris") as call:
        (thing,) = await things(call, "2027-10-31")
        found = await kinds(call)

    assert "one of them is wrong" in thing["remark"]
    assert "arrival_before_departure" in found


@pytest.mark.parametrize(
    ("times", "line", "days"),
    [
        pytest.param("21:00 00:00", "- 21:00-00:00: Show", ["2027-03-30"], id="11: until midnight"),
        pytest.param(
            "23:00 03:00",
            "- 23:00 to Wednesday 2027-03-31 03:00: Show",
            ["2027-03-30", "2027-03-31"],
            id="until long after midnight",
        ),
    ],
)
async def test_an_evening_is_on_the_days_it_reaches(times: str, line: str, days: list[str]) -> None:
    legs = [leg("Tokyo", "2027-03-28 2027-04-02", "Asia/Tokyo", stay="Inn")]
    async with trip("2027-03-28 2027-04-02", legs=legs, plans=[plan("Show", "2027-03-30", times)]) as call:
        told = {day for day in ("2027-03-29", "2027-03-30", "2027-03-31") if await things(call, day)}
        text = (await call("get_day", date="2027-03-30")).text
        listed = {day for day, row in (await rows(call)).items() if row.get("things")}

    assert line in text
    assert told == listed == set(days)


@pytest.mark.parametrize("times", ["21:00 00:00", "23:00 03:00"])
async def test_the_last_evening_adds_no_day_to_the_trip(times: str) -> None:
    legs = [leg("Tokyo", "2027-03-28 2027-03-30", "Asia/Tokyo", stay="Inn")]
    async with trip("2027-03-28 2027-03-30", legs=legs, plans=[plan("Show", "2027-03-30", times)]) as call:
        days = [*await rows(call)]
        after = await call("get_day", date="2027-03-31")

    assert days == ["2027-03-28", "2027-03-29", "2027-03-30"]
    assert after.is_error
    assert "is outside the trip" in after.text


async def test_12_an_hour_that_does_not_exist_is_told() -> None:
    legs = [leg("Berlin", "2027-03-27 2027-03-29", "Europe/Berlin", stay="Inn")]
    async with trip("2027-03-27 2027-03-29", legs=legs, plans=[plan("Toast", "2027-03-28", "02:30")]) as call:
        (thing,) = await things(call, "2027-03-28")
        found = await kinds(call)

    assert thing["time"] == "02:30"
    assert "does not exist" in thing["remark"]
    assert "hour_does_not_exist" in found


async def test_13_a_stay_over_a_change_of_clocks_has_its_nights_and_its_day() -> None:
    legs = [leg("Berlin", "2026-10-24 2026-10-27", "Europe/Berlin", stay="Inn")]
    fair = plan("Fair", "2026-10-25", isAllDay=True)
    async with trip("2026-10-24 2026-10-27", legs=legs, plans=[fair]) as call:
        told = await rows(call)
        found = await kinds(call)
        day = await call("get_day", date="2026-10-25")

    assert [day for day, row in told.items() if row.get("sleep")] == ["2026-10-24", "2026-10-25", "2026-10-26"]
    assert [day for day, row in told.items() if row.get("things")] == ["2026-10-25"]
    assert "no_bed" not in found
    assert "- all day: Fair" in day.text


@pytest.fixture
def in_chicago(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    monkeypatch.setenv("TZ", "America/Chicago")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_chicago")
async def test_14_where_the_process_runs_moves_no_date() -> None:
    legs = [leg("Delhi", "2027-03-10 2027-03-14", "Asia/Kolkata", stay="Haveli")]
    async with trip("2027-03-10 2027-03-14", legs=legs, plans=[plan("Aarti", "2027-03-12", "00:15")]) as call:
        listed = [day for day, row in (await rows(call)).items() if row.get("things")]
        (thing,) = await things(call, "2027-03-12")

    assert listed == ["2027-03-12"]
    assert (thing["time"], thing.get("zone")) == ("00:15", None)


async def test_where_a_night_flight_lands_both_answers_have_it() -> None:
    red_eye = flight("UA1", "SFO 2027-05-02T22:10 America/Los_Angeles", "EWR 2027-05-03T06:25 America/New_York")
    legs = [leg("New York", "2027-05-03 2027-05-08", "America/New_York", stay="Inn", flights=[red_eye])]
    async with trip("2027-05-02 2027-05-08", legs=legs) as call:
        (thing,) = await things(call, "2027-05-03")
        (listed,) = (await rows(call))["2027-05-03"]["things"]

    assert (thing["kind"], thing["time"]) == (listed["kind"], listed["time"]) == ("flight_arrival", "06:25")


async def test_days_under_way_are_one_row_however_many_they_are() -> None:
    """Such as a cruise, or a mistyped year."""
    cruise = flight(
        "Queen Mary", "Southampton 2027-05-02T18:00 Europe/London", "Sydney 2907-07-20T07:00 Australia/Sydney"
    )
    async with trip(
        "2027-05-02 2027-07-22", legs=[leg("Sea", "2027-05-02 2027-07-20", None, flights=[cruise])]
    ) as call:
        answer = await call("get_timeline")

    told = content(answer)
    assert len(told["rows"]) < 10
    assert answer.text.count("under way: Queen Mary") < 10


@pytest.mark.parametrize(("name", "other"), [("from", "to"), ("to", "from")])
async def test_a_date_outside_the_trip_is_refused_by_each_tool_alike(name: str, other: str) -> None:
    legs = [leg("Tokyo", "2027-03-28 2027-04-02", "Asia/Tokyo", stay="Inn")]
    async with trip("2027-03-28 2027-04-02", legs=legs) as call:
        day = await call("get_day", date="2026-03-28")
        part = await call("get_timeline", **{name: "2026-03-28"})
        inside = await call("get_timeline", **{name: "2027-03-30", other: "2027-03-30"})

    sentence = "Saturday 2026-03-28 is outside the trip. The trip runs from Sunday 2027-03-28 to Friday 2027-04-02."
    assert day.is_error
    assert part.is_error
    assert (day.text, part.text) == (sentence, f"{name}: {sentence}")
    assert not inside.is_error


def gist(thing: Json) -> tuple[object, ...]:
    told = ("kind", "time", "until", "untilDate", "since", "legId", "flight", "commitmentId", "event_id")
    return tuple(thing.get(name) for name in told)


@given(parts=plausible([*UNCHANGING_ZONES, *CHANGING_ZONES]))
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
async def test_what_get_day_lists_get_timeline_has_and_the_reverse(parts: dict[str, Any]) -> None:
    parts["dates"] = parts["dates"] or "2026-07-19 2026-07-29"
    async with trip(**parts) as call:
        told = await rows(call)
        for number in range(-4, 16):
            day = str(date(2026, 7, 19) + timedelta(number))
            answer = await call("get_day", date=day)
            assert answer.is_error == (day not in told), day
            if not answer.is_error:
                listed: list[Json] = content(answer).get("things", [])
                assert [*map(gist, listed)] == [*map(gist, told[day].get("things", []))]
