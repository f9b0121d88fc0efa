"""Action items (docs/contract.md)."""

from typing import Any

import httpx
import pytest

PACK = {"text": "Pack 🎒", "urgency": "before_trip"}


@pytest.mark.parametrize("backend", ["in process", "served"], indirect=True)
async def test_an_action_item_lives_its_whole_life(api: httpx.AsyncClient, trip: str) -> None:
    me = (await api.get("/me")).json()["user"]["_id"]
    made = await api.post(f"{trip}/action-items", json=PACK | {"owner": me, "clientRef": "p"})
    path = f"{trip}/action-items/{made.json()['_id']}"
    assert made.status_code == 201
    assert made.json()["completed"] is False

    done = await api.patch(path, json={"completed": True, "owner": None})
    listed = (await api.get(f"{trip}/action-items")).json()

    assert done.status_code == 200
    assert done.json()["completed"] is True
    assert "owner" not in done.json()
    assert listed == {"items": [done.json()], "nextCursor": None}
    assert (await api.delete(path)).status_code == 204
    assert (await api.get(f"{trip}/action-items")).json()["items"] == []


async def test_a_merge_leaves_what_it_does_not_name(api: httpx.AsyncClient, trip: str) -> None:
    made = (await api.post(f"{trip}/action-items", json=PACK | {"clientRef": "p"})).json()
    await api.patch(f"{trip}/action-items/{made['_id']}", json={"completed": True})

    merged = await api.post(f"{trip}/action-items", json=PACK | {"urgency": "now", "clientRef": "p"})

    assert merged.status_code == 200
    assert merged.json() == made | {"completed": True, "urgency": "now"}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"urgency": "soon"}, "urgency"),
        ({"text": ""}, "text"),
        ({"text": "x" * 10_001}, "text"),
        ({"owner": "usr_0000000000"}, "owner"),
        ({"completed": True}, "completed"),
        ({"owner": None}, "owner"),
    ],
)
async def test_an_impossible_action_item_is_not_made(
    api: httpx.AsyncClient, trip: str, fields: dict[str, Any], path: str
) -> None:
    refused = await api.post(f"{trip}/action-items", json=PACK | fields)

    assert refused.status_code == 400
    assert [detail["path"] for detail in refused.json()["error"]["details"]] == [path]
    assert (await api.get(f"{trip}/action-items")).json()["items"] == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"completed": None}, "completed"),
        ({"completed": "yes"}, "completed"),
        ({"owner": "usr_0000000000"}, "owner"),
        ({"clientRef": "new"}, "clientRef"),
    ],
)
async def test_an_impossible_update_changes_nothing(
    api: httpx.AsyncClient, trip: str, change: dict[str, Any], path: str
) -> None:
    made = (await api.post(f"{trip}/action-items", json=PACK)).json()

    refused = await api.patch(f"{trip}/action-items/{made['_id']}", json={"text": "New"} | change)

    assert refused.status_code == 400
    assert [detail["path"] for detail in refused.json()["error"]["details"]] == [path]
    assert (await api.get(f"{trip}/action-items")).json()["items"] == [made]
