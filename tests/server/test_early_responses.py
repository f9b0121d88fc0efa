"""Early responses equal the SDK's, and the client does not notice the handover."""

import json
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp_types import version

from trips_mcp.client import CannotConnectError, TripsClient
from trips_mcp.server.jsonrpc import CAPABILITIES_KEY, CLIENT_KEY, PREFIX, VERSION_KEY, Batch, Inbox
from trips_mcp.server.offer import Offer, offer
from trips_mcp.server.server import build_server
from trips_mcp.server.stdio import early_responses
from trips_mcp.server.stdio.early_responses import NOTHING, EarlyResponses
from trips_mcp.server.stdio.session import converse
from trips_mcp.settings import Settings

Message = dict[str, Any]


@asynccontextmanager
async def nowhere() -> AsyncGenerator[TripsClient]:
    """Opened as late as it can be, so that a list of trips is answered after what does not need one."""
    await anyio.lowlevel.checkpoint()
    if OFFERS:
        raise CannotConnectError("The database is a folder; name a file.")
    yield cast("TripsClient", None)


def offered(**env: str) -> Offer:
    return replace(offer(Settings.from_env({"OSOTO_API_KEY": "osk_test", **env})), connect=nowhere)


OFFERS = [
    offered(),
    offered(TRIPS_MCP_TRIP="jx7abc"),
    offered(TRIPS_MCP_TOOLSETS="trips"),
    offered(TRIPS_MCP_TOOLSETS="messages"),
    offered(TRIPS_MCP_TOOLSETS="map_pins", TRIPS_MCP_TOOLS="upsert_legs"),
]
OFFER = OFFERS[0]

CAPABILITIES: list[Any] = [
    {},
    {"roots": {"listChanged": True}, "sampling": {}, "elicitation": {"form": {}, "url": {}}},
    {"experimental": {"x/y": {"deep": [1, {"any": None}]}}, "extensions": {"io.modelcontextprotocol/ui": {"a": ["b"]}}},
    {"tasks": {"cancel": {}, "list": {}, "requests": {"sampling": {"createMessage": {}}}}},
    {"unheard/of": {}},
    {"roots": {"listChanged": {}}},
    {"roots": 5},
    {"sampling": {"tools": True}},
    {"experimental": {"x": 1}},
    {"elicitation": None},
    None,
    [],
]
CLIENTS: list[Any] = [
    {"name": "claude-code", "title": "Claude Code", "version": "9.9", "websiteUrl": "https://example.com"},
    {"name": "c", "version": "1", "icons": [{"src": "data:,", "mimeType": "image/png"}]},
    {"name": "c", "version": "1", "icons": [{"mimeType": "image/png"}]},
    {"name": "c", "version": "1", "unheardOf": 1},
    {"name": "c"},
    {"name": "c", "version": 1},
    {"name": "\ud800", "version": "1"},
    "client",
]
HANDSHAKE: Message = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENTS[0]}
VERSIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28", "1999-01-01", 7]
METAS: list[Any] = [{}, {"progressToken": 1}, {"progressToken": [1]}, {"com.example/x": [1]}, None, "meta"]
RESTS: list[Message] = [{}, {"progressToken": 1}, {"progressToken": 1.5}, {PREFIX + "logLevel": "loud"}]
METHODS = ["tools/list", "ping", "server/discover", "prompts/list", "resources/list", "resources/templates/list"]
OTHER_METHODS = ["logging/setLevel", "prompts/get", "unheard/of", "notifications/initialized", "subscriptions/listen"]


def enveloped(version: Any, capabilities: Any, client: Any, rest: Any) -> Message:
    meta = {
        VERSION_KEY: version,
        CAPABILITIES_KEY: capabilities,
        CLIENT_KEY: client,
    }
    return {"_meta": {**meta, **rest}}


def mostly(usual: Any, *odd: Any) -> st.SearchStrategy[Any]:
    return st.one_of(st.just(usual), st.just(usual), st.just(usual), *(st.sampled_from(each) for each in odd))


handshakes = st.fixed_dictionaries(
    {
        "protocolVersion": mostly("2025-11-25", VERSIONS),
        "capabilities": mostly({}, CAPABILITIES),
        "clientInfo": mostly(CLIENTS[0], CLIENTS),
    },
    optional={"_meta": st.sampled_from(METAS)},
)
envelopes = st.builds(
    enveloped,
    mostly("2026-07-28", VERSIONS),
    mostly({}, CAPABILITIES),
    mostly(CLIENTS[0], CLIENTS),
    st.sampled_from(RESTS),
)
PLAIN_PARAMS: list[Message] = [{}, {"cursor": "x"}, {"odd": 1}, *({"_meta": meta} for meta in METAS)]
bare = mostly({}, PLAIN_PARAMS)
methods = st.sampled_from([*METHODS, *METHODS, *OTHER_METHODS])
requests = st.one_of(
    st.tuples(st.just("initialize"), st.one_of(handshakes, handshakes, envelopes, bare)),
    st.tuples(methods, bare),
    st.tuples(methods, envelopes),
)
conversations = st.lists(requests, min_size=1, max_size=6)


