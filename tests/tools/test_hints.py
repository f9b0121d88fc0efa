"""No answer names a tool that its server does not offer, whatever fails and whatever is selected."""

import re
from collections.abc import Iterator
from typing import Any, cast

import pytest

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import (
    ApiError,
    BadAnswerError,
    CannotConnectError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    MissingScopeError,
    NotConfiguredError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitedError,
    ServerFaultError,
    TripsError,
    UnauthorizedError,
    UnavailableError,
)
from trips_mcp.contract.events import UPDATE_EVENT
from trips_mcp.contract.operation import Operation
from trips_mcp.history import MemoryHistory
from trips_mcp.server.offer import offer
from trips_mcp.settings import Settings
from trips_mcp.tools import TOOLSETS
from trips_mcp.tools.call_context import Conduct

from .services import TOOL, Service, calls_on, unheard

CHOICES = {
    **{toolset: {"TRIPS_MCP_TOOLSETS": toolset} for toolset in TOOLSETS},
    "read-only": {"TRIPS_MCP_READ_ONLY": "on"},
    "no outbound": {"TRIPS_MCP_NO_OUTBOUND": "on"},
    "one trip": {"TRIPS_MCP_TRIP": "jx7"},
    "without lookups": {"TRIPS_MCP_EXCLUDE_TOOLS": "list_trips list_legs get_me list_trip_events get_event"},
    "masked": {"TRIPS_MCP_MASK_SECRETS": "on", "TRIPS_MCP_TOOLS": "get_secret"},
    "trips key alone": {"OSOTO_API_KEY": "osk_any"},
}
API_ERRORS: dict[type[ApiError], int] = {
    InvalidError: 422,
    UnauthorizedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    GoneError: 410,
    RateLimitedError: 429,
    ServerFaultError: 503,
}
NAME = re.compile(rf"\b(?:{'|'.join(TOOL)})\b")

every_choice = pytest.mark.parametrize("choice", CHOICES)


class Failing:
    """A client of which every call fails like this."""

    rate_limit = None
    account = "a"
    accounts = ("a",)

    def __init__(self, error: TripsError) -> None:
        self._error = error
        self.history = MemoryHistory()

    async def call(self, *_: object) -> None:
        raise self._error

    outcome = call


def errors(operation: Operation[Any, Any]) -> Iterator[TripsError]:
    for kind, status in API_ERRORS.items():
        yield kind(operation, status=status, code="CODE")
    yield UnavailableError(operation, "no connection could be made", sent=True)
    yield UnavailableError(operation, "no connection could be made", sent=False, retry_after=3)
    yield OutcomeUnknownError(operation)
    yield OutcomeUnknownError(operation, repeatable=False)
    yield OutcomeUnknownError(UPDATE_EVENT, "it may have changed since; read it with get_event before changing it")
    yield BadAnswerError(operation, "with something that could not be read", status=200)
    yield MissingScopeError(operation, "trips:write")
    yield NotConfiguredError(operation)
    yield CannotConnectError("The API cannot be opened.")


def some(schema: dict[str, Any], name: str = "") -> Any:
    """What the schema takes, with no more than it wants."""
    if "enum" in schema:
        return schema["enum"][0]
    match schema["type"]:
        case "object":
            wanted = schema.get("required") or list(schema["properties"])[:1]
            return {name: some(schema["properties"][name], name) for name in wanted}
        case "array":
            return [some(schema["items"])]
        case "string":
            usual = {"timezone": "Asia/Tokyo", "query": "x", "clientRef": "c1"}
            return usual.get(name, "2027-04-01" if "date" in name.lower() else "jx7")
        case "boolean":
            return True
        case _:
            return 1


def arguments(tool: str) -> dict[str, Any]:
    schema = TOOL[tool].input_schema
    changes: dict[str, Any] = {
        "update_trip": {"title": "x"},
        "update_leg": {"title": "x"},
        "update_action_item": {"text": "x"},
        "update_commitment": {"title": "x"},
        "update_map_pin": {"name": "x"},
        "update_event": {"title": "x"},
        "sync_trip": {"legs": [some(schema["properties"]["legs"]["items"])] if tool == "sync_trip" else []},
    }
    return {**some({**schema, "required": schema.get("required", [])} if schema["properties"] else {"enum": [{}]}),
            **changes.get(tool, {})}  # fmt: skip


@every_choice
async def test_no_failure_names_an_absent_tool(choice: str) -> None:
    offered = offer(Settings.from_env(CHOICES[choice]))

    told: list[str] = []
    for name in offered.names:
        for operation in TOOL[name].uses:
            for error in errors(operation):
                client = cast("TripsClient", Failing(error))
                answer = await TOOL[name].call(client, arguments(name), unheard, offered.conduct)
                assert "Fix the arguments" not in answer.text
                told.append(answer.text)

    assert len(told) >= 17 * len(offered.names)
    for text in told:
        assert text.strip()
        assert set(NAME.findall(text)) <= offered.names, text
    if choice != "one trip":  # there the trip may be what is wrong, and no id
        assert any("CODE (404): " in text for text in told)


@every_choice
def test_a_refused_tool_does_not_refer_to_another_absent_tool(choice: str) -> None:
    offered = offer(Settings.from_env(CHOICES[choice]))

    for name, sentence in offered.missing.items():
        assert set(NAME.findall(sentence)) <= {name, *offered.names}


