"""Without keys, programs on this computer may call, but not requests that a proxy on it forwards."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from trips_mcp.server.http.factory import app_for_this_computer
from trips_mcp.server.http.settings import HttpSettings
from trips_mcp.settings import Settings

Serve = Callable[..., AbstractAsyncContextManager[Any]]
Start = Callable[..., Awaitable[Any]]


@pytest.fixture
async def served(local: Serve) -> AsyncGenerator[Any]:
    async with local() as served:
        yield served


@pytest.mark.parametrize(
    "header",
    [
        "Forwarded: for=203.0.113.9",
        "X-Forwarded-For: 203.0.113.9",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: localhost",
        "X-Real-IP: 127.0.0.1",
        "CF-Connecting-IP: 203.0.113.9",
        "Via: 1.1 proxy",
        "X-Forwarded-Ssl: on",
        "X-Forwarded-Whatever: 1",
        "CF-Ray: 8a1b2c3d4e5f-VIE",
        "Cf-Access-Jwt-Assertion: eyJ",
        "Tailscale-User-Login: ann@example.com",
    ],
)
async def test_a_forwarded_request_is_refused_with_the_setting_it_needs(header: str, served: Any) -> None:
    name, _, value = header.partition(": ")
    answers = [
        await served.ask("tools/list", headers={name: value}),
        await served.ask_modern("tools/call", headers={name: value}, name="get_me", arguments={}),
        await served.request("GET", "/sse", headers={name: value}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert all("through a proxy" in answer.json()["error"]["message"] for answer in answers)
    assert all("--auth key" in answer.json()["error"]["message"] for answer in answers)


async def test_a_proxy_without_headers_is_recognised_by_http_1_0(served: Any) -> None:
    """As nginx passes requests on where nobody has told it more than the address."""
    async with served.raw() as stream:
        await stream.send(f"GET /sse HTTP/1.0\r\nHost: {served.address}\r\nConnection: close\r\n\r\n".encode())
        answer = await stream.receive()

    assert answer.startswith(b"HTTP/1.1 403 ")


async def test_a_proxy_may_ask_for_health(served: Any) -> None:
    answer = await served.request("GET", "/readyz", headers={"X-Forwarded-For": "203.0.113.9"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("client", "host", "status", "why"),
    [
        ("127.0.0.1", "localhost:8848", 200, ""),
        ("127.8.8.8", "127.0.0.1", 200, ""),
        ("::1", "[::1]:8848", 200, ""),
        ("::ffff:127.0.0.1", "localhost", 200, ""),
        ("192.168.1.20", "localhost", 403, "another computer"),
        ("fe80::1", "localhost", 403, "another computer"),
        ("127.0.0.1", "trips.example.com", 403, "a name that is not this computer's own"),
    ],
)
async def test_caller_and_host_name_must_be_of_this_computer(
    client: str, host: str, status: int, why: str, tmp_path: Path
) -> None:
    settings = Settings.from_env({"TRIPS_MCP_DATABASE": str(tmp_path / "trips.db"), "TRIPS_MCP_JOURNAL": "off"})
    http = HttpSettings(allowed_hosts=("trips.example.com",))
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    async with app_for_this_computer(settings, http, "127.0.0.1", lambda _: None) as app:
        transport = httpx.ASGITransport(app, client=(client, 50000))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as agent:
            accept = {"Accept": "application/json, text/event-stream", "Host": host}
            answer = await agent.post("/mcp", json=body, headers=accept)

    assert answer.status_code == status
    assert why in answer.text


async def test_with_a_public_host_name_a_key_is_required_on_this_computer_too(start: Start, tmp_path: Path) -> None:
    words = ("serve", "--transport", "http", "--port", "0", "--allowed-host", "trips.example.com")
    replica = await (await start(*words, TRIPS_MCP_DATABASE=str(tmp_path / "team.db"))).serves()

    assert (await replica.ask()).status_code == 401
    assert "each call needs a key" in replica.said
