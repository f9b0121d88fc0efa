"""Access by keys, scopes and groups (docs/contract.md#scopes)."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from trips_mcp.contract import OPERATIONS, Operation
from trips_mcp.scopes import BASE_SCOPES, BaseScope

Client = Callable[[str | None], httpx.AsyncClient]
NewKey = Callable[..., Awaitable[str]]
NewTrip = Callable[..., Awaitable[dict[str, Any]]]

MOUNTS = {"trips": "/api/v1", "events": ""}
GUARDED = [operation for operation in OPERATIONS if operation.scope != "nobody"]


def path_of(operation: Operation[Any, Any]) -> str:
    filled = operation.path.replace("{event_id}", "1").replace("{trip_id}", "1")
    for name in ("tripId", "legId", "itemId", "commitmentId", "pinId", "channelId"):
        filled = filled.replace(f"{{{name}}}", f"{name}_1")
    return MOUNTS[operation.api] + filled


@pytest.mark.parametrize("authorization", [None, "Bearer osk_wrong", "Bearer", "Basic b3NrXzE6eA==", "osk_wrong"])
async def test_without_a_valid_key_nothing_is_answered(service: Client, authorization: str | None) -> None:
    headers = {"Authorization": authorization} if authorization else {}

    answers = {
        operation.name: (await service(None).request(operation.method, path_of(operation), headers=headers)).status_code
        for operation in GUARDED
    }

    assert answers == {operation.name: 401 for operation in GUARDED}


@pytest.mark.parametrize("scope", BASE_SCOPES)
async def test_every_operation_wants_its_scope(service: Client, new_key: NewKey, scope: BaseScope) -> None:
    wanting = [operation for operation in OPERATIONS if operation.scope == scope]
    key = await new_key(*set(BASE_SCOPES) - {scope})

    refused = {
        operation.name: await service(key).request(operation.method, path_of(operation)) for operation in wanting
    }

    assert refused
    assert {name: answer.status_code for name, answer in refused.items()} == dict.fromkeys(refused, 403)
    assert all(scope in answer.text for answer in refused.values())


async def test_a_key_is_shown_once_and_stored_as_a_hash(new_key: NewKey, stored: Callable[[], str]) -> None:
    key = await new_key("trips:read")

    assert key.startswith("osk_")
    assert len(key) >= 36
    assert key.removeprefix("osk_") not in stored()


async def test_me_tells_the_keys_scopes(service: Client, new_key: NewKey, new_trip: NewTrip) -> None:
    trip = (await new_trip(await new_key()))["_id"]

    me = (await service(await new_key("trips:read", f"trips:write:{trip}")).get("/api/v1/me")).json()

    assert me["scopes"] == ["trips:read", f"trips:write:{trip}"]
    assert "storage" not in me


async def test_a_key_limited_to_a_trip_sees_no_other(service: Client, new_key: NewKey, new_trip: NewTrip) -> None:
    everything = await new_key()
    mine, other = await new_trip(everything), await new_trip(everything)
    limited = service(await new_key(f"trips:read:{mine['_id']}", f"trips:write:{mine['_id']}"))

    listed = (await limited.get("/api/v1/trips")).json()["items"]

    assert [one["_id"] for one in listed] == [mine["_id"]]
    assert (await limited.get(f"/api/v1/trips/{mine['_id']}")).status_code == 200
    for method, path in {
        "GET": f"/api/v1/trips/{other['_id']}",
        "PATCH": f"/api/v1/trips/{other['_id']}",
        "POST": f"/api/v1/trips/{other['_id']}/share-token",
        "DELETE": f"/api/v1/trips/{other['_id']}",
    }.items():
        assert (await limited.request(method, path)).status_code == 403
    made = await limited.post(
        "/api/v1/trips",
        json={name: mine[name] for name in ("groupId", "title", "startDate", "endDate")},
    )
    assert made.status_code == 403
    assert (await limited.get(f"/v1/trips/{mine['number']}/itinerary")).status_code == 200
    assert (await limited.get(f"/v1/trips/{other['number']}/itinerary")).status_code == 403


async def test_write_does_not_imply_read(service: Client, new_key: NewKey, new_trip: NewTrip) -> None:
    trip = await new_trip(await new_key())
    writer = service(await new_key("trips:write"))

    assert (await writer.patch(f"/api/v1/trips/{trip['_id']}", json={"title": "X"})).status_code == 200
    assert (await writer.get(f"/api/v1/trips/{trip['_id']}")).status_code == 403
    assert (await writer.get("/api/v1/trips")).status_code == 403


async def test_a_stranger_has_no_access_to_a_trip(service: Client, new_key: NewKey, new_trip: NewTrip) -> None:
    trip = await new_trip(await new_key())
    stranger = service(await new_key(user="mallory"))

    for method, path in {
        "GET": "",
        "PATCH": "",
        "DELETE": "",
        "POST": "/sync",
    }.items():
        refused = await stranger.request(method, f"/api/v1/trips/{trip['_id']}{path}")
        assert refused.status_code == 403
    assert (await stranger.get("/api/v1/trips")).json()["items"] == []
    assert (await stranger.get(f"/v1/trips/{trip['number']}/itinerary")).status_code == 403
    in_their_group = {name: trip[name] for name in ("groupId", "title", "startDate", "endDate")}
    assert (await stranger.post("/api/v1/trips", json=in_their_group)).status_code == 403


async def test_a_group_shares_its_trips(service: Client, new_key: NewKey, new_trip: NewTrip) -> None:
    ann, bob = await new_key(user="ann", group="Family"), await new_key(user="bob", group="Family")
    family, private = await new_trip(ann, "Family"), await new_trip(ann)

    seen = (await service(bob).get("/api/v1/trips")).json()["items"]
    members = (await service(bob).get(f"/api/v1/trips/{family['_id']}/members")).json()["items"]

    assert [one["_id"] for one in seen] == [family["_id"]]
    assert [(one["name"], one["role"]) for one in members] == [("ann", "owner"), ("bob", "member")]
    assert (await service(bob).get(f"/api/v1/trips/{private['_id']}")).status_code == 403
    owner = {"text": "Buy tickets", "urgency": "now", "owner": members[1]["userId"]}
    made = await service(ann).post(f"/api/v1/trips/{family['_id']}/action-items", json=owner)
    assert made.status_code == 201


async def test_members_come_with_their_contact_details(
    service: Client, new_key: NewKey, new_trip: NewTrip, sql: Callable[..., list[Any]]
) -> None:
    key = await new_key()
    trip = await new_trip(key)
    sql("UPDATE users SET email = 'a@example.org', phone = '+81 3'")

    members = (await service(key).get(f"/api/v1/trips/{trip['_id']}/members")).json()["items"]
    me = (await service(key).get("/api/v1/me")).json()["user"]

    assert (members[0]["email"], members[0]["phone"]) == ("a@example.org", "+81 3")
    assert (me["email"], me["phone"]) == ("a@example.org", "+81 3")


async def test_the_scheme_may_be_spelled_in_any_case(service: Client, new_key: NewKey) -> None:
    headers = {"Authorization": f"bearer {await new_key()}"}

    assert (await service(None).get("/api/v1/me", headers=headers)).status_code == 200


async def test_a_key_that_may_only_write_does_not_read_through_a_dry_run(
    service: Client, new_key: NewKey, new_trip: NewTrip
) -> None:
    trip, other = [(await new_trip(await new_key()))["_id"] for _ in range(2)]
    path = f"/api/v1/trips/{trip}/sync"

    refused = await service(await new_key("trips:write")).post(path, params={"dryRun": "true"}, json={})
    elsewhere = await service(await new_key("trips:write", f"trips:read:{other}")).post(
        path, params={"dryRun": "true"}, json={}
    )
    written = await service(await new_key("trips:write")).post(path, json={})
    previewed = await service(await new_key("trips:write", f"trips:read:{trip}")).post(
        path, params={"dryRun": "true"}, json={}
    )

    assert [one.status_code for one in (refused, elsewhere, written, previewed)] == [403, 403, 200, 200]
    assert "trips:read" in refused.json()["error"]["message"]
