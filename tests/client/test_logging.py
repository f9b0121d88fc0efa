"""The log line of each request: enough to trace it, and nothing of its content."""

import logging
import re
from typing import TYPE_CHECKING

import httpx
import pytest

from trips_mcp.client import OutcomeUnknownError, TripsError
from trips_mcp.contract.events import CreateEvent
from trips_mcp.contract.messages import SendMessage
from trips_mcp.contract.trips import SyncTrip

if TYPE_CHECKING:
    from .conftest import ClientOf, SkippedTime

LINE = re.compile(r"(GET|POST|PATCH|DELETE) (/\S*): (\d{3}|no answer) in (\d+) ms, attempt (\d+), request (\S+)")
SECRETS = ("osk_trips-key", "events-token", "K4711", "hunter2", "a-cursor", "share-token-1")


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, ...]]:
    told: list[tuple[str, ...]] = []
    for record in caplog.records:
        if record.name == "trips_mcp.client":
            found = LINE.fullmatch(record.getMessage())
            assert found, record.getMessage()
            assert record.levelno == logging.DEBUG
            told.append((found[1], found[2], found[3], found[5], found[6]))
    return told


async def test_each_attempt_is_a_line(client_of: "ClientOf", caplog: pytest.LogCaptureFixture) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if answers:
            return answers.pop()
        raise httpx.ReadTimeout("slow")

    answers = [httpx.Response(200, json=[], headers={"X-Request-Id": "req_2"}), httpx.Response(503)]
    client = client_of(answer)

    with caplog.at_level(logging.DEBUG, "trips_mcp.client"):
        await client.legs.list("t1", limit=5, cursor="a-cursor")
        with pytest.raises(TripsError):
            await client_of(answer, deadline=1).trips.get("t2")

    assert lines(caplog) == [
        ("GET", "/api/v1/trips/t1/legs", "503", "1", "-"),
        ("GET", "/api/v1/trips/t1/legs", "200", "2", "req_2"),
        ("GET", "/api/v1/trips/t2", "no answer", "1", "-"),
    ]


async def test_the_line_tells_how_long_the_attempt_took(
    client_of: "ClientOf", time: "SkippedTime", caplog: pytest.LogCaptureFixture
) -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        time.now += 20
        return httpx.Response(200, json=[])

    with caplog.at_level(logging.DEBUG, "trips_mcp.client"):
        await client_of(slow, clock=time.clock, sleep=time.sleep).trips.list()

    [record] = [record for record in caplog.records if record.name == "trips_mcp.client"]
    assert record.getMessage() == "GET /api/v1/trips: 200 in 20000 ms, attempt 1, request -"


async def test_nothing_secret_is_logged(client_of: "ClientOf", caplog: pytest.LogCaptureFixture) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        # a service that throws back what it was sent
        key = request.headers.get("Authorization", "nobody")
        back = f"{key} {request.headers.get('Idempotency-Key')} hunter2"
        keys.add(request.headers.get("Idempotency-Key", "hunter2"))
        headers = {"X-Request-Id": key.removeprefix("Bearer ")}
        return httpx.Response(statuses[0], json={"_id": back, "items": []}, headers=headers)

    statuses = [200, 500]
    keys: set[str] = set()
    client = client_of(answer)
    with caplog.at_level(logging.DEBUG):
        while statuses:
            for call in (
                lambda: client.legs.list("t1", cursor="a-cursor"),
                lambda: client.shares.get("share-token-1"),
                lambda: client.shares.export("share-token-1"),
                lambda: client.messages.send(SendMessage(trip_id="t1", channel_id="c1", content="code K4711")),
                lambda: client.trips.sync(SyncTrip(trip_id="t1", dry_run=True, legs=[])),
                lambda: client.events.create(CreateEvent(type="food", title="K4711", date="2026-11-01")),
            ):
                try:
                    await call()
                except TripsError as error:
                    logging.getLogger("a caller").warning("failed: %r", error, exc_info=error)
            statuses.pop(0)

    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    told = "\n".join(f"{record.getMessage()} {record.exc_text or ''}" for record in ours)
    assert len(lines(caplog)) > 12
    assert ("GET", "/shared/trips/{token}") in {line[:2] for line in lines(caplog)}
    for secret in (*SECRETS, *keys):
        assert secret not in told


async def test_without_debug_nothing_is_logged(client_of: "ClientOf", caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(OutcomeUnknownError):
        await client_of(lambda request: httpx.Response(500)).legs.delete("t1", "l1")

    assert lines(caplog) == []


async def test_a_hostile_request_id_is_not_repeated(client_of: "ClientOf", caplog: pytest.LogCaptureFixture) -> None:
    headers = [(b"X-Request-Id", b"req_1 \x1b[31mforged")]

    with caplog.at_level(logging.DEBUG, "trips_mcp.client"):
        await client_of(lambda request: httpx.Response(200, json=[], headers=headers)).trips.list()

    assert [line[-1] for line in lines(caplog)] == ["-"]
