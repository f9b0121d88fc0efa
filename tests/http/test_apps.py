"""MCP Apps over HTTP, where each request is complete by itself: the host is known as one that draws, in each era."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID

Serve = Callable[..., AbstractAsyncContextManager[Any]]

DRAWS = {"extensions": {EXTENSION_ID: {"mimeTypes": [APP_MIME_TYPE]}}}


def pages(tools: list[dict[str, Any]]) -> list[str]:
    return [tool["_meta"]["ui"]["resourceUri"] for tool in tools if "ui" in tool.get("_meta", {})]


async def initialized(served: Any, capabilities: dict[str, Any], **headers: str) -> Any:
    client = {"name": "test", "version": "1"}
    return await served.ask(
        "initialize", headers=headers, protocolVersion="2025-11-25", capabilities=capabilities, clientInfo=client
    )


async def test_a_host_that_draws_gets_an_id_that_says_so_to_every_replica(local: Serve) -> None:
    async with local() as one, local() as other:
        session = (await initialized(one, DRAWS)).headers["mcp-session-id"]
        tools = (await other.ask("tools/list", headers={"Mcp-Session-Id": session})).json()["result"]["tools"]
        without = (await other.ask("tools/list")).json()["result"]["tools"]

    assert pages(tools) == ["ui://trips-mcp/trip.html"]
    assert pages(without) == []


async def test_other_hosts_get_no_id(local: Serve) -> None:
    async with local() as served:
        plain = await initialized(served, {})
        with_other = await initialized(served, {"extensions": {EXTENSION_ID: {"mimeTypes": ["text/html"]}}})
        again = await initialized(served, {}, **{"Mcp-Session-Id": f"draws-{'0' * 32}"})

    assert not any("mcp-session-id" in answer.headers for answer in (plain, with_other, again))


@pytest.mark.parametrize("session", ["draws-", f"draws-{'0' * 31}", f"draws-{'G' * 32}", f"x-draws-{'0' * 32}"])
async def test_an_id_of_another_kind_is_refused(session: str, local: Serve) -> None:
    async with local() as served:
        assert (await served.ask("tools/list", headers={"Mcp-Session-Id": session})).status_code == 404


@pytest.mark.parametrize(("transport", "mode"), [("http", "auto"), ("http", "legacy"), ("sse", "legacy")])
@pytest.mark.parametrize("draws", [True, False], ids=["draws", "plain"])
async def test_the_sdks_client_is_known_as_a_host_that_draws(
    transport: str, mode: str, draws: bool, local: Serve
) -> None:
    async with local() as served, served.agent(transport, mode=mode, draws=draws) as agent:
        tools = [tool.model_dump(by_alias=True) for tool in (await agent.list_tools()).tools]
        listed = [one.uri for one in (await agent.list_resources()).resources]

    assert pages([{**tool, "_meta": tool["_meta"] or {}} for tool in tools]) == ["ui://trips-mcp/trip.html"] * draws
    assert ("ui://trips-mcp/trip.html" in listed) is draws
