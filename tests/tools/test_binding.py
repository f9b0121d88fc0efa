"""A server bound to one trip: calls are about it, whatever their arguments say, and other trips' events are refused."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from trips_mcp.client import Endpoint, TripsClient
from trips_mcp.tools import TOOLS, Answer
from trips_mcp.tools.call_context import Conduct

TOOL = {tool.name: tool for tool in TOOLS}
EVENT = {"type": "food", "title": "Kaiseki", "date": "2026-11-03"}

Do = Callable[..., Awaitable[dict[str, Any]]]


async def unheard(progress: float, total: float | None, message: str | None) -> None:
    """Progress nobody asked for."""


@dataclass(frozen=True)
class Bound:
    """Tools of a server that is bound to a trip, beside another trip and an event on it."""

    client: TripsClient
    conduct: Conduct
    trip: str
    number: int
    other_trip: str
    other_number: int
    other_event: int

    async def call(self, name: str, /, **arguments: Any) -> Answer:
        return await TOOL[name].call(self.client, arguments, unheard, self.conduct)

    async def do(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        answer = await self.call(name, **arguments)
        assert not answer.is_error, answer.text
        assert answer.structured is not None
        return answer.structured

    async def refusal(self, name: str, /, **arguments: Any) -> str:
        answer = await self.call(name, **arguments)
        assert answer.is_error, answer.text
        return answer.text


@pytest.fixture
async def bound(trips: TripsClient, do: Do) -> Bound:
    group = (await do("get_me"))["defaultGroupId"]
    dates = {"startDate": "2026-11-01", "endDate": "2026-11-10"}
    kyoto, secret = [await do("create_trip", groupId=group, title=title, **dates) for title in ("Kyoto", "Surprise")]
    event = await do("create_event", **EVENT, trip_ids=[secret["number"]])
    return Bound(
        trips,
        Conduct(trip=kyoto["_id"]),
        kyoto["_id"],
        kyoto["number"],
        secret["_id"],
        secret["number"],
        event["event_id"],
    )


@pytest.fixture
async def event(bound: Bound) -> int:
    """One on the trip."""
    return (await bound.do("create_event", **EVENT))["event_id"]


async def test_the_trip_is_filled_in(bound: Bound) -> None:
    await bound.do("create_action_item", text="Book", urgency="now")

    read = await bound.do("get_trip")
    items = await bound.do("list_action_items")

    assert read["title"] == "Kyoto"
    assert [item["text"] for item in items["items"]] == ["Book"]


@pytest.mark.parametrize("given", ["right", "null"])
async def test_the_bound_trips_own_id_is_accepted(bound: Bound, given: str) -> None:
    read = await bound.do("get_trip", tripId=bound.trip if given == "right" else None)

    assert read["_id"] == bound.trip


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("get_trip", {}),
        ("export_trip", {}),
        ("archive_trip", {}),
        ("create_action_item", {"text": "x", "urgency": "now"}),
        ("create_share_token", {}),
    ],
)
async def test_another_trip_is_refused(bound: Bound, do: Do, tool: str, arguments: dict[str, Any]) -> None:
    before = await do("export_trip", tripId=bound.other_trip)

    said = await bound.refusal(tool, tripId=bound.other_trip, **arguments)

    assert said == (
        f"Nothing was done: this server is bound to the trip {bound.trip} (--trip), and tripId names something else; "
        "leave tripId out."
    )
    assert await do("export_trip", tripId=bound.other_trip) == before


OF_A_TRIP = [tool.name for tool in TOOLS if "tripId" in tool.input_schema["properties"]]


async def test_no_tool_takes_another_trips_id(bound: Bound) -> None:
    for tool in OF_A_TRIP:
        assert "(--trip), and tripId names something else" in await bound.refusal(tool, tripId=bound.other_trip), tool


async def test_no_tool_misses_the_trips_id(bound: Bound) -> None:
    for tool in OF_A_TRIP:
        assert "tripId" not in (await bound.call(tool)).text.partition(f"arguments of {tool}: ")[2], tool


@pytest.mark.parametrize("trip_id", [7, ["x"], {"a": 1}, "", True])
async def test_an_invalid_trip_id_is_refused_too(bound: Bound, trip_id: object) -> None:
    assert "leave tripId out" in await bound.refusal("get_trip", tripId=trip_id)


async def test_an_event_is_put_on_the_trip_and_read_from_it(bound: Bound, event: int) -> None:
    listed = await bound.do("list_trip_events")

    assert listed["trip_id"] == bound.number
    assert [each["event_id"] for each in listed["events"]] == [event]
    assert (await bound.do("get_event", event_id=event))["title"] == "Kaiseki"


async def test_an_event_of_the_trip_can_be_changed_and_deleted(bound: Bound, event: int) -> None:
    changed = await bound.do("update_event", event_id=event, title="Ramen")
    gone = await bound.do("delete_event", event_id=event)

    assert (changed["title"], changed["attached_trips"]) == ("Ramen", [bound.number])
    assert gone["deleted"] == event


@pytest.mark.parametrize(
    ("tool", "arguments"), [("get_event", {}), ("update_event", {"title": "Mine now"}), ("delete_event", {})]
)
async def test_an_event_of_another_trip_is_neither_shown_nor_touched(
    bound: Bound, do: Do, tool: str, arguments: dict[str, Any]
) -> None:
    said = await bound.refusal(tool, event_id=bound.other_event, **arguments)

    assert said.endswith(f"(--trip), and the event {bound.other_event} is not on it.")
    assert "Kaiseki" not in said
    assert (await do("get_event", event_id=bound.other_event))["title"] == "Kaiseki"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("list_trip_events", {"trip_id": 4711}),
        ("create_event", {**EVENT, "trip_ids": [4711]}),
        ("create_event", {**EVENT, "trip_ids": []}),
        ("update_event", {"trip_ids": [4711]}),
        ("update_event", {"clear": ["trip_ids"]}),
    ],
)
async def test_no_number_leads_to_another_trip(
    bound: Bound, event: int, do: Do, tool: str, arguments: dict[str, Any]
) -> None:
    ids = {"event_id": event} if tool == "update_event" else {}

    said = await bound.refusal(tool, **ids, **arguments)

    assert said.startswith(f"Nothing was done: this server is bound to the trip {bound.trip} (--trip), ")
    assert (await do("get_event", event_id=event))["attached_trips"] == [bound.number]


async def test_the_bound_trips_own_number_is_accepted(bound: Bound) -> None:
    listed = await bound.do("list_trip_events", trip_id=bound.number)

    assert listed["trip_id"] == bound.number


async def test_a_deleted_or_unknown_event_is_reported_as_on_any_server(bound: Bound, event: int) -> None:
    await bound.do("delete_event", event_id=event)

    assert "Look the id up with list_trip_events." in await bound.refusal("get_event", event_id=4711)
    assert "It was deleted" in await bound.refusal("get_event", event_id=event)


async def test_event_trips_gives_the_number(bound: Bound) -> None:
    linked = replace(bound, conduct=replace(bound.conduct, event_trips={bound.trip: bound.other_number}))

    listed = await linked.do("list_trip_events")

    assert [each["event_id"] for each in listed["events"]] == [bound.other_event]


@pytest.mark.parametrize("tool", ["get_trip", "list_legs", "create_event", "list_trip_events"])
async def test_a_missing_bound_trip_is_a_question_to_the_user(bound: Bound, tool: str) -> None:
    astray = replace(bound, conduct=Conduct(trip="no-such-trip"))

    said = await astray.refusal(tool, **(EVENT if tool == "create_event" else {}))

    assert "NOT_FOUND" in said
    assert said.endswith("Ask the user whether no-such-trip is the right trip (--trip).")
    assert "list_trips" not in said


class TwoServices:
    """The real ones: events know their trip by the number that the user has linked, and may not say it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.attached: list[int] | None = None
        self.on_trip = [7]

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked.append(f"{request.method} {path}")
        if path.endswith("/itinerary"):
            return httpx.Response(200, json={"trip_id": 42, "events": [{"id": each} for each in self.on_trip]})
        if path.startswith("/v1/events/"):
            known = {} if self.attached is None else {"attached_trips": self.attached}
            return httpx.Response(200, json={"event_id": int(path.rpartition("/")[2]), "title": "Kaiseki", **known})
        return httpx.Response(200, json={"_id": "jx7", "title": "Kyoto"})


