"""A call from its request to its answer: progress, its end in every case, and no details of internal errors."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
from mcp import MCPError
from mcp.server.auth.provider import AccessToken, TokenVerifier
from typing_extensions import override

from tests.no_tls import NO_TLS
from trips_mcp.server.http.app import App, AppConfig
from trips_mcp.server.http.auth import Authenticator, Origins

Serve = Callable[..., AbstractAsyncContextManager[Any]]

LEG = {"order": 1, "title": "Kyoto", "destination": "Kyoto", "startDate": "2027-05-01", "endDate": "2027-05-02"}
LEGS = [{**LEG, "timezone": "Asia/Tokyo"}] * 60
"""More than fit into one request to the service."""


@pytest.mark.parametrize(("transport", "mode"), [("http", "auto"), ("http", "legacy"), ("sse", "auto")])
async def test_progress_arrives_while_the_call_runs(transport: str, mode: str, callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_a": None}
    service.gate = gate = anyio.Event()
    heard: list[float] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append(progress)
        service.gate.set()  # the second part of the call waits for this

    async def let_the_first_part_through() -> None:
        await service.holds(1)
        service.gate = anyio.Event()
        gate.set()

    async with (
        callers_of(service.address) as served,
        served.agent(transport, "osk_a", mode=mode) as agent,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(let_the_first_part_through)
        result = await agent.call_tool("upsert_legs", {"tripId": "jx7", "items": LEGS}, progress_callback=hear)
        assert not result.is_error

    assert heard == [50, 60]


@pytest.mark.parametrize("era", ["ask", "ask_modern"])
async def test_a_call_without_a_progress_token_gets_json(era: str, callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_a": None}

    async with callers_of(service.address) as served:
        arguments = {"tripId": "jx7", "items": LEGS}
        answer = await getattr(served, era)("tools/call", "osk_a", name="upsert_legs", arguments=arguments)

    assert answer.headers["content-type"] == "application/json"
    assert not answer.json()["result"]["isError"]


async def test_a_client_that_accepts_json_only_gets_the_result_without_progress(
    callers_of: Serve, service: Any
) -> None:
    service.keys = {"osk_a": None}
    arguments = {"tripId": "jx7", "items": LEGS}
    call = {"name": "upsert_legs", "arguments": arguments, "_meta": {"progressToken": "mine"}}

    async with callers_of(service.address) as served:
        answer = await served.ask("tools/call", "osk_a", {"Accept": "application/json"}, **call)

    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["result"]["structuredContent"]["created"] == 60


async def test_progress_is_events_of_the_callers_own_token(callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_a": None}

    async with callers_of(service.address) as served:
        arguments = {"tripId": "jx7", "items": LEGS}
        meta = {"progressToken": "mine"}
        answer = await served.ask("tools/call", "osk_a", name="upsert_legs", arguments=arguments, _meta=meta)

    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert answer.headers["content-type"] == "text/event-stream"
    assert [event.get("method") for event in events] == ["notifications/progress"] * 2 + [None]
    assert {event["params"]["progressToken"] for event in events[:2]} == {"mine"}
    assert events[2]["id"] == 1


@pytest.mark.parametrize("transport", ["http", "sse"])
async def test_a_call_has_a_deadline(transport: str, callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_a": None}
    service.gate = anyio.Event()

    async with callers_of(service.address, call_seconds=0.5) as served, served.agent(transport, "osk_a") as agent:
        with pytest.raises(MCPError, match=r"No answer within 0.5 s\. Whether it took effect is unknown") as failed:
            await agent.call_tool("list_members", {"tripId": "jx7"})
        service.gate.set()
        after = await agent.call_tool("list_members", {"tripId": "jx7"})

    assert failed.value.code == -32603
    assert not after.is_error


async def test_a_long_call_without_progress_is_kept_open(callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_a": None}
    service.gate = anyio.Event()
    headers = {"Authorization": "Bearer osk_a", "Content-Type": "application/json", "Accept": "*/*"}
    call = {"name": "list_members", "arguments": {"tripId": "jx7"}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}

    async with (
        callers_of(service.address, quiet_seconds=0.01) as served,
        httpx.AsyncClient(headers=headers, timeout=30, verify=NO_TLS) as http,
        http.stream("POST", served.url, json=message) as response,
    ):
        lines = response.aiter_lines()
        comment = await anext(lines)
        service.gate.set()
        answer = [line async for line in lines if line.startswith("data: ")]

    assert response.headers["content-type"] == "text/event-stream"
    assert comment == ": "
    assert not json.loads(answer[0][6:])["result"]["isError"]


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_a_client_that_leaves_ends_its_call(era: str, callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_a": None}
    service.gate = anyio.Event()

    async with callers_of(service.address, max_calls_per_caller="1") as served:
        ask = served.ask if era == "legacy" else served.ask_modern
        with anyio.move_on_after(20) as leaving:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: ask("tools/call", "osk_a", name="list_members", arguments={"tripId": "jx7"}))
                await service.holds(1)
                leaving.cancel()
        with anyio.fail_after(20):
            while (after := await ask("tools/list", "osk_a")).status_code == 429:  # until its turn is given back
                await anyio.lowlevel.checkpoint()

    assert after.status_code == 200
    assert [line["status"] for line in served.lines if line.get("tool")] == [499]


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_a_write_whose_client_left_is_completed_by_calling_again(
    era: str, callers_of: Serve, service: Any
) -> None:
    service.keys = {"osk_a": None}
    service.gate = anyio.Event()
    dates = {"startDate": "2027-05-01", "endDate": "2027-05-02", "timezone": "Asia/Tokyo"}
    rows = [{"order": 1, "title": "Kyoto", "destination": "Kyoto", **dates}]
    write = {"name": "upsert_legs", "arguments": {"tripId": "jx7", "items": rows}}

    async with callers_of(service.address) as served:
        ask = served.ask if era == "legacy" else served.ask_modern
        with anyio.move_on_after(20) as leaving:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: ask("tools/call", "osk_a", **write))
                await service.holds(1)
                leaving.cancel()
        with anyio.fail_after(20):
            while not any(line.get("tool") for line in served.lines):  # until it is noticed that nobody waits
                await anyio.lowlevel.checkpoint()
        service.gate.set()
        again = (await ask("tools/call", "osk_a", **write)).json()["result"]

    assert not again["isError"], again
    assert again["structuredContent"]["remarks"] == ["This completed an earlier call whose answer was lost."]
    assert len(service.writes) == 2
    assert len(set(service.writes)) == 1


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_a_write_whose_client_left_at_once_is_completed_by_calling_again(
    era: str, callers_of: Serve, service: Any
) -> None:
    """Before anybody looks whether it is still there: its answer is written to nobody."""
    service.keys = {"osk_a": None}
    service.gate = anyio.Event()
    write = {"name": "upsert_legs", "arguments": {"tripId": "jx7", "items": LEGS[:1]}}

    async with callers_of(service.address) as served:
        ask = served.ask if era == "legacy" else served.ask_modern
        async with anyio.create_task_group() as leaving:
            leaving.start_soon(lambda: ask("tools/call", "osk_a", **write))
            await service.holds(1)
            leaving.cancel_scope.cancel()
        service.gate.set()
        with anyio.fail_after(20):
            while not any(line.get("tool") for line in served.lines):
                await anyio.lowlevel.checkpoint()
        again = (await ask("tools/call", "osk_a", **write)).json()["result"]
        meant_anew = (await ask("tools/call", "osk_a", **write)).json()["result"]

    assert again["structuredContent"]["remarks"] == ["This completed an earlier call whose answer was lost."]
    assert "remarks" not in meant_anew["structuredContent"]
    keys = [key for _, key in service.writes]
    assert keys[0] == keys[1] != keys[2]


async def test_writes_of_a_batch_are_confirmed_when_the_array_was_sent(callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_a": None}
    service.gate = anyio.Event()
    params = {"name": "upsert_legs", "arguments": {"tripId": "jx7", "items": LEGS[:1]}}
    batch = [{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}]
    headers = {"Content-Type": "application/json", "Authorization": "Bearer osk_a"}

    async with callers_of(service.address) as served:
        async with anyio.create_task_group() as leaving:
            leaving.start_soon(lambda: served.request("POST", "/mcp", headers=headers, json=batch))
            await service.holds(1)
            leaving.cancel_scope.cancel()
        service.gate.set()
        with anyio.fail_after(20):
            while not served.lines:
                await anyio.lowlevel.checkpoint()
        again, anew = [(await served.request("POST", "/mcp", headers=headers, json=batch)).json() for _ in range(2)]

    told = [answer[0]["result"]["structuredContent"] for answer in (again, anew)]
    assert told[0]["remarks"] == ["This completed an earlier call whose answer was lost."]
    assert "remarks" not in told[1]
    assert len({key for _, key in service.writes}) == 2


async def test_notifications_are_accepted_without_effect(local: Serve) -> None:
    async with local() as served:
        answers: list[httpx.Response] = []
        for version in ("2025-06-18", "2026-07-28"):
            for method in ("notifications/initialized", "notifications/cancelled"):
                headers = {"Content-Type": "application/json", "Accept": "*/*", "MCP-Protocol-Version": version}
                message: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": {}}
                answers.append(await served.request("POST", "/mcp", headers=headers, json=message))
        answered = await served.request(
            "POST",
            "/mcp",
            headers={"Content-Type": "application/json", "Accept": "*/*"},
            json={"jsonrpc": "2.0", "id": 1, "result": {}},
        )

    assert [(answer.status_code, answer.content) for answer in answers] == [(202, b"")] * 4
    assert (answered.status_code, answered.content) == (202, b"")


async def test_in_the_newer_era_an_unexpected_response_is_refused(local: Serve) -> None:
    headers = {"Content-Type": "application/json", "Accept": "*/*", "MCP-Protocol-Version": "2026-07-28"}

    async with local() as served:
        answer = await served.request("POST", "/mcp", headers=headers, json={"jsonrpc": "2.0", "id": 1, "result": {}})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32600)


async def test_a_server_that_is_ending_accepts_no_more_requests(local: Serve) -> None:
    async with local() as served:
        served.app.end()
        refused = await served.ask("ping")
        stream = await served.request("GET", "/sse")
        lives, ready = [await served.request("GET", path) for path in ("/healthz", "/readyz")]

    assert (refused.status_code, stream.status_code, refused.headers["retry-after"]) == (503, 503, "1")
    assert (lives.status_code, ready.status_code) == (200, 503)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"MCP-Protocol-Version": "2031-01-01"}, -32020),
        ({"Mcp-Method": "ping"}, -32020),
        ({"Mcp-Name": "list_trips"}, -32020),
    ],
)
async def test_headers_that_contradict_the_body_are_refused(headers: dict[str, str], code: int, local: Serve) -> None:
    async with local() as served:
        answer = await served.ask_modern("tools/call", headers=headers, name="get_me", arguments={})

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code
    assert answer.json()["id"] == 1


async def test_an_envelope_without_its_headers_is_refused(local: Serve) -> None:
    meta: dict[str, Any] = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }

    async with local() as served:
        answer = await served.ask("tools/list", _meta=meta)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32020)


async def test_two_version_headers_are_refused(local: Serve) -> None:
    async with local() as served:
        versions = [("MCP-Protocol-Version", "2025-11-25"), ("MCP-Protocol-Version", "2026-07-28")]
        headers = [("Content-Type", "application/json"), ("Accept", "*/*"), *versions]
        body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        answer = await served.request("POST", "/mcp", headers=headers, json=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32020)


async def test_a_lone_surrogate_comes_back_unchanged(local: Serve) -> None:
    body = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_trip", "arguments": '
    body += b'{"tripId": "\\ud83d"}}}'

    async with local() as served:
        headers = {"Content-Type": "application/json", "Accept": "*/*"}
        answer = await served.request("POST", "/mcp", headers=headers, content=body)

    assert answer.status_code == 200
    assert answer.json()["result"]["isError"]


class _Broken(TokenVerifier):
    @override
    async def verify_token(self, token: str) -> AccessToken | None:
        raise RuntimeError(f"the door code is K4711, the key {token}")


async def test_an_internal_error_shows_only_its_id(on_socket: Serve, caplog: pytest.LogCaptureFixture) -> None:
    lines: list[str] = []
    nothing: Any = None
    parts = AppConfig(
        origins=Origins("127.0.0.1", (), ()),
        scope_check=nothing,
        servers=nothing,
        deadlines=nothing,
        calls=nothing,
        streams=nothing,
        body_seconds=1,
        quiet_seconds=1,
    )
    app = App(parts, nothing, Authenticator(_Broken()), nothing, ("http",), lines.append)

    async with on_socket(app) as address, httpx.AsyncClient(verify=NO_TLS) as http:
        answer = await http.post(f"http://{address}/mcp", headers={"Authorization": "Bearer osk_secret"})

    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in answer.json()["error"]["message"]
    assert "K4711" not in answer.text + lines[0]
    assert "osk_secret" not in answer.text + lines[0]
    assert answer.headers["x-request-id"] in caplog.text
