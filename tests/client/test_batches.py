"""Batches of any size: the requests they are split into, and the report when one request fails."""

import json
import shutil
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typing_extensions import override

from trips_mcp.backend import open_backend
from trips_mcp.client import (
    Endpoint,
    InvalidError,
    NotFoundError,
    Outcome,
    OutcomeUnknownError,
    RateLimitedError,
    TripsClient,
    UnavailableError,
)
from trips_mcp.client.batch_writes import parts_of
from trips_mcp.contract.action_items import ActionItemItem
from trips_mcp.contract.batches import BatchReport
from trips_mcp.contract.legs import UPSERT_LEGS, Flight, LegItem, UpsertLegs
from trips_mcp.contract.map_pins import UPSERT_MAP_PINS, MapPinItem, UpsertMapPins
from trips_mcp.contract.trips import SYNC_TRIP, CreateTrip, SyncTrip

Fault = Callable[[httpx.Request], httpx.Response]


class Relay(httpx.AsyncBaseTransport):
    """Forwards requests to the backend except the batches that must fail; records all batches."""

    def __init__(self, backend: httpx.AsyncBaseTransport) -> None:
        self._backend = backend
        self.batches: list[httpx.Request] = []
        self.faults: dict[int, Fault] = {}
        """By the index of the batch."""

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and request.url.path.endswith((":batch", "/sync")):
            self.batches.append(request)
            if fault := self.faults.get(len(self.batches) - 1):
                return fault(request)
        return await self._backend.handle_async_request(request)

    def sizes(self, name: str = "items") -> list[int]:
        return [len(json.loads(request.content).get(name, [])) for request in self.batches]


class World:
    def __init__(self, client: TripsClient, relay: Relay, trip_id: str) -> None:
        self.client = client
        self.relay = relay
        self.trip_id = trip_id

    async def upsert(self, pins: list[MapPinItem], **told: Any) -> Outcome[BatchReport]:
        return await self.client.outcome(UPSERT_MAP_PINS, UpsertMapPins(trip_id=self.trip_id, items=pins, **told))

    async def names(self) -> list[str | None]:
        return [pin.name async for pin in self.client.iterate_map_pins(self.trip_id)]


@pytest.fixture
async def world(new_database: Path, tmp_path: Path) -> AsyncGenerator[World]:
    now = [1000.0]

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    async with open_backend(str(shutil.copy(new_database, tmp_path)), require_keys=False) as app:
        relay = Relay(httpx.ASGITransport(app))
        endpoint = Endpoint("http://embedded/api/v1", None, relay)
        async with TripsClient(trips=endpoint, events=None, clock=lambda: now[0], sleep=sleep) as client:
            group = (await client.me()).default_group_id or ""
            trip = await client.trips.create(
                CreateTrip(group_id=group, title="Kyoto", start_date="2026-11-01", end_date="2026-11-09")
            )
            yield World(client, relay, trip.id)


def pins(count: int, **fields: Any) -> list[MapPinItem]:
    return [MapPinItem(name=f"Pin {number}", lat=35, lng=135, **fields) for number in range(count)]


def legs(count: int) -> list[LegItem]:
    return [
        LegItem(
            order=number,
            title=f"Leg {number}",
            destination="Kyoto",
            start_date="2026-11-01",
            end_date="2026-11-02",
            timezone="Asia/Tokyo",
        )
        for number in range(count)
    ]


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("Connection reset by peer", request=request)


