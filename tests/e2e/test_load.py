"""Many calls at once, through real processes: all answered, nothing lost, nothing doubled."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

pytestmark = pytest.mark.soak

Connect = Callable[..., AbstractAsyncContextManager[Client]]
KeyFor = Callable[..., Awaitable[str]]

AT_ONCE = 40
EACH = 25
SCOPES = ("trips:read", "trips:write", "messages:read", "messages:write")


async def do(agent: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await agent.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


async def new_trip(agent: Client) -> str:
    me = await do(agent, "get_me")
    dates = {"startDate": "2027-05-01", "endDate": "2027-05-09"}
    return (await do(agent, "create_trip", groupId=me["defaultGroupId"], title="Busy", **dates))["_id"]


async def crowd(agents: list[Client], trip_id: str) -> set[str]:
    """The texts that were written by many tasks at once, each of which reads what it wrote."""
    written: set[str] = set()

    async def write(agent: Client, who: int) -> None:
        for number in range(EACH):
            text = f"task {who}, item {number}"
            item = await do(agent, "create_action_item", tripId=trip_id, text=text, urgency="now")
            same = await do(agent, "update_action_item", tripId=trip_id, itemId=item["_id"], completed=number % 2 == 0)
            assert (same["text"], same["completed"]) == (text, number % 2 == 0)
            written.add(text)

    with anyio.fail_after(240):
        async with anyio.create_task_group() as tasks:
            for who in range(AT_ONCE):
                tasks.start_soon(write, agents[who % len(agents)], who)
    return written


async def texts(agent: Client, trip_id: str) -> list[str]:
    """Of all items, page by page, as a long list is told."""
    page = await do(agent, "list_action_items", tripId=trip_id)
    found = [item["text"] for item in page["items"]]
    while "nextCursor" in page:
        page = await do(agent, "list_action_items", tripId=trip_id, cursor=page["nextCursor"])
        found += [item["text"] for item in page["items"]]
    return found


async def test_a_thousand_items_written_at_once_are_all_there_once(connect: Connect, tmp_path: Path) -> None:
    async with connect(TRIPS_MCP_DATABASE=str(tmp_path / "trips.db")) as agent:
        trip_id = await new_trip(agent)

        written = await crowd([agent], trip_id)

        found = await texts(agent, trip_id)
        assert len(found) == AT_ONCE * EACH
        assert set(found) == written


async def test_four_servers_on_one_file_do_not_get_in_each_others_way(connect: Connect, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        database = str(tmp_path / "trips.db")
        agents = [await stack.enter_async_context(connect(TRIPS_MCP_DATABASE=database)) for _ in range(4)]
        trip_id = await new_trip(agents[0])

        written = await crowd(agents, trip_id)

        found = await texts(agents[1], trip_id)
        assert sorted(found) == sorted(written)


async def test_a_served_backend_bears_it_too(connect: Connect, base: str, key_for: KeyFor) -> None:
    key = await key_for("crowd", *SCOPES)
    async with connect(OSOTO_API_KEY=key, OSOTO_BASE_URL=f"{base}/api/v1") as agent:
        trip_id = await new_trip(agent)

        written = await crowd([agent], trip_id)

        found = await texts(agent, trip_id)
        assert sorted(found) == sorted(written)
