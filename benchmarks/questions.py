"""What travellers' questions cost an agent: tool calls, requests, and bytes of answers.

    python benchmarks/questions.py [--check]

An account of 12 trips on a stand-in for a service. Each question is answered twice: with the arguments that name one
trip and read whole lists, and with those that search all trips or read one thing. `--check` exits 1 where the second
way is not the cheaper one in calls or in bytes.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any, Final

import httpx

from trips_mcp.client import Endpoint, TripsClient
from trips_mcp.tools import TOOLS

TOOL: Final = {tool.name: tool for tool in TOOLS}
TOWNS: Final = (
    "Kyoto",
    "Wien",
    "Roma",
    "Oslo",
    "Lisboa",
    "Praha",
    "Honolulu",
    "Sevilla",
    "Nara",
    "Bergen",
    "Porto",
    "Graz",
)
ZONES: Final = {"Kyoto": "Asia/Tokyo", "Nara": "Asia/Tokyo", "Honolulu": "Pacific/Honolulu"}
CATEGORIES: Final = ("dinner", "activity", "meeting")

Call = tuple[str, dict[str, Any]]


def trip_id(number: int) -> str:
    return f"jx7{number:029d}"


def export(number: int) -> dict[str, Any]:
    """A trip in each month of 2027, with four legs."""
    month = f"2027-{number + 1:02}"
    towns = [TOWNS[(number + step) % len(TOWNS)] for step in range(4)]
    legs = [leg(number, at, town, month) for at, town in enumerate(towns)]
    plans = [
        {"_id": f"com_{number}_{at}", "title": f"{CATEGORIES[at % 3].title()} no. {at}", "category": CATEGORIES[at % 3]}
        | {"startDate": f"{month}-{at % 20 + 1:02}", "startTime": "19:00", "endTime": "21:00", "notes": "Bring cash."}
        for at in range(20)
    ]
    todos = [
        {
            "_id": f"todo_{number}_{at}",
            "text": f"Book no. {at}",
            "urgency": ("now", "before_trip", "nice_to_have")[at % 3],
        }
        | {"completed": at % 2 == 0}
        for at in range(20)
    ]
    trip = {"_id": trip_id(number), "title": f"Holiday {number + 1}"}
    trip |= {"startDate": f"{month}-01", "endDate": f"{month}-20"}
    members = [{"userId": "user_1", "name": "Ann"}]
    return {"trip": trip, "legs": legs, "commitments": plans, "actionItems": todos, "members": members}


def leg(number: int, at: int, town: str, month: str) -> dict[str, Any]:
    dates = {"startDate": f"{month}-{at * 5 + 1:02}", "endDate": f"{month}-{at * 5 + 6 if at < 3 else 20:02}"}
    stay = {
        "name": f"Hotel {town}",
        "address": f"{at + 1} Main Street, {town}",
        "checkIn": "15:00",
        "checkOut": "10:00",
    }
    stay |= {
        "doorCode": f"{number}71{at}",
        "wifiName": "Guests",
        "wifiPassword": f"sakura{at}",
        "notes": "Third floor.",
    }
    flights = [
        {"flightNumber": f"UA {number}{at}", "from": "SFO", "to": "HNL", "departure": f"{dates['startDate']}T09:00"}
    ]
    found = {"_id": f"leg_{number}_{at}", "order": at, "title": town, "destination": town, **dates}
    found |= {"timezone": ZONES.get(town, "Europe/Vienna"), "accommodation": stay}
    return {**found, "flights": flights} if town == "Honolulu" else found


EXPORTS: Final = {trip_id(number): export(number) for number in range(len(TOWNS))}
NEWEST_FIRST: Final = sorted(EXPORTS, reverse=True)
FIRST: Final = trip_id(0)

QUESTIONS: Final[dict[str, tuple[Sequence[Call], Sequence[Call]]]] = {
    "Which trips fly to Honolulu?": (
        [("list_trips", {}), *(("search_trip", {"tripId": one, "query": "flight Honolulu"}) for one in NEWEST_FIRST)],
        [("search_trip", {"query": "flight Honolulu"})],
    ),
    "Where do we sleep on 19 April?": (
        [("list_trips", {}), ("get_day", {"tripId": trip_id(3), "date": "2027-04-19"})],
        [("get_day", {"date": "2027-04-19"})],
    ),
    "What do we have in Austria?": (
        [("list_trips", {}), *(("search_trip", {"tripId": one, "query": "Austria"}) for one in NEWEST_FIRST)],
        [("search_trip", {"query": "Austria"})],
    ),
    "What is the Wi-Fi password in Vienna?": (
        [("list_legs", {"tripId": FIRST})],
        [("get_stay", {"tripId": FIRST, "name": "Vienna", "secrets": True})],
    ),
    "Show the leg in Rome": (
        [("list_legs", {"tripId": FIRST})],
        [("list_legs", {"tripId": FIRST, "query": "Rome"})],
    ),
    "What is urgent and open?": (
        [("list_action_items", {"tripId": FIRST})],
        [("list_action_items", {"tripId": FIRST, "urgency": "now", "completed": False})],
    ),
    "Dinners from the 5th to the 9th?": (
        [("list_commitments", {"tripId": FIRST})],
        [("list_commitments", {"tripId": FIRST, "category": "dinner", "from": "2027-01-05", "to": "2027-01-09"})],
    ),
}  # fmt: skip


class Service:
    """Answers reads, and counts them."""

    def __init__(self) -> None:
        self.requests = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        return httpx.Response(200, content=json.dumps(self._body(request.url.path)).encode())

    def _body(self, path: str) -> Any:
        if path == "/trips":
            return {"items": [one["trip"] for one in EXPORTS.values()]}
        _, _, trip, part = path.split("/")
        found = EXPORTS[trip]
        parts = {"legs": "legs", "action-items": "actionItems", "commitments": "commitments", "members": "members"}
        return found if part == "export" else {"items": found[parts[part]]}


async def cost(calls: Sequence[Call]) -> tuple[int, int, int]:
    """Calls, requests, and bytes of answers, for a client that has read nothing yet."""
    service = Service()
    size = 0

    async def unheard(progress: float, total: float | None, message: str | None) -> None:
        pass

    endpoint = Endpoint("https://api.test", "osk_test", httpx.MockTransport(service))
    async with TripsClient(trips=endpoint, events=None) as client:
        for name, arguments in calls:
            answer = await TOOL[name].call(client, arguments, unheard)
            if answer.is_error:
                raise RuntimeError(f"{name}: {answer.text}")
            size += len(answer.text.encode())
    return len(calls), service.requests, size


async def main() -> int:
    print(f"{'Questions':40} {'calls':>11} {'requests':>11} {'bytes of answers':>20}")
    too_dear: list[str] = []
    for question, (whole, one) in QUESTIONS.items():
        before, after = await cost(whole), await cost(one)
        shown = [f"{old:,} → {new:,}" for old, new in zip(before, after, strict=True)]
        print(f"  {question:38} {shown[0]:>11} {shown[1]:>11} {shown[2]:>20}")
        if after[0] > before[0] or after[2] >= before[2]:
            too_dear.append(question)
    return 1 if too_dear and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
