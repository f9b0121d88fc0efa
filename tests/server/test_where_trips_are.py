"""What tools say where trips are kept locally, where there is an account, and where events are a separate service."""

from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import TextContent

from trips_mcp.contract.shares import SharedExport
from trips_mcp.server.offer import Offer, offer
from trips_mcp.server.server import build_server
from trips_mcp.settings import Settings

ACCOUNT = {"OSOTO_API_KEY": "osk_x", "TRAVELMODE_TOKEN": "tm_x"}
"""Of two services, each with numbers of its own."""
SHARED = {
    "legs": "legs",
    "mapPins": "pins",
    "actionItems": "checklist",
    "commitments": "plans",
    "members": "members' names",
}
"""What a shared view has, and how the texts call it."""


def offered(**env: str) -> Offer:
    return offer(Settings.from_env(env))


def described(shown: Offer, tool: str) -> str:
    (listing,) = [listing for listing in shown.listing if listing["name"] == tool]
    return str(listing["description"])


def test_descriptions_say_that_nobody_else_reads_local_trips() -> None:
    local, account = offered(), offered(**ACCOUNT)

    assert "nobody else reads it" in described(local, "send_message")
    assert "no link works and nobody else can read it" in described(local, "create_share_token")
    for tool in ("send_message", "create_share_token"):
        assert "local" not in described(account, tool)
    assert "may reach their phones" in described(account, "send_message")
    assert "phones" not in described(local, "send_message")


async def test_answers_say_that_nobody_else_reads_local_trips(tmp_path: Path) -> None:
    env = {"TRIPS_MCP_DATABASE": str(tmp_path / "trips.db"), "TRIPS_MCP_JOURNAL": str(tmp_path / "journal.db")}
    async with Client(build_server(offered(**env))) as agent:

        async def call(tool: str, **arguments: object) -> tuple[dict[str, Any], str]:
            result = await agent.call_tool(tool, arguments)
            (block,) = result.content
            assert isinstance(block, TextContent)
            assert not result.is_error, block.text
            assert result.structured_content is not None
            return result.structured_content, block.text

        me, _ = await call("get_me")
        dates = {"startDate": "2026-11-01", "endDate": "2026-11-03"}
        trip, _ = await call("create_trip", groupId=me["defaultGroupId"], title="Kyoto", **dates)
        channels, _ = await call("list_channels", tripId=trip["_id"])
        channel = channels["items"][0]["_id"]
        message, said = await call("send_message", tripId=trip["_id"], channelId=channel, content="Hello")
        token, told = await call("create_share_token", tripId=trip["_id"])

    assert message["remarks"] == ["Written, but trips are kept locally here: nobody else reads it."]
    assert "nobody else reads it" in said
    assert "no link works and nobody else can read this one" in told
    assert isinstance(token["remarks"], list)


def test_instructions_and_tools_agree_where_a_trips_number_comes_from() -> None:
    one_store, two_services = offered(), offered(**ACCOUNT)

    assert "a trip's number in `list_trips`" in one_store.instructions
    assert "the user or an event has them" in two_services.instructions
    for tool in ("create_event", "list_trip_events"):
        assert "number of list_trips" in described(one_store, tool)
        assert "list_trips" not in described(two_services, tool)
        assert "the user or a" in described(two_services, tool)
    assert "number" in described(one_store, "list_trips")
    assert "number" not in described(two_services, "list_trips")


@pytest.mark.parametrize("tool", ["create_share_token", "export_shared_trip"])
def test_descriptions_say_all_that_others_see_of_a_shared_trip(tool: str) -> None:
    seen = SharedExport.model_json_schema(mode="serialization")["properties"]

    assert set(seen) - {"trip"} == set(SHARED)
    assert all(word in described(offered(**ACCOUNT), tool) for word in SHARED.values())
