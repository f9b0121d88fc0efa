"""The rate limit and its headers (docs/contract.md)."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import anyio
import httpx
import pytest

from trips_mcp.backend import open_backend

NewKey = Callable[..., Awaitable[str]]
LIMIT = 5


@pytest.fixture
async def limited(
    database: str, clock: list[float], new_key: NewKey
) -> AsyncGenerator[Callable[..., Awaitable[httpx.Response]]]:
    """Sends a request with a key from an address to one of two apps over the same database."""
    async with (
        open_backend(database, require_keys=True, rate_limit=LIMIT, clock=lambda: clock[0]) as one,
        open_backend(database, require_keys=True, rate_limit=LIMIT, clock=lambda: clock[0]) as other,
    ):

        async def send(
            key: str | None,
            path: str = "/api/v1/me",
            *,
            method: str = "GET",
            address: str = "10.0.0.1",
            app: int = 0,
            **more: Any,
        ) -> httpx.Response:
            transport = httpx.ASGITransport((one, other)[app], client=(address, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://backend") as client:
                headers = {"Authorization": f"Bearer {key}"} if key else {}
                return await client.request(method, path, headers=headers | more.pop("headers", {}), **more)

        yield send


async def test_the_61st_request_in_a_minute_waits(database: str, clock: list[float], new_key: NewKey) -> None:
    headers = {"Authorization": f"Bearer {await new_key()}"}
    async with (
        open_backend(database, require_keys=True, clock=lambda: clock[0]) as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://b", headers=headers) as client,
    ):
        answers = [await client.get("/api/v1/me") for _ in range(61)]

    assert [answer.status_code for answer in answers] == [200] * 60 + [429]
    assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {"60"}
    remaining = [int(answer.headers["x-ratelimit-remaining"]) for answer in answers]
    assert remaining == [*range(59, -1, -1), 0]
    assert answers[-1].headers["retry-after"] == "60"
    assert "retry-after" not in answers[-2].headers
    error = answers[-1].json()["error"]
    assert error["code"] == "RATE_LIMITED"
    assert error["requestId"] == answers[-1].headers["x-request-id"]


async def test_the_window_ends_after_a_minute(
    limited: Callable[..., Awaitable[httpx.Response]], new_key: NewKey, clock: list[float]
) -> None:
    key = await new_key()
    for _ in range(LIMIT):
        await limited(key)

    clock[0] += 59.5
    late = await limited(key)
    clock[0] += 0.5
    fresh = await limited(key)

    assert late.status_code == 429
    assert late.headers["retry-after"] == "1"
    assert fresh.status_code == 200
    assert fresh.headers["x-ratelimit-remaining"] == str(LIMIT - 1)


async def test_a_clock_set_back_locks_no_one_out(
    limited: Callable[..., Awaitable[httpx.Response]], new_key: NewKey, clock: list[float]
) -> None:
    key = await new_key()
    for _ in range(LIMIT + 1):
        await limited(key)

    clock[0] -= 3600

    assert (await limited(key)).status_code == 200


async def test_every_answer_counts_and_says_so(
    limited: Callable[..., Awaitable[httpx.Response]], new_key: NewKey
) -> None:
    key = await new_key()

    answers = [
        await limited(key, "/api/v1/nowhere"),
        await limited(key, "/api/v1/me", method="HEAD"),
        await limited(key, "/api/v1/trips", method="POST", content=b"{"),
        await limited(key, "/openapi.json"),
        await limited(key, "/api/v1/trips/trip_1", method="DELETE", headers={"Idempotency-Key": "x"}),
        await limited(key),
    ]

    assert [answer.status_code for answer in answers] == [404, 405, 400, 200, 404, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]


async def test_each_key_has_its_own_window(limited: Callable[..., Awaitable[httpx.Response]], new_key: NewKey) -> None:
    one, other = await new_key(), await new_key()
    for _ in range(LIMIT + 1):
        await limited(one)

    assert (await limited(one, app=1)).status_code == 429
    assert (await limited(other)).status_code == 200


async def test_those_without_a_key_share_their_addresss_window(
    limited: Callable[..., Awaitable[httpx.Response]],
) -> None:
    answers = [
        await limited(None),
        await limited("osk_wrong"),
        await limited(None, "/api/v1/shared/trips/x"),
        await limited("osk_other", app=1),
        await limited(None, "/openapi.json"),
        await limited(None),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 404, 401, 200, 429]
    assert (await limited(None, address="10.0.0.2")).status_code == 401


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2::a", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("1" * 30_000, "unknown"),
    ],
)
async def test_what_is_stored_of_an_address_is_its_network(
    address: str,
    counted: str,
    limited: Callable[..., Awaitable[httpx.Response]],
    sql: Callable[..., list[Any]],
) -> None:
    await limited(None, address=address)

    assert sql("SELECT bucket FROM rate_windows") == [(f"address {counted}",)]


async def test_racing_requests_never_share_a_place(
    limited: Callable[..., Awaitable[httpx.Response]], new_key: NewKey
) -> None:
    key = await new_key()
    statuses: list[int] = []

    async def one(app: int) -> None:
        statuses.append((await limited(key, app=app)).status_code)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(one, number % 2)

    assert sorted(statuses) == [200] * LIMIT + [429] * 15


async def test_clocks_that_differ_a_little_share_one_window(database: str, clock: list[float], new_key: NewKey) -> None:
    """The clocks of two computers, or of one where a request waits after reading its clock."""
    headers = {"Authorization": f"Bearer {await new_key()}"}
    async with (
        open_backend(database, require_keys=True, rate_limit=LIMIT, clock=lambda: clock[0]) as one,
        open_backend(database, require_keys=True, rate_limit=LIMIT, clock=lambda: clock[0] - 2) as other,
    ):
        answers: list[httpx.Response] = []
        for number in range(LIMIT + 3):
            transport = httpx.ASGITransport((one, other)[number % 2])
            async with httpx.AsyncClient(transport=transport, base_url="http://b", headers=headers) as client:
                answers.append(await client.get("/api/v1/me"))

    assert [answer.status_code for answer in answers] == [200] * LIMIT + [429] * 3


async def test_windows_that_end_at_once_are_in_nobodys_way(
    limited: Callable[..., Awaitable[httpx.Response]], clock: list[float]
) -> None:
    statuses: list[int] = []

    async def one(number: int) -> None:
        answer = await limited(None, address=f"10.0.1.{number}", app=number % 2)
        statuses.append(answer.status_code)

    for _ in range(3):
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                for number in range(30):
                    tasks.start_soon(one, number)
        clock[0] += 61

    assert statuses == [401] * 90


async def test_a_refused_retry_is_not_remembered(
    limited: Callable[..., Awaitable[httpx.Response]], new_key: NewKey, clock: list[float]
) -> None:
    key = await new_key()
    for _ in range(LIMIT):
        await limited(key)
    retry = {"method": "DELETE", "headers": {"Idempotency-Key": "x"}}

    refused = await limited(key, "/api/v1/trips/trip_1", **retry)
    clock[0] += 60
    again = await limited(key, "/api/v1/trips/trip_1", **retry)

    assert refused.status_code == 429
    assert again.status_code == 404
    assert "idempotent-replayed" not in again.headers


async def test_the_events_api_knows_no_limit(
    limited: Callable[..., Awaitable[httpx.Response]], new_key: NewKey
) -> None:
    key = await new_key()

    answers = [await limited(key, "/v1/events/1") for _ in range(LIMIT + 1)]

    assert {answer.status_code for answer in answers} == {404}
    assert not any("x-ratelimit-limit" in answer.headers for answer in answers)
    assert (await limited(key)).headers["x-ratelimit-remaining"] == str(LIMIT - 1)


async def test_without_a_limit_nothing_is_counted(
    api: httpx.AsyncClient, trip: str, sql: Callable[..., list[Any]]
) -> None:
    answer = await api.get(trip)

    assert not [name for name in answer.headers if name.startswith("x-ratelimit")]
    assert sql("SELECT * FROM rate_windows") == []
