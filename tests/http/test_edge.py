"""The checks before the protocol: hosts, origins, sizes, content types, ids."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio
import httpx
import pytest
from typing_extensions import override

from tests.no_tls import NO_TLS
from trips_mcp.server.http.factory import app_for_this_computer
from trips_mcp.server.http.protocol import TimeoutProtocol
from trips_mcp.server.http.settings import HttpSettings
from trips_mcp.settings import Settings

Serve = Callable[..., AbstractAsyncContextManager[Any]]

PING = {"jsonrpc": "2.0", "id": 7, "method": "ping"}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("listening", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - on purpose
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil.example",
        "127.0.0.1.evil.example:{port}",
        "localhost.evil.example",
        "evil.example#localhost",
        "localhost@evil.example",
        "127.0.0.2:{port}",
        "0.0.0.0:{port}",
        "[::1].evil.example",
        "localhost:",
        "localhost:x",
        "",
    ],
)
async def test_a_forged_host_is_refused_on_every_address(host: str, listening: str, local: Serve) -> None:
    async with local(host=listening) as served:
        name = host.format(port=served.address.rpartition(":")[2])
        answers = [
            await served.request("GET" if path == "/sse" else "POST", path, headers={"Host": name}, json=PING)
            for path in ("/mcp", "/sse", "/messages/", "/nowhere")
        ]

    for answer in answers:
        assert answer.status_code == 421
        assert "Host" in answer.json()["error"]["message"]


@pytest.mark.parametrize("listening", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - on purpose
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example:8848",
        "http://evil.example:8848",
        "file://",
        "null",
        "localhost",
        "https://app.example.com:444",
        "https://app.example.com.evil.example",
        "http://app.example.com",
        "",
    ],
)
async def test_a_forged_origin_is_refused_on_every_address(origin: str, listening: str, local: Serve) -> None:
    async with local(host=listening, allowed_origin="https://app.example.com") as served:
        answer = await served.request("POST", "/mcp", headers={"Origin": origin}, json=PING)

    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:80", "127.0.0.1", "[::1]:9", "trips.example.com", "Trips.Example.com:8443", "b:81"]
)
async def test_it_accepts_the_names_of_this_computer_and_the_allowed_hosts(host: str, local: Serve) -> None:
    async with local(allowed_host="trips.example.com,b:81") as served:
        answer = await served.request("GET", "/nowhere", headers={"Host": host})

    assert answer.status_code == 404


async def test_a_host_with_a_port_is_allowed_on_that_port_only(local: Serve) -> None:
    async with local(allowed_host="trips.example.com:8443") as served:
        answers = [
            (await served.request("GET", "/nowhere", headers={"Host": f"trips.example.com{port}"})).status_code
            for port in (":8443", ":8444", "")
        ]

    assert answers == [404, 421, 421]


async def test_two_host_headers_are_refused(local: Serve) -> None:
    async with local() as served, served.raw() as stream:
        await stream.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        answer = await stream.receive()

    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("origin", ["https://app.example.com", "http://localhost:6274", "http://127.0.0.1:3000"])
async def test_pages_of_an_allowed_origin_get_cors_headers(origin: str, local: Serve) -> None:
    async with local(allowed_origin="https://app.example.com") as served:
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "mcp-name",
        }
        preflight = await served.request("OPTIONS", "/mcp", headers=asked)
        answer = await served.ask("ping", headers={"Origin": origin})

    assert preflight.status_code == 204
    assert "POST" in preflight.headers["access-control-allow-methods"]
    allowed = preflight.headers["access-control-allow-headers"]
    assert {"authorization", "mcp-name", "x-travelmode-token"} <= set(allowed.split(", "))
    for each in (preflight, answer):
        assert each.headers["access-control-allow-origin"] == origin
        assert each.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    [
        "chrome-extension://fmkadmapgofadopljbjfkapdkoienihi",
        "moz-extension://2a7b0c3e-1f6d-4e58-9d1c-0b7a5f3e8c11",
        "vscode-file://vscode-app",
        "app://obsidian.md",
        "tauri://localhost",
    ],
)
async def test_with_keys_any_exact_origin_can_be_allowed(origin: str, team: Serve, key_for: Any) -> None:
    key = await key_for("me")

    async with team(allowed_origin=f"https://app.example.com,{origin}") as served:
        preflight = await served.request("OPTIONS", "/mcp", headers={"Origin": origin})
        answer = await served.ask("ping", key, headers={"Origin": origin})
        others = [
            (await served.ask("ping", key, headers={"Origin": other})).status_code
            for other in (f"{origin}.evil", f"{origin}:1", origin.partition(":")[0] + "://evil", "null")
        ]

    assert (preflight.status_code, answer.status_code) == (204, 200)
    assert preflight.headers["access-control-allow-origin"] == answer.headers["access-control-allow-origin"] == origin
    assert others == [403] * 4


async def test_anybody_may_ask_for_health(local: Serve) -> None:
    async with local() as served:
        answers = [
            await served.request(method, path, headers={"Host": "10.0.0.7:8848"})
            for method in ("GET", "HEAD")
            for path in ("/healthz", "/readyz")
        ]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert [answer.text for answer in answers] == ['{"status":"ok"}', '{"status":"ready"}', "", ""]


async def test_it_is_not_ready_without_its_database_and_does_not_say_why(serve: Serve, tmp_path: Any) -> None:
    (tmp_path / "trips.db").mkdir()
    settings = Settings.from_env({"TRIPS_MCP_DATABASE": str(tmp_path), "TRIPS_MCP_JOURNAL": "off"})

    def opening(log: Callable[[str], object]) -> AbstractAsyncContextManager[Any]:
        return app_for_this_computer(settings, HttpSettings(), "127.0.0.1", log)

    async with serve(opening) as served:
        lives = await served.request("GET", "/healthz")
        ready = await served.request("GET", "/readyz")

    assert lives.status_code == 200
    assert (ready.status_code, ready.text) == (503, '{"status":"not ready"}')


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("POST", "/mcp//", 404),
        ("POST", "/mcp/mcp", 404),
        ("GET", "/.well-known/oauth-protected-resource", 404),
        ("GET", "/mcp", 405),
        ("DELETE", "/mcp", 405),
        ("PUT", "/mcp", 405),
        ("POST", "/sse", 405),
        ("GET", "/messages/", 405),
        ("POST", "/healthz", 405),
    ],
)
async def test_other_addresses_and_methods_are_refused(method: str, path: str, status: int, local: Serve) -> None:
    async with local() as served:
        answer = await served.request(method, path)

    assert answer.status_code == status
    assert answer.json()["error"]["code"] == -32600
    assert ("allow" in answer.headers) == (status == 405)


async def test_with_sse_alone_there_is_no_mcp(local: Serve) -> None:
    async with local(transport="sse") as served:
        answer = await served.ask("ping")
        async with served.agent("sse") as agent:
            listed = await agent.list_tools()

    assert answer.status_code == 404
    assert listed.tools


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("abc-123_X.9", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("two words", False),
        ('a"b', False),
        ("{}", False),
        ("", False),
        ("caf\u00e9", False),
    ],
)
async def test_a_request_keeps_its_id_if_that_is_one(asked: str, kept: bool, local: Serve) -> None:
    async with local() as served:
        answer = await served.ask("ping", headers={"X-Request-Id": asked.encode("latin-1")})

    told = answer.headers["x-request-id"]
    assert (told == asked) == kept
    assert len(told) >= 1
    assert served.lines[-1]["request"] == told


async def test_every_answer_has_an_id_of_its_own(local: Serve) -> None:
    async with local() as served:
        answers = [await served.ask("ping"), await served.ask("ping"), await served.request("GET", "/nowhere")]

    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {**JSON, "Content-Encoding": "gzip"},
    ],
)
async def test_a_body_of_another_kind_is_refused(headers: dict[str, str], local: Serve) -> None:
    async with local() as served:
        answer = await served.request("POST", "/mcp", headers=headers, content=json.dumps(PING))

    assert answer.status_code == 415
    assert "application/json" in answer.json()["error"]["message"]


async def test_parameters_of_the_content_type_are_ignored(local: Serve) -> None:
    async with local() as served:
        answer = await served.ask("ping", headers={"Content-Type": "Application/JSON; charset=utf-8"})

    assert answer.status_code == 200


@pytest.mark.parametrize("accept", [None, "", "application/json", "application/json;q=0.9", "application/*", "*/*"])
@pytest.mark.parametrize("version", [{}, {"MCP-Protocol-Version": "2025-11-25"}])
async def test_every_accept_header_with_json_gets_json(
    version: dict[str, str], accept: str | None, local: Serve
) -> None:
    async with local() as served, httpx.AsyncClient(verify=NO_TLS) as http:
        del http.headers["accept"]
        headers = version | JSON | ({} if accept is None else {"Accept": accept})
        for path in ("/mcp", "/mcp/"):
            answer = await http.post(served.base + path, headers=headers, json=PING)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
            assert answer.json()["result"] == {}


@pytest.mark.parametrize("accept", ["text/event-stream", "text/html, image/*"])
@pytest.mark.parametrize("era", ["ask", "ask_modern"])
async def test_a_response_that_the_client_does_not_accept_is_a_406(era: str, accept: str, local: Serve) -> None:
    async with local() as served:
        answer = await getattr(served, era)("ping", headers={"Accept": accept})

    assert answer.status_code == 406


@pytest.mark.parametrize(
    ("body", "code", "answered"),
    [
        (b"", -32700, None),
        (b'{"jsonrpc": "2.0", "id": 1, "me', -32700, None),
        (b"\xff\xfe", -32700, None),
        (b"[" * 100_000, -32700, None),
        (b"1" * 5000, -32700, None),
        (b"[]", -32600, None),
        (json.dumps([PING]).encode(), -32600, None),
        (b'"ping"', -32600, None),
        (b"{}", -32600, None),
        (b'{"jsonrpc": "1.0", "id": 7, "method": "ping"}', -32600, 7),
        (b'{"jsonrpc": "2.0", "id": 7}', -32600, 7),
        (b'{"jsonrpc": "2.0", "id": 7, "method": 5}', -32600, 7),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "ping"}', -32600, None),
        (b'{"jsonrpc": "2.0", "id": true, "method": "ping"}', -32600, None),
        (b'{"jsonrpc": "2.0", "id": 7, "method": "ping", "params": [1]}', -32600, 7),
    ],
)
@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
async def test_a_body_that_is_no_message_is_answered_in_the_protocols_form(
    body: bytes, code: int, answered: int | None, version: str, local: Serve
) -> None:
    headers = {**JSON, "Accept": "*/*", "MCP-Protocol-Version": version}

    async with local() as served:
        answer = await served.request("POST", "/mcp", headers=headers, content=body)
        after = await served.ask("ping")

    told = answer.json()
    assert answer.status_code == 400
    assert (told["jsonrpc"], told["id"], told["error"]["code"]) == ("2.0", answered, code)
    assert "pydantic" not in answer.text
    assert after.status_code == 200


async def test_a_byte_order_mark_and_empty_lists_for_objects_are_understood(local: Serve) -> None:
    call = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_trips", "arguments": []}}'
    listing = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": []}'

    async with local() as served:
        called, listed = [
            await served.request("POST", "/mcp", headers={**JSON, "Accept": "*/*"}, content=b"\xef\xbb\xbf" + body)
            for body in (call, listing)
        ]

    assert called.json()["result"]["structuredContent"] == {"items": []}
    assert listed.json()["result"]["tools"]


@pytest.mark.parametrize("version", [{}, {"MCP-Protocol-Version": "2025-03-26"}])
async def test_a_batch_of_the_revision_that_has_them_is_answered_with_an_array(
    version: dict[str, str], local: Serve
) -> None:
    def call(request_id: int, tool: str) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": request_id, "method": "tools/call", "params": {"name": tool}}

    told = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    batch = [PING, told, call(8, "list_trips"), call(9, "no_such_tool"), {"jsonrpc": "2.0", "id": 10}, 7]

    async with local(max_calls_per_caller="1") as served:
        headers = {**JSON, **version}
        answer = await served.request("POST", "/mcp", headers=headers, json=batch)
        nothing = await served.request("POST", "/mcp", headers=headers, json=[told])
        empty = await served.request("POST", "/mcp", headers=headers, json=[])

    found = {each["id"]: each for each in answer.json()}
    assert answer.status_code == 200
    assert len(answer.json()) == 5
    assert found[7]["result"] == {}
    assert found[8]["result"]["structuredContent"] == {"items": []}
    assert [found[name]["error"]["code"] for name in (9, 10, None)] == [-32602, -32600, -32600]
    assert (nothing.status_code, nothing.content) == (202, b"")
    assert (empty.status_code, empty.json()["error"]["code"]) == (400, -32600)


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_four_mebibytes_is_refused(declared: bool, local: Serve) -> None:
    size = 4 * 1024 * 1024
    largest = json.dumps(PING).encode().ljust(size)

    async def in_chunks(body: bytes) -> Any:
        for start in range(0, len(body), 1 << 16):
            yield body[start : start + (1 << 16)]

    async with local() as served:
        headers = {**JSON, "Accept": "*/*"}
        fits, over = [
            await served.request("POST", "/mcp", headers=headers, content=body if declared else in_chunks(body))
            for body in (largest, largest + b" ")
        ]

    assert fits.json()["result"] == {}
    assert over.status_code == 413
    assert over.json()["error"]["code"] == -32600


async def test_a_body_that_says_it_is_huge_is_refused_before_it_is_sent(local: Serve) -> None:
    async with local() as served, served.raw() as stream:
        await stream.send(
            b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 99999999999999999999\r\nExpect: 100-continue\r\n\r\n"
        )
        answer = await stream.receive()

    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_an_unknown_session_is_a_404(local: Serve) -> None:
    async with local() as served:
        answer = await served.ask("tools/list", headers={"Mcp-Session-Id": "0123456789abcdef"})
        opened = await served.ask(
            "initialize",
            headers={"Mcp-Session-Id": "0123456789abcdef"},
            protocolVersion="2025-11-25",
            capabilities={},
            clientInfo={"name": "test", "version": "1"},
        )

    assert answer.status_code == 404
    assert answer.json()["id"] == 1
    assert opened.json()["result"]["protocolVersion"] == "2025-11-25"
    assert "mcp-session-id" not in opened.headers


async def test_concurrent_calls_are_limited(callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_a": None, "osk_b": None, "osk_c": None}
    service.gate = anyio.Event()
    statuses: list[int] = []
    refusals: list[httpx.Response] = []

    async with callers_of(service.address, max_calls="3", max_calls_per_caller="2") as served:

        async def call(key: str) -> None:
            answer = await served.ask("tools/call", key, name="list_members", arguments={"tripId": "jx7"})
            statuses.append(answer.status_code)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call, "osk_a")
            tasks.start_soon(call, "osk_a")
            await service.holds(2)
            refusals.append(await served.ask("ping", "osk_a"))
            tasks.start_soon(call, "osk_b")
            await service.holds(3)
            refusals.append(await served.ask("ping", "osk_c"))
            service.gate.set()
        freed = await served.ask("ping", "osk_a")

    for refused, whose in zip(refusals, ("You have", "Others have"), strict=True):
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["error"]["message"].startswith(whose)
    assert statuses == [200] * 3
    assert freed.status_code == 200


async def test_a_response_is_one_write(local: Serve) -> None:
    """Each write is a system call, and wakes the client."""
    written: list[bytes] = []

    class Counted(TimeoutProtocol):
        @override
        def connection_made(self, transport: Any) -> None:
            write = transport.write

            def count(data: bytes) -> None:
                written.extend([bytes(data)] if data else [])
                write(data)

            transport.write = count
            super().connection_made(transport)

    async with local(protocol=Counted) as served:
        answers = [await served.request("POST", "/mcp", json=PING, headers=JSON | more) for more in ({}, {"TE": "a"})]

    assert [(answer.status_code, answer.json()["result"]) for answer in answers] == [(200, {})] * 2
    assert [part.endswith(answer.content) for part, answer in zip(written, answers, strict=True)] == [True, True]