async def test_the_error_itself_is_always_reported() -> None:
    conduct = offer(Settings.from_env({"TRIPS_MCP_TOOLSETS": "itinerary"})).conduct
    missing = NotFoundError(TOOL["get_day"].uses[0], status=404, code="NOT_FOUND", message="No such trip")
    down = UnavailableError(TOOL["get_day"].uses[0], "no connection could be made", sent=False)

    texts = [
        (await TOOL["get_day"].call(cast("TripsClient", Failing(error)), arguments("get_day"), unheard, conduct)).text
        for error in (missing, down)
    ]

    assert texts == [
        "NOT_FOUND (404): The Trips API refused get_day: No such trip.",
        "The Trips API did not answer get_day: no connection could be made. "
        "Nothing was changed: call get_day again in a moment.",
    ]


def large() -> dict[str, Any]:
    """A trip of which no answer can show all."""
    day = "2027-04-01"
    return {
        "trip": {"_id": "jx7", "title": "Kyoto", "startDate": day, "endDate": "2027-04-03", "number": 7},
        "legs": [
            {"_id": f"leg{number}", "title": f"Leg {number}", "startDate": day, "endDate": "2027-04-03"}
            for number in range(400)
        ],
        "commitments": [
            {"_id": f"c{number}", "title": f"Dinner {number} {'x' * 90}", "startDate": date, "startTime": "19:00"}
            for number in range(900)
            for date in ([day] if number % 3 else [None])
        ],
        "actionItems": [
            {"_id": f"a{number}", "text": "Book it " * 9, "urgency": "now", "completed": False} for number in range(300)
        ],
    }


def service() -> Service:
    export = large()
    return Service({"/trips/jx7/export": export, "/trips/jx7": export["trip"], "/v1/trips/7/events": {"events": []}})


async def said_of_the_large_trip(absent: frozenset[str]) -> dict[str, str]:
    async with service().called(Conduct(absent=absent)) as call:
        return {
            "get_day": (await call("get_day", tripId="jx7", date="2027-04-01")).text,
            "get_timeline": (await call("get_timeline", tripId="jx7")).text,
            "check_trip": (await call("check_trip", tripId="jx7")).text,
            "export_trip": (await call("export_trip", tripId="jx7")).text,
        }


async def test_the_rest_of_a_large_trip_is_described_with_offered_tools() -> None:
    every = await said_of_the_large_trip(frozenset())
    lean = await said_of_the_large_trip(frozenset(TOOL) - {"get_day", "get_timeline", "check_trip", "export_trip"})

    for tool, text in every.items():
        assert set(NAME.findall(text)) - {tool}, text[-600:]
        assert set(NAME.findall(lean[tool])) <= set(every), lean[tool][:600]
    assert re.search(
        r"^- and \d+ more: list_commitments, list_legs and list_trip_events give all\.$", every["get_day"], re.M
    )
    assert re.search(r"^- and \d+ more\.$", lean["get_day"], re.M)
    assert re.search(r"^- and \d+ more legs\.$", lean["get_timeline"], re.M)
    assert re.search(r"; and \d+ more in list_action_items\.$", every["get_day"], re.M)
    assert re.search(r"; and \d+ more\.$", lean["get_day"], re.M)
    assert " Fix with update_leg." in every["check_trip"]
    assert "Fix with" not in lean["check_trip"]
    assert "have the parts" not in lean["export_trip"]
    assert "`fields`" in lean["export_trip"]


async def test_a_finding_names_the_tool_that_fixes_it_if_it_is_offered() -> None:
    async with service().called(Conduct(absent=frozenset({"update_commitment"}))) as call:
        findings = (await call("check_trip", tripId="jx7")).structured

    assert findings is not None
    fixes = {finding.get("fixWith") for finding in findings["findings"]}
    assert fixes <= {None, "update_leg", "update_trip", "create_leg", "delete_commitment"}
    assert "update_leg" in fixes


@pytest.mark.parametrize(
    ("tool", "given", "said"),
    [
        ("get_day", {"tripId": "empty", "date": "day 1"}, "The trip has no dates, and nothing in it has one."),
        ("get_secret", {"tripId": "empty", "legId": "x", "path": "y"}, "The trip has no leg with this legId."),
    ],
)
async def test_a_refusal_says_what_is_wrong_and_advises_nothing_impossible(
    tool: str, given: dict[str, Any], said: str
) -> None:
    bodies: dict[str, Any] = {
        "/trips/empty/export": {"trip": {"_id": "empty", "title": "Some day"}},
        "/trips/empty/legs": [],
    }
    async with Service(bodies).called(Conduct(absent=frozenset(TOOL) - {tool})) as call:
        answer = await call(tool, **given)

    assert (answer.is_error, answer.text) == (True, said)


async def test_other_peoples_words_are_left_as_they_are(trips: TripsClient) -> None:
    call = calls_on(trips, Conduct(absent=frozenset(TOOL)))
    group = (await call("get_me")).structured
    assert group is not None
    title = "Ask list_legs; then call update_trip."
    days = {"startDate": "2027-04-01", "endDate": "2027-04-02"}
    made = (await call("create_trip", groupId=group["defaultGroupId"], title=title, **days)).structured
    assert made is not None

    timeline = await call("get_timeline", tripId=made["_id"])

    assert timeline.text.startswith(f"# {title}")
