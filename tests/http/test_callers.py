"""Who may call: nobody without a key or with a rejected one, and everybody else what their key allows."""

import io
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.to_thread import run_sync
from mcp import Client, MCPError

from trips_mcp.cli.commands import run
from trips_mcp.server.http.accounts import MOST_CHECKS
from trips_mcp.tools.listing import entries

Serve = Callable[..., AbstractAsyncContextManager[Any]]
KeyFor = Callable[..., Awaitable[str]]

TRIPS_TOOLS = {entry["listing"]["name"] for entry in entries() if entry["api"] == "trips"}
EVENT_TOOLS = {entry["listing"]["name"] for entry in entries() if entry["api"] == "events"}


async def names(agent: Client) -> set[str]:
    return {tool.name for tool in (await agent.list_tools()).tools}


@pytest.mark.parametrize("path", ["/mcp", "/sse", "/messages/?session_id=0"])
async def test_a_request_without_a_key_learns_which_key_is_needed(path: str, team: Serve) -> None:
    async with team() as served:
        answer = await served.request("GET" if path == "/sse" else "POST", path)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="trips-mcp"'
    assert "Authorization: Bearer osk_" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "authorization",
    [
        "osk_alone",
        "Basic osk_x",
        "Bearer",
        "Bearer no-key-of-ours",
        "Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmVk",
        "Bearer osk_",
        "Bearer osk_two words",
        "Bearer osk_x, Bearer osk_y",
        "Bearer osk_" + "x" * 300,
        "Bearer osk_café",
    ],
)
async def test_a_malformed_key_is_not_sent_to_the_service(authorization: str, callers_of: Serve, service: Any) -> None:
    async with callers_of(service.address) as served:
        answer = await served.ask(headers={"Authorization": authorization.encode("latin-1")})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="trips-mcp", error="invalid_token"')
    assert service.asked == []
    assert authorization.partition(" ")[2] in ("", "osk_") or authorization not in answer.text


