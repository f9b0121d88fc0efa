"""The requests of hosts at the start of a real process: lists at once, trips as soon as they are known."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from trips_mcp.server.jsonrpc import CAPABILITIES_KEY, CLIENT_KEY, VERSION_KEY

if TYPE_CHECKING:
    from .conftest import Start

CLIENT = {"name": "test", "version": "1"}
ENVELOPE: dict[str, Any] = {
    VERSION_KEY: "2026-07-28",
    CAPABILITIES_KEY: {},
    CLIENT_KEY: CLIENT,
}
HANDSHAKE: dict[str, Any] = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT}
BY_HANDSHAKE = pytest.param(False, id="handshake")
ENVELOPED = pytest.param(True, id="envelope")
ERAS = pytest.mark.parametrize("enveloped", [BY_HANDSHAKE, ENVELOPED])
ONE_ERA = pytest.mark.parametrize(
    "enveloped", [BY_HANDSHAKE, pytest.param(True, id="envelope", marks=pytest.mark.soak)]
)
"""Where the two differ in nothing but the words: the other is left to `make soak`."""
ASKED = ["resources/list", "tools/list", "prompts/list", "resources/templates/list"]


def opening(enveloped: bool) -> bytes:
    """All that a host says at once: it opens, asks for the trips, then for what needs nobody to be asked."""
    params = {"_meta": ENVELOPE} if enveloped else {}
    first = line("open", "server/discover", params) if enveloped else line("open", "initialize", HANDSHAKE)
    ready = b"" if enveloped else line(None, "notifications/initialized", {})
    return first + ready + b"".join(line(method, method, params) for method in ASKED)


def line(request_id: str | None, method: str, params: dict[str, Any]) -> bytes:
    known = {} if request_id is None else {"id": request_id}
    return json.dumps({"jsonrpc": "2.0", **known, "method": method, "params": params}).encode() + b"\n"


@ERAS
async def test_listing_resources_first_delays_no_other_list(start: "Start", enveloped: bool) -> None:
    child = await start(real=True)

    await child.write(opening(enveloped))
    answers = [await child.receive() for _ in range(5)]

    assert [answer["id"] for answer in answers] == ["open", *ASKED[1:], ASKED[0]]
    assert [each["uriTemplate"] for each in answers[3]["result"]["resourceTemplates"]] == [
        "trips://{tripId}",
        "trips://{tripId}/day/{date}",
        "trips://{tripId}/export.json",
        "trips://{tripId}/calendar.ics",
        "trips://{tripId}/places.geojson",
        "trips://{tripId}/page.html",
    ]
    assert answers[4]["result"]["resources"] == []
    assert child.log == ""


@pytest.mark.parametrize(
    ("words", "enveloped"),
    [
        pytest.param([], True, id="front-envelope"),
        pytest.param(["plain"], False, id="plain-handshake"),
        pytest.param([], False, id="front-handshake", marks=pytest.mark.soak),
        pytest.param(["plain"], True, id="plain-envelope", marks=pytest.mark.soak),
    ],
)
async def test_requests_after_a_pending_resource_list_are_answered_too(
    start: "Start", enveloped: bool, words: list[str]
) -> None:
    meta = {"_meta": ENVELOPE} if enveloped else {}
    child = await start(*words)

    await child.write(opening(enveloped))
    await child.send("call", "tools/call", name="echo", arguments={"text": "in order"}, **meta)
    await child.end_input()

    answers = {message["id"]: message for message in await child.rest()}
    assert answers.keys() == {"open", "call", *ASKED}
    assert answers["call"]["result"]["content"][0]["text"] == "in order"
    assert [each["uri"] for each in answers["resources/list"]["result"]["resources"]] == ["trips://jx7"]


@ONE_ERA
async def test_a_resource_list_is_answered_after_the_end_of_input(start: "Start", enveloped: bool) -> None:
    child = await start()

    await child.write(opening(enveloped))
    await child.end_input()

    assert {message["id"] for message in await child.rest()} == {"open", *ASKED}
    assert await child.exit_code() == 0


@ONE_ERA
async def test_a_host_that_sends_nothing_after_a_resource_list_gets_it(start: "Start", enveloped: bool) -> None:
    child = await start()

    await child.write(opening(enveloped))
    listed = await child.answer("resources/list")
    await child.end_input()

    assert [each["uri"] for each in listed["result"]["resources"]] == ["trips://jx7"]
    assert await child.exit_code() == 0


@ONE_ERA
async def test_unreadable_trips_are_reported_in_one_sentence_and_the_server_continues(
    start: "Start", enveloped: bool, tmp_path: Path
) -> None:
    (tmp_path / "trips.db").mkdir()
    child = await start(real=True, TRIPS_MCP_DATABASE=str(tmp_path))

    await child.write(opening(enveloped))
    answers = {each["id"]: each for each in [await child.receive() for _ in range(5)]}
    await child.write(line("again", "prompts/list", {"_meta": ENVELOPE} if enveloped else {}))
    again = await child.answer("again")

    error = answers["resources/list"]["error"]
    assert error["code"] == -32603
    assert "folder" in error["message"]
    assert "\n" not in error["message"]
    assert len(again["result"]["prompts"]) == 4