@settings(max_examples=80, deadline=None)
@given(conversations, st.sampled_from(OFFERS))
def test_early_responses_equal_those_of_the_sdk(conversation: list[tuple[str, Any]], offered: Offer) -> None:
    assert_same_answers(conversation, offered)


@pytest.mark.soak
@settings(max_examples=2000, deadline=None)
@given(conversations, st.sampled_from(OFFERS))
def test_early_responses_to_many_openings_equal_those_of_the_sdk(
    conversation: list[tuple[str, Any]], offered: Offer
) -> None:
    assert_same_answers(conversation, offered)


def assert_same_answers(conversation: list[tuple[str, Any]], offered: Offer) -> None:
    messages = [request(number, method, params) for number, (method, params) in enumerate(conversation)]

    assert anyio.run(answers, messages, True, offered) == anyio.run(answers, messages, False, offered)


ODD_OPENINGS: list[tuple[str, Message]] = [
    *(("initialize", {**HANDSHAKE, "capabilities": each}) for each in CAPABILITIES),
    *(("initialize", {**HANDSHAKE, "clientInfo": each}) for each in CLIENTS),
    *(("initialize", {**HANDSHAKE, "protocolVersion": each}) for each in VERSIONS),
    *(("initialize", {**HANDSHAKE, "_meta": each}) for each in METAS),
    *(("tools/list", enveloped("2026-07-28", each, CLIENTS[0], {})) for each in CAPABILITIES),
    *(("tools/list", enveloped("2026-07-28", {}, each, {})) for each in CLIENTS),
    *(("tools/list", enveloped(each, {}, CLIENTS[0], {})) for each in VERSIONS),
    *(("tools/list", enveloped("2026-07-28", {}, CLIENTS[0], each)) for each in RESTS),
]


@pytest.mark.parametrize("opening", ODD_OPENINGS)
async def test_early_responses_to_odd_openings_equal_those_of_the_sdk(opening: tuple[str, Any]) -> None:
    method, params = opening
    messages = [
        request(0, method, params),
        *(request(number, "ping", {}) for number in (1, 2)),
        *(request(number, "tools/list", params) for number in (3, 4)),
        request(5, "unheard/of", {}),
    ]

    assert await answers(messages, True) == await answers(messages, False)


VERSIONS_OF_OLD = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
LISTS = ["tools/list", "prompts/list", "resources/templates/list", "resources/list"]
ENVELOPE = enveloped("2026-07-28", {}, CLIENTS[0], {})


@pytest.mark.parametrize("offered", OFFERS)
@pytest.mark.parametrize("version", VERSIONS_OF_OLD)
async def test_lists_after_a_handshake_equal_those_of_the_sdk(version: str, offered: Offer) -> None:
    messages = [
        request(0, "initialize", {**HANDSHAKE, "protocolVersion": version}),
        *(request(number, method, {}) for number, method in enumerate(LISTS, 1)),
    ]

    assert await answers(messages, True, offered) == await answers(messages, False, offered)


@pytest.mark.parametrize("offered", OFFERS)
async def test_lists_without_a_handshake_equal_those_of_the_sdk(offered: Offer) -> None:
    messages = [request(number, method, ENVELOPE) for number, method in enumerate(["server/discover", *LISTS])]

    assert await answers(messages, True, offered) == await answers(messages, False, offered)


ANNOUNCED: list[tuple[Any, bool]] = [
    ({"mimeTypes": ["text/html;profile=mcp-app"]}, True),
    ({}, True),
    ({"mimeTypes": ["text/html"]}, False),
    ({"mimeTypes": "text/html;profile=mcp-app"}, False),
    ({"mimeTypes": None}, False),
]


@pytest.mark.parametrize(("announced", "draws"), ANNOUNCED, ids=str)
async def test_a_host_that_may_draw_gets_the_lists_of_the_sdk(announced: Message, draws: bool) -> None:
    capabilities = {"extensions": {"io.modelcontextprotocol/ui": announced}}
    envelope = enveloped("2026-07-28", capabilities, CLIENTS[0], {})
    old = [request(0, "initialize", {**HANDSHAKE, "capabilities": capabilities}), request(1, "tools/list", {})]
    new = [request(0, "server/discover", envelope), request(1, "tools/list", envelope)]

    for messages in (old, new):
        early, late = await answers(messages, True), await answers(messages, False)

        assert early == late
        assert ("ui://trips-mcp/trip.html" in json.dumps(early[1])) is draws


