"""`trips-mcp backend serve` on the network: slow clients, many connections, and the addresses that count."""

import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.no_tls import NO_TLS
from trips_mcp.addresses import TrustedProxies
from trips_mcp.backend import create_key, open_backend
from trips_mcp.cli.backend_http import guarded, protocol_of
from trips_mcp.scopes import Scope
from trips_mcp.server.http.protocol import TimeoutProtocol

Serve = Callable[..., AbstractAsyncContextManager[Any]]
Start = Callable[..., Awaitable[Any]]

HEAD = b"POST /api/v1/trips HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
LIMIT = 5


@pytest.fixture
def backend(tmp_path: Path, on_socket: Serve, serve_at: Callable[[str], Any]) -> Serve:
    @asynccontextmanager
    async def backend(**limits: Any) -> AsyncGenerator[Any]:
        proxies = TrustedProxies()
        protocol: type[TimeoutProtocol] = type("Protocol", (protocol_of(proxies, 4),), limits)
        async with (
            open_backend(str(tmp_path / "trips.db"), require_keys=True) as app,
            on_socket(guarded(app, proxies), protocol) as address,
        ):
            yield serve_at(address)

    return backend


@pytest.mark.parametrize(
    ("begun", "missing"),
    [
        (b"", "headers"),
        (HEAD, "headers"),
        (HEAD + b"Authorization: Bearer %s\r\nContent-Length: 100\r\n\r\n{", "body"),
        (HEAD + b"Authorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", "body"),
    ],
)
async def test_a_client_that_does_not_finish_its_request_is_cut_off(
    begun: bytes, missing: str, backend: Serve, tmp_path: Path
) -> None:
    key = await create_key(str(tmp_path / "trips.db"), [Scope("trips:write")], "me")

    async with backend(head_seconds=0.2, body_seconds=0.2) as served, served.raw() as stream:
        if begun:
            await stream.send(begun.replace(b"%s", key.encode()))
        answer = await stream.receive()

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    error = httpx.Response(408, content=body).json()["error"]
    assert f"The request's {missing}" in error["message"]
    assert error["requestId"].startswith("req_")


async def test_a_request_with_two_kinds_of_length_gets_a_400(backend: Serve) -> None:
    async with backend() as served, served.raw() as stream:
        await stream.send(HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
        answer = await stream.receive()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Content-Length and Transfer-Encoding" in answer


async def test_an_address_with_too_many_connections_gets_a_503(backend: Serve) -> None:
    async with backend(refused_seconds=10) as served, AsyncExitStack() as stack:
        for _ in range(4):
            await stack.enter_async_context(served.raw())
        refused = await served.request("GET", "/api/v1/me")

    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["error"]["code"] == "INTERNAL_ERROR"


async def test_endless_bodies_block_nobody_once_they_are_answered(backend: Serve) -> None:
    async with backend(most_connections=4) as served, AsyncExitStack() as stack:
        refused: list[bytes] = []
        for _ in range(4):
            stream = await stack.enter_async_context(served.raw("127.0.0.2"))
            await stream.send(HEAD + b"Content-Length: 100\r\n\r\n{")
            refused.append(await stream.receive())
        answer = await served.request("GET", "/api/v1/me")

    assert all(each.startswith(b"HTTP/1.1 401 ") for each in refused)
    assert answer.status_code == 401


async def ask_as(replica: Any, forwarded: list[str]) -> list[int]:
    async with httpx.AsyncClient(base_url=replica.base, timeout=30, verify=NO_TLS) as http:
        return [
            (await http.get("/api/v1/me", headers={"X-Forwarded-For": address})).status_code for address in forwarded
        ]


async def test_a_client_cannot_choose_the_address_that_its_requests_count_for(start: Start, tmp_path: Path) -> None:
    database = str(tmp_path / "trips.db")
    words = ("backend", "serve", "--port", "0", "--database", database, "--rate-limit", str(LIMIT))
    replica = await (await start(*words)).serves()

    statuses = await ask_as(replica, [f"203.0.113.{number}" for number in range(LIMIT)] + ["9" * 10_000])

    assert statuses == [401] * LIMIT + [429]
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("SELECT bucket FROM rate_windows").fetchall() == [("address 127.0.0.1",)]


async def test_a_trusted_proxy_names_the_address_that_requests_count_for(start: Start, tmp_path: Path) -> None:
    database = str(tmp_path / "trips.db")
    words = ("backend", "serve", "--port", "0", "--database", database, "--rate-limit", str(LIMIT))
    replica = await (await start(*words, "--trusted-proxy", "127.0.0.0/8")).serves()

    statuses = await ask_as(replica, [f"6.6.6.{number}, 203.0.113.9" for number in range(LIMIT + 1)])
    another = await ask_as(replica, ["203.0.113.9, 203.0.113.10"])

    assert statuses == [401] * LIMIT + [429]
    assert another == [401]
