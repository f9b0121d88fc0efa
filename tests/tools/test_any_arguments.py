"""Arguments generated from every tool's schema, on the embedded backend: none crashes the tool or the backend."""

import json
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from trips_mcp.backend import open_backend
from trips_mcp.client import Endpoint, TripsClient
from trips_mcp.tools import TOOLS, Tool

SHAPE = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
    phases=[
        Phase.explicit,
        Phase.generate,
    ],  # a failing example is clear enough; shrinking would take minutes
)

DATES = ["2026-11-01", "2026-11-09", "2026-02-30", "1-1-1", ""]
LIKELY: dict[str, list[Any]] = {
    "startDate": DATES,
    "endDate": DATES,
    "date": [*DATES, "Tuesday", "day 3", "tomorrow", "never"],
    "startTime": ["09:30", "23:59", "24:00"],
    "endTime": ["10:30", "00:10", "noon"],
    "time": ["10:30", "7:5"],
    "timezone": ["Asia/Tokyo", "Pacific/Apia", "Mars/Olympus"],
    "departureTimezone": ["Europe/London"],
    "arrivalTimezone": ["Asia/Tokyo"],
    "departure": ["2026-11-01T09:30", "2026-11-01T09:30Z"],
    "arrival": ["2026-11-02T07:15", "later"],
    "cursor": ["", "bm90IGEgY3Vyc29y", "after.WyIiLCAiYSJd", "after.", "after.bm8="],
    "fields": [["text"], ["legs.title", "legs"], ["accommodation.name"], ["no.such.field"], ["."], []],
    "path": ["accommodation.doorCode", "flights.0.confirmationNumber", "."],
    "clear": [["notes"], ["accommodation.doorCode"], ["title"], ["no.such.field"], [""]],
}


def fitting(schema: dict[str, Any], ids: dict[str, list[Any]]) -> st.SearchStrategy[Any]:
    """Values that fit the schema, with likely ones where chance alone would hardly get past the first check."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "object":
            return fitting_object(schema, ids)
        case "array":
            least = schema.get("minItems", 0)
            return st.lists(fitting(schema["items"], ids), min_size=least, max_size=least + 2)
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case "number":
            least, most = schema.get("minimum"), schema.get("maximum")
            return st.integers(least, most) | st.floats(least, most, allow_nan=False, allow_infinity=False)
        case _:
            return text


def fitting_object(schema: dict[str, Any], ids: dict[str, list[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    if "properties" not in schema:  # any object at all
        return st.dictionaries(text, anything, max_size=3)
    choices = LIKELY | ids
    values = {
        name: st.sampled_from(choices[name]) | fitting(inner, ids) if name in choices else fitting(inner, ids)
        for name, inner in schema["properties"].items()
    }
    required = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {name: value for name, value in values.items() if name in required},
        optional={name: value for name, value in values.items() if name not in required},
    )


text = st.text(st.characters(codec="utf-8"), max_size=40)
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


class World:
    """One trip with one of everything, and the two ways to reach it."""

    def __init__(self, client: TripsClient, http: httpx.AsyncClient) -> None:
        self.client = client
        self.http = http
        self.ids: dict[str, list[Any]] = {}

    async def do(self, tool: str, **arguments: Any) -> dict[str, Any]:
        answer = await next(t for t in TOOLS if t.name == tool).call(self.client, arguments, unheard)
        assert answer.structured is not None, answer.text
        return answer.structured

    async def furnish(self) -> None:
        me = await self.do("get_me")
        dates = {"startDate": "2026-11-01", "endDate": "2026-11-09"}
        trip = await self.do("create_trip", groupId=me["defaultGroupId"], title="Kyoto", **dates)
        trip_id = trip["_id"]
        leg = await self.do(
            "create_leg", tripId=trip_id, order=0, title="a", destination="b", timezone="Asia/Tokyo", **dates
        )
        item = await self.do("create_action_item", tripId=trip_id, text="x", urgency="now")
        pin = await self.do("create_map_pin", tripId=trip_id, name="x", lat=1, lng=2)
        dinner = await self.do(
            "create_commitment", tripId=trip_id, title="x", startDate="2026-11-02", category="dinner"
        )
        channel = (await self.do("list_channels", tripId=trip_id))["items"][0]
        message = await self.do("send_message", tripId=trip_id, channelId=channel["_id"], content="hello")
        event = await self.do("create_event", type="food", title="x", date="2026-11-02", trip_ids=[trip["number"]])
        token = (await self.do("create_share_token", tripId=trip_id))["token"]
        self.ids = {
            "groupId": [me["defaultGroupId"], "grp_0"],
            "tripId": [trip_id, "trip_0", "🦉"],
            "legId": [leg["_id"], "leg_0"],
            "itemId": [item["_id"], "todo_0"],
            "pinId": [pin["_id"], "pin_0"],
            "mapPinId": [pin["_id"], "pin_0"],
            "commitmentId": [dinner["_id"], "com_0"],
            "channelId": [channel["_id"], "chan_0"],
            "parentId": [message["_id"], "msg_0"],
            "owner": [me["user"]["_id"], "usr_0"],
            "token": [token, "none"],
            "event_id": [event["event_id"], 10**15],
            "trip_id": [trip["number"], 10**15],
            "trip_ids": [[trip["number"]], [], [10**15]],
        }


async def unheard(progress: float, total: float | None, message: str | None) -> None:
    """Progress nobody asked for."""


@asynccontextmanager
async def opened(folder: Path) -> AsyncGenerator[World]:
    async with open_backend(str(folder / "trips.db"), require_keys=False) as app:
        transport = httpx.ASGITransport(app)
        async with (
            TripsClient(
                trips=Endpoint("http://embedded/api/v1", None, transport),
                events=Endpoint("http://embedded", None, transport),
            ) as client,
            httpx.AsyncClient(transport=transport, base_url="http://embedded") as http,
        ):
            world = World(client, http)
            await world.furnish()
            yield world


@pytest.fixture(scope="module")
def portal() -> Generator[BlockingPortal]:
    """A loop of its own: Hypothesis draws synchronously, and ends a test with what no task survives."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="module")