@pytest.mark.parametrize("opening", [*VERSIONS_OF_OLD, "2031-01-01"])
def test_a_handshake_of_any_version_gets_an_early_response(opening: str) -> None:
    front = EarlyResponses(OFFER)
    handshake = {**HANDSHAKE, "protocolVersion": opening, "capabilities": CAPABILITIES[1]}
    messages = [request(0, "initialize", handshake), *(request(1, each, {}) for each in METHODS)]

    answered = {message["method"]: front.answer(message) for message in messages}

    assert [method for method, reply in answered.items() if reply is None] == ["server/discover"]
    assert [method for method, reply in answered.items() if reply == NOTHING] == ["resources/list"]


def test_the_era_without_a_handshake_gets_early_responses() -> None:
    front = EarlyResponses(OFFER)
    envelope = enveloped("2026-07-28", CAPABILITIES[2], CLIENTS[1], {"progressToken": 1})

    answered = {method: front.answer(request(1, method, envelope)) for method in METHODS}

    assert [method for method, reply in answered.items() if reply is None] == ["ping"]
    assert [method for method, reply in answered.items() if reply == NOTHING] == ["resources/list"]


@pytest.mark.parametrize("envelope", [None, ENVELOPE], ids=["handshake", "envelope"])
async def test_a_host_that_first_lists_resources_gets_other_lists_at_once(envelope: Message | None) -> None:
    opening = request(0, "initialize", HANDSHAKE) if envelope is None else request(0, "server/discover", envelope)
    asked = [request(number, method, envelope or {}) for number, method in enumerate(reversed(LISTS), 1)]
    front = EarlyResponses(OFFER)

    answered = [front.answer(message) for message in (opening, *asked)]

    assert [reply == NOTHING for reply in answered] == [False, True, False, False, False]
    assert None not in answered
    assert front.has_deferred
    assert await answers([opening, *asked], True) == await answers([opening, *asked], False)


async def test_a_list_that_waits_can_still_be_cancelled() -> None:
    opening, listing = request(0, "initialize", HANDSHAKE), request(1, "resources/list", {})
    cancelled: Message = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}

    assert set(await answers([opening, listing], True)) == {0, 1}
    assert set(await answers([opening, listing, cancelled], True)) == {0}


def test_it_knows_the_protocol_versions_of_the_sdk() -> None:
    assert early_responses.HANDSHAKE_VERSIONS == version.HANDSHAKE_PROTOCOL_VERSIONS
    assert (early_responses.ENVELOPE_VERSION,) == version.MODERN_PROTOCOL_VERSIONS


def test_it_answers_before_anything_big_is_imported() -> None:
    program = """
import sys, trips_mcp.server.stdio.transport as stdio
from trips_mcp.settings import Settings
stdio.EarlyResponses(stdio.offer(Settings.from_env({})))
big = ("mcp", "pydantic", "asyncio", "httpx", "sqlalchemy", "logging")
print(*(name for name in big if name in sys.modules))
"""

    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=30)

    assert found.stdout.split() == []


def request(number: int, method: str, params: Any) -> Message:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


async def answers(messages: list[Message], at_once: bool, offered: Offer = OFFER) -> dict[int, Message]:
    """What a client gets that sends these all at once, by the id of the request."""
    said = Said()
    inbox = Inbox()
    inbox.feed("".join(json.dumps(message) + "\n" for message in messages).encode())
    if at_once and not answered_by_the_front(inbox, said, offered):
        return said.by_id()
    inbox.feed(b"")
    with anyio.fail_after(10):
        await converse(build_server(offered), inbox, said, said)
    return said.by_id()


def answered_by_the_front(inbox: Inbox, said: "Said", offered: Offer) -> bool:
    """Whether something is left for the SDK; then it is in the inbox."""
    front = EarlyResponses(offered)
    while (message := inbox.next()) is not None:
        reply = None if isinstance(message, Batch) else front.answer(message)
        if reply is None:
            inbox.put_back([*front.replay(), message])
            return True
        said.put(reply)
    inbox.put_back(front.replay() if front.has_deferred else [])
    return front.has_deferred


class Said:
    """An output that remembers, and an input that has ended."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    async def read(self) -> bytes:
        return b""

    def put(self, line: bytes) -> int:
        self._lines += [line] if line else []
        return 0

    async def written(self, position: int | None = None) -> bool:
        await anyio.lowlevel.checkpoint()
        return True

    def is_read(self, position: int) -> bool:
        return True

    def has_reader(self) -> bool:
        return True

    def by_id(self) -> dict[int, Message]:
        found = [json.loads(line) for line in self._lines]
        assert len({message["id"] for message in found}) == len(found), found
        return {message["id"]: message for message in found}