async def test_no_certificates_are_loaded_for_a_service_over_plain_http(
    callers_of: Serve, service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.keys = {"osk_a": None}
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file.pem")

    async with callers_of(service.address, events=True) as served:
        answer = await served.ask("tools/list", "osk_a")

    assert answer.status_code == 200


async def test_two_keys_are_refused(callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_a": [], "osk_b": []}
    headers = [("Authorization", "Bearer osk_a"), ("Authorization", "Bearer osk_b")]

    async with callers_of(service.address) as served:
        answer = await served.request("POST", "/mcp", headers=headers)

    assert answer.status_code == 401
    assert service.asked == []


async def test_a_rejected_key_is_refused_without_asking_the_service_again(callers_of: Serve, service: Any) -> None:
    async with callers_of(service.address) as served:
        answers = [await served.ask(key="osk_unknown") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [401] * 3
    assert all('error="invalid_token"' in answer.headers["www-authenticate"] for answer in answers)
    assert service.times_asked("/me", "osk_unknown") == 1
    assert "osk_unknown" not in "".join(answer.text for answer in answers)


async def test_concurrent_first_requests_ask_the_service_once(callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_a": ["trips:read"]}
    answers: list[int] = []

    async with callers_of(service.address) as served:

        async def one() -> None:
            answers.append((await served.ask(key="osk_a")).status_code)

        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(one)

    assert answers == [200] * 20
    assert service.times_asked("/me", "osk_a") == 1


@pytest.mark.parametrize(
    ("scopes", "offered", "not_offered"),
    [
        (["trips:read"], {"get_me", "list_trips", "get_shared_trip"}, {"create_trip", "list_channels", "send_message"}),
        (["trips:read:jx7"], {"list_trips", "list_legs"}, {"create_leg", "create_trip"}),
        (["trips:write:jx7"], {"create_leg", "get_me"}, {"create_trip", "list_trips"}),
        (["messages:read"], {"list_channels", "get_me"}, {"list_trips", "send_message"}),
        ([], {"get_me", "get_shared_trip"}, {"list_trips", "list_channels"}),
        (None, TRIPS_TOOLS, EVENT_TOOLS),
        (["trips:read", "planets:read"], TRIPS_TOOLS, EVENT_TOOLS),
    ],
    ids=["read", "read one trip", "write one trip", "messages", "nothing", "not reported", "one that is new"],
)
async def test_the_tools_are_those_that_the_key_allows(
    scopes: list[str] | None, offered: set[str], not_offered: set[str], callers_of: Serve, service: Any
) -> None:
    service.keys = {"osk_a": scopes}

    async with callers_of(service.address) as served, served.agent(key="osk_a") as agent:
        listed = await agent.list_tools()

    tools = {tool.name for tool in listed.tools}
    assert tools >= offered
    assert not tools & not_offered
    assert listed.cache_scope == "private"


async def test_no_text_mentions_a_tool_that_the_key_does_not_allow(callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_reader": ["trips:read"], "osk_writer": ["trips:read", "trips:write"]}

    async with callers_of(service.address) as served:
        async with served.agent(key="osk_reader") as agent:
            to_reader = [agent.instructions, *((await agent.list_tools()).tools)]
        async with served.agent(key="osk_writer") as agent:
            to_writer = [agent.instructions, *((await agent.list_tools()).tools)]

    for tool in ("create_trip", "sync_trip", "archive_trip"):
        assert tool not in str(to_reader)
        assert tool in str(to_writer)


async def test_no_answer_mentions_a_tool_that_the_key_does_not_allow(callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_posts": ["messages:read"], "osk_all": ["messages:read", "trips:read"]}

    async with callers_of(service.address) as served:
        async with served.agent(key="osk_posts") as agent:
            to_one = await agent.call_tool("list_channels", {"tripId": "nowhere"})
        async with served.agent(key="osk_all") as agent:
            to_other = await agent.call_tool("list_channels", {"tripId": "nowhere"})

    assert "NOT_FOUND (404)" in str(to_one.content)
    assert "list_trips" not in str(to_one.content)
    assert "Look the id up with list_trips." in str(to_other.content)


async def test_a_key_that_allows_none_of_what_was_chosen_has_no_tools(callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_a": ["trips:read"]}

    async with callers_of(service.address, toolsets="messages") as served, served.agent(key="osk_a") as agent:
        seen = await names(agent)

    assert seen == set()


@pytest.mark.parametrize("transport", ["http", "sse"])
async def test_two_callers_of_one_server_see_different_tools(transport: str, team: Serve, key_for: KeyFor) -> None:
    reader, writer = await key_for("a reader", "trips:read"), await key_for("a writer")

    async with (
        team() as served,
        served.agent(transport, reader) as of_reader,
        served.agent(transport, writer) as of_writer,
    ):
        seen = await names(of_reader), await names(of_writer)

    assert "create_trip" not in seen[0]
    assert "create_event" not in seen[0]
    assert "list_trip_events" in seen[0]
    assert seen[1] == TRIPS_TOOLS | EVENT_TOOLS


@pytest.mark.parametrize("era", ["ask", "ask_modern"])
async def test_a_call_that_the_scopes_forbid_is_a_403_before_anything_runs(
    era: str, callers_of: Serve, service: Any
) -> None:
    service.keys = {"osk_a": ["trips:read"]}

    async with callers_of(service.address) as served:
        ask = getattr(served, era)
        answer = await ask("tools/call", "osk_a", name="create_trip", arguments={"title": "Kyoto"})
        allowed = await ask("tools/call", "osk_a", name="list_trips", arguments={})

    assert answer.status_code == 403
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="trips-mcp", error="insufficient_scope", scope="trips:write"')
    assert (answer.json()["id"], answer.json()["error"]["code"]) == (1, -32000)
    assert "trips:write" in answer.json()["error"]["message"]
    assert allowed.status_code == 200
    assert service.asked == [("/me", "osk_a"), ("/trips", "osk_a")]


async def test_over_sse_the_403_is_also_sent_on_the_stream(callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_a": ["trips:read"]}

    async with callers_of(service.address) as served, served.agent("sse", "osk_a") as agent:
        with pytest.raises(MCPError, match="trips:write"):
            await agent.call_tool("create_trip", {})

    assert [line["status"] for line in served.lines if line.get("tool") == "create_trip"] == [403]
    assert service.asked == [("/me", "osk_a")]


async def test_events_need_a_token_of_their_own(callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_a": None, "tm_a": None}

    async with callers_of(service.address, events=True) as served:
        async with served.agent(key="osk_a") as agent:
            without = await names(agent)
            said = await agent.call_tool("get_event", {"event_id": 1})
        async with served.agent(key="osk_a", **{"X-Travelmode-Token": "tm_a"}) as agent:
            with_token = await names(agent)
            await agent.call_tool("get_event", {"event_id": 1})
        malformed = await served.ask(key="osk_a", headers={"X-Travelmode-Token": "two words"})

    assert not without & EVENT_TOOLS
    assert said.is_error
    assert with_token >= EVENT_TOOLS
    assert ("/v1/events/1", "tm_a") in service.asked
    assert ("/v1/events/1", "osk_a") not in service.asked
    assert malformed.status_code == 401


async def test_a_token_of_the_events_has_no_scopes(callers_of: Serve, service: Any) -> None:
    service.keys = {"osk_a": ["trips:read"], "tm_a": None}

    async with (
        callers_of(service.address, events=True) as served,
        served.agent(key="osk_a", **{"X-Travelmode-Token": "tm_a"}) as agent,
    ):
        seen = await names(agent)

    assert seen >= EVENT_TOOLS
    assert "create_trip" not in seen


async def test_while_the_service_is_down_a_known_key_is_served_and_an_unknown_one_gets_a_retry_after(
    callers_of: Serve, service: Any
) -> None:
    service.keys = {"osk_a": ["trips:read"], "osk_b": ["trips:read"]}

    async with callers_of(service.address) as served:
        before = await served.ask(key="osk_a")
        service.down = True
        known, unknown, made_up = [await served.ask(key=key) for key in ("osk_a", "osk_b", "osk_made_up")]
        service.down = False
        afterwards = await served.ask(key="osk_b")

    assert before.status_code == known.status_code == afterwards.status_code == 200
    assert known.json() == before.json()
    for answer in (unknown, made_up):
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert "try again in 5 seconds" in answer.json()["error"]["message"]


async def test_made_up_keys_at_a_silent_service_leave_no_request_hanging(callers_of: Serve, service: Any) -> None:
    """Their clients leave; each question that was begun for them ends, and callers with a key are served."""
    service.keys = {"osk_a": ["trips:read"]}
    service.silent = anyio.Event()

    async with callers_of(service.address) as served:
        async with anyio.create_task_group() as tasks:
            for number in range(48):
                tasks.start_soon(served.ask, "tools/list", f"osk_made_up_{number}")
            await service.was_asked(MOST_CHECKS)
            tasks.cancel_scope.cancel()
        service.silent.set()
        answer = await served.ask(key="osk_a")
        made_up = await served.ask(key="osk_made_up_1")

    assert answer.status_code == 200
    assert made_up.status_code == 401


async def test_nobody_needs_a_key_where_only_this_computer_can_call(local: Serve) -> None:
    async with local() as served:
        answer = await served.ask(headers={"Authorization": "Bearer whatever"})

    assert answer.status_code == 200
    assert {tool["name"] for tool in answer.json()["result"]["tools"]} == TRIPS_TOOLS | EVENT_TOOLS


async def test_a_key_that_the_service_refuses_in_a_call_is_refused_from_then_on(
    callers_of: Serve, service: Any
) -> None:
    service.keys = {"osk_a": ["trips:read"]}

    async with callers_of(service.address) as served:
        before = await served.ask(key="osk_a")
        service.keys = {}
        call = await served.call("list_trips", "osk_a")
        after = await served.ask(key="osk_a")

    assert before.status_code == 200
    assert call["isError"]
    assert after.status_code == 401


@pytest.fixture
def revoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Awaitable[None]]:
    """By the command, as whoever runs the team's server would."""

    async def revoke(key: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(key))
        words = ["backend", "revoke-key", "-", "--database", str(tmp_path / "team.db")]
        assert await run_sync(run, words) == 0

    return revoke


@pytest.mark.parametrize("era", ["ask", "ask_modern"])
async def test_a_key_revoked_in_our_own_backend_reads_nothing_more(
    era: str, team: Serve, key_for: KeyFor, revoke: Callable[[str], Awaitable[None]]
) -> None:
    mine, others = await key_for("me", "trips:read"), await key_for("another")

    async with team(rate_limit="1") as served:
        ask = getattr(served, era)
        before = [(await ask("tools/list", key)).status_code for key in (mine, others, mine, mine)]
        await revoke(mine)
        after = [(await ask("tools/list", key)).status_code for key in (mine, others)]

    assert before == [200] * 4
    assert after == [401, 200]


async def test_a_key_revoked_in_our_own_backend_writes_nothing_more(
    team: Serve, key_for: KeyFor, revoke: Callable[[str], Awaitable[None]]
) -> None:
    mine, of_same_user = await key_for("me"), await key_for("me")

    async with team() as served:
        me = await served.call("get_me", mine)
        trip = {"groupId": me["structuredContent"]["defaultGroupId"], "title": "Nara"}
        await revoke(mine)
        call = await served.call("create_trip", mine, **trip, startDate="2027-05-01", endDate="2027-05-02")
        again = await served.ask("tools/call", mine, name="list_trips", arguments={})
        trips = await served.call("list_trips", of_same_user)

    assert call["isError"]
    assert "UNAUTHORIZED (401)" in call["content"][0]["text"]
    assert again.status_code == 401
    assert trips["structuredContent"]["items"] == []


@pytest.mark.parametrize(("limit", "refused"), [("2", True), ("off", False)])
async def test_the_rate_limit_of_our_own_backend_can_be_set(
    limit: str, refused: bool, team: Serve, key_for: KeyFor
) -> None:
    key = await key_for("me")

    async with team(rate_limit=limit) as served:  # one request is for the scopes
        calls = [await served.call("get_me", key) for _ in range(2)]

    assert [call["isError"] for call in calls] == [False, refused]
    assert not refused or "RATE_LIMITED" in calls[1]["content"][0]["text"]
