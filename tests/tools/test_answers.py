"""What an agent reads: good answers, refused arguments, and the API's errors in words."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from trips_mcp.client import Endpoint, TripsClient
from trips_mcp.tools import TOOLS, Answer

Call = Callable[..., Awaitable[Answer]]
Do = Callable[..., Awaitable[dict[str, Any]]]
TOOL = {tool.name: tool for tool in TOOLS}
LEG: dict[str, Any] = {
    "order": 0,
    "title": "Gion",
    "destination": "Kyoto",
    "startDate": "2026-11-01",
    "endDate": "2026-11-05",
    "timezone": "Asia/Tokyo",
}


def without_trip(thing: dict[str, Any]) -> dict[str, Any]:
    """As it is in a list of its trip."""
    return {name: value for name, value in thing.items() if name != "tripId"}


async def test_text_and_structured_content_say_the_same_without_nulls(call: Call, trip_id: str) -> None:
    answer = await call("get_trip", tripId=trip_id)

    assert answer.structured is not None
    assert json.loads(answer.text) == answer.structured
    assert answer.structured["title"] == "Kyoto"
    assert None not in answer.structured.values()


async def test_a_model_can_fill_a_trip_and_read_it_back(do: Do, trip_id: str) -> None:
    leg = await do("create_leg", tripId=trip_id, **LEG, accommodation={"name": "Ryokan", "doorCode": "K1234"})
    pin = await do("create_map_pin", tripId=trip_id, name="Kinkaku-ji", lat=35.0394, lng=135.7292)
    await do(
        "create_commitment",
        tripId=trip_id,
        title="Dinner",
        startDate="2026-11-02",
        category="dinner",
        startTime="19:30",
        legId=leg["_id"],
        mapPinId=pin["_id"],
    )

    export = await do("export_trip", tripId=trip_id)

    assert export["legs"] == [without_trip(leg)]
    assert export["mapPins"] == [without_trip(pin)]
    assert export["commitments"][0]["legId"] == leg["_id"]


async def test_a_deletion_answers_with_the_deleted_id(do: Do, trip_id: str) -> None:
    leg = await do("create_leg", tripId=trip_id, **LEG)

    assert await do("delete_leg", tripId=trip_id, legId=leg["_id"]) == {"deleted": leg["_id"]}
    await do("create_share_token", tripId=trip_id)
    assert await do("revoke_share_token", tripId=trip_id) == {"revoked": True}


async def test_cleared_fields_are_gone_and_the_rest_stays(do: Do, trip_id: str) -> None:
    stay = {"name": "Ryokan", "doorCode": "K1234"}
    leg = await do("create_leg", tripId=trip_id, **LEG, accommodation=stay, rentalCar={"company": "Oku"})

    changed = await do("update_leg", tripId=trip_id, legId=leg["_id"], clear=["accommodation.doorCode", "rentalCar"])

    assert changed == {
        **{k: v for k, v in leg.items() if k != "rentalCar"},
        "accommodation": {"name": "Ryokan"},
    }


async def test_json_in_strings_and_nulls_for_optional_arguments_are_understood(do: Do, trip_id: str) -> None:
    leg = await do(
        "create_leg",
        tripId=trip_id,
        **LEG,
        accommodation='{"name": "Ryokan", "notes": null}',
        flights='[{"from": "LHR", "to": "HND"}]',
        rentalCar=None,
        clientRef=None,
    )
    report = await do("upsert_legs", tripId=trip_id, items=json.dumps([{**LEG, "accommodation": None}]))

    assert leg["accommodation"] == {"name": "Ryokan"}
    assert leg["flights"] == [{"from": "LHR", "to": "HND"}]
    assert "rentalCar" not in leg
    assert report["created"] == 1


async def test_numbers_and_switches_in_strings_are_understood(do: Do, trip_id: str) -> None:
    pin = await do("create_map_pin", tripId=trip_id, name="Inari", lat="35.01", lng=" 135.77 ")
    leg = await do("create_leg", tripId=trip_id, **{**LEG, "order": "1", "title": "2027"})
    todo = await do("create_action_item", tripId=trip_id, text="Book", urgency="now")
    done = await do("update_action_item", tripId=trip_id, itemId=todo["_id"], completed="True")
    pages = await do("list_legs", tripId=trip_id, limit="1")
    preview = await do("sync_trip", tripId=trip_id, dryRun="true", legs=[{**LEG, "order": "2", "clientRef": "nara"}])

    assert (pin["lat"], pin["lng"]) == (35.01, 135.77)
    assert (leg["order"], leg["title"]) == (1, "2027")
    assert done["completed"] is True
    assert len(pages["items"]) == 1
    assert preview["legs"]["created"] == 1
    assert len((await do("list_legs", tripId=trip_id))["items"]) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("lat", "35,01"), ("lat", "north"), ("lat", "true"), ("lat", "NaN"), ("lat", "[35]"), ("lat", ""), ("order", "x")],
)
async def test_a_string_that_is_not_a_number_is_refused(field: str, value: str, call: Call, trip_id: str) -> None:
    tool, known = ("create_leg", LEG) if field == "order" else ("create_map_pin", {"name": "Inari", "lng": 135.7})

    answer = await call(tool, tripId=trip_id, **{**known, field: value})

    assert answer.is_error
    assert f" {field}: " in answer.text


async def test_an_empty_string_for_an_optional_field_counts_as_absent(do: Do, trip_id: str) -> None:
    blank = {"clientRef": "", "accommodation": {"name": "Ryokan", "notes": "", "checkIn": ""}, "rentalCar": ""}
    leg = await do("create_leg", tripId=trip_id, **LEG, **blank)
    changed = await do("update_leg", tripId=trip_id, legId=leg["_id"], title="Nara", destination="", startDate="")
    legs = await do("list_legs", tripId=trip_id, cursor="", limit="", fields="")

    assert leg["accommodation"] == {"name": "Ryokan"}
    assert not {"clientRef", "rentalCar"} & leg.keys()
    assert changed == {**leg, "title": "Nara"}
    assert [each["_id"] for each in legs["items"]] == [leg["_id"]]


async def test_an_update_of_nothing_but_an_empty_string_asks_for_clear(call: Call, do: Do, trip_id: str) -> None:
    pin = await do("create_map_pin", tripId=trip_id, name="Inari", lat=35, lng=135, notes="Go early")

    answer = await call("update_map_pin", tripId=trip_id, pinId=pin["_id"], notes="")
    cleared = await do("update_map_pin", tripId=trip_id, pinId=pin["_id"], clear='["notes"]')

    assert answer.is_error
    assert answer.text == 'Not sent: "" changes nothing. To empty notes, send clear: ["notes"].'
    assert "notes" not in cleared


@pytest.mark.parametrize("blank", [{"title": ""}, {"title": "", "status": ""}])
async def test_an_update_of_nothing_but_an_empty_required_field_does_not_advise_clear(
    blank: dict[str, str], call: Call, trip_id: str
) -> None:
    answer = await call("update_trip", tripId=trip_id, **blank)

    assert answer.is_error
    assert "clear" not in answer.text
    assert answer.text.endswith(f"{' and '.join(sorted(blank))} cannot be emptied; send a new value.")


async def test_an_empty_list_counts_as_an_empty_object_in_arguments_too(do: Do, call: Call, trip_id: str) -> None:
    leg = await do("create_leg", tripId=trip_id, **LEG, accommodation=[])
    answer = await call("plan_changes", tripId=trip_id, changes=[{"tool": "create_map_pin", "arguments": []}])

    assert "accommodation" not in leg or leg["accommodation"] == {}
    assert "name: required" in answer.text


async def test_every_fault_of_the_arguments_is_named_in_one_sentence(call: Call, trip_id: str) -> None:
    answer = await call(
        "create_leg",
        tripId=trip_id,
        title="",
        destination=7,
        startDate="2026-02-30",
        endDate="2026-03-01",
        timezone="Mars/Olympus",
        flights=[{"departure": "tomorrow"}],
        colour="red",
    )

    assert answer.is_error
    assert answer.text == (
        "Not sent. Fix the arguments of create_leg: order: required; title: must not be empty; "
        "destination: expected text; startDate: not a real date, expected YYYY-MM-DD; "
        "timezone: not an IANA time zone, expected a name like Europe/London; "
        "flights.0.departure: not a local date and time, expected YYYY-MM-DDTHH:mm without an offset; "
        "colour: unknown field; accepted: tripId, order, title, destination, startDate, endDate, timezone, "
        "accommodation, flights, rentalCar, clientRef."
    )


@pytest.mark.parametrize(
    ("tool", "arguments", "fault"),
    [
        ("create_map_pin", {"name": "North", "lat": 90.5, "lng": 0}, "lat: expected at most 90"),
        ("create_map_pin", {"name": "Nowhere", "lat": float("nan"), "lng": 0}, "lat: expected a finite number"),
        ("create_map_pin", {"name": "Far", "lat": 0, "lng": float("inf")}, "lng: expected"),
        ("list_legs", {"limit": 201}, "limit: expected at most 200"),
        ("list_legs", {"limit": True}, "limit: expected a whole number"),
        ("update_trip", {"status": "cancelled"}, "status: expected one of draft, active, completed"),
        ("update_trip", {"startDate": "2026-11-10", "endDate": "2026-11-01"}, "endDate: is before startDate"),
        ("update_trip", {"clear": ["title"]}, "title: required, cannot be cleared"),
        ("update_leg", {"legId": "leg_1", "clear": ["tripId"]}, "tripId: unknown field, cannot be cleared"),
        ("update_leg", {"legId": "leg_1", "clear": ["flights.0"]}, "flights.0: only a whole field"),
        (
            "update_commitment",
            {"commitmentId": "c", "notes": "x", "clear": ["notes"]},
            "notes: both set and cleared",
        ),
        ("upsert_legs", {"items": []}, "items: must not be empty"),
        ("upsert_legs", {"items": [LEG] * 501}, "items: at most 500 items"),
        ("upsert_legs", {"items": [LEG, {"title": "x"}]}, "items.1.order: required"),
        ("send_message", {"channelId": "c", "content": "a\0b"}, "content: must not contain the NUL"),
        ("delete_leg", {"legId": "a/b"}, "legId: not an id"),
        ("delete_leg", {"legId": ".."}, "legId: not an id"),
        ("delete_leg", {"legId": "%2e%2e"}, "legId: not an id"),
        ("delete_leg", {"legId": "a\0"}, "legId: not an id"),
        ("delete_leg", {"legId": "x" * 10_000}, "legId: at most 256 characters"),
        ("create_leg", {**LEG, "accommodation": {"doorcode": "1"}}, "accommodation.doorcode: unknown field"),
        ("create_leg", {**LEG, "accommodation": "Ryokan"}, "accommodation: expected an object"),
    ],
)
async def test_bad_arguments_are_refused_and_change_nothing(
    call: Call, do: Do, trip_id: str, tool: str, arguments: dict[str, Any], fault: str
) -> None:
    before = await do("export_trip", tripId=trip_id)

    answer = await call(tool, tripId=trip_id, **arguments)

    assert answer.is_error
    assert fault in answer.text
    assert answer.text.startswith("Not sent. Fix the arguments")
    assert await do("export_trip", tripId=trip_id) == before


async def test_a_refused_secret_is_not_repeated(call: Call, trip_id: str) -> None:
    answer = await call("create_leg", tripId=trip_id, **LEG, accommodation={"doorCode": {"code": "s3cret-4711"}})

    assert answer.is_error
    assert "accommodation.doorCode: expected text" in answer.text
    assert "K4711" not in answer.text


async def test_a_missing_item_is_reported_with_the_tool_that_lists_it(call: Call, trip_id: str) -> None:
    answer = await call("update_leg", tripId=trip_id, legId="leg_nowhere", title="x")

    assert answer.is_error
    assert answer.text.startswith("NOT_FOUND (404): ")
    assert "Look the id up with list_legs." in answer.text
    assert "Request req_" in answer.text


async def test_the_services_validation_errors_are_reported_field_by_field(call: Call, trip_id: str) -> None:
    answer = await call(
        "create_commitment",
        tripId=trip_id,
        title="x",
        startDate="2026-11-02",
        category="other",
        legId="leg_0",
    )

    assert answer.is_error
    assert answer.text.startswith("VALIDATION_ERROR (400): ")
    assert "legId: " in answer.text


def service(answer: Callable[[httpx.Request], httpx.Response]) -> TripsClient:
    """Its clock stands still except when someone would sleep, and then nobody does."""
    now = [1000.0]

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    endpoint = Endpoint("https://api.test/api/v1", "osk_test", httpx.MockTransport(answer))
    return TripsClient(trips=endpoint, events=None, clock=lambda: now[0], sleep=sleep)


def refused(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def bad_gateway(_: httpx.Request) -> httpx.Response:
    return httpx.Response(502, html="<h1>Bad gateway</h1>")


def unanswered(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("too slow", request=request)


def says(status: int, code: str, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    body = {"error": {"code": code, "message": "No.", "requestId": "req_7"}}
    return lambda _: httpx.Response(status, json=body, headers=headers)


@pytest.mark.parametrize(
    ("answer", "tool", "arguments", "said"),
    [
        (
            says(401, "UNAUTHORIZED"),
            "list_trips",
            {},
            ["UNAUTHORIZED (401)", "ask the user", "Request req_7."],
        ),
        (says(403, "FORBIDDEN"), "archive_trip", {"tripId": "t"}, ["FORBIDDEN (403)", "scope trips:write"]),
        (
            says(429, "RATE_LIMITED", **{"Retry-After": "77"}),
            "list_trips",
            {},
            ["RATE_LIMITED (429)", "wait 77 seconds, then call list_trips again"],
        ),
        (says(409, "IDEMPOTENCY_CONFLICT"), "archive_trip", {"tripId": "t"}, ["(409)", "current state"]),
        (says(500, "INTERNAL_ERROR"), "list_trips", {}, ["Nothing was changed: call list_trips again"]),
        (
            says(500, "INTERNAL_ERROR"),
            "archive_trip",
            {"tripId": "t"},
            [
                "Outcome unknown: the service failed (500). "
                "Calling archive_trip again with the same arguments is safe: "
                "it will not be done twice. To check: get_trip."
            ],
        ),
        (refused, "list_trips", {}, ["Nothing was changed: call list_trips again"]),
        (refused, "archive_trip", {"tripId": "t"}, ["Nothing was changed: call archive_trip again"]),
        (
            unanswered,
            "send_message",
            {"tripId": "t", "channelId": "c", "content": "hi"},
            [
                "Outcome unknown: the service did not answer. Calling send_message again with the same arguments is "
                "safe: it will not be sent twice. To check: list_messages."
            ],
        ),
        (
            bad_gateway,
            "list_trips",
            {},
            ["(502)", "Nothing was changed"],
        ),
    ],
)
async def test_a_failing_service_is_reported_with_the_next_step(
    answer: Callable[[httpx.Request], httpx.Response], tool: str, arguments: dict[str, Any], said: list[str]
) -> None:
    async def unheard(progress: float, total: float | None, message: str | None) -> None: ...

    async with service(answer) as client:
        told = await TOOL[tool].call(client, arguments, unheard)

    assert told.is_error
    assert all(words in told.text for words in said), told.text
    assert "<h1>" not in told.text
    assert "osk_test" not in told.text


async def test_a_tool_of_an_api_without_a_key_says_so() -> None:
    async def unheard(progress: float, total: float | None, message: str | None) -> None: ...

    async with service(refused) as client:
        told = await TOOL["get_event"].call(client, {"event_id": 1}, unheard)

    assert told.is_error
    assert "TRAVELMODE_TOKEN" in told.text
