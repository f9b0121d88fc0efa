"""Filters of lists: one leg, one pin, the open to-dos. The APIs cannot filter, so the tools do, on every page."""

import json
from typing import Any

import pytest

from trips_mcp.tools import Answer
from trips_mcp.tools.call_context import Conduct

from .services import Call, Service

LEGS = "/trips/t/legs"
TODOS = "/trips/t/action-items"
PLANS = "/trips/t/commitments"
PINS = "/trips/t/map-pins"


def leg(number: int, title: str = "", **more: Any) -> dict[str, Any]:
    start = f"2026-07-{number % 28 + 1:02}"
    return {"_id": f"leg_{number}", "title": title or f"Stop {number}", "startDate": start, "endDate": start, **more}


def plan(number: int, day: str, category: str = "dinner") -> dict[str, Any]:
    return {"_id": f"com_{number}", "title": f"Plan {number}", "startDate": day, "category": category}


def todo(number: int, urgency: str, **more: Any) -> dict[str, Any]:
    return {"_id": f"todo_{number}", "text": f"Pack {number}", "urgency": urgency, **more}


def paged(items: list[dict[str, Any]], size: int = 200) -> Any:
    """A service that keeps to `limit`, and its own maximum."""

    def answer(query: dict[str, str]) -> dict[str, Any]:
        start, limit = int(query.get("cursor", 0)), min(int(query.get("limit", 100)), size)
        rest = items[start + limit :]
        return {"items": items[start : start + limit], "nextCursor": str(start + limit) if rest else None}

    return answer


def told(answer: Answer) -> dict[str, Any]:
    assert not answer.is_error, answer.text
    assert answer.structured is not None
    return answer.structured


def ids(answer: Answer) -> list[str]:
    return [item["_id"] for item in told(answer).get("items", [])]


WIEN = leg(1, "Wien", destination="Wien", timezone="Europe/Vienna")
ROME = leg(
    2,
    "Roma",
    destination="Roma",
    accommodation={"name": "Casa Lucia", "address": "Via Appia 7", "doorCode": "K4711", "wifiPassword": "gelato"},
    flights=[{"from": "VIE", "to": "FCO", "flightNumber": "OS 501"}],
)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"legId": "leg_2"}, ["leg_2"]),
        ({"query": "roma"}, ["leg_2"]),
        ({"query": "casa lucia"}, ["leg_2"]),
        ({"query": "appia"}, ["leg_2"]),
        ({"query": "os501"}, ["leg_2"]),
        ({"query": "vienna"}, ["leg_1", "leg_2"]),  # a leg there, and a flight from there
        ({"query": "Austria"}, ["leg_1", "leg_2"]),
        ({"query": "ウィーン"}, ["leg_1", "leg_2"]),
        ({"query": "vienna", "legId": "leg_1"}, ["leg_1"]),
        ({"query": "Oslo"}, []),
        ({"query": "K4711"}, []),
        ({"query": "gelato"}, []),
    ],
)
async def test_legs_by_id_and_by_words_but_never_by_a_secret(asked: dict[str, str], found: list[str]) -> None:
    async with Service({LEGS: [WIEN, ROME]}).called() as call:
        answer = await call("list_legs", tripId="t", **asked)

    assert ids(answer) == found
    assert told(answer)["remarks"] == [f"Filtered here, as the service cannot: {len(found)} of 2 match."]


async def test_a_missing_leg_is_reported() -> None:
    async with Service({LEGS: [WIEN]}).called() as call:
        answer = await call("list_legs", tripId="t", legId="leg_9")

    assert answer.is_error
    assert answer.text == "The trip has no leg with this legId; look it up with list_legs."


async def test_a_filtered_leg_is_masked_and_quoted_as_in_the_whole_list() -> None:
    legs = {LEGS: [WIEN, ROME], "/trips/t/members": {"items": [{"userId": "a"}, {"userId": "b"}]}}
    async with Service(legs).called(Conduct(mask_secrets=True)) as call:
        whole, one = await call("list_legs", tripId="t"), await call("list_legs", tripId="t", query="casa")

    assert told(one)["items"] == told(whole)["items"][1:]
    assert told(one)["quoting"] == told(whole)["quoting"]
    assert "gelato" not in one.text
    assert "K4711" not in one.text


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"completed": False}, ["todo_1", "todo_3"]),
        ({"completed": True}, ["todo_2", "todo_4"]),
        ({"urgency": "now"}, ["todo_1", "todo_2"]),
        ({"urgency": "now", "completed": False}, ["todo_1"]),
        ({"urgency": "nice_to_have"}, []),
    ],
)
async def test_todos_by_status_and_urgency(asked: dict[str, Any], found: list[str]) -> None:
    todos = [
        todo(1, "now"),
        todo(2, "now", completed=True),
        todo(3, "before_trip", completed=False),
        todo(4, "before_trip", completed=True),
    ]
    async with Service({TODOS: todos}).called() as call:
        assert ids(await call("list_action_items", tripId="t", **asked)) == found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"category": "dinner"}, ["com_1", "com_3"]),
        ({"from": "2026-07-20"}, ["com_2", "com_3", "com_4"]),
        ({"to": "2026-07-20"}, ["com_1", "com_2", "com_4"]),
        ({"from": "2026-07-20", "to": "2026-07-20"}, ["com_2", "com_4"]),
        ({"from": "2026-07-20", "category": "dinner"}, ["com_3"]),
        ({"category": "birthday"}, []),
    ],
)
async def test_commitments_by_category_and_dates(asked: dict[str, str], found: list[str]) -> None:
    plans = [
        plan(1, "2026-07-19"),
        plan(2, "2026-07-20", "meeting"),
        plan(3, "2026-07-21"),
        plan(4, "2026-07-20T00:00:00", "other"),  # a date as some services write it
        plan(5, "someday", "other"),
    ]
    async with Service({PLANS: plans}).called() as call:
        assert ids(await call("list_commitments", tripId="t", **asked)) == found


