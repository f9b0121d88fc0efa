"""list_changes and plan_undo, as an agent calls them: what was changed, and its undo as a plan."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from trips_mcp.client import TripsClient
from trips_mcp.server.offer import offer
from trips_mcp.settings import Settings
from trips_mcp.tools import TOOLS
from trips_mcp.tools.answer import Answer
from trips_mcp.tools.call_context import Conduct

BY_NAME = {tool.name: tool for tool in TOOLS}
LEG = {
    "order": 1,
    "title": "Kyoto",
    "destination": "Kyoto",
    "startDate": "2027-04-01",
    "endDate": "2027-04-05",
    "timezone": "Asia/Tokyo",
    "accommodation": {"name": "Inn", "doorCode": "K4711"},
}


async def unheard(progress: float, total: float | None, message: str | None) -> None:
    pass


class Agent:
    def __init__(self, client: TripsClient, conduct: Conduct) -> None:
        self.client = client
        self.conduct = conduct

    async def ask(self, tool: str, **arguments: Any) -> Answer:
        return await BY_NAME[tool].call(self.client, arguments, unheard, self.conduct)

    async def do(self, tool: str, **arguments: Any) -> dict[str, Any]:
        answer = await self.ask(tool, **arguments)
        assert not answer.is_error, answer.text
        return answer.structured or {}

    async def undo(self, **arguments: Any) -> dict[str, Any]:
        plan = await self.do("plan_undo", **arguments)
        return await self.do("apply_plan", planId=plan["planId"])


@pytest.fixture
def agent(trips: TripsClient) -> Agent:
    return Agent(trips, replace(offer(Settings.from_env({})).conduct, local=True))


@pytest.fixture
async def trip(agent: Agent) -> str:
    group = (await agent.do("get_me"))["defaultGroupId"]
    made = await agent.do("create_trip", groupId=group, title="Japan", startDate="2027-04-01", endDate="2027-04-20")
    return made["_id"]


async def test_changes_are_listed_newest_first_with_what_differs(agent: Agent, trip: str) -> None:
    leg = await agent.do("create_leg", tripId=trip, **LEG)
    await agent.do("update_leg", tripId=trip, legId=leg["_id"], accommodation={"doorCode": "K1234"})

    updated, created, _ = (await agent.do("list_changes", tripId=trip))["items"]

    assert (updated["tool"], updated["tripId"], created["items"][0]["what"]) == ("update_leg", trip, "created")
    assert updated["items"][0]["what"] == "updated"
    assert "K4711" in updated["items"][0]["before"]["accommodation"]["doorCode"]
    assert "K1234" in updated["items"][0]["after"]["accommodation"]["doorCode"]


async def test_where_secrets_are_masked_they_are_masked_here_too(agent: Agent, trip: str) -> None:
    leg = await agent.do("create_leg", tripId=trip, **LEG)
    await agent.do("update_leg", tripId=trip, legId=leg["_id"], accommodation={"doorCode": "K1234"})
    agent.conduct = replace(agent.conduct, mask_secrets=True)

    listed, planned = await agent.ask("list_changes"), await agent.ask("plan_undo")

    assert "hidden" in listed.text
    assert not any(code in answer.text for code in ("K4711", "K1234") for answer in (listed, planned))


async def test_a_long_history_goes_on_with_a_cursor(agent: Agent, trip: str) -> None:
    for number in range(5):
        await agent.do("create_map_pin", tripId=trip, name=f"pin {number}", lat=1, lng=2)

    first = await agent.do("list_changes", limit=4)
    rest = await agent.do("list_changes", limit=4, cursor=first["nextCursor"])

    assert [one["tool"] for one in (*first["items"], *rest["items"])] == ["create_map_pin"] * 5 + ["create_trip"]
    assert "nextCursor" not in rest


async def test_the_newest_change_is_undone_then_the_one_before(agent: Agent, trip: str) -> None:
    leg = await agent.do("create_leg", tripId=trip, **LEG)
    dinner = await agent.do(
        "create_commitment", tripId=trip, title="Dinner", startDate="2027-04-02", category="dinner", legId=leg["_id"]
    )
    await agent.do("update_leg", tripId=trip, legId=leg["_id"], title="Nara", clear=["accommodation.name"])
    await agent.do("delete_leg", tripId=trip, legId=leg["_id"])

    await agent.undo()
    export = await agent.do("export_trip", tripId=trip)
    assert export["legs"][0]["title"] == "Nara"
    assert export["commitments"][0]["_id"] == dinner["_id"]
    assert export["commitments"][0]["legId"] == export["legs"][0]["_id"] != leg["_id"]

    await agent.undo()
    export = await agent.do("export_trip", tripId=trip)
    assert {name: export["legs"][0][name] for name in LEG} == LEG

    for _ in range(2):
        await agent.undo()
    export = await agent.do("export_trip", tripId=trip)
    assert not export.get("legs")
    assert not export.get("commitments")


async def test_an_undo_is_undone_by_its_id(agent: Agent, trip: str) -> None:
    await agent.do("update_trip", tripId=trip, title="Nippon")
    await agent.undo()
    newest = (await agent.do("list_changes"))["items"][0]

    await agent.undo(changeId=newest["id"])

    assert (await agent.do("get_trip", tripId=trip))["title"] == "Nippon"


async def test_a_whole_plan_is_undone_by_its_id(agent: Agent, trip: str) -> None:
    changes = [
        {"tool": "create_leg", "arguments": LEG, "as": "kyoto"},
        {
            "tool": "create_commitment",
            "arguments": {"title": "Dinner", "startDate": "2027-04-02", "category": "dinner", "legId": "@kyoto"},
        },
        {"tool": "update_trip", "arguments": {"title": "Nippon"}},
    ]
    plan = await agent.do("plan_changes", tripId=trip, changes=changes)
    await agent.do("apply_plan", planId=plan["planId"])
    await agent.do("create_map_pin", tripId=trip, name="later", lat=1, lng=2)

    await agent.undo(changeId=plan["planId"])

    export = await agent.do("export_trip", tripId=trip)
    assert export["trip"]["title"] == "Japan"
    assert not export.get("legs")
    assert not export.get("commitments")
    assert len(export["mapPins"]) == 1


async def test_what_was_changed_since_is_named_and_left_alone(agent: Agent, trip: str) -> None:
    leg = await agent.do("create_leg", tripId=trip, **LEG)
    await agent.do("update_leg", tripId=trip, legId=leg["_id"], title="Nara")
    change = (await agent.do("list_changes"))["items"][0]["id"]
    await agent.do("update_leg", tripId=trip, legId=leg["_id"], title="Osaka")

    refused = await agent.ask("plan_undo", changeId=change)

    assert refused.is_error
    assert f"leg {leg['_id']}: it was changed since" in refused.text


async def test_what_cannot_be_undone_says_why(agent: Agent, trip: str) -> None:
    channel = (await agent.do("list_channels", tripId=trip))["items"][0]["_id"]
    await agent.do("send_message", tripId=trip, channelId=channel, content="hello")
    message = await agent.ask("plan_undo")
    await agent.do("create_share_token", tripId=trip)
    await agent.do("revoke_share_token", tripId=trip)
    revoked = await agent.ask("plan_undo")

    assert "a message that was sent cannot be taken back" in message.text
    assert "the old link cannot come back" in revoked.text


async def test_there_may_be_nothing_to_undo(agent: Agent, trip: str) -> None:
    await agent.do("update_trip", tripId=trip, title="Nippon")
    change = (await agent.do("list_changes"))["items"][0]["id"]
    await agent.undo()

    assert "undone already" in (await agent.ask("plan_undo", changeId=change)).text
    assert "no such change" in (await agent.ask("plan_undo", changeId="nothing")).text


async def test_without_a_history_that_is_said(new_database: Path, tmp_path: Path) -> None:
    from trips_mcp.connect import connect

    settings = Settings.from_env({"TRIPS_MCP_DATABASE": str(tmp_path / "t.db"), "TRIPS_MCP_HISTORY": "off"})
    async with connect(settings) as client:
        ask = partial(Agent(client, Conduct()).ask)
        for tool in ("list_changes", "plan_undo"):
            assert "the history is off" in (await ask(tool)).text