def world(portal: BlockingPortal, tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with portal.wrap_async_context_manager(opened(tmp_path_factory.mktemp("any"))) as world:
        yield world


def holds(tool: Tool[Any, Any], portal: BlockingPortal, world: World, data: st.DataObject) -> None:
    """One tool call that fits the schema, one with anything mixed in, one straight to the API with any body."""
    fits = fitting(tool.input_schema, world.ids)
    odd = st.dictionaries(st.sampled_from([*tool.input_schema["properties"], "surprise"]) | text, anything)
    mixed = st.tuples(fits, odd).map(lambda parts: parts[0] | parts[1])

    for arguments in (data.draw(fits), data.draw(mixed)):
        answer = portal.call(tool.call, world.client, arguments, unheard)
        assert answer.text
        assert len(answer.text) <= 40_000
        assert "INTERNAL_ERROR" not in answer.text or "INTERNAL_ERROR" in str(arguments)  # a drawn name is repeated
        assert answer.is_error or answer.structured is not None
    response = portal.call(straight_to_the_api, tool, world, data.draw(mixed | anything))
    assert response.status_code < 500, response.text


async def straight_to_the_api(tool: Tool[Any, Any], world: World, body: object) -> httpx.Response:
    operation = tool.uses[0]
    path = operation.path if operation.api == "events" else f"/api/v1{operation.path}"
    for place, choices in world.ids.items():
        path = path.replace(f"{{{place}}}", str(choices[0]))
    return await world.http.request(operation.method, path, content=json.dumps(body).encode())


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
@given(data=st.data())
@settings(SHAPE, max_examples=5)
def test_no_argument_makes_a_tool_or_the_backend_fail(
    tool: Tool[Any, Any], portal: BlockingPortal, world: World, data: st.DataObject
) -> None:
    holds(tool, portal, world, data)


@pytest.mark.soak
@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
@given(data=st.data())
@settings(SHAPE, max_examples=100)
def test_no_argument_of_very_many_makes_a_tool_or_the_backend_fail(
    tool: Tool[Any, Any], portal: BlockingPortal, world: World, data: st.DataObject
) -> None:
    holds(tool, portal, world, data)