def down(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("Connection refused", request=request)


def unreadable(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text="<html>welcome</html>")


def says(status: int, code: str, **headers: str) -> Fault:
    body = {"error": {"code": code, "message": "No.", "requestId": "req_7"}}
    return lambda _: httpx.Response(status, json=body, headers=headers)


def always(fault: Fault, start: int) -> dict[int, Fault]:
    """Fails this batch and all later ones, on every attempt."""
    return dict.fromkeys(range(start, start + 100), fault)


def answered(outcome: Outcome[BatchReport]) -> list[dict[str, Any]]:
    return [result.model_dump(exclude_unset=True) for result in outcome.result.results]


async def test_a_batch_is_sent_in_fifties_with_a_key_each_and_one_report(world: World) -> None:
    told = (await world.upsert(pins(120))).result

    assert world.relay.sizes() == [50, 50, 20]
    assert len({request.headers["Idempotency-Key"] for request in world.relay.batches}) == 3
    assert (told.created, told.updated, told.unchanged, told.errors) == (120, 0, 0, 0)
    assert [result.index for result in told.results] == list(range(120))
    assert await world.names() == [f"Pin {number}" for number in range(120)]


async def test_one_request_is_enough_for_fifty(world: World) -> None:
    await world.upsert(pins(50))

    assert world.relay.sizes() == [50]


async def test_the_items_that_are_too_large_for_one_request_are_sent_in_two(world: World) -> None:
    told = (await world.upsert(pins(60, notes="€" * 10_000))).result  # 30 kB each

    assert world.relay.sizes() == [34, 26]
    assert all(len(request.content) < 2**20 for request in world.relay.batches)
    assert told.created == 60


async def test_an_item_that_no_request_can_hold_is_refused_and_the_others_are_not(world: World) -> None:
    long = "x" * 10_000
    too_large = legs(1)[0].model_copy(update={"flights": [Flight(airline=long, seat=long, to=long)] * 40})
    asked = UpsertLegs(trip_id=world.trip_id, items=[*legs(2), too_large, *legs(3)])

    outcome = await world.client.outcome(UPSERT_LEGS, asked)

    assert [result.status for result in outcome.result.results] == [
        "created",
        "created",
        "error",
        "created",
        "created",
        "created",
    ]
    assert outcome.result.errors == 1
    assert "Refused: items 2." in outcome.notes[0]


async def test_a_sync_is_sent_with_at_most_five_hundred_of_each_kind(world: World) -> None:
    to_dos = [ActionItemItem(text=f"To do {number}", urgency="now") for number in range(3)]
    asked = SyncTrip(trip_id=world.trip_id, legs=legs(501), action_items=to_dos, map_pins=pins(1100))

    told = await world.client.call(SYNC_TRIP, asked)

    assert world.relay.sizes("legs") == [500, 1, 0]
    assert world.relay.sizes("actionItems") == [3, 0, 0]
    assert world.relay.sizes("mapPins") == [500, 500, 100]
    assert told.legs is not None
    assert told.action_items is not None
    assert told.map_pins is not None
    assert (told.legs.created, told.action_items.created, told.map_pins.created) == (501, 3, 1100)
    assert [result.index for result in told.map_pins.results] == list(range(1100))


async def test_a_dry_run_is_split_too_and_carries_no_key(world: World) -> None:
    told = await world.client.call(SYNC_TRIP, SyncTrip(trip_id=world.trip_id, map_pins=pins(600), dry_run=True))

    assert world.relay.sizes("mapPins") == [500, 100]
    assert told.map_pins is not None
    assert told.map_pins.created == 600
    assert not any("Idempotency-Key" in request.headers for request in world.relay.batches)
    assert await world.names() == []


async def test_a_sync_of_nothing_is_one_request(world: World) -> None:
    told = await world.client.call(SYNC_TRIP, SyncTrip(trip_id=world.trip_id))

    assert [request.content for request in world.relay.batches] == [b"{}"]
    assert told.legs is not None


async def test_repeating_a_batch_without_client_refs_adds_nothing_and_twins_stay_two(world: World) -> None:
    twins = [*pins(60), *pins(60)]

    first = (await world.upsert(twins)).result
    second = (await world.upsert(twins)).result

    assert (first.created, second.created, second.unchanged) == (120, 0, 120)
    assert len(await world.names()) == 120


def test_the_derived_client_ref_is_the_same_in_every_process() -> None:
    (part,) = parts_of(UpsertMapPins(trip_id="t", items=[*pins(1), *pins(1, notes="é"), *pins(1)]))

    assert [item.client_ref for item in part.params.items] == [
        "auto-08b4dc8d063d022bfd9b044a2af20af0-1",
        "auto-31b8d3aaa8fc847a2910672c1b771de0-1",
        "auto-08b4dc8d063d022bfd9b044a2af20af0-2",
    ]


async def test_a_callers_own_client_ref_stays(world: World) -> None:
    (mine,) = pins(1, client_ref="mine")

    told = (await world.upsert([mine])).result

    assert told.results[0].client_ref == "mine"


async def test_no_client_ref_is_derived_if_that_is_switched_off(world: World) -> None:
    for _ in range(2):
        told = (await world.upsert(pins(2), auto_client_ref=False)).result
        assert told.created == 2

    assert "clientRef" not in world.relay.batches[0].content.decode()
    assert "autoClientRef" not in world.relay.batches[0].content.decode()


async def test_a_part_of_unknown_outcome_does_not_lose_the_report_of_those_before(world: World) -> None:
    world.relay.faults = always(lost, 1)

    outcome = await world.upsert(pins(150))

    statuses = [result.status for result in outcome.result.results]
    assert statuses == ["created"] * 50 + ["unknown"] * 50 + ["not_sent"] * 50
    assert (outcome.result.created, outcome.result.errors) == (50, 100)
    assert [result.index for result in outcome.result.results] == list(range(150))
    assert outcome.result.results[50].error is not None
    assert outcome.result.results[50].error.code == "OUTCOME_UNKNOWN"
    (note,) = outcome.notes
    assert note.startswith(
        "It broke off. Whether upsert_map_pins took effect is unknown: the service did not answer. "
        "Unknown whether taken: items 50 to 99. Not sent: items 100 to 149. "
    )
    assert note.endswith("call upsert_map_pins again with the same arguments: that finishes it, and doubles nothing.")


async def test_repeating_an_interrupted_batch_completes_it(world: World) -> None:
    world.relay.faults = always(lost, 1)
    await world.upsert(pins(150))
    key_of_the_lost = world.relay.batches[-1].headers["Idempotency-Key"]
    world.relay.faults = {}
    world.relay.batches.clear()

    told = await world.upsert(pins(150))

    assert (told.result.created, told.result.unchanged, told.result.errors) == (100, 50, 0)
    assert world.relay.batches[1].headers["Idempotency-Key"] == key_of_the_lost
    assert told.notes == ("This completed an earlier call whose answer was lost.",)
    assert await world.names() == [f"Pin {number}" for number in range(150)]


@pytest.mark.parametrize(
    "breaks", [always(lost, 2), always(down, 2), always(unreadable, 2)], ids=["lost", "down", "unreadable"]
)
async def test_without_client_refs_what_was_answered_is_not_sent_again(world: World, breaks: dict[int, Fault]) -> None:
    world.relay.faults = breaks
    broken = await world.upsert(pins(180), auto_client_ref=False)
    world.relay.faults = {}
    world.relay.batches.clear()

    told = await world.upsert(pins(180), auto_client_ref=False)

    assert broken.result.created == 100
    assert broken.notes[0].endswith("again with the same arguments: that finishes it, and doubles nothing.")
    assert world.relay.sizes() == [50, 30]
    assert (told.result.created, told.result.errors) == (180, 0)
    assert [result.index for result in told.result.results] == list(range(180))
    assert len({result.id for result in told.result.results}) == 180
    assert answered(told)[:100] == answered(broken)[:100]
    assert told.notes == ("This completed an earlier call whose answer was lost.",)
    assert await world.names() == [f"Pin {number}" for number in range(180)]

    await world.upsert(pins(180), auto_client_ref=False)  # meant anew, as the one before was answered
    assert len(await world.names()) == 360


async def test_a_part_with_a_refused_item_is_asked_for_again(world: World) -> None:
    """The service replays its answer, or takes the item now; a report of errors is never repeated from memory."""
    world.relay.faults = always(lost, 1)
    too_far = pins(1)[0].model_copy(update={"lat": 95.0})
    broken = await world.upsert([too_far, *pins(59)], auto_client_ref=False)
    key = world.relay.batches[0].headers["Idempotency-Key"]
    world.relay.faults = {}
    world.relay.batches.clear()

    told = await world.upsert([too_far, *pins(59)], auto_client_ref=False)

    assert (broken.result.created, told.result.created, told.result.errors) == (49, 59, 1)
    assert world.relay.sizes() == [50, 10]
    assert world.relay.batches[0].headers["Idempotency-Key"] == key


async def test_a_batch_is_written_again_if_its_items_were_removed_since(world: World) -> None:
    world.relay.faults = always(lost, 1)
    broken = await world.upsert(pins(60), auto_client_ref=False)
    world.relay.faults = {}
    for result in broken.result.results[:50]:
        await world.client.map_pins.delete(world.trip_id, result.id or "")

    told = await world.upsert(pins(60), auto_client_ref=False)

    assert told.result.created == 60
    assert len(await world.names()) == 60
    assert set(await world.names()) == {f"Pin {number}" for number in range(60)}


async def test_a_batch_says_how_much_of_what_it_made_was_changed_since(world: World) -> None:
    world.relay.faults = always(lost, 1)
    broken = await world.upsert(pins(60), auto_client_ref=False)
    world.relay.faults = {}
    await world.client.map_pins.delete(world.trip_id, broken.result.results[7].id or "")

    told = await world.upsert(pins(60), auto_client_ref=False)

    assert "Since then 1 of the 50 items were changed or removed." in told.notes
    assert len(await world.names()) == 59


async def test_a_rate_limit_in_the_middle_says_when_to_come_back(world: World) -> None:
    world.relay.faults = always(says(429, "RATE_LIMITED", **{"Retry-After": "60"}), 1)

    outcome = await world.upsert(pins(150))

    assert [result.status for result in outcome.result.results] == ["created"] * 50 + ["not_sent"] * 100
    assert "Not sent: items 50 to 149. Wait 60 seconds, then call upsert_map_pins again" in outcome.notes[0]


async def test_a_refusal_of_one_part_does_not_stop_the_others(world: World) -> None:
    details = [{"path": "items.3.name", "reason": "too odd"}]
    body = {"error": {"code": "VALIDATION_ERROR", "message": "Not so.", "requestId": "r", "details": details}}
    world.relay.faults = {1: lambda _: httpx.Response(400, json=body)}

    outcome = await world.upsert(pins(150))

    assert (outcome.result.created, outcome.result.errors) == (100, 50)
    assert outcome.result.results[99].status == "error"
    told = outcome.result.results[53].error
    assert told is not None
    assert told.details is not None
    assert [(fault.path, fault.reason) for fault in told.details] == [("name", "too odd")]
    assert "Refused: items 50 to 99." in outcome.notes[0]


async def test_a_refusal_that_will_not_change_ends_it(world: World) -> None:
    world.relay.faults = {1: says(404, "NOT_FOUND")}

    outcome = await world.upsert(pins(150))

    assert [result.status for result in outcome.result.results] == (
        ["created"] * 50 + ["error"] * 50 + ["not_sent"] * 50
    )
    assert len(world.relay.batches) == 2
    assert "Fix that, then call upsert_map_pins again" in outcome.notes[0]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (lost, OutcomeUnknownError),
        (down, UnavailableError),
        (says(404, "NOT_FOUND"), NotFoundError),
        (says(400, "VALIDATION_ERROR"), InvalidError),
        (says(429, "RATE_LIMITED", **{"Retry-After": "60"}), RateLimitedError),
    ],
)
async def test_a_batch_without_any_success_is_an_error(world: World, fault: Fault, error: type[Exception]) -> None:
    world.relay.faults = always(fault, 0)

    with pytest.raises(error):
        await world.upsert(pins(150))


