"""What legs, action items, map pins and commitments have in common (docs/contract.md)."""

from typing import Any

import httpx
import pytest

RESOURCES = {
    "legs": ("leg_", "leg"),
    "action-items": ("todo_", "action item"),
    "map-pins": ("pin_", "map pin"),
    "commitments": ("com_", "commitment"),
}
DINNER = {"title": "Dinner", "startDate": "2027-04-02", "category": "dinner"}
PACK = {"text": "Pack", "urgency": "now"}


@pytest.fixture
def fields(leg: dict[str, Any], pin: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The fields of a new row, by resource."""
    return {"legs": leg, "action-items": PACK, "map-pins": pin, "commitments": DINNER}


@pytest.mark.parametrize("resource", RESOURCES)
async def test_an_id_names_the_kind_of_its_row(
    api: httpx.AsyncClient, trip: str, fields: dict[str, dict[str, Any]], resource: str
) -> None:
    made = (await api.post(f"{trip}/{resource}", json=fields[resource])).json()

    assert made["_id"].startswith(RESOURCES[resource][0])
    assert (await api.get(f"{trip}/{resource}")).json()["items"] == [made]


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_an_error_for_a_missing_row_names_its_kind(
    api: httpx.AsyncClient, trip: str, fields: dict[str, dict[str, Any]], method: str, resource: str
) -> None:
    prefix, noun = RESOURCES[resource]
    change = fields[resource] if method == "PATCH" else None

    missing = await api.request(method, f"{trip}/{resource}/{prefix}0000000000", json=change)

    assert missing.status_code == 404
    assert missing.json()["error"]["message"] == f"There is no such {noun} in this trip."


async def test_an_update_may_refer_to_rows_of_its_trip(
    api: httpx.AsyncClient, trip: str, fields: dict[str, dict[str, Any]]
) -> None:
    made = {name: (await api.post(f"{trip}/{name}", json=row)).json() for name, row in fields.items()}
    places = {"legId": made["legs"]["_id"], "mapPinId": made["map-pins"]["_id"]}
    owner = {"owner": (await api.get("/me")).json()["user"]["_id"]}

    dinner = await api.patch(f"{trip}/commitments/{made['commitments']['_id']}", json=places)
    pack = await api.patch(f"{trip}/action-items/{made['action-items']['_id']}", json=owner)

    assert dinner.json() == made["commitments"] | places
    assert pack.json() == made["action-items"] | owner


@pytest.mark.parametrize(("before", "equal"), [(1, 1.0), (2.0, 2), ([1, {"a": 2.0}], [1.0, {"a": 2}])])
async def test_an_update_that_changes_nothing_leaves_numbers_as_they_were_written(
    api: httpx.AsyncClient, trip: str, leg: dict[str, Any], before: object, equal: object
) -> None:
    made = await api.post(f"{trip}/legs", json=leg | {"accommodation": {"pets": before}})

    updated = await api.patch(f"{trip}/legs/{made.json()['_id']}", json={"accommodation": {"pets": equal}})

    kept = (await api.get(f"{trip}/legs")).json()["items"][0]
    assert repr(updated.json()) == repr(made.json()) == repr(kept)
