"""`backend create-key`, `keys` and `revoke-key`; a revoked key is refused at once."""

import io
import json
import re
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx
import pytest
from anyio.to_thread import run_sync

from trips_mcp.backend import list_keys
from trips_mcp.cli.commands import run
from trips_mcp.connect import connect
from trips_mcp.contract.trips import CreateTrip
from trips_mcp.settings import Settings

NewKey = Callable[..., Awaitable[str]]


async def trip_in(database: str) -> str:
    settings = Settings.from_env({"TRIPS_MCP_DATABASE": database, "TRIPS_MCP_JOURNAL": "off"})
    async with connect(settings) as client:
        group = (await client.me()).default_group_id or ""
        trip = CreateTrip(group_id=group, title="Kyoto", start_date="2027-04-01", end_date="2027-04-09")
        return (await client.trips.create(trip)).id


def test_a_scope_for_a_trip_that_does_not_exist_is_refused(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    codes = [run(["backend", "create-key", "--database", database, "trips:read", "trips:write:jx7"])]
    said = capsys.readouterr()
    codes.append(run(["backend", "keys", "--database", database]))
    kept = capsys.readouterr()

    assert codes == [2, 0]
    assert (said.out, kept.out) == ("", "")
    assert said.err == ("trips-mcp: There is no trip jx7 for a scope to be limited to; copy its id from list_trips.\n")


def test_keys_are_listed_with_all_but_themselves(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--database", database]
    trip = anyio.run(trip_in, database)
    codes = [run(["backend", "keys", *where])]
    none = capsys.readouterr()
    made: list[tuple[str, str]] = []
    of_ben = ["--user", "ben of Kyoto", "--group", "Family", "--label", "phone", "messages:read"]
    for words in (["--user", "ann", "trips:read", f"trips:write:{trip}"], of_ben):
        codes.append(run(["backend", "create-key", *where, *words]))
        told = capsys.readouterr()
        made.append((told.out.strip(), told.err.removeprefix("Made ").partition(" ")[0]))

    codes.append(run(["backend", "keys", *where]))
    table = capsys.readouterr().out
    codes.append(run(["backend", "keys", "--json", *where]))
    listed: list[dict[str, Any]] = json.loads(capsys.readouterr().out)

    assert codes == [0] * 5
    assert (none.out, none.err) == ("", "There are no keys; trips-mcp backend create-key makes one.\n")
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert [key.pop("createdAt") for key in listed if re.fullmatch(time, key["createdAt"])] == re.findall(time, table)
    assert listed == [
        {
            "id": made[0][1],
            "user": "ann",
            "group": "ann's trips",
            "label": None,
            "scopes": ["trips:read", f"trips:write:{trip}"],
            "lastUsedAt": None,
        },
        {
            "id": made[1][1],
            "user": "ben of Kyoto",
            "group": "Family",
            "label": "phone",
            "scopes": ["messages:read"],
            "lastUsedAt": None,
        },
    ]
    head, *rows = table.splitlines()
    assert head.split() == ["ID", "USER", "GROUP", "LABEL", "MADE", "AT", "LAST", "USE", "SCOPES"]
    assert re.fullmatch(rf"{made[0][1]}  ann +ann's trips  - +{time}  never +trips:read trips:write:{trip}", rows[0])
    assert re.fullmatch(rf"{made[1][1]}  ben of Kyoto  Family +phone +{time}  never +messages:read", rows[1])
    assert not any(key in f"{table}{listed}" for key, _ in made)


@pytest.mark.parametrize("by", ["id", "key"])
async def test_a_revoked_key_is_refused_by_the_very_next_request(
    by: str,
    database: str,
    service: Callable[[str | None], httpx.AsyncClient],
    new_key: NewKey,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stolen, kept = await new_key(user="ann"), await new_key(user="ann")
    stolen_id, kept_id = [key.id for key in await list_keys(database)]
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{stolen}\n"))
    paths = ("/api/v1/me", "/v1/events/1")
    before = [(await service(key).get(path)).status_code for key in (stolen, kept) for path in paths]

    words = ["backend", "revoke-key", "--database", database, stolen_id if by == "id" else "-"]
    code = await run_sync(run, words)
    said = capsys.readouterr()
    after = [(await service(key).get(path)).status_code for key in (stolen, kept) for path in paths]

    assert (code, said.err) == (0, "")
    assert said.out == f"{stolen_id}, a key of ann, is revoked: from now on it opens nothing.\n"
    assert before == [200, 404, 200, 404]
    assert after == [401, 401, 200, 404]
    assert [key.id for key in await list_keys(database)] == [kept_id]


async def test_the_last_use_of_a_key_is_noted_to_the_hour(
    database: str, service: Callable[[str | None], httpx.AsyncClient], new_key: NewKey, clock: list[float]
) -> None:
    key = await new_key(user="ann")
    noted: list[str | None] = []
    for seconds in (0, 1800, 1801):
        clock[0] += seconds
        await service(key).get("/api/v1/me")
        noted += [held.last_used_at for held in await list_keys(database)]

    assert noted == ["2027-01-15T08:00:00.000Z"] * 2 + ["2027-01-15T09:00:01.000Z"]


async def test_a_keys_group_is_where_its_trips_are_made(
    service: Callable[[str | None], httpx.AsyncClient], new_key: NewKey
) -> None:
    for group in ("Family", "Work", None):
        me = (await service(await new_key(user="ann", group=group)).get("/api/v1/me")).json()

        default = next(one["name"] for one in me["groups"] if one["_id"] == me["defaultGroupId"])
        assert default == (group or "ann's trips")
