"""Legs: paging, merging by clientRef, and updates of nested objects (docs/contract.md)."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import httpx
import pytest

both = pytest.mark.parametrize("backend", ["in process", "served"], indirect=True)

STAY = {"name": "Ryokan", "doorCode": "K4711", "pool": {"open": True, "depth": 2}}
FLIGHT = {"airline": "ANA", "from": "FRA", "departure": "2027-04-01T11:30", "meal": ["fish"]}


@both
async def test_a_leg_keeps_everything_it_was_given(api: httpx.AsyncClient, trip: str, leg: dict[str, Any]) -> None:
    full = leg | {"accommodation": STAY, "flights": [FLIGHT], "rentalCar": {"company": "Hertz"}, "clientRef": "k"}

    made = await api.post(f"{trip}/legs", json=full)

    assert made.status_code == 201
    assert {name: made.json()[name] for name in full} == full
    assert made.json()["tripId"] == trip.removeprefix("/trips/")
    assert (await api.get(f"{trip}/legs")).json() == {"items": [made.json()], "nextCursor": None}


@both
async def test_pages_follow_order_whatever_comes_and_goes_between_them(
    api: httpx.AsyncClient, trip: str, leg: dict[str, Any]
) -> None:
    orders = [3, 0.5, -2, 0.5, 1e300]
    made = [(await api.post(f"{trip}/legs", json=leg | {"order": order})).json() for order in orders]
    first = (await api.get(f"{trip}/legs", params={"limit": 3})).json()

    await api.delete(f"{trip}/legs/{made[2]['_id']}")
    await api.post(f"{trip}/legs", json=leg | {"order": -5})
    second = (await api.get(f"{trip}/legs", params={"limit": 1, "cursor": first["nextCursor"]})).json()
    last = (await api.get(f"{trip}/legs", params={"cursor": second["nextCursor"]})).json()

    expected = [made[index]["_id"] for index in (2, 1, 3, 0, 4)]
    assert [one["_id"] for page in (first, second, last) for one in page["items"]] == expected
    assert last["nextCursor"] is None


async def test_a_page_has_100_legs_unless_told_otherwise(
    api: httpx.AsyncClient, trip: str, leg: dict[str, Any]
) -> None:
    await api.post(f"{trip}/sync", json={"legs": [leg | {"order": n} for n in range(201)]})

    default = (await api.get(f"{trip}/legs")).json()
    largest = (await api.get(f"{trip}/legs", params={"limit": 200})).json()

    assert len(default["items"]) == 100
    assert len(largest["items"]) == 200
    assert largest["nextCursor"] is not None


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.5", "many", "", "1e2", "9" * 30])
async def test_an_impossible_limit_is_refused(api: httpx.AsyncClient, trip: str, limit: str) -> None:
    refused = await api.get(f"{trip}/legs", params={"limit": limit})

    assert refused.status_code == 400
    assert refused.json()["error"]["details"][0]["path"] == "limit"


async def test_a_cursor_opens_only_the_list_it_came_from(
    api: httpx.AsyncClient, trip: str, leg: dict[str, Any]
) -> None:
    other = (await api.post("/trips", json=await new_trip_like(api, trip))).json()
    for _ in range(2):
        await api.post(f"{trip}/legs", json=leg)
    cursor = (await api.get(f"{trip}/legs", params={"limit": 1})).json()["nextCursor"]

    for path in (f"{trip}/commitments", f"/trips/{other['_id']}/legs"):
        refused = await api.get(path, params={"cursor": cursor})
        assert refused.status_code == 400
        assert refused.json()["error"]["details"][0]["path"] == "cursor"


async def new_trip_like(api: httpx.AsyncClient, trip: str) -> dict[str, Any]:
    made = (await api.get(trip)).json()
    return {name: made[name] for name in ("groupId", "title", "startDate", "endDate")}


@pytest.mark.parametrize(
    "cursor", ["x", "", "!!!!", "W10", "bnVsbA", "é", "A" * 1025, "\0", "WyJsZWdzOngiLDEsMV0", "5" * 999]
)
async def test_a_made_up_cursor_is_refused(api: httpx.AsyncClient, trip: str, cursor: str) -> None:
    refused = await api.get(f"{trip}/legs", params={"cursor": cursor})

    assert refused.status_code == 400
    assert refused.json()["error"]["details"][0]["path"] == "cursor"


@pytest.mark.parametrize("key", [[True, 1], ["0", 1], [0, "1"], [0, 1.5], [0, 2**63], [0, 1, 1], [None, None], [0]])
async def test_a_forged_cursor_is_refused(api: httpx.AsyncClient, trip: str, key: list[Any]) -> None:
    text = json.dumps([f"legs:{trip.removeprefix('/trips/')}", *key])

    refused = await api.get(f"{trip}/legs", params={"cursor": urlsafe_b64encode(text.encode()).decode()})

    assert refused.status_code == 400


async def test_a_second_create_with_its_client_ref_merges_into_the_row(
    api: httpx.AsyncClient, trip: str, leg: dict[str, Any]
) -> None:
    first = await api.post(f"{trip}/legs", json=leg | {"accommodation": STAY, "flights": [FLIGHT], "clientRef": "a"})
    again = leg | {"title": "Kyoto!", "accommodation": {"doorCode": "1", "pool": {"depth": 3}}, "clientRef": "a"}

    merged = await api.post(f"{trip}/legs", json=again)

    assert merged.status_code == 200
    assert merged.json() == first.json() | {
        "title": "Kyoto!",
        "accommodation": {"name": "Ryokan", "doorCode": "1", "pool": {"open": True, "depth": 3}},
    }
    assert (await api.get(f"{trip}/legs")).json()["items"] == [merged.json()]


async def test_a_merge_still_wants_the_required_fields(api: httpx.AsyncClient, trip: str, leg: dict[str, Any]) -> None:
    await api.post(f"{trip}/legs", json=leg | {"clientRef": "a"})

    refused = await api.post(f"{trip}/legs", json={"title": "Only", "clientRef": "a"})

    assert refused.status_code == 400


async def test_a_client_ref_means_another_row_in_another_trip(
    api: httpx.AsyncClient, trip: str, leg: dict[str, Any]
) -> None:
    other = (await api.post("/trips", json=await new_trip_like(api, trip))).json()
    mine = await api.post(f"{trip}/legs", json=leg | {"clientRef": "a"})

    theirs = await api.post(f"/trips/{other['_id']}/legs", json=leg | {"clientRef": "a"})

    assert theirs.status_code == 201
    assert theirs.json()["_id"] != mine.json()["_id"]


@both
async def test_an_update_merges_objects_replaces_arrays_and_clears_nulls(
    api: httpx.AsyncClient, trip: str, leg: dict[str, Any]
) -> None:
    full = leg | {"accommodation": STAY, "flights": [FLIGHT, FLIGHT], "rentalCar": {"company": "Hertz"}}
    made = (await api.post(f"{trip}/legs", json=full)).json()
    change = {
        "accommodation": {"doorCode": None, "wifiName": "guest", "pool": {"open": None}},
        "flights": [{"airline": "JAL"}],
        "rentalCar": None,
    }

    updated = await api.patch(f"{trip}/legs/{made['_id']}", json=change)

    expected = made | {
        "accommodation": {"name": "Ryokan", "wifiName": "guest", "pool": {"depth": 2}},
        "flights": [{"airline": "JAL"}],
    }
    del expected["rentalCar"]
    assert updated.status_code == 200
    assert updated.json() == expected
    assert (await api.get(f"{trip}/legs")).json()["items"] == [expected]


async def test_clearing_what_is_not_there_changes_nothing(
    api: httpx.AsyncClient, trip: str, leg: dict[str, Any]
) -> None:
    made = (await api.post(f"{trip}/legs", json=leg)).json()

    updated = await api.patch(f"{trip}/legs/{made['_id']}", json={"flights": None, "accommodation": {"doorCode": None}})

    assert updated.status_code == 200
    assert updated.json() == made


async def test_a_key_with_a_dot_in_it_can_be_cleared(api: httpx.AsyncClient, trip: str, leg: dict[str, Any]) -> None:
    made = (await api.post(f"{trip}/legs", json=leg | {"accommodation": {"a.b": 1, "a": {"b": 2}}})).json()

    updated = await api.patch(f"{trip}/legs/{made['_id']}", json={"accommodation": {"a.b": None}})

    assert updated.json()["accommodation"] == {"a": {"b": 2}}


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        (True, 1, "updated"),
        ([True], [1], "updated"),
        ([0, [False]], [0, [0]], "updated"),
        ([{"a": True}], [{"a": 1}], "updated"),
        ([1], [1, 2], "updated"),
        ([1, 2], [1], "updated"),
        ([1, 2], [2, 1], "updated"),
        ([1], 1, "updated"),
        (1, [1], "updated"),
        ([], {"a": 1}, "updated"),
        ({"a": 1}, ["a"], "updated"),
        (1, {"a": 1}, "updated"),
        ({"a": 1}, 1, "updated"),
        (None, 1, "updated"),
        (True, True, "unchanged"),
        ([1, [2.0, {"a": None}]], [1.0, [2, {"a": None}]], "unchanged"),
        ({"a": [True, 1]}, {"a": [True, 1]}, "unchanged"),
    ],
)
async def test_values_are_compared_as_json(
    api: httpx.AsyncClient, trip: str, leg: dict[str, Any], before: object, after: object, status: str
) -> None:
    def item(value: object) -> dict[str, Any]:
        return leg | {"clientRef": "a", "accommodation": {"pets": value}}

    await api.post(f"{trip}/legs", json=item(before))
    told = await api.post(f"{trip}/legs:batch", json={"items": [item(after)]})

    kept = (await api.get(f"{trip}/legs")).json()["items"][0]["accommodation"]["pets"]
    assert told.json()["results"][0]["status"] == status
    assert repr(kept) == repr(after if status == "updated" else before)


async def test_only_what_the_path_names_is_cleared(api: httpx.AsyncClient, trip: str, leg: dict[str, Any]) -> None:
    full = leg | {"accommodation": STAY | {"company": "Hotels"}, "rentalCar": {"company": "Hertz", "class": "B"}}
    made = (await api.post(f"{trip}/legs", json=full)).json()

    updated = await api.patch(f"{trip}/legs/{made['_id']}", json={"rentalCar": {"company": None}})

    assert updated.json() == made | {"rentalCar": {"class": "B"}}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"startDate": "2027-04-06"}, "endDate"),
        ({"endDate": "2027-03-31"}, "endDate"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": None}, "timezone"),
        ({"order": "first"}, "order"),
        ({"order": True}, "order"),
        ({"accommodation": {"doorCode": 5}}, "accommodation.doorCode"),
        ({"accommodation": "hotel"}, "accommodation"),
        ({"flights": [{"departure": "2027-04-01"}]}, "flights.0.departure"),
        ({"flights": [{"seat": None}]}, "flights.0.seat"),
        ({"flights": {}}, "flights"),
        ({"rentalCar": {"note": "a\0b"}}, "rentalCar.note"),
        ({"clientRef": ""}, "clientRef"),
        ({"clientRef": "taken"}, "clientRef"),
        ({"tripId": "trip_x"}, "tripId"),
        ({"legId": "leg_x"}, "legId"),
    ],
)
async def test_an_impossible_update_changes_nothing(
    api: httpx.AsyncClient, trip: str, leg: dict[str, Any], change: dict[str, Any], path: str
) -> None:
    await api.post(f"{trip}/legs", json=leg | {"order": 9, "clientRef": "taken"})
    made = (await api.post(f"{trip}/legs", json=leg)).json()

    refused = await api.patch(f"{trip}/legs/{made['_id']}", json=change | {"title": "New"})

    assert refused.status_code == 400
    assert path in [detail["path"] for detail in refused.json()["error"]["details"]]
    assert (await api.get(f"{trip}/legs")).json()["items"][0] == made


async def test_a_leg_may_keep_its_own_client_ref(api: httpx.AsyncClient, trip: str, leg: dict[str, Any]) -> None:
    made = (await api.post(f"{trip}/legs", json=leg | {"clientRef": "a"})).json()

    updated = await api.patch(f"{trip}/legs/{made['_id']}", json={"clientRef": "a", "title": "New"})

    assert updated.json() == made | {"title": "New"}


@both
async def test_a_deleted_leg_is_gone(api: httpx.AsyncClient, trip: str, leg: dict[str, Any]) -> None:
    path = f"{trip}/legs/{(await api.post(f'{trip}/legs', json=leg)).json()['_id']}"

    deleted = await api.delete(path)

    assert deleted.status_code == 204
    assert (await api.delete(path)).status_code == 404
    assert (await api.patch(path, json={"title": "X"})).status_code == 404
    assert (await api.get(f"{trip}/legs")).json()["items"] == []


async def test_a_leg_of_another_trip_is_not_found(api: httpx.AsyncClient, trip: str, leg: dict[str, Any]) -> None:
    other = (await api.post("/trips", json=await new_trip_like(api, trip))).json()
    made = (await api.post(f"{trip}/legs", json=leg)).json()

    for method in ("PATCH", "DELETE"):
        missing = await api.request(method, f"/trips/{other['_id']}/legs/{made['_id']}")
        assert missing.status_code == 404
    assert len((await api.get(f"{trip}/legs")).json()["items"]) == 1


@pytest.mark.parametrize("order", [0, -3, 2.5, 1e300, 10**30, -0.0, 2**60])
async def test_any_finite_order_is_kept(api: httpx.AsyncClient, trip: str, leg: dict[str, Any], order: float) -> None:
    made = await api.post(f"{trip}/legs", json=leg | {"order": order})

    assert made.status_code == 201
    assert float((await api.get(f"{trip}/legs")).json()["items"][0]["order"]) == float(order)


async def test_unknown_keys_pass_through_untouched(api: httpx.AsyncClient, trip: str, leg: dict[str, Any]) -> None:
    odd = {"check_in": "python's name", "name": "é\u0301", "n": 2**70, "deep": [[{"x": None}]], "": "no name"}

    made = (await api.post(f"{trip}/legs", json=leg | {"accommodation": odd})).json()

    assert made["accommodation"] == odd
    assert (await api.get(f"{trip}/legs")).json()["items"][0]["accommodation"] == odd
