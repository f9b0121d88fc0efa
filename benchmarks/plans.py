"""Plans and the history: a preview on a large trip, and what the history adds to a write.

    python benchmarks/plans.py [--check]

A trip of 500 items with events, in the embedded backend on disk. Each preview is of 50 changes. `--check` exits 1 where
a median is past its bound, in CPU time, which other processes of the machine do not change as wall time.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

from trips_mcp.client import TripsClient
from trips_mcp.connect import connect, twin
from trips_mcp.history import ChangeQuery
from trips_mcp.settings import Settings
from trips_mcp.tools import TOOLS, Answer
from trips_mcp.tools.call_context import Conduct

Times = tuple[float, float]
"""Milliseconds of CPU and of wall time."""

TOOL: Final = {tool.name: tool for tool in TOOLS}
CONDUCT: Final = Conduct(twin=twin, one_store=True)
PREVIEWS: Final = 15
WRITES: Final = 300
BOUNDS: Final = {
    "first preview": 900.0,
    "preview": 300.0,
    "history, for each write": 1.0,
}
"""Milliseconds."""
FIRST: Final = "--first"
LEGS, PINS, TO_DOS, COMMITMENTS, EVENTS = 40, 200, 160, 70, 30


async def unheard(progress: float, total: float | None, message: str | None) -> None:
    """No progress is reported here."""


async def call(client: TripsClient, tool: str, **arguments: Any) -> dict[str, Any]:
    answer: Answer = await TOOL[tool].call(client, arguments, unheard, CONDUCT)
    assert not answer.is_error, answer.text
    return answer.structured or {}


def day(number: int) -> str:
    return f"2027-{4 + number // 30:02}-{number % 30 + 1:02}"


def leg(number: int) -> dict[str, Any]:
    start, end = day(number * 2), day(number * 2 + 2)
    stay = {"name": f"Ryokan {number}", "address": f"{number} Example Street", "doorCode": "0000"}
    flight = {"from": "LHR", "to": "HND", "departure": f"{start}T09:30", "arrival": f"{start}T21:15"}
    return {
        "order": number,
        "title": f"Leg {number}",
        "destination": "Kyoto",
        "startDate": start,
        "endDate": end,
        "timezone": "Asia/Tokyo",
        "accommodation": {**stay, "checkIn": f"{start}T15:00", "checkOut": f"{end}T10:00"},
        **({"flights": [flight]} if number % 8 == 0 else {}),
        "clientRef": f"leg-{number}",
    }


async def large_trip(client: TripsClient) -> str:
    me = await call(client, "get_me")
    dates = {"startDate": day(0), "endDate": day(LEGS * 2)}
    trip = await call(client, "create_trip", groupId=me["defaultGroupId"], title="Large", **dates)
    trip_id, number = trip["_id"], trip["number"]
    pins = [
        {
            "name": f"Pin {one}",
            "lat": 35.0 + one / 1000,
            "lng": 135.7,
            "notes": "Opens at nine.",
            "clientRef": f"p{one}",
        }
        for one in range(PINS)
    ]
    to_dos = [{"text": f"To do {one}", "urgency": "before_trip", "clientRef": f"t{one}"} for one in range(TO_DOS)]
    await call(client, "sync_trip", tripId=trip_id, legs=list(map(leg, range(LEGS))), mapPins=pins, actionItems=to_dos)
    legs = [one["_id"] for one in (await call(client, "list_legs", tripId=trip_id))["items"]]
    for one in range(COMMITMENTS):
        await call(client, "create_commitment", tripId=trip_id, **commitment(one), legId=legs[one // 2])
    for one in range(EVENTS):
        when = {"date": day(one * 2), "time": "11:00"}
        await call(client, "create_event", trip_ids=[number], type="train", title=f"Train {one}", **when)
    return trip_id


def commitment(number: int) -> dict[str, Any]:
    times = {"startTime": "18:00", "endTime": "20:00", "timezone": "Asia/Tokyo"}
    return {"title": f"Dinner {number}", "category": "dinner", "startDate": day(number), **times}


async def fifty_changes(client: TripsClient, trip_id: str) -> list[dict[str, Any]]:
    """Of each kind: updates, creations with links to them, deletions."""
    export = await call(client, "export_trip", tripId=trip_id)
    dinners = [one["_id"] for one in export["commitments"]]
    later = [
        {"tool": "update_commitment", "arguments": {"commitmentId": one, "startTime": "19:00", "endTime": "21:00"}}
        for one in dinners[:20]
    ]
    stays = [
        {"tool": "update_leg", "arguments": {"legId": one["_id"], "accommodation": {"checkIn": "16:00"}}}
        for one in export["legs"][:8]
    ]
    pins = [
        {"tool": "create_map_pin", "arguments": {"name": f"New {n}", "lat": 35.1, "lng": 135.8}, "as": f"pin{n}"}
        for n in range(8)
    ]
    linked = [
        {"tool": "create_commitment", "arguments": {**commitment(40 + n), "mapPinId": f"@pin{n}"}} for n in range(8)
    ]
    events = [
        {"tool": "update_event", "arguments": {"event_id": one["event_id"], "time": "12:00"}}
        for one in (await call(client, "list_trip_events", trip_id=export["trip"]["number"]))["events"][:3]
    ]
    gone = [{"tool": "delete_commitment", "arguments": {"commitmentId": one}} for one in dinners[-3:]]
    changes = [*later, *stays, *pins, *linked, *events, *gone]
    assert len(changes) == 50
    return changes


async def timed(made: Callable[[], Awaitable[object]]) -> Times:
    cpu, wall = time.process_time(), time.perf_counter()
    await made()
    return (time.process_time() - cpu) * 1000, (time.perf_counter() - wall) * 1000


@asynccontextmanager
async def opened(folder: Path, *, history: bool) -> AsyncGenerator[TripsClient]:
    files = {
        "TRIPS_MCP_DATABASE": str(folder / "trips.db"),
        "TRIPS_MCP_JOURNAL": str(folder / "journal.db"),
        "TRIPS_MCP_HISTORY": str(folder / "history.db") if history else "off",
    }
    async with connect(Settings.from_env(files)) as client:
        yield client


async def previews(client: TripsClient, trip_id: str, changes: list[dict[str, Any]]) -> list[Times]:
    return [await timed(lambda: call(client, "plan_changes", tripId=trip_id, changes=changes)) for _ in range(PREVIEWS)]


async def first_preview(folder: Path, trip_id: str) -> Times:
    """In a process that has only been asked for its tools."""
    changes = json.loads((folder / "changes.json").read_text())
    async with opened(folder, history=True) as client:
        return await timed(lambda: call(client, "plan_changes", tripId=trip_id, changes=changes))


async def in_a_new_process(folder: Path, trip_id: str) -> Times:
    words = [sys.executable, __file__, FIRST, str(folder), trip_id]
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    cpu, wall = map(float, said.split())
    return cpu, wall


async def writes(folder: Path, trip_id: str) -> dict[str, Times]:
    """One write with and one without a history by turns, after the read of the trip that the first one costs."""
    found: dict[bool, list[Times]] = {True: [], False: []}
    async with opened(folder, history=True) as recorded, opened(folder, history=False) as plain:
        clients = {True: recorded, False: plain}
        leg_id = (await call(plain, "list_legs", tripId=trip_id))["items"][0]["_id"]
        for number in range(WRITES):
            for history, client in clients.items():
                title = f"Leg, no. {number}, {history}"
                found[history].append(
                    await timed(partial(call, client, "update_leg", tripId=trip_id, legId=leg_id, title=title))
                )
        query = ChangeQuery(accounts=tuple(recorded.accounts), trip=trip_id, limit=WRITES)
        assert len(await recorded.history.changes(query)) == WRITES
    with_it, without = medians(found[True][1:]), medians(found[False][1:])
    return {
        "write without history": without,
        "history, for each write": (with_it[0] - without[0], with_it[1] - without[1]),
    }


def medians(found: list[Times]) -> Times:
    return median(cpu for cpu, _ in found), median(wall for _, wall in found)


async def measure() -> dict[str, Times]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with opened(folder, history=True) as client:
            trip_id = await large_trip(client)
            changes = await fifty_changes(client, trip_id)
        (folder / "changes.json").write_text(json.dumps(changes))
        first = medians([await in_a_new_process(folder, trip_id) for _ in range(3)])
        async with opened(folder, history=True) as client:
            warm = await previews(client, trip_id, changes)
        return {"first preview": first, "preview": medians(warm[1:]), **await writes(folder, trip_id)}


def main() -> int:
    if sys.argv[1:2] == [FIRST]:
        print(*asyncio.run(first_preview(Path(sys.argv[2]), sys.argv[3])))
        return 0
    found = asyncio.run(measure())
    print(f"{'':24} CPU ms  wall ms  bound (CPU)")
    late = False
    for name, (cpu, wall) in found.items():
        bound = BOUNDS.get(name)
        late = late or (bound is not None and cpu > bound)
        print(f"{name:24} {cpu:6.2f}  {wall:7.2f}  {'' if bound is None else bound}")
    return 1 if late and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
