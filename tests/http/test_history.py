"""The history of callers over HTTP: each one's own, also on a trip that both may write to."""

import shutil
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from trips_mcp.backend.admin import add_member
from trips_mcp.server.http.factory import app_for_callers
from trips_mcp.server.http.settings import HttpSettings, settings_of_callers

Serve = Callable[..., AbstractAsyncContextManager[Any]]
KeyFor = Callable[..., Awaitable[str]]

DATES = {"startDate": "2027-05-01", "endDate": "2027-05-09"}


class Caller:
    def __init__(self, served: Any, key: str) -> None:
        self._served = served
        self._key = key

    async def do(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        result = await self._served.call(tool, self._key, **arguments)
        assert not result["isError"], result
        return result["structuredContent"]

    async def refusal(self, tool: str, /, **arguments: Any) -> str:
        result = await self._served.call(tool, self._key, **arguments)
        assert result["isError"], result
        return result["content"][0]["text"]

    async def changes(self, **arguments: Any) -> list[dict[str, Any]]:
        return (await self.do("list_changes", **arguments)).get("items", [])


@pytest.fixture(params=["in memory", "in a file"])
def team_with_history(request: pytest.FixtureRequest, serve: Serve, new_database: Path, tmp_path: Path) -> Serve:
    """As `team`, with the histories of its callers there."""
    env = {"TRIPS_MCP_DATABASE": str(shutil.copy(new_database, tmp_path / "team.db"))}
    if request.param == "in a file":
        env["TRIPS_MCP_HISTORY"] = str(tmp_path / "history.db")

    def team() -> AbstractAsyncContextManager[Any]:
        settings, http = settings_of_callers(env), HttpSettings.from_env({}, {})

        def opening(log: Callable[[str], object]) -> AbstractAsyncContextManager[Any]:
            return app_for_callers(settings, http, "127.0.0.1", log)

        return serve(opening)

    return team


async def test_a_caller_can_neither_list_nor_undo_nor_apply_what_is_another_ones(
    team_with_history: Serve, key_for: KeyFor, tmp_path: Path
) -> None:
    ann_key, ben_key = await key_for("ann"), await key_for("ben")
    async with team_with_history() as served:
        ann, ben = Caller(served, ann_key), Caller(served, ben_key)
        group = (await ann.do("get_me"))["defaultGroupId"]
        await add_member(str(tmp_path / "team.db"), "ben", "ann's trips")
        trip = (await ann.do("create_trip", groupId=group, title="The same", **DATES))["_id"]
        await ann.do("update_trip", tripId=trip, title="Of Ann")
        [renamed, _] = await ann.changes()
        plan = (await ann.do("plan_undo"))["planId"]

        assert (await ben.do("get_trip", tripId=trip))["title"] == "Of Ann", "the trip is theirs together"
        assert await ben.changes() == await ben.changes(tripId=trip) == []
        assert await ben.changes(cursor=renamed["id"]) == []
        assert "There is nothing to undo" in await ben.refusal("plan_undo")
        assert "There is no such change" in await ben.refusal("plan_undo", changeId=renamed["id"])
        assert "there is no such plan" in await ben.refusal("apply_plan", planId=plan)

        await ben.do("create_map_pin", tripId=trip, name="Of Ben", lat=1, lng=2)
        [of_ben] = await ben.changes()
        assert [one["tool"] for one in await ann.changes()] == ["update_trip", "create_trip"]
        assert "There is no such change" in await ann.refusal("plan_undo", changeId=of_ben["id"])
        assert "There is no such change" in await ann.refusal("plan_undo", changeId=plan)

        assert (await ann.do("apply_plan", planId=plan))["state"] == "applied"
        assert (await ben.do("get_trip", tripId=trip))["title"] == "The same"
        assert [one["tool"] for one in await ben.changes()] == ["create_map_pin"]


async def test_another_key_of_the_same_person_has_another_history(team: Serve, key_for: KeyFor) -> None:
    one_key, other_key = await key_for("ann"), await key_for("ann")
    async with team() as served:
        one, other = Caller(served, one_key), Caller(served, other_key)
        group = (await one.do("get_me"))["defaultGroupId"]
        trip = (await one.do("create_trip", groupId=group, title="Japan", **DATES))["_id"]

        assert len(await one.changes(tripId=trip)) == 1
        assert await other.changes(tripId=trip) == []