@pytest.mark.parametrize(
    ("fault", "status", "advice"),
    [
        (says(429, "RATE_LIMITED", **{"Retry-After": "60"}), "not_sent", "Wait 60 seconds, then call sync_trip again"),
        (down, "not_sent", "all sync_trip again"),
        (unreadable, "not_sent", "all sync_trip again"),
        (says(404, "NOT_FOUND"), "error", "Fix that, then call sync_trip again"),
    ],
)
async def test_an_interrupted_dry_run_reports_how_far_it_came(
    world: World, fault: Fault, status: str, advice: str
) -> None:
    world.relay.faults = always(fault, 1)

    asked = SyncTrip(trip_id=world.trip_id, map_pins=pins(600), dry_run=True)
    outcome = await world.client.outcome(SYNC_TRIP, asked)

    assert outcome.result.map_pins is not None
    assert (outcome.result.map_pins.created, outcome.result.map_pins.errors) == (500, 100)
    assert [result.status for result in outcome.result.map_pins.results] == ["created"] * 500 + [status] * 100
    (note,) = outcome.notes
    assert note.startswith("The preview, which wrote nothing, broke off. ")
    assert f"{advice} for the whole of it" in note
    assert {request.url.params["dryRun"] for request in world.relay.batches} == {"true"}


async def test_progress_is_reported_after_each_request(world: World) -> None:
    heard: list[tuple[float, float | None, str | None]] = []

    async def report(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    await world.client.outcome(UPSERT_MAP_PINS, UpsertMapPins(trip_id=world.trip_id, items=pins(120)), report)

    assert heard == [(50, 120, "50 of 120 items"), (100, 120, "100 of 120 items"), (120, 120, "120 of 120 items")]
