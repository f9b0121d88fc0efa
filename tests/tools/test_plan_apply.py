"""What applying a plan writes: all of it, once, or nothing."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from typing_extensions import override

from trips_mcp.backend import open_backend
from trips_mcp.client import Endpoint, TripsClient
from trips_mcp.client.journal import Journal, MemoryJournal
from trips_mcp.connect import twin
from trips_mcp.history import History, MemoryHistory
from trips_mcp.history.sqlite import SqliteHistory
from trips_mcp.tools.call_context import Conduct

from .conftest import Do
from .services import Call, calls_on

pytestmark = pytest.mark.anyio

TOKYO = {
    "order": 2,
    "title": "Tokyo",
    "destination": "Tokyo",
    "startDate": "2026-11-05",
    "endDate": "2026-11-10",
    "timezone": "Asia/Tokyo",
}
DINNER = {"title": "Dinner", "startDate": "2026-11-06", "category": "dinner"}
CHANGES = [
    {"tool": "create_leg", "arguments": TOKYO, "as": "tokyo"},
    {"tool": "create_map_pin", "arguments": {"name": "Tower", "lat": 35.6586, "lng": 139.7454}, "as": "tower"},
    {"tool": "create_commitment", "arguments": {**DINNER, "legId": "@tokyo", "mapPinId": "@tower"}},
    {"tool": "create_commitment", "arguments": {**DINNER, "legId": "@tokyo", "mapPinId": "@tower"}},
    {"tool": "update_trip", "arguments": {"title": "Japan"}},
    {"tool": "update_leg", "arguments": {"legId": "@tokyo", "accommodation": {"name": "Inn"}}},
]


async def test_a_plan_is_applied_once_and_tells_the_new_ids(do: Do, call: Call, trip_id: str) -> None:
    plan = await do("plan_changes", tripId=trip_id, changes=CHANGES)
    report = await do("apply_plan", planId=plan["planId"])
    export = await do("export_trip", tripId=trip_id)

    assert (report["state"], report["done"], report["total"]) == ("applied", 6, 6)
    assert [one["status"] for one in report["changes"]] == ["done"] * 6
    assert report["changes"][0]["id"] == export["legs"][0]["_id"]
    assert export["trip"]["title"] == "Japan"
    assert export["legs"][0]["accommodation"] == {"name": "Inn"}
    assert [one["legId"] for one in export["commitments"]] == [export["legs"][0]["_id"]] * 2, "two were wanted"

    again = await call("apply_plan", planId=plan["planId"])

    assert f"- Change 1 of 6, create_leg: done, {export['legs'][0]['_id']} (@tokyo)" in again.text
    assert "This plan was applied before; nothing was written now." in again.text
    assert {name: (again.structured or {})[name] for name in report} == report
    assert await do("export_trip", tripId=trip_id) == export


async def test_a_plan_is_refused_if_an_item_that_it_changes_was_changed_since(do: Do, call: Call, trip_id: str) -> None:
    leg = await do("create_leg", tripId=trip_id, **TOKYO)
    other = await do("create_leg", tripId=trip_id, **{**TOKYO, "order": 3})
    change = {"tool": "update_leg", "arguments": {"legId": leg["_id"], "destination": "Shinjuku"}}
    link = {"tool": "create_commitment", "arguments": {**DINNER, "legId": other["_id"]}}
    plan = await do("plan_changes", tripId=trip_id, changes=[link, change])

    await do("update_leg", tripId=trip_id, legId=leg["_id"], title="Edo")
    before = await do("export_trip", tripId=trip_id)
    refused = await call("apply_plan", planId=plan["planId"])

    assert refused.is_error
    assert refused.text == (
        f"Nothing was written, and no more now: since the plan was made, the leg {leg['_id']} changed; "
        "make the plan anew."
    )
    assert await do("export_trip", tripId=trip_id) == before

    plan = await do("plan_changes", tripId=trip_id, changes=[link, change])
    await do("update_leg", tripId=trip_id, legId=other["_id"], title="Elsewhere")

    assert (await do("apply_plan", planId=plan["planId"]))["state"] == "applied", "a link needs its leg, as it may be"


async def test_a_plan_is_refused_if_what_it_links_to_is_gone(do: Do, call: Call, trip_id: str) -> None:
    leg = await do("create_leg", tripId=trip_id, **TOKYO)
    link = {"tool": "create_commitment", "arguments": {**DINNER, "legId": leg["_id"]}}
    plan = await do("plan_changes", tripId=trip_id, changes=[link])
    await do("delete_leg", tripId=trip_id, legId=leg["_id"])

    refused = await call("apply_plan", planId=plan["planId"])

    assert refused.is_error
    assert f"the leg {leg['_id']} changed" in refused.text


async def test_a_plan_is_refused_if_a_deletion_would_unlink_more_than_was_shown(
    do: Do, call: Call, trip_id: str
) -> None:
    leg = await do("create_leg", tripId=trip_id, **TOKYO)
    delete = {"tool": "delete_leg", "arguments": {"legId": leg["_id"]}}
    plan = await do("plan_changes", tripId=trip_id, changes=[delete])
    dinner = await do("create_commitment", tripId=trip_id, **DINNER, legId=leg["_id"])

    refused = await call("apply_plan", planId=plan["planId"])

    assert refused.is_error
    assert f"the commitment {dinner['_id']} changed" in refused.text
    assert len((await do("export_trip", tripId=trip_id))["legs"]) == 1


async def test_creations_side_by_side_go_in_one_request(trips: TripsClient, do: Do, trip_id: str) -> None:
    changes = [{"tool": "create_action_item", "arguments": {"text": f"Pack {n}", "urgency": "now"}} for n in range(30)]
    changes += [{"tool": "create_action_item", "arguments": {"text": "Pack 1", "urgency": "now"}}]
    plan = await do("plan_changes", tripId=trip_id, changes=changes)
    await do("apply_plan", planId=plan["planId"])
    export = await do("export_trip", tripId=trip_id)

    assert plan["requests"] == 5, "one import, and the trip and its events before and after"
    assert [one["text"] for one in export["actionItems"]] == [f"Pack {n}" for n in [*range(30), 1]]
    assert all("clientRef" not in one for one in export["actionItems"])


async def test_many_commitments_and_events_are_one_plan(do: Do, trip_id: str) -> None:
    number = (await do("get_trip", tripId=trip_id))["number"]
    dinners = [{**DINNER, "title": f"Dinner {day}", "startDate": f"2026-11-{day:02}"} for day in range(1, 11)]
    trains = [
        {"type": "train", "title": f"Train {day}", "date": f"2026-11-{day:02}", "trip_ids": [number]}
        for day in range(1, 11)
    ]
    changes = [{"tool": "create_commitment", "arguments": each} for each in dinners]
    changes += [{"tool": "create_event", "arguments": each} for each in trains]
    plan = await do("plan_changes", tripId=trip_id, changes=changes)
    report = await do("apply_plan", planId=plan["planId"])
    export = await do("export_trip", tripId=trip_id)
    events = (await do("list_trip_events", trip_id=number))["events"]

    assert [one["kind"] for one in plan["created"]] == ["commitment"] * 10 + ["event"] * 10
    assert (report["state"], report["done"]) == ("applied", 20)
    assert [one["title"] for one in export["commitments"]] == [each["title"] for each in dinners]
    assert len({one["event_id"] for one in events}) == 10


async def done(call: Call, tool: str, /, **arguments: Any) -> dict[str, Any]:
    answer = await call(tool, **arguments)
    assert answer.structured is not None, answer.text
    return answer.structured


class _DiedError(BaseException):
    """Stands for the end of the process."""


class Network(httpx.AsyncBaseTransport):
    """The way to a backend, on which a process dies at the nth write, before or after it is made."""

    def __init__(self, service: httpx.AsyncBaseTransport) -> None:
        self._service = service
        self.dies_at: float = float("inf")
        self.refused: int | None = None
        self.writes = 0
        self.on_write: dict[int, Callable[[], None]] = {}

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return await self._service.handle_async_request(request)
        self.writes += 1
        self.on_write.get(self.writes, lambda: None)()
        if self.writes == self.dies_at:
            raise _DiedError
        if self.writes == self.refused:
            return httpx.Response(403, json={"error": {"code": "FORBIDDEN", "message": "No", "requestId": "r"}})
        response = await self._service.handle_async_request(request)
        if self.writes == self.dies_at - 0.5:
            await response.aread()
            raise _DiedError
        return response

    @override
    async def aclose(self) -> None:
        """Clients come and go."""


@pytest.fixture
async def network(new_database: Path) -> AsyncGenerator[Network]:
    async with open_backend(":memory:", require_keys=False) as backend:
        yield Network(httpx.ASGITransport(backend, raise_app_exceptions=False))


@asynccontextmanager
async def process(
    network: Network, history: History, journal: Journal, account: str = "a", **conduct: Any
) -> AsyncGenerator[Call]:
    trips = Endpoint("http://embedded/api/v1", transport=network, account=account)
    events = Endpoint("http://embedded", transport=network, account=account)
    async with TripsClient(trips=trips, events=events, journal=journal, history=history) as client:
        yield calls_on(client, Conduct(twin=twin, **conduct))


async def killed(call: Call, plan_id: str) -> None:
    try:
        await call("apply_plan", planId=plan_id)
    except _DiedError:
        return
    except BaseExceptionGroup as group:
        assert group.subgroup(_DiedError) is not None  # noqa: PT017


async def a_trip(call: Call) -> str:
    me = await done(call, "get_me")
    trip = await done(
        call, "create_trip", groupId=me["defaultGroupId"], title="Kyoto", startDate="2026-11-01", endDate="2026-11-10"
    )
    return trip["_id"]


@pytest.mark.parametrize("at", [step / 2 for step in range(2, 13)])
async def test_a_plan_whose_process_dies_is_finished_by_the_next_call_and_nothing_is_made_twice(
    network: Network, at: float
) -> None:
    """At a whole number the nth write was not sent; at n - 0.5 it was carried out, and its answer lost."""
    history = MemoryHistory()
    async with process(network, history, MemoryJournal()) as call:
        trip_id = await a_trip(call)
        plan = await done(call, "plan_changes", tripId=trip_id, changes=CHANGES)
        network.writes, network.dies_at = 0, at
        await killed(call, plan["planId"])
    network.dies_at = float("inf")
    async with process(network, history, MemoryJournal()) as call:  # the journal is lost, too
        report = await done(call, "apply_plan", planId=plan["planId"])
        export = await done(call, "export_trip", tripId=trip_id)

    assert (report["state"], report["done"]) == ("applied", 6)
    assert [len(export[part]) for part in ("legs", "mapPins", "commitments")] == [1, 1, 2]
    assert export["trip"]["title"] == "Japan"
    assert export["legs"][0]["accommodation"] == {"name": "Inn"}


async def test_what_the_service_refuses_stops_the_plan_and_the_report_says_what_was_made(network: Network) -> None:
    async with process(network, MemoryHistory(), MemoryJournal()) as call:
        trip_id = await a_trip(call)
        plan = await done(call, "plan_changes", tripId=trip_id, changes=CHANGES)
        network.writes, network.refused = 0, 3
        answer = await call("apply_plan", planId=plan["planId"])

    report = answer.structured or {}
    assert report["state"] == "stopped"
    assert [one["status"] for one in report["changes"]] == [
        "done", "done", "done", "refused", "not_sent", "not_sent",
    ]  # fmt: skip
    assert "Stopped: 3 of 6 changes made." in answer.text


async def test_a_plan_that_cannot_be_applied_is_refused_in_one_sentence(network: Network) -> None:
    history = MemoryHistory()
    async with process(network, history, MemoryJournal()) as call:
        trip_id = await a_trip(call)
        plan_id = (await done(call, "plan_changes", tripId=trip_id, changes=CHANGES))["planId"]
        (record,) = history._plans.records.values()  # noqa: SLF001
        writes = network.writes

        unknown = await call("apply_plan", planId="plan_unknown")
        await history.put_plan(replace(record, expires=record.made_at - 1))
        expired = await call("apply_plan", planId=plan_id)
        await history.put_plan(replace(record, format=0))
        older = await call("apply_plan", planId=plan_id)
        await history.put_plan(record)

    async with process(network, history, MemoryJournal(), account="b") as call:
        another_s = await call("apply_plan", planId=plan_id)
    async with process(network, history, MemoryJournal(), trip="trip_other") as call:
        other_trip = await call("apply_plan", planId=plan_id)

    assert "there is no such plan" in unknown.text
    assert another_s.text == unknown.text
    assert "this server is bound to the trip trip_other (--trip)" in other_trip.text
    assert "this plan has expired after an hour" in expired.text
    assert "made by another version of trips-mcp" in older.text
    assert all(
        answer.is_error and answer.text.startswith("Nothing was written: ")
        for answer in (unknown, expired, older, another_s, other_trip)
    )
    assert network.writes == writes


async def test_a_half_applied_plan_says_so_if_the_rest_changed_and_is_finished_after_its_hour(
    network: Network,
) -> None:
    history = MemoryHistory()
    async with process(network, history, MemoryJournal()) as call:
        trip_id = await a_trip(call)
        leg = await done(call, "create_leg", tripId=trip_id, **TOKYO)
        changes = [
            {"tool": "create_action_item", "arguments": {"text": "Pack", "urgency": "now"}},
            {"tool": "update_trip", "arguments": {"title": "Japan"}},
            {"tool": "update_leg", "arguments": {"legId": leg["_id"], "title": "Edo"}},
        ]
        plan_id = (await done(call, "plan_changes", tripId=trip_id, changes=changes))["planId"]
        network.writes, network.dies_at = 0, 2
        await killed(call, plan_id)
        network.dies_at = float("inf")
        (record,) = history._plans.records.values()  # noqa: SLF001
        await history.put_plan(replace(record, expires=record.made_at - 1))
        await done(call, "update_leg", tripId=trip_id, legId=leg["_id"], title="Elsewhere")
        refused = await call("apply_plan", planId=plan_id)
        await done(call, "update_leg", tripId=trip_id, legId=leg["_id"], title="Tokyo")
        report = await done(call, "apply_plan", planId=plan_id)
        export = await done(call, "export_trip", tripId=trip_id)

    assert refused.is_error
    assert refused.text == (
        f"1 of 3 changes were made before, and no more now: since the plan was made, the leg {leg['_id']} changed; "
        "make a new plan for the rest."
    )
    assert (report["state"], report["done"]) == ("applied", 3)
    assert (export["trip"]["title"], export["legs"][0]["title"], len(export["actionItems"])) == ("Japan", "Edo", 1)


async def test_applying_stops_after_40_seconds_and_the_next_call_makes_the_rest(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(network, MemoryHistory(), MemoryJournal()) as call:
        trip_id = await a_trip(call)
        plan = await done(call, "plan_changes", tripId=trip_id, changes=CHANGES)
        network.writes = 0
        network.on_write = {2: lambda: monkeypatch.setattr("trips_mcp.tools.plans.apply._SECONDS", -1.0)}
        late = await call("apply_plan", planId=plan["planId"])
        monkeypatch.undo()
        report = await done(call, "apply_plan", planId=plan["planId"])
        export = await done(call, "export_trip", tripId=trip_id)

    assert (late.structured or {})["state"] == "unfinished"
    assert late.text.startswith("Not finished: 3 of 6 changes made. ")
    assert "seconds are over.\nCall apply_plan again with this planId to make the rest" in late.text
    assert (report["state"], report["done"]) == ("applied", 6)
    assert [len(export[part]) for part in ("legs", "mapPins", "commitments")] == [1, 1, 2]


async def test_a_plan_of_one_process_is_applied_by_another_and_undone_by_a_third(
    network: Network, tmp_path: Path
) -> None:
    @asynccontextmanager
    async def another_process() -> AsyncGenerator[Call]:
        history = SqliteHistory(tmp_path / "history.db")
        async with process(network, history, MemoryJournal()) as call:
            yield call
        await history.aclose()

    async with another_process() as call:
        trip_id = await a_trip(call)
        before = await done(call, "export_trip", tripId=trip_id)
        plan = await done(call, "plan_changes", tripId=trip_id, changes=CHANGES)
    async with another_process() as call:
        report = await done(call, "apply_plan", planId=plan["planId"])
    async with another_process() as call:
        again = await call("apply_plan", planId=plan["planId"])
        undo = await done(call, "plan_undo", changeId=plan["planId"])
        undone = await done(call, "apply_plan", planId=undo["planId"])
        after = await done(call, "export_trip", tripId=trip_id)

    assert (report["state"], report["done"]) == ("applied", 6)
    assert "This plan was applied before" in again.text
    assert undone["state"] == "applied"
    assert after == before


async def test_a_plan_of_which_a_part_was_made_can_be_undone_and_goes_on_no_more(network: Network) -> None:
    async with process(network, MemoryHistory(), MemoryJournal()) as call:
        trip_id = await a_trip(call)
        before = await done(call, "export_trip", tripId=trip_id)
        plan = await done(call, "plan_changes", tripId=trip_id, changes=CHANGES)
        network.writes, network.dies_at = 0, 3  # the leg and the pin, and a commitment
        await killed(call, plan["planId"])
        network.dies_at = float("inf")
        undo = await done(call, "plan_undo", changeId=plan["planId"])
        report = await done(call, "apply_plan", planId=undo["planId"])
        after = await done(call, "export_trip", tripId=trip_id)
        refused = await call("apply_plan", planId=plan["planId"])

        assert report["state"] == "applied"
        assert after == before
        assert refused.is_error
        assert refused.text == (
            "3 of 6 changes were made before, and no more now: what was made was undone since; make a new plan."
        )
        assert await done(call, "export_trip", tripId=trip_id) == before


async def test_a_plan_that_was_undone_in_part_is_undone_for_the_rest(network: Network) -> None:
    async with process(network, MemoryHistory(), MemoryJournal()) as call:
        trip_id = await a_trip(call)
        before = await done(call, "export_trip", tripId=trip_id)
        plan = await done(call, "plan_changes", tripId=trip_id, changes=CHANGES)
        await done(call, "apply_plan", planId=plan["planId"])
        [leg] = (await done(call, "list_legs", tripId=trip_id))["items"]
        await done(call, "delete_leg", tripId=trip_id, legId=leg["_id"])
        undo = await call("plan_undo", changeId=plan["planId"])
        first = await done(call, "apply_plan", planId=(undo.structured or {})["planId"])
        left = await call("plan_undo", changeId=plan["planId"])
        after = await done(call, "export_trip", tripId=trip_id)

    assert f"Leg {leg['_id']}: it is no longer there." in undo.text
    assert first["state"] == "applied"
    assert left.is_error
    assert left.text.startswith("Nothing can be undone. ")
    assert after["trip"] == before["trip"]
    assert "mapPins" not in after or after["mapPins"] == []
