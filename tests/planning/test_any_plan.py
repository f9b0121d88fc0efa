"""Random plans on random trips: the preview is what applying does, whatever happens in between."""

import json
import re
import shutil
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typing_extensions import override

from trips_mcp.client import TripsClient
from trips_mcp.connect import connect, twin
from trips_mcp.json_values import JsonObject
from trips_mcp.planning.preview import Difference, ItemDiff, TripState, difference
from trips_mcp.settings import Settings
from trips_mcp.tools import TOOLS, Answer
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.plans.trial import read_now

from .test_any_undo import Trip, call

TOOL = {tool.name: tool for tool in TOOLS}
CONDUCT = Conduct(twin=twin)
FAULTY = re.compile(r"\bchanges\.(\d+)\b")
NEW_AT_EACH_CALL = re.compile(r"\[/?[0-9a-f]{6}\]|(?<=auto-)[0-9a-f]{32}")
"""The marks around other people's words, and the clientRefs that are made up."""
LINKS = ("legId", "mapPinId")

Planner = Callable[[Random], Any]


class Wishes(Trip):
    """Makes changes of a plan, as `Trip` makes writes."""

    changes: list[JsonObject]

    @override
    async def attempt(self, tool: str, arguments: JsonObject) -> None:
        change: JsonObject = {"tool": tool, "arguments": {k: v for k, v in arguments.items() if k != "tripId"}}
        is_new = "clientRef" not in arguments  # with one it may be an item that is there
        if tool in ("create_leg", "create_map_pin") and is_new and self.random.random() < 0.5:
            change["as"] = f"new{len(self.changes)}"
        if tool == "create_commitment":
            for link, made_by in (("legId", "create_leg"), ("mapPinId", "create_map_pin")):
                named = [one["as"] for one in self.changes if one["tool"] == made_by and "as" in one]
                if named and self.random.random() < 0.5:
                    change["arguments"][link] = f"@{self.random.choice(named)}"
        self.changes.append(change)


async def do(client: TripsClient, tool: str, **arguments: Any) -> Answer:
    return await TOOL[tool].call(client, arguments, unheard, CONDUCT)


async def unheard(progress: float, total: float | None, message: str | None) -> None:
    """Nobody waits for it."""


async def state(trip: Trip) -> TripState:
    return (await read_now(trip.client, trip.id, CONDUCT)).state


async def planned(trip: Wishes) -> Answer:
    """A plan of the changes that the service would take."""
    while True:
        answer = await do(trip.client, "plan_changes", tripId=trip.id, changes=trip.changes)
        faulty = {int(number) for number in FAULTY.findall(answer.text)} if answer.is_error else set[int]()
        if not answer.is_error or not faulty:
            return answer
        lost = {trip.changes[index].get("as") for index in faulty}
        kept = [one for index, one in enumerate(trip.changes) if index not in faulty]
        trip.changes = [one for one in kept if not any(f'"@{name}"' in json.dumps(one) for name in lost if name)]
        if not trip.changes:
            return answer


async def new_plan(client: TripsClient, random: Random) -> tuple[Wishes, Answer]:
    group = (await client.me()).default_group_id
    dates = {"startDate": "2027-04-01", "endDate": "2027-04-20"}
    made = await call(client, "create_trip", {"groupId": group, "title": "Japan", **dates})
    start = Trip(client, made["_id"], made["number"], random)
    for _ in range(random.randrange(12)):
        await start.write()
    trip = Wishes(client, start.id, start.number, random)
    trip.changes = []
    for _ in range(random.randrange(1, 13)):
        await trip.write()
    return trip, await planned(trip)


def shown(preview: JsonObject) -> tuple[Any, ...]:
    """What the preview says, in the form of `done`."""
    assert "notShown" not in preview
    return (
        Counter((one["kind"], plain(one.get("after"))) for one in preview.get("created", ())),
        {one["id"]: (plain(one.get("before")), plain(one.get("after"))) for one in preview.get("changed", ())},
        {one["id"] for one in preview.get("deleted", ())},
        {one["id"]: set(one["unlinkedFrom"]) for one in preview.get("unlinked", ())},
    )


def done(found: Difference, there: Iterable[str]) -> tuple[Any, ...]:
    """What happened. `there`: the ids that the preview could know."""
    known = set(there)
    return (
        Counter((one.kind, plain(one.after, known)) for one in found.created),
        {
            one.id: (plain(one.before, known), plain(one.after, known))
            for one in found.changed
            if not only_unlinked(one)
        },
        {one.id for one in found.deleted},
        {one.id: {of for _, of in one.unlinked_from} for one in found.changed if one.unlinked_from and one.id in known},
    )


