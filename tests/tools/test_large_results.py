"""No answer exceeds what hosts accept: results, reports of imports, errors."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from trips_mcp.client import Endpoint, TripsClient
from trips_mcp.tools import TOOLS, Answer

from .services import Service

Call = Callable[..., Awaitable[Answer]]
TOOL = {tool.name: tool for tool in TOOLS}
LARGEST = 40_000


async def unheard(progress: float, total: float | None, message: str | None) -> None:
    """Progress nobody asked for."""


@pytest.mark.parametrize(
    "trip",
    [
        {"_id": "t", "title": "T" * 100_000},
        {"_id": "t", "title": "x", "tags": ["tag"] * 50_000},
        {"_id": "t", "title": "x", "log": {f"key{n}": "v" * 50 for n in range(5000)}},
        {"_id": "t", "title": "x", "deep": [[[["y" * 100] * 10] * 10] * 10] * 10},
    ],
    ids=["a long text", "a long list", "many keys", "deep"],
)
async def test_a_single_object_that_is_too_large_is_cut_and_says_so(trip: dict[str, Any]) -> None:
    async with Service({"/trips/t": trip}).called() as call:
        answer = await call("get_trip", tripId="t")

    assert not answer.is_error
    assert len(answer.text) <= LARGEST
    assert answer.structured is not None
    assert json.loads(answer.text) == answer.structured
    assert answer.structured["_id"] == "t"
    assert "too large to show" in answer.structured["remarks"][0].lower()


async def test_a_shared_trip_that_is_cut_stays_quoted() -> None:
    async with Service({"/shared/trips/tok": {"_id": "t", "title": "T" * 100_000}}).called() as call:
        answer = await call("get_shared_trip", token="tok")  # noqa: S106 - of a share link

    assert answer.structured is not None
    mark = answer.structured["quoting"].split("[")[1].split("]")[0]
    assert answer.structured["title"] == f"[{mark}]{'T' * 4000}… [cut][/{mark}]"


def refusing(count: int) -> Callable[[httpx.Request], httpx.Response]:
    """A service that finds every item wrong, at length."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        details = [{"path": f"field{n}", "reason": f"{'because ' * 30}{n}"} for n in range(count)]

        def report(items: list[Any]) -> dict[str, Any]:
            results = [
                {"index": n, "status": "error", "error": {"code": "E", "message": f"No. {n}", "details": details}}
                for n in range(len(items))
            ]
            return {"results": results, "created": 0, "updated": 0, "unchanged": 0, "errors": len(items)}

        told = report(body["items"]) if "items" in body else {name: report(items) for name, items in body.items()}
        return httpx.Response(207, json=told)

    return answer


PIN = {"name": "x", "lat": 1, "lng": 2}
TODO = {"text": "x", "urgency": "now"}


@pytest.mark.parametrize("details", [1, 20, 40])
@pytest.mark.parametrize(
    ("tool", "arguments", "left_out"),
    [
        ("upsert_map_pins", {"items": [PIN] * 50}, "outcomes of items "),
        ("upsert_map_pins", {"items": [PIN] * 500}, "outcomes of items "),
        ("sync_trip", {"mapPins": [PIN] * 500, "actionItems": [TODO] * 500}, "outcomes of mapPins "),
    ],
)
async def test_a_report_of_very_many_failures_stays_within_the_limit_and_names_the_rest(
    tool: str, arguments: dict[str, Any], left_out: str, details: int
) -> None:
    endpoint = Endpoint("https://api.test", "osk_test", httpx.MockTransport(refusing(details)))
    async with TripsClient(trips=endpoint, events=None) as client:
        answer = await TOOL[tool].call(client, {"tripId": "t", **arguments}, unheard)

    assert not answer.is_error, answer.text
    assert len(answer.text) <= LARGEST
    assert answer.structured is not None
    told = answer.structured.get("mapPins", answer.structured)
    assert told["errors"] == len(arguments.get("items", arguments.get("mapPins", ())))
    assert told["results"][0]["index"] == 0
    if details > 1 or len(arguments.get("items", "x" * 500)) > 50:
        last = told["errors"] - 1
        assert any(left_out in remark and f"-{last} are left out" in remark for remark in answer.structured["remarks"])


async def test_thousands_of_invalid_arguments_give_a_short_error(call: Call, trip_id: str) -> None:
    answer = await call("upsert_legs", tripId=trip_id, items=[{"colour" * 50: 1}] * 500)

    assert answer.is_error
    assert "items.0.order: required" in answer.text
    assert len(answer.text) <= 10_000
    assert answer.text.endswith("… (cut; fix these first)")


async def test_thousands_of_validation_errors_of_the_service_give_a_short_error() -> None:
    details = [{"path": f"items.{n}", "reason": "because " * 30} for n in range(1000)]
    body = {"error": {"code": "VALIDATION_ERROR", "message": "No.", "details": details}}
    transport = httpx.MockTransport(lambda _: httpx.Response(400, json=body))
    async with TripsClient(trips=Endpoint("https://api.test", "osk_test", transport), events=None) as client:
        answer = await TOOL["create_map_pin"].call(client, {"tripId": "t", **PIN}, unheard)

    assert answer.is_error
    assert len(answer.text) <= 10_000


@pytest.mark.parametrize(
    ("tool", "arguments"), [("get_timeline", {}), ("get_day", {"date": "2026-11-01"}), ("check_trip", {})]
)
async def test_answers_about_an_enormous_trip_stay_within_the_limit(tool: str, arguments: dict[str, Any]) -> None:
    notes = "n" * 2000
    export = {
        "trip": {"_id": "t", "title": "Japan", "startDate": "2026-11-01", "endDate": "2027-02-28"},
        "legs": [
            {
                "_id": f"l{n}",
                "title": f"Leg {n}",
                "startDate": "2026-11-01",
                "endDate": "2027-02-28",
                "timezone": "Asia/Tokyo",
                "accommodation": {"name": f"Hotel {n}", "address": "A" * 500, "notes": notes},
            }
            for n in range(100)
        ],
        "commitments": [
            {"_id": f"c{n}", "title": f"Dinner {n}", "startDate": "2026-11-01", "startTime": "19:00", "notes": notes}
            for n in range(1000)
        ],
    }
    async with Service({"/trips/t/export": export}).called() as call:
        answer = await call(tool, tripId="t", **arguments)

    assert not answer.is_error, answer.text
    assert len(answer.text) <= LARGEST
    assert len(json.dumps(answer.structured, ensure_ascii=False, separators=(",", ":"))) <= LARGEST
