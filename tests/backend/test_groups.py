"""`backend members` and `backend move-trip`: who shares which trips."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from anyio.to_thread import run_sync

from trips_mcp.backend import open_backend
from trips_mcp.cli.commands import run

NewKey = Callable[..., Awaitable[str]]
NewTrip = Callable[..., Awaitable[dict[str, Any]]]
Service = Callable[[str | None], httpx.AsyncClient]


@pytest.fixture
def administer(database: str, capsys: pytest.CaptureFixture[str]) -> Callable[..., Awaitable[tuple[int, str]]]:
    """Arguments of a `backend` command → its exit code and output."""

    async def administer(*words: str) -> tuple[int, str]:
        code = await run_sync(run, ["backend", *words, "--database", database])
        said = capsys.readouterr()
        return code, said.out + said.err

    return administer


async def test_members_of_a_group_share_its_trips(
    administer: Callable[..., Awaitable[tuple[int, str]]], service: Service, new_key: NewKey, new_trip: NewTrip
) -> None:
    ann, ben = await new_key(user="ann", group="Family"), await new_key(user="ben")
    path = f"/api/v1/trips/{(await new_trip(ann, 'Family'))['_id']}"
    statuses = [(await service(ben).get(path)).status_code]

    added = await administer("members", "--group", "Family", "add", "ben")
    statuses.append((await service(ben).get(path)).status_code)
    listed = await administer("members", "--group", "Family")
    removed = await administer("members", "--group", "Family", "remove", "ben")
    statuses.append((await service(ben).get(path)).status_code)

    assert statuses == [403, 200, 403]
    assert added == listed == (0, "ann  owner\nben  member\n")
    assert removed == (0, "ann  owner\n")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--group", "Nobody's"], 'There is no group "Nobody\'s"; name one of: '),
        (["--group", "Family", "remove", "zoe"], "zoe is not in this group"),
        (["--group", "ann's trips", "remove", "ann"], "ann is the only one in this group"),
        (["--group", "Family", "remove", "ann"], "ann is the only one in this group"),
        (["--group", "Family", "add"], "whom to add is missing"),
        (["--group", "Family", "--name", "Ann"], "--name goes with add alone"),
    ],
)
async def test_what_would_leave_a_group_to_nobody_is_refused(
    administer: Callable[..., Awaitable[tuple[int, str]]], new_key: NewKey, words: list[str], why: str
) -> None:
    await new_key(user="ann", group="Family")

    code, said = await administer("members", *words)

    assert code == 2
    assert why in said


async def test_local_travellers_have_names_and_own_action_items(
    administer: Callable[..., Awaitable[tuple[int, str]]], database: str
) -> None:
    async with (
        open_backend(database, require_keys=False) as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://b/api/v1") as api,
    ):
        me = (await api.get("/me")).json()
        new = {"groupId": me["defaultGroupId"], "title": "T", "startDate": "2027-01-01", "endDate": "2027-01-02"}
        trip = f"/trips/{(await api.post('/trips', json=new)).json()['_id']}"

        told = [
            await administer("members", "add", who, "--name", name) for who, name in (("owner", "Mia"), ("Ana", "Ana"))
        ]
        members = (await api.get(f"{trip}/members")).json()["items"]
        ana = next(member["userId"] for member in members if member["name"] == "Ana")
        item = await api.post(f"{trip}/action-items", json={"text": "Visa", "urgency": "now", "owner": ana})

        assert [code for code, _ in told] == [0, 0]
        assert told[1][1] == "owner  owner  shown as Mia\nAna    member\n"
        assert [member["name"] for member in members] == ["Mia", "Ana"]
        assert (await api.get("/me")).json()["user"]["name"] == "Mia"
        assert (item.status_code, item.json()["owner"]) == (201, ana)


async def test_a_trip_moves_to_another_group_of_its_owner(
    administer: Callable[..., Awaitable[tuple[int, str]]], service: Service, new_key: NewKey, new_trip: NewTrip
) -> None:
    ann, ben = await new_key(user="ann", group="Family"), await new_key(user="ben", group="Family")
    trip = (await new_trip(ann, "Family"))["_id"]
    path = f"/api/v1/trips/{trip}"
    of_ben = (await service(ben).get("/api/v1/me")).json()["user"]["_id"]
    await service(ann).post(f"{path}/action-items", json={"text": "x", "urgency": "now", "owner": of_ben})

    moved = await administer("move-trip", trip, "--group", "ann's trips")
    statuses = [(await service(key).get(path)).status_code for key in (ann, ben)]
    items = (await service(ann).get(f"{path}/action-items")).json()["items"]
    refused = await administer("move-trip", trip, "--group", "ben's trips")
    unknown = await administer("move-trip", "trip_0", "--group", "Family")

    assert moved[0] == 0
    assert "Rome is now in ann's trips" in moved[1]
    assert "not in it: 1." in moved[1]
    assert statuses == [200, 403]
    assert "owner" not in items[0]
    assert refused[0] == unknown[0] == 2
    assert "ann, who owns this trip, is not in ben's trips; add them first" in refused[1]
    assert "There is no trip trip_0" in unknown[1]