def only_unlinked(one: ItemDiff) -> bool:
    return bool(one.unlinked_from) and not one.after and len(one.before) == len(one.unlinked_from)


def plain(fields: JsonObject | None, known: set[str] | None = None) -> str:
    """With the links to new items alike, as their ids come later, and without what each call makes up."""

    def link(name: str, value: Any) -> Any:
        is_new = str(value).startswith("@") if known is None else str(value) not in known
        return "new" if name in LINKS and is_new else value

    text = json.dumps({name: link(name, value) for name, value in (fields or {}).items()}, sort_keys=True)
    return NEW_AT_EACH_CALL.sub("", text)


def ids(found: TripState) -> set[str]:
    return {id_ for _, id_ in found.items()}


@asynccontextmanager
async def opened(new_database: Path, folder: Path) -> AsyncGenerator[TripsClient]:
    database = str(shutil.copy(new_database, folder / "trips.db"))
    files = {"TRIPS_MCP_JOURNAL": str(folder / "j.db"), "TRIPS_MCP_HISTORY": str(folder / "h.db")}
    async with connect(Settings.from_env({"TRIPS_MCP_DATABASE": database, **files})) as client:
        yield client


@pytest.fixture
def client_of(new_database: Path, tmp_path: Path) -> Any:
    return partial(opened, new_database, tmp_path)


async def preview_and_result(client: TripsClient, seed: int) -> bool:
    """Whether there was anything to apply."""
    trip, plan = await new_plan(client, Random(seed))  # noqa: S311 - each seed is a test case
    before = await state(trip)
    if plan.is_error or "planId" not in (plan.structured or {}):
        assert await state(trip) == before
        return False
    assert plan.structured is not None
    report = await do(client, "apply_plan", planId=plan.structured["planId"])
    assert not report.is_error, report.text
    assert report.structured is not None
    assert report.structured["state"] == "applied", report.text
    assert done(difference(before, await state(trip)), ids(before)) == shown(plan.structured), seed
    return True


async def with_a_write_between(client: TripsClient, seed: int) -> str:
    """Another client changes the trip between plan and apply: `refused` or `applied`."""
    trip, plan = await new_plan(client, Random(seed))  # noqa: S311 - each seed is a test case
    if plan.is_error or "planId" not in (plan.structured or {}):
        return "nothing"
    assert plan.structured is not None
    before = await state(trip)
    stranger = Trip(client, trip.id, trip.number, trip.random)
    await stranger.write()
    between = await state(trip)
    touched = {one.id for one in (*difference(before, between).changed, *difference(before, between).deleted)}
    report = await do(client, "apply_plan", planId=plan.structured["planId"])
    after = await state(trip)
    planned_for = {one["id"] for part in ("changed", "deleted", "unlinked") for one in plan.structured.get(part, ())}
    if report.is_error:
        assert after == between, report.text
        assert touched or difference(before, between).created, report.text  # with a clientRef that was free
        return "refused"
    assert not touched & planned_for, report.text
    assert report.structured is not None
    assert report.structured["state"] == "applied", report.text
    assert done(difference(between, after), ids(before)) == shown(plan.structured), seed
    return "applied"


async def test_a_preview_is_what_applying_does(client_of: Any) -> None:
    async with client_of() as client:
        applied = [await preview_and_result(client, seed) for seed in range(100)]

    assert sum(applied) >= 60


async def test_a_plan_is_applied_or_refused_whole_after_a_strangers_write(client_of: Any) -> None:
    async with client_of() as client:
        ends = Counter[str]()
        for seed in range(500, 560):
            ends[await with_a_write_between(client, seed)] += 1
            if min(ends["applied"], ends["refused"]) >= 3:
                break

    assert ends["applied"] >= 3
    assert ends["refused"] >= 3


@pytest.mark.soak
@pytest.mark.parametrize("first", range(1_000, 3_000, 400))
async def test_two_thousand_previews_are_what_applying_does(first: int, client_of: Any) -> None:
    async with client_of() as client:
        for seed in range(first, first + 400):
            await preview_and_result(client, seed)


@pytest.mark.soak
@pytest.mark.parametrize("first", range(3_000, 3_500, 250))
async def test_five_hundred_plans_after_a_strangers_write(first: int, client_of: Any) -> None:
    async with client_of() as client:
        for seed in range(first, first + 250):
            await with_a_write_between(client, seed)
