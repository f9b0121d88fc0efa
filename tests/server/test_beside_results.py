"""What a host gets beside a result: progress during the call, and the rest of the rate limit."""

from typing import TYPE_CHECKING, Any

import pytest

from trips_mcp.server.jsonrpc import CAPABILITIES_KEY, CLIENT_KEY, VERSION_KEY

if TYPE_CHECKING:
    from .conftest import Start

CLIENT = {"name": "test", "version": "1"}
ENVELOPE = {
    VERSION_KEY: "2026-07-28",
    CAPABILITIES_KEY: dict[str, Any](),
    CLIENT_KEY: CLIENT,
}
BOTH_ERAS = pytest.mark.parametrize("envelope", [{}, ENVELOPE], ids=["handshake", "envelope"])


@BOTH_ERAS
async def test_the_rate_limit_is_in_the_results_meta_and_progress_is_reported(
    start: "Start", envelope: dict[str, Any]
) -> None:
    child = await start()
    if not envelope:
        await child.open()

    await child.send(1, "tools/call", name="nearly_used_up", arguments={}, _meta=envelope)
    result = (await child.answer(1))["result"]
    await child.send(2, "tools/call", name="count", arguments={}, _meta={**envelope, "progressToken": "p"})
    await child.end_input()
    messages = await child.rest()

    assert result["_meta"]["trips-mcp/rateLimit"] == {"limit": 60, "remaining": 3, "resetsInSeconds": 20}
    assert result["content"][0]["text"] == "done"
    told = [message["params"] for message in messages if message.get("method") == "notifications/progress"]
    assert [(params["progress"], params["total"], params["message"]) for params in told] == [
        (1, 3, "step 1"),
        (2, 3, "step 2"),
        (3, 3, "step 3"),
    ]
    assert {params["progressToken"] for params in told} == {"p"}
    assert "result" in messages[-1]
