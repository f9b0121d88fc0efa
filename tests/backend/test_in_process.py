"""A request from this process is answered as one over ASGI is, down to the headers."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from trips_mcp.backend import create_key, open_backend
from trips_mcp.in_process import InProcessTransport
from trips_mcp.scopes import BASE_SCOPES, Scope

ALL = tuple(map(Scope, BASE_SCOPES))
LIMIT = 20
OF_ONE_REQUEST = {"x-request-id", "x-ratelimit-remaining"}


async def chunks() -> AsyncGenerator[bytes]:
    """A body of unknown length, over the limit."""
    for _ in range(3):
        yield b" " * 2**19


REQUESTS = {
    "read": httpx.Request("GET", "http://b/api/v1/me"),
    "head": httpx.Request("HEAD", "http://b/api/v1/me"),
    "unknown path": httpx.Request("GET", "http://b/api/v1/trips/%2F/%C3%A9/x"),
    "encoded slash": httpx.Request("GET", "http://b/api/v1/trips/a%2Flegs"),
    "wrong method": httpx.Request("PUT", "http://b/api/v1/trips"),
    "invalid query": httpx.Request("GET", "http://b/api/v1/trips/t/legs?limit=1&limit=2"),
    "invalid body": httpx.Request("POST", "http://b/api/v1/trips", content=b"{"),
    "announced as too long": httpx.Request("POST", "http://b/api/v1/trips", headers={"content-length": "2000000"}),
    "too long": httpx.Request("POST", "http://b/api/v1/trips", content=chunks()),
    "bad idempotency key": httpx.Request("POST", "http://b/api/v1/trips", headers={"idempotency-key": "x" * 300}),
    "events": httpx.Request("GET", "http://b/v1/events/1"),
    "another key": httpx.Request("GET", "http://b/api/v1/me", headers={"authorization": "Bearer nobody"}),
    "document": httpx.Request("GET", "http://b/openapi.json"),
}


@pytest.mark.parametrize("case", REQUESTS)
async def test_both_ways_answer_alike(database: str, case: str) -> None:
    key = await create_key(database, ALL)
    sent = REQUESTS[case]
    async with open_backend(database, require_keys=True, rate_limit=LIMIT) as app:
        answers: list[tuple[int, dict[str, str], bytes]] = []
        for transport in (httpx.ASGITransport(app), InProcessTransport(app)):
            content = chunks() if case == "too long" else sent.read()
            headers = {"authorization": f"Bearer {key}", **sent.headers}
            request = httpx.Request(sent.method, sent.url, headers=headers, content=content)
            response = await transport.handle_async_request(request)
            body = await response.aread()
            headers = {name: value for name, value in response.headers.items() if name not in OF_ONE_REQUEST}
            body = body.replace(response.headers["x-request-id"].encode(), b"")
            answers.append((response.status_code, headers, body))

    assert answers[0] == answers[1]


async def test_a_key_is_added_to_requests_without_one(database: str) -> None:
    key = await create_key(database, ALL)
    async with open_backend(database, require_keys=True, rate_limit=LIMIT) as app:
        transport = InProcessTransport(app, key=key)
        async with httpx.AsyncClient(transport=transport, base_url="http://b/api/v1") as api:
            added = await api.get("/me")
            own = await api.get("/me", headers={"authorization": "Bearer another"})

    assert (added.status_code, own.status_code) == (200, 401)


async def test_requests_without_a_key_count_for_their_address(database: str) -> None:
    async with open_backend(database, require_keys=True, rate_limit=LIMIT) as app:
        left: list[str] = []
        for address in ("203.0.113.1", "203.0.113.1", "203.0.113.2"):
            transport = InProcessTransport(app, address=address)
            async with httpx.AsyncClient(transport=transport, base_url="http://b/api/v1") as api:
                left.append((await api.get("/shared/none")).headers["x-ratelimit-remaining"])

    assert left == [str(LIMIT - 1), str(LIMIT - 2), str(LIMIT - 1)]
