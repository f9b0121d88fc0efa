"""Trips (docs/contract.md), in process and over a socket."""

import httpx
import pytest

from trips_mcp.backend.store.database import locate, shown

both = pytest.mark.parametrize("backend", ["in process", "served"], indirect=True)


@both
async def test_a_new_trip_is_a_draft_and_can_be_read_back(api: httpx.AsyncClient, trip: str) -> None:
    read = await api.get(trip)

    assert read.status_code == 200
    assert read.json() == {
        "_id": trip.removeprefix("/trips/"),
        "number": 1,
        "groupId": (await api.get("/me")).json()["defaultGroupId"],
        "title": "Kyoto",
        "startDate": "2027-04-01",
        "endDate": "2027-04-10",
        "status": "draft",
    }


@both
async def test_trips_are_listed_by_start(api: httpx.AsyncClient, trip: str) -> None:
    group = (await api.get(trip)).json()["groupId"]
    earlier = {"groupId": group, "title": "Nara", "startDate": "2027-01-01", "endDate": "2027-01-01"}
    await api.post("/trips", json=earlier)

    page = (await api.get("/trips")).json()

    assert [one["title"] for one in page["items"]] == ["Nara", "Kyoto"]
    assert page["nextCursor"] is None


async def test_an_update_changes_what_it_names(api: httpx.AsyncClient, trip: str) -> None:
    before = (await api.get(trip)).json()

    updated = await api.patch(trip, json={"title": "京都 🏯", "status": "active"})

    assert updated.status_code == 200
    assert updated.json() == before | {"title": "京都 🏯", "status": "active"}
    assert (await api.get(trip)).json() == updated.json()


async def test_an_archived_trip_is_completed_and_still_there(
    api: httpx.AsyncClient, trip: str, leg: dict[str, object]
) -> None:
    await api.post(f"{trip}/legs", json=leg)

    archived = await api.delete(trip)

    assert archived.status_code == 200
    assert archived.json()["status"] == "completed"
    assert len((await api.get(f"{trip}/legs")).json()["items"]) == 1


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"endDate": "2027-03-31"}, "endDate"),
        ({"startDate": "2027-04-11"}, "endDate"),
        ({"startDate": "2027-02-30"}, "startDate"),
        ({"status": "cancelled"}, "status"),
        ({"title": None}, "title"),
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": 7}, "title"),
        ({"groupId": "grp_1"}, "groupId"),
        ({"number": 2}, "number"),
        ({"clear": ["title"]}, "clear"),
    ],
)
async def test_an_impossible_update_changes_nothing(
    api: httpx.AsyncClient, trip: str, change: dict[str, object], path: str
) -> None:
    before = (await api.get(trip)).json()

    refused = await api.patch(trip, json=change | {"status": "active"} if "status" not in change else change)

    assert refused.status_code == 400
    assert [detail["path"] for detail in refused.json()["error"]["details"]] == [path]
    assert (await api.get(trip)).json() == before


async def test_all_faults_are_told_at_once(api: httpx.AsyncClient) -> None:
    refused = await api.post("/trips", json={"title": 1, "endDate": "tomorrow", "colour": "red"})

    error = refused.json()["error"]
    assert refused.status_code == 400
    assert error["code"] == "VALIDATION_ERROR"
    assert {detail["path"] for detail in error["details"]} == {
        "groupId",
        "title",
        "startDate",
        "endDate",
        "colour",
    }
    assert {"path": "groupId", "reason": "required"} in error["details"]


async def test_a_trip_in_an_unknown_group_is_not_made(api: httpx.AsyncClient) -> None:
    new = {"groupId": "grp_0000000000", "title": "X", "startDate": "2027-01-01", "endDate": "2027-01-02"}

    refused = await api.post("/trips", json=new)

    assert refused.status_code == 404
    assert (await api.get("/trips")).json()["items"] == []


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_a_trip_that_does_not_exist_is_not_found(api: httpx.AsyncClient, method: str) -> None:
    missing = await api.request(method, "/trips/trip_0000000000")

    assert missing.status_code == 404
    assert missing.json()["error"]["code"] == "NOT_FOUND"


async def test_the_local_owner_is_told_where_the_trips_are(api: httpx.AsyncClient, database: str) -> None:
    me = (await api.get("/me", headers={"Authorization": "Bearer osk_whatever"})).json()

    assert me["user"]["name"] == "owner"
    assert me["groups"] == [{"_id": me["defaultGroupId"], "name": "owner's trips", "role": "owner"}]
    assert me["scopes"] == ["trips:read", "trips:write", "messages:read", "messages:write"]
    assert me["storage"] == {"kind": "embedded", "path": shown(locate(database))}
