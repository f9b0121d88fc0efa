"""The command, started and used by the SDK's own client in both eras of the protocol."""

import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.types import TextContent

from trips_mcp.tools.listing import catalogue

ERAS = (("auto", "2026-07-28"), ("legacy", "2025-11-25"))
SECONDS = 30
COLD = [sys.executable, "-m", "trips_mcp"]
"""As a host starts it; the others need not import what it does."""


@asynccontextmanager
async def connected(command: list[str], database: Path, mode: Any, **env: str) -> AsyncGenerator[Client]:
    parameters = StdioServerParameters(
        command=command[0],
        args=command[1:],
        env={**os.environ, "TRIPS_MCP_DATABASE": str(database), **env},
    )
    with anyio.fail_after(SECONDS):
        async with Client(parameters, mode=mode) as agent:
            yield agent


async def test_trips_of_one_session_are_there_in_the_next(command: list[str], tmp_path: Path) -> None:
    users: list[Any] = []

    for number, (mode, protocol) in enumerate(ERAS, 1):
        users.append(await used(command if number > 1 else COLD, tmp_path, mode, protocol, number))

    assert users[0] == users[1]


async def used(command: list[str], tmp_path: Path, mode: Any, protocol: str, number: int) -> Any:
    """Who the session was of; it is the database's session of this number."""
    async with connected(command, tmp_path / "trips.db", mode, TRIPS_MCP_MASK_SECRETS="on") as agent:
        spoken = agent.protocol_version
        listed = await agent.list_tools()
        me = (await agent.call_tool("get_me", {})).structured_content
        assert me is not None
        made = await agent.call_tool(
            "create_trip",
            {
                "groupId": me["defaultGroupId"],
                "title": "Kyōto 🍁",
                "startDate": "2026-11-01",
                "endDate": "2026-11-09",
            },
        )
        trips = (await agent.call_tool("list_trips", {})).structured_content
        refused = await agent.call_tool("get_trip", {"tripId": 7})

    assert spoken == protocol
    assert [tool.name for tool in listed.tools] == [each["name"] for each in catalogue(["trips", "events"])]
    assert not made.is_error
    assert trips is not None
    assert [trip["title"] for trip in trips["items"]] == ["Kyōto 🍁"] * number
    assert refused.is_error
    return me


async def test_an_unusable_database_is_reported_in_one_sentence_and_the_server_continues(
    command: list[str], tmp_path: Path
) -> None:
    there = tmp_path / "there"
    (there / "trips.db").mkdir(parents=True)

    async with connected(command, there, "auto") as agent:
        failed = await agent.call_tool("get_me", {})
        listed = await agent.list_tools()

    (block,) = failed.content
    assert failed.is_error
    assert isinstance(block, TextContent)
    assert "folder" in block.text
    assert "\n" not in block.text
    assert listed.tools


async def test_a_key_that_was_not_expanded_never_opens_the_embedded_backend(command: list[str], tmp_path: Path) -> None:
    database = tmp_path / "trips.db"

    async with connected(command, database, "auto", OSOTO_API_KEY="${OSOTO_API_KEY}") as agent:
        listed = await agent.list_tools()
        refused = await agent.call_tool("list_trips", {})
        instructions = agent.instructions

    assert listed.tools == []
    assert refused.is_error
    assert "OSOTO_API_KEY" in (instructions or "")
    assert not database.exists()
