"""Concurrent requests with one key or clientRef create one row (docs/contract.md)."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import httpx
import pytest

from trips_mcp.backend import open_backend

CREATE = """
import asyncio, sys
import httpx
from trips_mcp.backend import open_backend

async def main(database, path):
    async with open_backend(database, require_keys=False) as app:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://b/api/v1") as api:
            print("ready", flush=True)
            while body := sys.stdin.readline():
                headers = {"Idempotency-Key": "race"} if "clientRef" not in body else {}
                answers = await asyncio.gather(*(api.post(path, content=body, headers=headers) for _ in range(8)))
                for answer in answers:
                    replayed = answer.headers.get("idempotent-replayed")
                    print(answer.status_code, answer.json()["_id"], replayed, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


async def together(count: int, send: Callable[[], Any]) -> list[httpx.Response]:
    answers: list[httpx.Response] = []

    async def one() -> None:
        answers.append(await send())

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            for _ in range(count):
                tasks.start_soon(one)
    return answers


@pytest.mark.parametrize("backend", ["in process", "served"], indirect=True)
async def test_racing_requests_with_one_key_make_one_row(
    api: httpx.AsyncClient, trip: str, pin: dict[str, Any]
) -> None:
    retry = {"Idempotency-Key": "race"}

    answers = await together(40, lambda: api.post(f"{trip}/map-pins", json=pin, headers=retry))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert len((await api.get(f"{trip}/map-pins")).json()["items"]) == 1


@pytest.mark.parametrize("resource", ["legs", "action-items", "map-pins"])
async def test_racing_requests_with_one_client_ref_make_one_row(
    api: httpx.AsyncClient, trip: str, leg: dict[str, Any], pin: dict[str, Any], resource: str
) -> None:
    item = {"legs": leg, "action-items": {"text": "x", "urgency": "now"}, "map-pins": pin}[resource]

    answers = await together(40, lambda: api.post(f"{trip}/{resource}", json=item | {"clientRef": "race"}))

    assert sorted(answer.status_code for answer in answers) == [200] * 39 + [201]
    assert len((await api.get(f"{trip}/{resource}")).json()["items"]) == 1


def test_racing_processes_make_one_row(database: str) -> None:
    path = f"/trips/{asyncio.run(make_trip(database))}/map-pins"
    arguments = [sys.executable, "-c", CREATE, database, path]
    racers = [subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"

    of_a_key = raced(racers, '{"name": "x", "lat": 1, "lng": 2}')
    of_a_client_ref = raced(racers, '{"name": "x", "lat": 1, "lng": 2, "clientRef": "race"}')
    for racer in racers:
        racer.communicate(timeout=30)

    assert [racer.returncode for racer in racers] == [0, 0]
    assert {pin_id for _, pin_id, _ in of_a_key}.isdisjoint(pin_id for _, pin_id, _ in of_a_client_ref)
    for answers, repeated in ((of_a_key, ("201", "true")), (of_a_client_ref, ("200", "none"))):
        assert len({pin_id for _, pin_id, _ in answers}) == 1
        assert sorted((status, replayed) for status, _, replayed in answers) == sorted(
            [("201", "none"), *[repeated] * 15]
        )


def raced(racers: list[subprocess.Popen[str]], body: str) -> list[list[str]]:
    """The responses to eight concurrent copies of this request."""
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write(body + "\n")
        racer.stdin.flush()
    return [racer.stdout.readline().lower().split() for racer in racers if racer.stdout for _ in range(8)]


async def make_trip(database: str) -> str:
    async with (
        open_backend(database, require_keys=False) as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://b/api/v1") as api,
    ):
        group = (await api.get("/me")).json()["defaultGroupId"]
        new = {"groupId": group, "title": "T", "startDate": "2027-01-01", "endDate": "2027-01-02"}
        return (await api.post("/trips", json=new)).json()["_id"]


async def test_readers_and_writers_at_once_all_get_answers(
    api: httpx.AsyncClient, trip: str, pin: dict[str, Any]
) -> None:
    async def write_then_read() -> httpx.Response:
        written = await api.post(f"{trip}/map-pins", json=pin)
        assert written.status_code == 201
        return await api.get(f"{trip}/export")

    answers = await together(50, write_then_read)

    assert {answer.status_code for answer in answers} == {200}
    assert len((await api.get(f"{trip}/map-pins")).json()["items"]) == 50


async def test_a_cancelled_request_leaves_the_backend_whole(
    api: httpx.AsyncClient, trip: str, pin: dict[str, Any]
) -> None:
    for cut in range(20):
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(partial(api.post, f"{trip}/map-pins", json=pin))
            for _ in range(cut):
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()

    after = await api.post(f"{trip}/map-pins", json=pin)
    assert after.status_code == 201
    assert (await api.get(f"{trip}/map-pins")).json()["items"][-1] == after.json()