@pytest.mark.parametrize(
    ("tool", "asked", "said"),
    [
        ("list_commitments", {"from": "2026-07-20", "to": "2026-07-19"}, "to is before from."),
        ("list_commitments", {"from": "2026-02-30"}, "from:"),
        ("list_commitments", {"category": "lunch"}, "category:"),
        ("list_action_items", {"urgency": "soon"}, "urgency:"),
        ("list_legs", {"query": "..."}, "query: Say which words to look for."),
        ("list_map_pins", {"query": "!?"}, "query: Say which words to look for."),
    ],
)
async def test_a_filter_that_cannot_match_is_refused(tool: str, asked: dict[str, str], said: str) -> None:
    async with Service({PLANS: [], TODOS: [], LEGS: [], PINS: []}).called() as call:
        answer = await call(tool, tripId="t", **asked)

    assert answer.is_error
    assert said in answer.text


async def test_pins_by_words_of_name_category_and_notes() -> None:
    pins = [
        {"_id": "pin_1", "name": "Kiyomizu-dera", "lat": 34.99, "lng": 135.78, "category": "temple"},
        {"_id": "pin_2", "name": "Station", "lat": 35.0, "lng": 135.7, "notes": "Bus to Kiyomizu"},
        {"_id": "pin_3", "name": "Nishiki Market", "lat": 35.0, "lng": 135.76},
    ]
    async with Service({PINS: pins}).called() as call:
        assert ids(await call("list_map_pins", tripId="t", query="kiyomizu")) == ["pin_1", "pin_2"]
        assert ids(await call("list_map_pins", tripId="t", query="temple")) == ["pin_1"]


async def test_every_page_is_filtered_in_few_requests() -> None:
    service = Service({LEGS: paged([leg(number) for number in range(1, 451)])})
    async with service.called() as call:
        answer = await call("list_legs", tripId="t", query="450")

    assert ids(answer) == ["leg_450"]
    asked = [request for request in service.asked if request.url.path == LEGS]
    assert len(asked) == 3
    assert told(answer)["remarks"] == ["Filtered here, as the service cannot: 1 of 450 match."]


async def test_an_endless_list_is_read_in_part_and_the_answer_says_so() -> None:
    service = Service({LEGS: paged([leg(number) for number in range(1, 3_001)])})
    async with service.called() as call:
        answer = await call("list_legs", tripId="t", query="7", fields=["title"], limit=5)

    assert len(ids(answer)) == 5
    assert "of the first 2,000 match." in told(answer)["remarks"][0]
    assert sum(request.url.path == LEGS for request in service.asked) == 10


@pytest.mark.parametrize("limit", [None, 1, 7])
async def test_many_matches_come_in_parts_that_neither_skip_nor_repeat(limit: int | None) -> None:
    legs = [leg(number, f"Stop {number} {'of many ' * 20}") for number in range(1, 431)]
    legs[::7] = [{**one, "title": f"Bath {'of many ' * 20}"} for one in legs[::7]]
    asked: dict[str, Any] = {"query": "bath", **({"limit": limit} if limit else {})}
    found: list[str] = []
    async with Service({LEGS: paged(legs)}).called() as call:
        answer = await call("list_legs", tripId="t", **asked)
        found += ids(answer)
        while cursor := told(answer).get("nextCursor"):
            assert len(answer.text) <= 40_000
            answer = await call("list_legs", tripId="t", cursor=cursor, **asked)
            found += ids(answer)

    assert found == [one["_id"] for one in legs[::7]]


async def test_a_cursor_of_the_whole_list_does_not_continue_a_filtered_one() -> None:
    async with Service({LEGS: paged([leg(number) for number in range(1, 300)])}).called() as call:
        cursor = told(await call("list_legs", tripId="t"))["nextCursor"]
        answer = await call("list_legs", tripId="t", query="7", cursor=cursor)

    assert answer.is_error
    assert answer.text == "cursor: it continues a list without this filter; leave it out to start again."


async def test_an_unfiltered_list_is_as_before(call: Call, trip_id: str) -> None:
    await call("create_action_item", tripId=trip_id, text="Pack", urgency="now")

    answer = await call("list_action_items", tripId=trip_id)

    assert "remarks" not in told(answer)
    assert json.loads(answer.text)["items"][0]["text"] == "Pack"
