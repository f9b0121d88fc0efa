"""What the client adds to a bare request, what the journal adds to a write, and how many requests an import takes.

    python benchmarks/client.py [--check]

A read through the client beside the same one with httpx alone, answer parsed, in turns: on a transport that does
nothing, and against `trips-mcp backend serve`. A write with the journal in a file beside one with it in memory. Two
`upsert_legs` calls of 500 against `backend serve` at its 60 requests a minute.

`--check` exits 1 where a bound is passed: 1.3 times, 2 ms, exactly 20 requests and no 429.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from calls import served
from typing_extensions import override

from trips_mcp.client import Endpoint, TripsClient
from trips_mcp.client.journal import MemoryJournal, SqliteJournal
from trips_mcp.contract.map_pins import CREATE_MAP_PIN, CreateMapPin
from trips_mcp.contract.trips import CREATE_TRIP, GET_TRIP, CreateTrip, GetTrip
from trips_mcp.tools import TOOLS

ROUNDS = 9
CALLS = 200
READ_BOUND = 1.3
JOURNAL_BOUND = 0.002
REQUESTS = 20
TOOL = {tool.name: tool for tool in TOOLS}
TRIP = {
    "_id": "jx7abc",
    "groupId": "grp1",
    "title": "Kyoto",
    "startDate": "2026-11-01",
    "endDate": "2026-11-09",
    "status": "draft",
}

Call = Callable[[], Awaitable[object]]


async def seconds_each(call: Call) -> float:
    times: list[float] = []
    for _ in range(CALLS):
        started = time.perf_counter()
        await call()
        times.append(time.perf_counter() - started)
    return median(times)


async def in_turns(first: Call, second: Call) -> tuple[float, float, float, float]:
    """The median of each, of their ratios, and of their differences, round by round."""
    await seconds_each(first)
    await seconds_each(second)
    pairs = [(await seconds_each(first), await seconds_each(second)) for _ in range(ROUNDS)]
    ones, others = zip(*pairs, strict=True)
    return (
        median(ones),
        median(others),
        median(one / other for one, other in pairs),
        median(one - other for one, other in pairs),
    )


async def a_read(
    base_url: str, key: str, trip_id: str, transport: httpx.AsyncBaseTransport | None
) -> tuple[float, ...]:
    async with (
        TripsClient(trips=Endpoint(base_url, key, transport), events=None) as client,
        httpx.AsyncClient(transport=transport, headers={"Authorization": f"Bearer {key}"}) as http,
    ):
        url = f"{base_url}/trips/{trip_id}"

        async def bare() -> object:
            return (await http.get(url)).json()["title"]

        return await in_turns(lambda: client.call(GET_TRIP, GetTrip(trip_id=trip_id)), bare)


async def a_write(folder: Path) -> tuple[float, ...]:
    """On a transport that does nothing: what differs is the journal alone."""
    transport = httpx.MockTransport(lambda _: httpx.Response(201, json={"_id": "pin1", "name": "x"}))
    endpoint = Endpoint("http://mock/api/v1", "osk_benchmark", transport)
    pin = CreateMapPin(trip_id="jx7abc", name="x", lat=1, lng=2)
    on_disk = SqliteJournal(folder / "journal.db")
    try:
        async with (
            TripsClient(trips=endpoint, events=None, journal=on_disk) as noting,
            TripsClient(trips=endpoint, events=None, journal=MemoryJournal()) as forgetting,
        ):
            return await in_turns(
                lambda: noting.call(CREATE_MAP_PIN, pin), lambda: forgetting.call(CREATE_MAP_PIN, pin)
            )
    finally:
        await on_disk.aclose()


class Counting(httpx.AsyncHTTPTransport):
    def __init__(self) -> None:
        super().__init__()
        self.statuses: list[int] = []

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        self.statuses.append(response.status_code)
        return response


async def two_imports(base_url: str, key: str) -> list[int]:
    """The status of every request that two upsert_legs calls of 500 made."""
    counting = Counting()

    async def unheard(progress: float, total: float | None, message: str | None) -> None: ...

    async with TripsClient(trips=Endpoint(base_url, key, counting), events=None) as client:

        async def do(name: str, **arguments: Any) -> dict[str, Any]:
            answer = await TOOL[name].call(client, arguments, unheard)
            assert answer.structured is not None, answer.text
            return answer.structured

        dates = {"startDate": "2026-11-01", "endDate": "2026-11-30"}
        me = await do("get_me")
        trip = await do("create_trip", groupId=me["defaultGroupId"], title="Large", **dates)
        counting.statuses.clear()
        for batch in range(2):
            items = [
                {"order": n, "title": f"Leg {n}", "destination": "Kyoto", "timezone": "Asia/Tokyo", **dates}
                for n in range(batch * 500, batch * 500 + 500)
            ]
            report = await do("upsert_legs", tripId=trip["_id"], items=items)
            assert report["created"] == 500, report
        return counting.statuses


async def new_trip(base_url: str, key: str) -> str:
    async with TripsClient(trips=Endpoint(base_url, key), events=None) as client:
        group = (await client.me()).default_group_id
        fields = {"groupId": group, "title": "Kyoto", "startDate": "2026-11-01", "endDate": "2026-11-09"}
        return (await client.call(CREATE_TRIP, CreateTrip.model_validate(fields))).id


async def main() -> int:
    nothing = httpx.MockTransport(lambda _: httpx.Response(200, json=TRIP))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reads = {"on a transport that does nothing": await a_read("http://mock/api/v1", "osk_b", "jx7abc", nothing)}
        with served(folder) as (address, key):
            base_url = f"{address}/api/v1"
            trip_id = await new_trip(base_url, key)
            reads["against backend serve"] = await a_read(base_url, key, trip_id, None)
        write = await a_write(folder)
        with served(folder, rate_limit="60") as (address, key):
            statuses = await two_imports(f"{address}/api/v1", key)
    print(f"A read, one at a time (median of {ROUNDS} x {CALLS} calls, microseconds)")
    print(f"  {'':34} {'client':>7} {'httpx':>7} {'ratio':>6}   bound {READ_BOUND}")
    for what, (ours, bare, ratio, _) in reads.items():
        print(f"  {what:34} {ours * 1e6:7.0f} {bare * 1e6:7.0f} {ratio:6.2f}")
    print("A write, on a transport that does nothing")
    print(f"  {'':34} {'on disk':>7} {'memory':>7} {'adds':>6}   bound {JOURNAL_BOUND * 1e6:.0f}")
    print(f"  {'journal':34} {write[0] * 1e6:7.0f} {write[1] * 1e6:7.0f} {write[3] * 1e6:6.0f}")
    refused = sum(status == 429 for status in statuses)
    print("Two upsert_legs calls of 500, at 60 requests a minute")
    print(f"  {len(statuses)} requests, {refused} of them answered 429   bound {REQUESTS} and 0")
    late = any(ratio > READ_BOUND for _, _, ratio, _ in reads.values())
    late |= write[3] > JOURNAL_BOUND or len(statuses) != REQUESTS or refused > 0
    return 1 if late and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
