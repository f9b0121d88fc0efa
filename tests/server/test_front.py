"""The front says what the SDK would say, to the letter, and hands over without the client noticing."""

import json
import subprocess
import sys
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp_types import version

from trips_mcp.server import understood
from trips_mcp.server.front import Front
from trips_mcp.server.inbox import Inbox
from trips_mcp.server.offer import offer
from trips_mcp.server.server import build_server
from trips_mcp.server.streams import converse
from trips_mcp.settings import Settings

Message = dict[str, Any]

OFFER = offer(Settings.from_env({"OSOTO_API_KEY": "osk_test"}))

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
RESTS: list[Message] = [{}, {"progressToken": 1}, {"progressToken": 1.5}, {understood.PREFIX + "logLevel": "loud"}]
METHODS = ["tools/list", "ping", "server/discover", "prompts/list", "resources/list", "resources/templates/list"]
OTHER_METHODS = ["logging/setLevel", "prompts/get", "unheard/of", "notifications/initialized", "subscriptions/listen"]


def enveloped(version: Any, capabilities: Any, client: Any, rest: Any) -> Message:
    meta = {understood.VERSION_KEY: version, understood.CAPABILITIES_KEY: capabilities, understood.CLIENT_KEY: client}
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
@given(conversations)
def test_with_the_front_every_answer_is_the_one_without(conversation: list[tuple[str, Any]]) -> None:
    assert_same_answers(conversation)


@pytest.mark.soak
@settings(max_examples=5000, deadline=None)
@given(conversations)
def test_with_the_front_every_answer_of_many_is_the_one_without(conversation: list[tuple[str, Any]]) -> None:
    assert_same_answers(conversation)


def assert_same_answers(conversation: list[tuple[str, Any]]) -> None:
    messages = [request(number, method, params) for number, (method, params) in enumerate(conversation)]

    assert anyio.run(answers, messages, True) == anyio.run(answers, messages, False)


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
async def test_however_odd_the_opening_is(opening: tuple[str, Any]) -> None:
    method, params = opening
    messages = [
        request(0, method, params),
        *(request(number, "ping", {}) for number in (1, 2)),
        *(request(number, "tools/list", params) for number in (3, 4)),
        request(5, "unheard/of", {}),
    ]

    assert await answers(messages, True) == await answers(messages, False)


@pytest.mark.parametrize("opening", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2031-01-01"])
def test_a_handshake_of_any_version_is_answered_by_the_front_alone(opening: str) -> None:
    front = Front(OFFER)
    handshake = {**HANDSHAKE, "protocolVersion": opening, "capabilities": CAPABILITIES[1]}
    messages = [request(0, "initialize", handshake), *(request(1, each, {}) for each in METHODS)]

    answered = [front.answer(message) for message in messages]

    assert [reply is None for reply in answered] == [False, False, False, True, False, False, False]


def test_the_era_without_a_handshake_is_answered_by_the_front_alone() -> None:
    front = Front(OFFER)
    envelope = enveloped("2026-07-28", CAPABILITIES[2], CLIENTS[1], {"progressToken": 1})

    answered = [front.answer(request(1, method, envelope)) for method in METHODS]

    assert [reply is None for reply in answered] == [False, True, False, False, False, False]


def test_it_knows_the_protocol_versions_of_the_sdk() -> None:
    assert understood.HANDSHAKE_VERSIONS == version.HANDSHAKE_PROTOCOL_VERSIONS
    assert (understood.ENVELOPE_VERSION,) == version.MODERN_PROTOCOL_VERSIONS


def test_it_answers_before_anything_big_is_imported() -> None:
    program = """
import sys, trips_mcp.server.stdio as stdio
from trips_mcp.settings import Settings
stdio.Front(stdio.offer(Settings.from_env({})))
print(*(name for name in ("mcp", "pydantic", "asyncio", "httpx", "sqlalchemy", "logging") if name in sys.modules))
"""

    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=30)

    assert found.stdout.split() == []


def request(number: int, method: str, params: Any) -> Message:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


async def answers(messages: list[Message], at_once: bool) -> dict[int, Message]:
    """What a client gets that sends these all at once, by the id of the request."""
    said = Said()
    inbox = Inbox()
    inbox.feed("".join(json.dumps(message) + "\n" for message in messages).encode())
    if at_once and not answered_by_the_front(inbox, said):
        return said.by_id()
    inbox.feed(b"")
    with anyio.fail_after(10):
        await converse(build_server(OFFER), inbox, said, said)
    return said.by_id()


def answered_by_the_front(inbox: Inbox, said: "Said") -> bool:
    """Whether something is left for the SDK; then it is in the inbox."""
    front = Front(OFFER)
    while (message := inbox.next()) is not None:
        reply = front.answer(message)
        if reply is None:
            inbox.put_back([*front.replay(), message])
            return True
        said.put(reply)
    return False


class Said:
    """An output that remembers, and an input that has ended."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    async def read(self) -> bytes:
        return b""

    def put(self, line: bytes) -> None:
        self._lines += [line] if line else []

    async def drained(self) -> None:
        await anyio.lowlevel.checkpoint()

    def by_id(self) -> dict[int, Message]:
        found = [json.loads(line) for line in self._lines]
        assert len({message["id"] for message in found}) == len(found), found
        return {message["id"]: message for message in found}
