"""The log line of a request: enough to find it again, and nothing of its content."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from typing import Any

import pytest

Serve = Callable[..., AbstractAsyncContextManager[Any]]
KeyFor = Callable[..., Awaitable[str]]


async def test_a_line_has_the_caller_the_request_and_the_outcome(team: Serve, key_for: KeyFor) -> None:
    key = await key_for("me")

    async with team() as served:
        await served.call("list_trips", key)
        await served.ask("tools/list", key)
        await served.request("GET", "/healthz")
        (call, listing, health) = served.lines

    assert {name: call[name] for name in ("method", "path", "status", "rpc", "tool")} == {
        "method": "POST",
        "path": "/mcp",
        "status": 200,
        "rpc": "tools/call",
        "tool": "list_trips",
    }
    assert call["ms"] > 0
    assert len(call["caller"]) == 12
    assert call["caller"] == listing["caller"]
    assert "tool" not in listing
    assert "caller" not in health
    assert call["time"].endswith("Z")


async def test_callers_are_distinguishable_but_not_identifiable(team: Serve, key_for: KeyFor) -> None:
    mine, yours = await key_for("me"), await key_for("you")

    async with team() as served:
        for key in (mine, yours, mine):
            await served.ask("tools/list", key)
        callers = [line["caller"] for line in served.lines]

    assert callers[0] == callers[2] != callers[1]
    assert sha256(f"{mine}\0".encode()).hexdigest().startswith(callers[0])  # as the guide has it
    assert mine not in str(served.lines)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/call", {"name": "door code K4711", "arguments": {"wifiPassword": "K4711"}}),
        ("tools/call", {"name": "get_trip", "arguments": {"tripId": "K4711"}}),
        ("door code K4711", {}),
        ("x" * 100 + "K4711", {}),
        ("ping", {"_meta": {"note": "K4711"}}),
    ],
)
async def test_nothing_of_a_body_is_logged(
    method: str, params: dict[str, Any], local: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    async with local() as served:
        await served.ask(method, **params)
        await served.request("POST", "/mcp?key=K4711", headers={"Content-Type": "application/json"}, content="K4711")

    assert len(served.lines) == 2
    assert "K4711" not in str([{**line, "ms": 0, "request": ""} for line in served.lines])
    assert "K4711" not in str([record.getMessage() for record in caplog.records if "trips_mcp" in record.name])


async def test_a_key_is_logged_nowhere(team: Serve, key_for: KeyFor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    key = await key_for("me", "trips:read")

    async with team() as served:
        await served.call("list_trips", key)
        await served.ask("tools/call", key, name="create_trip", arguments={})
        await served.ask("tools/list", key + "-revoked")

    said = caplog.text + str(served.lines)
    assert [line["status"] for line in served.lines] == [200, 403, 401]
    assert key not in said
    assert key[4:] not in said


async def test_odd_paths_are_logged_in_one_line_and_cut(local: Serve) -> None:
    async with local() as served:
        await served.request("GET", "/" + "%0a%22" * 500)

    (line,) = served.lines
    assert line["status"] == 404
    assert len(line["path"]) == 200
