"""Exports and share links, and the fields that they never publish (docs/contract.md#share-links)."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from trips_mcp.contract.legs import Accommodation, Flight, RentalCar
from trips_mcp.contract.shares import SharedAccommodation, SharedFlight, SharedRentalCar
from trips_mcp.contract.trips import TripExport

SECRET = "s3cret"  # noqa: S105


@pytest.fixture
async def full_trip(api: httpx.AsyncClient, trip: str, leg: dict[str, Any], pin: dict[str, Any]) -> str:
    """A trip with a secret in every field that must not be published, known and unknown, at every depth."""
    unnamed = {"gateCode": SECRET, "more": {"deep": [SECRET, {"doorCode": SECRET}]}}
    stay = dict.fromkeys(hidden(Accommodation, SharedAccommodation), SECRET)
    flight = dict.fromkeys(hidden(Flight, SharedFlight), SECRET)
    car = dict.fromkeys(hidden(RentalCar, SharedRentalCar), SECRET)
    await api.post(
        f"{trip}/legs",
        json=leg
        | {
            "clientRef": f"leg {SECRET}",
            "accommodation": {"name": "Ryokan", "address": "1 Gion", "checkIn": "15:00"} | stay | unnamed,
            "flights": [{"from": "FRA", "to": "KIX", "departure": "2027-04-01T11:30"} | flight | unnamed],
            "rentalCar": {"company": "Hertz"} | car | unnamed,
        },
    )
    await api.post(f"{trip}/map-pins", json=pin | {"notes": SECRET, "clientRef": f"pin {SECRET}"})
    me = (await api.get("/me")).json()["user"]["_id"]
    item = {"text": "Pack", "urgency": "now", "owner": me, "clientRef": f"item {SECRET}"}
    await api.post(f"{trip}/action-items", json=item)
    dinner = {"title": "Dinner", "startDate": "2027-04-02", "category": "dinner", "notes": SECRET}
    await api.post(f"{trip}/commitments", json=dinner)
    channel = (await api.get(f"{trip}/channels")).json()["items"][0]["_id"]
    await api.post(f"{trip}/channels/{channel}/messages", json={"content": SECRET})
    return trip


def hidden(stored: type[Any], shared: type[Any]) -> set[str]:
    """The names of the fields that a shared view omits."""
    names = [{field.alias for field in model.model_fields.values()} for model in (stored, shared)]
    return names[0] - names[1]


async def test_an_export_has_everything(api: httpx.AsyncClient, full_trip: str) -> None:
    export = (await api.get(f"{full_trip}/export")).json()

    assert set(export) == {"trip", "legs", "mapPins", "actionItems", "commitments", "members"}
    assert export["trip"] == (await api.get(full_trip)).json()
    for name, path in {
        "legs": "legs",
        "mapPins": "map-pins",
        "actionItems": "action-items",
        "commitments": "commitments",
        "members": "members",
    }.items():
        assert export[name] == (await api.get(f"{full_trip}/{path}")).json()["items"]
        assert len(export[name]) == 1
    assert TripExport.model_validate(export).legs[0].title == "Kyoto"


@pytest.mark.parametrize("backend", ["in process", "served"], indirect=True)
async def test_a_share_link_shows_the_trip_without_its_secrets(
    api: httpx.AsyncClient, full_trip: str, sql: Callable[..., list[Any]]
) -> None:
    sql("UPDATE users SET email = ?, phone = ?", SECRET, SECRET)
    token = (await api.post(f"{full_trip}/share-token")).json()["token"]
    api.headers.pop("Authorization", None)

    trip = await api.get(f"/shared/trips/{token}")
    export = await api.get(f"/shared/trips/{token}/export")

    assert trip.json() == {
        "_id": full_trip.removeprefix("/trips/"),
        "title": "Kyoto",
        "startDate": "2027-04-01",
        "endDate": "2027-04-10",
        "status": "draft",
    }
    assert SECRET not in export.text
    told = export.json()
    assert told["trip"] == trip.json()
    assert told["legs"][0]["accommodation"] == {"name": "Ryokan", "address": "1 Gion", "checkIn": "15:00"}
    assert told["legs"][0]["flights"] == [{"from": "FRA", "to": "KIX", "departure": "2027-04-01T11:30"}]
    assert told["legs"][0]["rentalCar"] == {"company": "Hertz"}
    assert told["members"] == [{"name": "owner", "role": "owner"}]
    assert set(told["mapPins"][0]) == {"_id", "name", "lat", "lng"}
    assert set(told["actionItems"][0]) == {"_id", "text", "urgency", "completed"}
    assert set(told["commitments"][0]) == {"_id", "title", "startDate", "category"}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("accommodation", [{"doorCode": SECRET}]),
        ("accommodation", {"name": {"doorCode": SECRET}, "address": [SECRET], "checkIn": True}),
        ("accommodation", SECRET),
        ("flights", {"airline": SECRET}),
        ("flights", [[SECRET], SECRET, {"airline": {"seat": SECRET}}, None]),
        ("rental_car", [SECRET]),
        ("rental_car", {"company": [SECRET]}),
    ],
)
async def test_a_value_of_another_type_does_not_leave(
    api: httpx.AsyncClient, full_trip: str, sql: Callable[..., list[Any]], column: str, value: object
) -> None:
    token = (await api.post(f"{full_trip}/share-token")).json()["token"]
    sql(f"UPDATE legs SET {column} = ?", json.dumps(value))  # noqa: S608

    export = await api.get(f"/shared/trips/{token}/export")

    assert export.status_code == 200
    assert SECRET not in export.text


async def test_a_second_token_replaces_the_first(api: httpx.AsyncClient, trip: str) -> None:
    first = await api.post(f"{trip}/share-token")
    second = await api.post(f"{trip}/share-token", json={})

    assert first.status_code == second.status_code == 201
    assert first.json()["token"] != second.json()["token"]
    assert len(second.json()["token"]) >= 24
    assert (await api.get(f"/shared/trips/{first.json()['token']}")).status_code == 404
    assert (await api.get(f"/shared/trips/{second.json()['token']}")).status_code == 200


async def test_a_revoked_token_opens_nothing(api: httpx.AsyncClient, trip: str) -> None:
    token = (await api.post(f"{trip}/share-token")).json()["token"]

    revoked = await api.delete(f"{trip}/share-token")

    assert revoked.status_code == 204
    assert (await api.get(f"/shared/trips/{token}")).status_code == 404
    assert (await api.get(f"/shared/trips/{token}/export")).status_code == 404
    assert (await api.delete(f"{trip}/share-token")).status_code == 204


async def test_a_token_is_stored_as_a_hash(api: httpx.AsyncClient, trip: str, stored: Callable[[], str]) -> None:
    token = (await api.post(f"{trip}/share-token")).json()["token"]

    assert token not in stored()


async def test_a_share_link_needs_no_key_and_minds_none(
    service: Callable[[str | None], httpx.AsyncClient],
    new_key: Callable[..., Awaitable[str]],
    new_trip: Callable[..., Awaitable[dict[str, Any]]],
) -> None:
    key = await new_key()
    trip = await new_trip(key)
    made = await service(key).post(f"/api/v1/trips/{trip['_id']}/share-token")
    path = f"/api/v1/shared/trips/{made.json()['token']}"

    for authorization in ({}, {"Authorization": "Bearer wrong"}):
        assert (await service(None).get(path, headers=authorization)).status_code == 200


@pytest.mark.parametrize("token", ["x", "%00", "a%2Fb", "..", "%2e%2e", "é", "x" * 257])
async def test_a_made_up_token_opens_nothing(api: httpx.AsyncClient, trip: str, token: str) -> None:
    await api.post(f"{trip}/share-token")

    assert (await api.get(f"/shared/trips/{token}/export")).status_code in (400, 404)
