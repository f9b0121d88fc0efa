"""Deletions that unlink commitments, which the answer names."""

from typing import Any

import pytest

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import ForbiddenError
from trips_mcp.contract.commitments import LIST_COMMITMENTS

from .conftest import Do

LEG = {
    "order": 1,
    "title": "Kyoto",
    "destination": "Kyoto",
    "startDate": "2026-11-01",
    "endDate": "2026-11-05",
    "timezone": "Asia/Tokyo",
}


async def plan(do: Do, trip_id: str, title: str, **linked: str) -> str:
    found = await do(
        "create_commitment", tripId=trip_id, title=title, startDate="2026-11-02", category="dinner", **linked
    )
    return found["_id"]


async def test_a_deleted_leg_names_the_commitments_it_unlinks(do: Do, trip_id: str) -> None:
    kyoto = (await do("create_leg", tripId=trip_id, **LEG))["_id"]
    nara = (await do("create_leg", tripId=trip_id, **{**LEG, "title": "Nara"}))["_id"]
    tea, dinner = [await plan(do, trip_id, title, legId=kyoto) for title in ("Tea\nhouse", "Kaiseki")]
    await plan(do, trip_id, "Deer", legId=nara)

    first = await do("delete_leg", tripId=trip_id, legId=kyoto)
    second = await do("delete_leg", tripId=trip_id, legId=nara)

    assert first["deleted"] == kyoto
    assert first["remarks"] == [
        "2 commitments stay, linked to no leg any more: "
        f"Tea house (commitmentId {tea}), Kaiseki (commitmentId {dinner})."
    ]
    assert second["remarks"][0].startswith("1 commitment stays, linked to no leg any more: Deer (commitmentId ")
    left = await do("list_commitments", tripId=trip_id)
    assert {(item["title"], item.get("legId")) for item in left["items"]} == {
        ("Tea\nhouse", None),
        ("Kaiseki", None),
        ("Deer", None),
    }


async def test_a_deleted_pin_names_the_commitments_it_unlinks(do: Do, trip_id: str) -> None:
    pin = (await do("create_map_pin", tripId=trip_id, name="Uji", lat=34.9, lng=135.8))["_id"]
    other = (await do("create_map_pin", tripId=trip_id, name="Nara", lat=34.7, lng=135.8))["_id"]
    tea = await plan(do, trip_id, "Tea", mapPinId=pin)

    told = await do("delete_map_pin", tripId=trip_id, pinId=pin)

    assert told["remarks"] == [f"1 commitment stays, linked to no map pin any more: Tea (commitmentId {tea})."]
    assert await do("delete_map_pin", tripId=trip_id, pinId=other) == {"deleted": other}


async def test_only_the_first_of_very_many_are_named(do: Do, trip_id: str) -> None:
    leg = (await do("create_leg", tripId=trip_id, **LEG))["_id"]
    for number in range(12):
        await plan(do, trip_id, f"Plan {number}", legId=leg)

    (remark,) = (await do("delete_leg", tripId=trip_id, legId=leg))["remarks"]

    assert remark.startswith("12 commitments stay, ")
    assert remark.endswith(" and 2 more.")


async def test_a_key_that_may_not_read_commitments_can_still_delete(
    do: Do, trip_id: str, trips: TripsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    leg = (await do("create_leg", tripId=trip_id, **LEG))["_id"]
    call = trips.call

    async def refused(operation: Any, *given: Any) -> Any:
        if operation is LIST_COMMITMENTS:
            raise ForbiddenError(operation, status=403, code="FORBIDDEN")
        return await call(operation, *given)

    monkeypatch.setattr(trips, "call", refused)
    told = await do("delete_leg", tripId=trip_id, legId=leg)

    assert told["deleted"] == leg
    assert told["remarks"] == [
        "Commitments could not be read; those that were linked to this leg are linked to none any more."
    ]
