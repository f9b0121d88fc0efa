"""Whose rate limit a request to a team's server uses up: its caller's, else that of its address."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path
from typing import Any

import httpx

from tests.no_tls import NO_TLS

Serve = Callable[..., AbstractAsyncContextManager[Any]]
KeyFor = Callable[..., Awaitable[str]]

LIMIT = 5


async def share_of(served: Any, key: str) -> str:
    """The token of a trip that this caller shares."""
    me = await served.call("get_me", key)
    group = me["structuredContent"]["defaultGroupId"]
    dates = {"startDate": "2027-05-01", "endDate": "2027-05-02"}
    trip = await served.call("create_trip", key, groupId=group, title="Nara", **dates)
    share = await served.call("create_share_token", key, tripId=trip["structuredContent"]["_id"])
    return share["structuredContent"]["token"]


async def ask_with_made_up_keys(served: Any, number: int, address: str) -> list[int]:
    """The statuses that so many keys get which nobody made."""
    transport = httpx.AsyncHTTPTransport(local_address=address, verify=NO_TLS)
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    statuses: list[int] = []
    async with httpx.AsyncClient(transport=transport, base_url=served.base, timeout=30) as outsider:
        for key in range(number):
            bearer = {"Authorization": f"Bearer osk_made_up_at_{address}_{key}"}
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
            statuses.append((await outsider.post("/mcp", headers=headers | bearer, json=body)).status_code)
    return statuses


async def test_a_caller_who_reads_many_shares_does_not_affect_others(team: Serve, key_for: KeyFor) -> None:
    of_owner, of_eager, of_calm = await key_for("owner"), await key_for("eager"), await key_for("calm")

    async with team(rate_limit=str(LIMIT)) as served:
        token = await share_of(served, of_owner)
        eager = [await served.call("get_shared_trip", of_eager, token=token) for _ in range(LIMIT)]
        calm = await served.call("get_shared_trip", of_calm, token=token)

    assert [result["isError"] for result in eager] == [False] * (LIMIT - 1) + [True]  # one request is for the scopes
    assert "RATE_LIMITED" in eager[-1]["content"][0]["text"]
    assert calm["structuredContent"]["title"]


async def test_invalid_keys_use_up_only_the_limit_of_their_address(
    team: Serve, key_for: KeyFor, tmp_path: Path
) -> None:
    of_owner, of_calm = await key_for("owner"), await key_for("calm")

    async with team(rate_limit=str(LIMIT)) as served:
        token = await share_of(served, of_owner)
        statuses = await ask_with_made_up_keys(served, LIMIT, "127.0.0.2")
        calm = await served.call("get_shared_trip", of_calm, token=token)
        others = await ask_with_made_up_keys(served, 1, "127.0.0.3")

    assert statuses == [401] * LIMIT
    assert others == [401]
    assert calm["structuredContent"]["title"]
    with closing(sqlite3.connect(tmp_path / "team.db")) as db:
        counted = dict(db.execute("SELECT bucket, count FROM rate_windows WHERE bucket LIKE 'address %'"))
    assert counted == {"address 127.0.0.2": LIMIT, "address 127.0.0.3": 1}


async def test_behind_a_trusted_proxy_invalid_keys_count_for_their_sender(team: Serve, tmp_path: Path) -> None:
    async with team(rate_limit=str(LIMIT), trusted_proxy="127.0.0.0/8") as served:
        for number, forwarded in enumerate(["6.6.6.6, 203.0.113.9", "203.0.113.9", "2001:db8::7"]):
            await served.ask("tools/list", f"osk_made_up_{number}", {"X-Forwarded-For": forwarded})

    with closing(sqlite3.connect(tmp_path / "team.db")) as db:
        counted = dict(db.execute("SELECT bucket, count FROM rate_windows"))
    assert counted == {"address 203.0.113.9": 2, "address 2001:db8::/64": 1}


async def test_readiness_checks_do_not_count(team: Serve, tmp_path: Path) -> None:
    async with team(rate_limit=str(LIMIT)) as served:
        answers = [(await served.request("GET", "/readyz")).status_code for _ in range(3 * LIMIT)]

    assert answers == [200] * 3 * LIMIT
    with closing(sqlite3.connect(tmp_path / "team.db")) as db:
        assert db.execute("SELECT * FROM rate_windows").fetchall() == []