@pytest.fixture
def services() -> TwoServices:
    return TwoServices()


@pytest.fixture
async def real(services: TwoServices) -> AsyncGenerator[Callable[..., Awaitable[Answer]]]:
    """Calls a tool of a server bound to jx7, with these links, or none."""
    transport = httpx.MockTransport(services.answer)
    ends = (Endpoint(f"https://{name}.test", "k", transport=transport) for name in ("trips", "events"))
    trips, events = ends
    async with TripsClient(trips=trips, events=events) as client:

        async def call(name: str, /, links: dict[str, int] | None = None, **arguments: Any) -> Answer:
            conduct = Conduct(trip="jx7", one_store=False, event_trips=links or {})
            return await TOOL[name].call(client, arguments, unheard, conduct)

        yield call


@pytest.mark.parametrize(
    ("attached", "on_trip", "shown"),
    [([42], [], True), ([1, 42], [], True), ([1], [7], False), (None, [7], True), (None, [1], False), ([], [7], False)],
)
async def test_an_event_that_does_not_say_its_trips_is_looked_for_on_the_trip(
    services: TwoServices,
    real: Callable[..., Awaitable[Answer]],
    attached: list[int] | None,
    on_trip: list[int],
    shown: bool,
) -> None:
    services.attached, services.on_trip = attached, on_trip

    answer = await real("get_event", {"jx7": 42}, event_id=7)

    assert answer.is_error is not shown
    assert ("Kaiseki" in answer.text) is shown


async def test_where_nothing_links_the_trip_no_event_is_asked_for(
    services: TwoServices, real: Callable[..., Awaitable[Answer]]
) -> None:
    for name, arguments in (("list_trip_events", {}), ("get_event", {"event_id": 7}), ("create_event", EVENT)):
        answer = await real(name, None, **arguments)
        assert answer.is_error
        assert answer.text.endswith("whose number in the Events API is not known; set --event-trips.")

    assert services.asked == []


async def test_the_number_is_read_once(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        trip = request.url.path == "/trips/jx7"
        return httpx.Response(200, json={"_id": "jx7", "number": 42} if trip else {"trip_id": 42, "events": []})

    end = Endpoint("https://both.test", "k", transport=httpx.MockTransport(answer))
    async with TripsClient(trips=end, events=end) as client:
        for _ in range(3):
            answered = await TOOL["list_trip_events"].call(client, {}, unheard, Conduct(trip="jx7"))
            assert not answered.is_error, answered.text

    assert asked == ["/trips/jx7", *["/v1/trips/42/itinerary"] * 3]
