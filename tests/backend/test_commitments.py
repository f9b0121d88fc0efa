"""Commitments, their order and their references to legs and pins (docs/contract.md)."""

from typing import Any

import httpx
import pytest

DINNER = {"title": "Dinner", "startDate": "2027-04-02", "category": "dinner"}


@pytest.mark.parametrize("backend", ["in process", "served"], indirect=True)
async def test_a_commitment_lives_its_whole_life(
    api: httpx.AsyncClient, trip: str, leg: dict[str, Any], pin: dict[str, Any]
) -> None:
    leg_id = (await api.post(f"{trip}/legs", json=leg)).json()["_id"]
    pin_id = (await api.post(f"{trip}/map-pins", json=pin)).json()["_id"]
    full = DINNER | {
        "startTime": "22:00",
        "endTime": "01:00",
        "isAllDay": False,
        "timezone": "Asia/Tokyo",
        "legId": leg_id,
        "mapPinId": pin_id,
        "notes": "window seat",
    }
    made = await api.post(f"{trip}/commitments", json=full)
    path = f"{trip}/commitments/{made.json()['_id']}"
    assert made.status_code == 201
    assert {name: made.json()[name] for name in full} == full

    moved = await api.patch(path, json={"startDate": "2027-04-03", "endTime": None, "mapPinId": None})

    assert moved.json()["startDate"] == "2027-04-03"
    assert not {"endTime", "mapPinId"} & set(moved.json())
    assert (await api.get(f"{trip}/commitments")).json()["items"] == [moved.json()]
    assert (await api.delete(path)).status_code == 204
    assert (await api.get(f"{trip}/commitments")).json()["items"] == []


async def test_they_come_by_day_then_time_and_whole_days_first(api: httpx.AsyncClient, trip: str) -> None:
    for title, fields in {
        "late": {"startTime": "23:00"},
        "early": {"startTime": "00:00"},
        "some time": {},
        "next day": {"startDate": "2027-04-03", "startTime": "01:00"},
        "all day": {"isAllDay": True, "startTime": "12:00"},
    }.items():
        await api.post(f"{trip}/commitments", json=DINNER | {"title": title} | fields)

    titles: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(5):
        page = (await api.get(f"{trip}/commitments", params={"limit": 1} | cursor)).json()
        titles += [one["title"] for one in page["items"]]
        cursor = {"cursor": page["nextCursor"]}

    assert titles == ["some time", "all day", "early", "late", "next day"]
    assert cursor == {"cursor": None}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"category": "lunch"}, "category"),
        ({"startTime": "24:00"}, "startTime"),
        ({"startTime": "9:00"}, "startTime"),
        ({"isAllDay": 1}, "isAllDay"),
        ({"legId": "leg_0000000000"}, "legId"),
        ({"mapPinId": "pin_0000000000"}, "mapPinId"),
        ({"clientRef": "a"}, "clientRef"),
    ],
)
async def test_an_impossible_commitment_is_not_made(
    api: httpx.AsyncClient, trip: str, fields: dict[str, Any], path: str
) -> None:
    refused = await api.post(f"{trip}/commitments", json=DINNER | fields)

    assert refused.status_code == 400
    assert [detail["path"] for detail in refused.json()["error"]["details"]] == [path]
    assert (await api.get(f"{trip}/commitments")).json()["items"] == []


async def test_a_leg_of_another_trip_cannot_be_named(api: httpx.AsyncClient, trip: str, leg: dict[str, Any]) -> None:
    here = (await api.get(trip)).json()
    there = await api.post("/trips", json={name: here[name] for name in ("groupId", "title", "startDate", "endDate")})
    foreign = (await api.post(f"/trips/{there.json()['_id']}/legs", json=leg)).json()["_id"]
    made = (await api.post(f"{trip}/commitments", json=DINNER)).json()

    created = await api.post(f"{trip}/commitments", json=DINNER | {"legId": foreign})
    updated = await api.patch(f"{trip}/commitments/{made['_id']}", json={"legId": foreign})

    assert created.status_code == updated.status_code == 400
    assert (await api.get(f"{trip}/commitments")).json()["items"] == [made]


async def test_a_commitment_outlives_the_leg_it_names(api: httpx.AsyncClient, trip: str, leg: dict[str, Any]) -> None:
    leg_id = (await api.post(f"{trip}/legs", json=leg)).json()["_id"]
    made = (await api.post(f"{trip}/commitments", json=DINNER | {"legId": leg_id})).json()

    await api.delete(f"{trip}/legs/{leg_id}")

    left = (await api.get(f"{trip}/commitments")).json()["items"]
    assert left == [{name: value for name, value in made.items() if name != "legId"}]
