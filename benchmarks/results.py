"""What the answers cost: bytes of a tool's text beside those of the API's body that it is made of.

    python benchmarks/results.py [--check]

Once on a stand-in for a service that keeps more of each thing than anyone asks for (ids of 32 characters, who made and
changed it, and when), once on the embedded backend, which sends little else than what was put in. `--check` exits 1
where a list of 20 action items is more than a third of the stand-in's body.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from typing_extensions import override

from trips_mcp.backend import open_backend
from trips_mcp.client import Endpoint, TripsClient
from trips_mcp.tools import TOOLS

TOOL = {tool.name: tool for tool in TOOLS}
DATES = {"startDate": "2026-11-01", "endDate": "2026-11-10"}
MOST = 1 / 3

Row = dict[str, Any]


def legs() -> list[Row]:
    towns = ("Tokyo", "Hakone", "Kyoto", "Nara", "Osaka")
    return [
        {
            "order": number,
            "title": f"{town}, two nights",
            "destination": f"{town}, Japan",
            "startDate": f"2026-11-{2 * number + 1:02}",
            "endDate": f"2026-11-{2 * number + 3:02}" if number < 4 else "2026-11-10",
            "timezone": "Asia/Tokyo",
            "accommodation": {
                "name": f"Hotel {town} Garden",
                "address": f"{number + 1}-2 Example-cho, {town}",
                "checkIn": f"2026-11-{2 * number + 1:02}T15:00",
                "confirmationNumber": f"HX{number}7Q",
                "notes": "Breakfast until ten; luggage can be left at the desk.",
            },
            "clientRef": f"leg-{town.lower()}",
        }
        for number, town in enumerate(towns)
    ]


def action_items() -> list[Row]:
    texts = ("Book the ryokan in Gion", "Check all passports", "Order the pocket Wi-Fi", "Reserve seats to Kyoto")
    urgency = ("now", "before_trip", "nice_to_have")
    return [
        {"text": texts[n % 4], "urgency": urgency[n % 3], "clientRef": f"todo-{n}", "completed": n % 5 == 0}
        for n in range(20)
    ]


def map_pins() -> list[Row]:
    return [
        {
            "name": f"Temple no. {n}",
            "lat": 35.0 + n / 100,
            "lng": 135.7,
            "category": "sight",
            "notes": "Opens at nine.",
            "clientRef": f"pin-{n}",
        }
        for n in range(20)
    ]


def commitments() -> list[Row]:
    return [
        {
            "title": f"Dinner with friends {n}",
            "startDate": f"2026-11-{n % 10 + 1:02}",
            "startTime": "19:30",
            "endTime": "21:30",
            "isAllDay": False,
            "timezone": "Asia/Tokyo",
            "category": "dinner",
        }
        for n in range(20)
    ]


def messages() -> list[Row]:
    return [{"content": f"Shall we meet at the station at nine on day {n}?"} for n in range(20)]


def id_of(*words: object) -> str:
    return "k5" + sha256(repr(words).encode()).hexdigest()[:30]


def kept(kind: str, rows: list[Row], **more: Any) -> list[Row]:
    """The rows as such a service keeps and sends them."""
    return [
        {
            "_id": id_of(kind, number),
            "_creationTime": 1780394412345.1233 + number,
            "tripId": id_of("trip"),
            **row,
            **more,
            "createdBy": id_of("user"),
            "updatedBy": id_of("user"),
            "updatedAt": 1780394998765,
        }
        for number, row in enumerate(rows)
    ]


def stand_in() -> dict[str, Any]:
    """Its bodies by path."""
    here, channel = f"/trips/{id_of('trip')}", id_of("channel")
    trip = {"_id": id_of("trip"), "_creationTime": 1780394412345.1233, "title": "Japan", **DATES, "status": "active"}
    parts: dict[str, list[Row]] = {
        "legs": kept("leg", legs()),
        "mapPins": kept("pin", map_pins()),
        "actionItems": kept("todo", action_items(), owner=id_of("user")),
        "commitments": kept("com", commitments(), legId=id_of("leg", 1), notes=None, mapPinId=None),
        "members": [{"_id": id_of("member"), "userId": id_of("user"), "name": "Ann", "role": "owner", "email": None}],
    }
    said = kept("msg", messages(), channelId=channel, authorId=id_of("user"), authorName="Ann", parentId=None)
    lists = {
        f"{here}/legs": parts["legs"],
        f"{here}/map-pins": parts["mapPins"],
        f"{here}/action-items": parts["actionItems"],
        f"{here}/commitments": parts["commitments"],
        f"{here}/members": parts["members"],
        f"{here}/channels": [{"_id": channel, "tripId": id_of("trip"), "name": "general"}],
        f"{here}/channels/{channel}/messages": said,
    }
    return {
        "/trips": {"items": kept("trip", [trip] * 3), "nextCursor": None},
        f"{here}/export": {"trip": trip, **parts},
        **{path: {"items": rows, "nextCursor": None} for path, rows in lists.items()},
    }


class Counted(httpx.AsyncBaseTransport):
    """Counts the bytes of the bodies that come through."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.received = 0

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        self.received += len(await response.aread())
        return response


