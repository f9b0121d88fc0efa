"""Large trips, in process: importing 1,000 items in one request, exporting 2,000, at each level of the stack.

    python benchmarks/bulk.py [--check]

`--check` exits 1 where a median is past its bound: an import of 1,000 items 1 s, an export of 2,000 items 200 ms.
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

from trips_mcp.backend import open_backend
from trips_mcp.client import Endpoint, TripsClient
from trips_mcp.tools import TOOLS, Answer

ROUNDS = 7
BOUNDS = {"import of 1,000 items": 1.0, "export of 2,000 items": 0.2}
TOOL = {tool.name: tool for tool in TOOLS}
DATES = {"startDate": "2026-11-01", "endDate": "2026-11-30"}


def legs(count: int) -> list[dict[str, Any]]:
    stay = {"name": "Ryokan", "address": "12 Example St", "doorCode": "0000", "wifiPassword": "example"}
    return [
        {
            "order": number,
            "title": f"Leg {number}",
            "destination": "Kyoto",
            **DATES,
            "timezone": "Asia/Tokyo",
            "accommodation": stay,
            "flights": [{"from": "LHR", "to": "HND", "departure": "2026-11-01T09:30", "arrival": "2026-11-02T07:15"}],
            "clientRef": f"leg-{number}",
        }
        for number in range(count)
    ]


def pins(count: int) -> list[dict[str, Any]]:
    return [
        {"name": f"Pin {number}", "lat": 35.0, "lng": 135.0, "notes": "Opens at nine.", "clientRef": f"pin-{number}"}
        for number in range(count)
    ]


def to_dos(count: int) -> list[dict[str, Any]]:
    return [{"text": f"To do {n}", "urgency": "before_trip", "clientRef": f"do-{n}"} for n in range(count)]


async def unheard(progress: float, total: float | None, message: str | None) -> None:
    """No progress is reported here."""


class Stack:
    def __init__(self, http: httpx.AsyncClient, client: TripsClient) -> None:
        self.http = http
        self.client = client

    async def tool(self, name: str, **arguments: Any) -> Answer:
        answer = await TOOL[name].call(self.client, arguments, unheard)
        assert not answer.is_error, answer.text
        return answer

    async def new_trip(self) -> str:
        me: dict[str, Any] = (await self.tool("get_me")).structured or {}
        trip = await self.tool("create_trip", groupId=me["defaultGroupId"], title="Large", **DATES)
        return (trip.structured or {})["_id"]

    async def sync(self, trip_id: str, body: dict[str, Any]) -> None:
        response = await self.http.post(f"/api/v1/trips/{trip_id}/sync", json=body)
        assert response.status_code == 200, response.text
        assert response.json()["legs"]["errors"] == 0

    async def export(self, trip_id: str) -> None:
        response = await self.http.get(f"/api/v1/trips/{trip_id}/export")
        assert len(response.json()["legs"]) == 500


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


async def measure(stack: Stack) -> dict[str, dict[str, float]]:
    body = {"legs": legs(500), "mapPins": pins(500)}
    imports: dict[str, list[float]] = {"REST": [], "tool": [], "REST, again": []}
    for _ in range(ROUNDS):
        trip_id = await stack.new_trip()
        imports["REST"].append(await timed(lambda trip_id=trip_id: stack.sync(trip_id, body)))
        imports["REST, again"].append(await timed(lambda trip_id=trip_id: stack.sync(trip_id, body)))
        other = await stack.new_trip()
        imports["tool"].append(await timed(lambda other=other: stack.tool("sync_trip", tripId=other, **body)))

    full = await stack.new_trip()
    await stack.sync(full, body | {"actionItems": to_dos(500)})
    for number in range(500):
        await stack.http.post(
            f"/api/v1/trips/{full}/commitments",
            json={"title": f"Dinner {number}", "startDate": "2026-11-02", "category": "dinner"},
        )
    exports: dict[str, list[float]] = {"REST": [], "tool": []}
    for _ in range(ROUNDS):
        exports["REST"].append(await timed(lambda: stack.export(full)))
        exports["tool"].append(await timed(lambda: stack.tool("export_trip", tripId=full)))
    return {
        "import of 1,000 items": {level: median(times) for level, times in imports.items()},
        "export of 2,000 items": {level: median(times) for level, times in exports.items()},
    }


async def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        async with open_backend(str(Path(folder) / "trips.db"), require_keys=False) as app:
            transport = httpx.ASGITransport(app)
            async with (
                httpx.AsyncClient(transport=transport, base_url="http://embedded", timeout=60) as http,
                TripsClient(
                    trips=Endpoint("http://embedded/api/v1", None, transport),
                    events=Endpoint("http://embedded", None, transport),
                ) as client,
            ):
                measured = await measure(Stack(http, client))
    print(f"Large trips, in process (median of {ROUNDS}, milliseconds)")
    late = 0
    for what, levels in measured.items():
        for level, seconds in levels.items():
            late += seconds > BOUNDS[what]
            print(f"  {what:24} {level:12} {seconds * 1000:8.1f}   bound {BOUNDS[what] * 1000:.0f}")
    return 1 if late and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
