"""Imports of any size, and what comes beside the result: remarks, progress, the rest of the rate limit."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any
from unicodedata import normalize

import httpx
import pytest
from typing_extensions import override

from trips_mcp.backend import create_key, open_backend
from trips_mcp.client import Endpoint, TripsClient
from trips_mcp.scopes import BASE_SCOPES, Scope
from trips_mcp.tools import TOOLS, Answer

Call = Callable[..., Awaitable[Answer]]
Do = Callable[..., Awaitable[dict[str, Any]]]
TOOL = {tool.name: tool for tool in TOOLS}


async def unheard(progress: float, total: float | None, message: str | None) -> None:
    """Progress nobody asked for."""


def pins(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"name": f"Pin {number}", "lat": 35, "lng": 135, **fields} for number in range(count)]


async def test_the_report_of_a_small_import_lists_every_item(do: Do, trip_id: str) -> None:
    told = await do("upsert_map_pins", tripId=trip_id, items=pins(50))

    assert told["created"] == 50
    assert [result["index"] for result in told["results"]] == list(range(50))
    assert all(result["id"] for result in told["results"])


async def test_the_report_of_a_large_import_has_counts_and_problems(call: Call, trip_id: str) -> None:
    items = [{"text": f"To do {number}", "urgency": "now"} for number in range(60)]
    items[17]["owner"] = "usr_nobody"

    answer = await call("upsert_action_items", tripId=trip_id, items=items)

    assert not answer.is_error
    assert answer.structured is not None
    assert json.loads(answer.text) == answer.structured
    (failed,) = answer.structured.pop("results")
    assert answer.structured == {"created": 59, "updated": 0, "unchanged": 0, "errors": 1}
    assert (failed["index"], failed["status"]) == (17, "error")


@pytest.mark.parametrize(
    ("tool", "item"),
    [
        ("upsert_map_pins", {"name": "Café Zürich", "lat": 35, "lng": 135, "notes": "très bon"}),
        ("upsert_action_items", {"text": "Réserver", "urgency": "now"}),
        (
            "upsert_legs",
            {
                "order": 1,
                "title": "Málaga",
                "destination": "Málaga",
                "startDate": "2026-11-02",
                "endDate": "2026-11-03",
                "timezone": "Europe/Madrid",
                "accommodation": {"name": "Pensión Córdoba"},
            },
        ),
    ],
)
async def test_equivalent_unicode_is_not_added_twice(do: Do, trip_id: str, tool: str, item: dict[str, Any]) -> None:
    composed, taken_apart = (
        json.loads(normalize(form, json.dumps(item, ensure_ascii=False))) for form in ("NFC", "NFD")
    )
    assert composed != taken_apart

    first = await do(tool, tripId=trip_id, items=[composed])
    second = await do(tool, tripId=trip_id, items=[taken_apart])
    third = await do(tool, tripId=trip_id, items=[composed, taken_apart])

    assert [told["created"] for told in (first, second, third)] == [1, 0, 1]  # two in one call are meant as two


async def test_items_without_a_client_ref_are_reported_by_id(do: Do, trip_id: str) -> None:
    items = pins(60)
    items[3]["clientRef"] = "mine"

    told = await do("upsert_map_pins", tripId=trip_id, items=items, autoClientRef=False)

    assert len(told["results"]) == 59
    assert all(result["id"] for result in told["results"])
    assert 3 not in [result["index"] for result in told["results"]]


async def test_the_report_of_a_large_sync_is_short_too(do: Do, trip_id: str) -> None:
    told = await do("sync_trip", tripId=trip_id, mapPins=pins(600), actionItems=[{"text": "x", "urgency": "now"}])

    assert told["mapPins"] == {"created": 600, "updated": 0, "unchanged": 0, "errors": 0}
    assert told["actionItems"]["created"] == 1
    assert len(json.dumps(told)) < 500


async def test_sending_an_import_again_adds_nothing(do: Do, trip_id: str) -> None:
    first = await do("upsert_map_pins", tripId=trip_id, items=pins(120))
    again = await do("upsert_map_pins", tripId=trip_id, items=pins(120))

    assert (first["created"], again["created"], again["unchanged"]) == (120, 0, 120)
    assert len((await do("list_map_pins", tripId=trip_id))["items"]) == 120


async def test_the_host_gets_the_progress_of_an_import(trips: TripsClient, trip_id: str) -> None:
    heard: list[tuple[float, float | None, str | None]] = []

    async def report(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    await TOOL["upsert_map_pins"].call(trips, {"tripId": trip_id, "items": pins(70)}, report)

    assert heard == [(50, 70, "50 of 70 items"), (70, 70, "70 of 70 items")]


class Flaky(httpx.AsyncBaseTransport):
    """Loses the answers to writes, as long as it is told to."""

    def __init__(self, backend: httpx.AsyncBaseTransport) -> None:
        self._backend = backend
        self.losing_from = 10**9
        self.writes = 0

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._backend.handle_async_request(request)
        if request.method != "GET":
            self.writes += 1
            if self.writes > self.losing_from:
                raise httpx.ReadError("Connection reset by peer", request=request)
        return answer


@pytest.fixture
async def flaky(tmp_path: Path) -> AsyncGenerator[tuple[Flaky, Do, Call]]:
    now = [1000.0]

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    async with open_backend(str(tmp_path / "flaky.db"), require_keys=False) as app:
        network = Flaky(httpx.ASGITransport(app))
        endpoint = Endpoint("http://embedded/api/v1", None, network)
        async with TripsClient(trips=endpoint, events=None, clock=lambda: now[0], sleep=sleep) as client:

            async def call(tool: str, /, **arguments: Any) -> Answer:
                return await TOOL[tool].call(client, arguments, unheard)

            async def do(tool: str, /, **arguments: Any) -> dict[str, Any]:
                answer = await call(tool, **arguments)
                assert answer.structured is not None, answer.text
                return answer.structured

            yield network, do, call


async def new_trip(do: Do) -> str:
    me = await do("get_me")
    dates = {"startDate": "2026-11-01", "endDate": "2026-11-10"}
    return (await do("create_trip", groupId=me["defaultGroupId"], title="Kyoto", **dates))["_id"]


async def test_a_call_that_finishes_a_lost_one_says_so_beside_the_results_own_notes(
    flaky: tuple[Flaky, Do, Call],
) -> None:
    network, do, call = flaky
    trip_id = await new_trip(do)
    pin = {"tripId": trip_id, "name": "Inari", "lat": 35, "lng": 135, "notes": "At dawn"}
    network.losing_from = network.writes

    lost = await call("create_map_pin", **pin)
    network.losing_from = 10**9
    finished = await do("create_map_pin", **pin)

    assert lost.is_error
    assert "Calling create_map_pin again with the same arguments is safe" in lost.text
    assert finished["remarks"] == ["This completed an earlier call whose answer was lost."]
    assert finished["notes"] == "At dawn"
    assert len((await do("list_map_pins", tripId=trip_id))["items"]) == 1


async def test_an_interrupted_import_reports_its_progress_and_is_completed_by_repeating_it(
    flaky: tuple[Flaky, Do, Call],
) -> None:
    network, do, call = flaky
    trip_id = await new_trip(do)
    network.losing_from = network.writes + 1

    broken = await call("upsert_map_pins", tripId=trip_id, items=pins(200))
    network.losing_from = 10**9
    finished = await do("upsert_map_pins", tripId=trip_id, items=pins(200))

    assert not broken.is_error
    assert broken.structured is not None
    assert (broken.structured["created"], broken.structured["errors"]) == (50, 150)
    assert [result["index"] for result in broken.structured["results"]] == list(range(50, 100))
    assert len(broken.text) < 7000
    (remark,) = broken.structured["remarks"]
    assert "Unknown whether taken: items 50 to 99. Not sent: items 100 to 199." in remark
    assert "call upsert_map_pins again with the same arguments" in remark
    assert finished["errors"] == 0
    assert len((await do("list_map_pins", tripId=trip_id))["items"]) == 200


async def test_the_host_learns_when_few_requests_are_left(tmp_path: Path) -> None:
    database = str(tmp_path / "limited.db")
    key = await create_key(database, [Scope(base) for base in BASE_SCOPES])
    async with open_backend(database, require_keys=True, rate_limit=12) as app:
        endpoint = Endpoint("http://limited/api/v1", key, httpx.ASGITransport(app))
        async with TripsClient(trips=endpoint, events=None, deadline=5) as client:
            answers = [await TOOL["list_trips"].call(client, {}, unheard) for _ in range(13)]

    told = [answer.meta["trips-mcp/rateLimit"] if answer.meta else None for answer in answers]
    assert told[:2] == [None, None]
    assert [limit["remaining"] for limit in told[2:] if limit] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]
    assert all(limit["limit"] == 12 and 0 < limit["resetsInSeconds"] <= 60 for limit in told if limit)
    assert [answer.is_error for answer in answers] == [False] * 12 + [True]


async def test_without_a_rate_limit_none_is_reported(call: Call) -> None:
    assert (await call("list_trips")).meta is None


async def test_an_event_that_cannot_be_read_before_it_is_changed_was_not_changed() -> None:
    """Though what failed had been sent."""
    now = [1000.0]

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    def reset(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        raise httpx.ReadError("Connection reset by peer", request=request)

    asked: list[str] = []
    events = Endpoint("https://events.test", "token", httpx.MockTransport(reset))
    async with TripsClient(trips=None, events=events, clock=lambda: now[0], sleep=sleep) as client:
        answer = await TOOL["update_event"].call(client, {"event_id": 7, "title": "Soba"}, unheard)

    assert set(asked) == {"GET"}
    assert "Nothing was changed: call update_event again in a moment." in answer.text