@asynccontextmanager
async def embedded(folder: Path) -> AsyncGenerator[httpx.AsyncBaseTransport]:
    async with open_backend(str(folder / "trips.db"), require_keys=False) as app:
        yield httpx.ASGITransport(app)


def answering(bodies: dict[str, Any]) -> httpx.AsyncBaseTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=compact(bodies[request.url.path.removeprefix("/api/v1")]))

    return httpx.MockTransport(answer)


async def unheard(progress: float, total: float | None, message: str | None) -> None:
    """No progress is reported here."""


class Agent:
    def __init__(self, client: TripsClient, transport: Counted) -> None:
        self._client = client
        self._transport = transport

    async def do(self, tool: str, **arguments: Any) -> Row:
        answer = await TOOL[tool].call(self._client, arguments, unheard)
        assert not answer.is_error, answer.text
        return answer.structured or {}

    async def sizes(self, tool: str, **arguments: Any) -> tuple[int, int]:
        """Bytes of the bodies, and of the answer."""
        self._transport.received = 0
        answer = await TOOL[tool].call(self._client, arguments, unheard)
        assert not answer.is_error, answer.text
        return self._transport.received, len(answer.text.encode())


@asynccontextmanager
async def agent(transport: httpx.AsyncBaseTransport) -> AsyncGenerator[Agent]:
    counted = Counted(transport)
    trips = Endpoint("http://embedded/api/v1", None, counted)
    async with TripsClient(trips=trips, events=Endpoint("http://embedded", None, counted)) as client:
        yield Agent(client, counted)


async def furnish(agent: Agent) -> str:
    """The same trip, in the embedded backend."""
    me = await agent.do("get_me")
    trip_id = (await agent.do("create_trip", groupId=me["defaultGroupId"], title="Japan", **DATES))["_id"]
    to_dos = [
        {name: value for name, value in item.items() if name != "completed"} | {"owner": me["user"]["_id"]}
        for item in action_items()
    ]
    await agent.do("sync_trip", tripId=trip_id, legs=legs(), mapPins=map_pins(), actionItems=to_dos)
    for commitment in commitments():
        await agent.do("create_commitment", tripId=trip_id, **commitment)
    channel = (await agent.do("list_channels", tripId=trip_id))["items"][0]["_id"]
    for message in messages():
        await agent.do("send_message", tripId=trip_id, channelId=channel, **message)
    return trip_id


async def measured(agent: Agent, trip_id: str) -> dict[str, tuple[int, int]]:
    channel = (await agent.do("list_channels", tripId=trip_id))["items"][0]["_id"]
    calls: dict[str, tuple[str, Row]] = {
        "list_trips": ("list_trips", {}),
        "list_legs, 5": ("list_legs", {"tripId": trip_id}),
        "list_action_items, 20": ("list_action_items", {"tripId": trip_id}),
        "list_commitments, 20": ("list_commitments", {"tripId": trip_id}),
        "list_map_pins, 20": ("list_map_pins", {"tripId": trip_id}),
        "list_messages, 20": ("list_messages", {"tripId": trip_id, "channelId": channel}),
        "export_trip": ("export_trip", {"tripId": trip_id}),
        "export_trip, titles": ("export_trip", {"tripId": trip_id, "fields": ["legs.title", "commitments.title"]}),
        "get_timeline": ("get_timeline", {"tripId": trip_id}),
        "get_day": ("get_day", {"tripId": trip_id, "date": "2026-11-04"}),
        "check_trip": ("check_trip", {"tripId": trip_id}),
        "search_trip": ("search_trip", {"tripId": trip_id, "query": "ryokan"}),
    }
    return {what: await agent.sizes(tool, **arguments) for what, (tool, arguments) in calls.items()}


def compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


async def main() -> int:
    async with agent(answering(stand_in())) as on_stand_in:
        full = await measured(on_stand_in, id_of("trip"))
    with tempfile.TemporaryDirectory() as folder:
        async with embedded(Path(folder)) as transport, agent(transport) as on_backend:
            own = await measured(on_backend, await furnish(on_backend))
    print("Results, bytes: what the API sends, what the model reads")
    print(f"  {'':22} {'a full service':>26}   {'embedded backend':>26}")
    for what, sizes in full.items():
        columns = (f"{body:9,} {told:9,} {told / body:6.0%}" for body, told in (sizes, own[what]))
        print(f"  {what:22} {'   '.join(columns)}")
    body, told = full["list_action_items, 20"]
    print(f"  20 action items: {told / body:.0%} of the full service's body, bound {MOST:.0%}")
    return 1 if told > body * MOST and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
