"""Batches and sync report each item, and a refused item does not stop the others (docs/contract.md)."""

from typing import Any

import httpx
import pytest

both = pytest.mark.parametrize("backend", ["in process", "served"], indirect=True)


@both
async def test_a_batch_tells_what_became_of_each_item(api: httpx.AsyncClient, trip: str, leg: dict[str, Any]) -> None:
    kept = (await api.post(f"{trip}/legs", json=leg | {"clientRef": "kept"})).json()
    changed = (await api.post(f"{trip}/legs", json=leg | {"clientRef": "changed"})).json()
    items = [
        leg | {"clientRef": "kept"},
        leg | {"clientRef": "changed", "title": "New"},
        leg | {"clientRef": "bad", "endDate": "2027-03-01"},
        leg,
        "not a leg",
    ]

    answer = await api.post(f"{trip}/legs:batch", json={"items": items})

    told = answer.json()
    assert answer.status_code == 207
    assert {name: told[name] for name in ("created", "updated", "unchanged", "errors")} == {
        "created": 1,
        "updated": 1,
        "unchanged": 1,
        "errors": 2,
    }
    made = told["results"][3]["id"]
    assert told["results"][:4] == [
        {"index": 0, "clientRef": "kept", "status": "unchanged", "id": kept["_id"]},
        {"index": 1, "clientRef": "changed", "status": "updated", "id": changed["_id"]},
        {
            "index": 2,
            "clientRef": "bad",
            "status": "error",
            "error": {
                "code": "VALIDATION_ERROR",
                "message": "endDate: is before startDate",
                "details": [{"path": "endDate", "reason": "is before startDate"}],
            },
        },
        {"index": 3, "status": "created", "id": made},
    ]
    assert told["results"][4]["status"] == "error"
    legs = (await api.get(f"{trip}/legs")).json()["items"]
    assert [one["_id"] for one in legs] == [kept["_id"], changed["_id"], made]
    assert legs[0] == kept
    assert legs[1]["title"] == "New"


@pytest.mark.parametrize("resource", ["legs", "action-items", "map-pins"])
async def test_each_kind_takes_a_batch_of_50_and_no_more(
    api: httpx.AsyncClient, trip: str, leg: dict[str, Any], pin: dict[str, Any], resource: str
) -> None:
    item = {"legs": leg, "action-items": {"text": "x", "urgency": "now"}, "map-pins": pin}[resource]

    taken = await api.post(f"{trip}/{resource}:batch", json={"items": [item] * 50})
    refused = await api.post(f"{trip}/{resource}:batch", json={"items": [item] * 51})

    assert taken.status_code == 200
    assert taken.json()["created"] == 50
    assert refused.status_code == 400
    assert refused.json()["error"]["details"] == [{"path": "items", "reason": "at most 50 items"}]
    found = (await api.get(f"{trip}/{resource}")).json()["items"]
    assert len(found) == len({one["_id"] for one in found}) == 50


@pytest.mark.parametrize("body", [{}, {"items": []}, {"items": {}}, {"items": None}, {"items": [], "x": 1}])
async def test_a_batch_that_is_none_is_refused_as_a_whole(
    api: httpx.AsyncClient, trip: str, body: dict[str, Any]
) -> None:
    assert (await api.post(f"{trip}/map-pins:batch", json=body)).status_code == 400


async def test_items_with_the_same_client_ref_become_one_row(
    api: httpx.AsyncClient, trip: str, pin: dict[str, Any]
) -> None:
    items = [
        pin | {"clientRef": "a", "notes": "1"},
        pin | {"clientRef": "a", "category": "x"},
        pin | {"clientRef": "a"},
    ]

    told = (await api.post(f"{trip}/map-pins:batch", json={"items": items})).json()

    assert [one["status"] for one in told["results"]] == ["created", "updated", "unchanged"]
    assert len({one["id"] for one in told["results"]}) == 1
    (made,) = (await api.get(f"{trip}/map-pins")).json()["items"]
    assert (made["notes"], made["category"]) == ("1", "x")


async def test_an_owner_who_is_no_member_fails_only_his_item(api: httpx.AsyncClient, trip: str) -> None:
    me = (await api.get("/me")).json()["user"]["_id"]
    items = [{"text": "x", "urgency": "now", "owner": owner} for owner in (me, "usr_0000000000")]

    answer = await api.post(f"{trip}/action-items:batch", json={"items": items})

    assert answer.status_code == 207
    assert [one["status"] for one in answer.json()["results"]] == ["created", "error"]
    assert answer.json()["results"][1]["error"]["details"][0]["path"] == "owner"


async def test_text_that_cannot_be_stored_fails_only_its_item(
    api: httpx.AsyncClient, trip: str, leg: dict[str, Any]
) -> None:
    body = """{"items": [LEG, LEG_WITH {"x": "\\ud800"}}, LEG_WITH {"\\udc00": 1}}, LEG_WITH {"x": "\\u0000"}},
               LEG_REF "\\ud800"}, LEG_REF {"\\ud800": 1}, "\\ud800": 1}]}"""
    text = httpx.Request("POST", "http://x", json=leg).content.decode().rstrip("}")
    body = body.replace("LEG_WITH", f'{text}, "accommodation":').replace("LEG_REF", f'{text}, "clientRef":')

    answer = await api.post(f"{trip}/legs:batch", content=body.replace("LEG", text + "}"))

    assert answer.status_code == 207
    assert [one["status"] for one in answer.json()["results"]] == ["created"] + ["error"] * 5
    assert len((await api.get(f"{trip}/legs")).json()["items"]) == 1


@both
async def test_a_snapshot_is_imported_once_however_often_it_is_sent(
    api: httpx.AsyncClient, trip: str, leg: dict[str, Any], pin: dict[str, Any]
) -> None:
    snapshot = {
        "legs": [
            leg
            | {"clientRef": f"leg-{n}", "order": n * 1e300, "flights": [{"seat": "1A"}], "accommodation": {"n": 1.0}}
            for n in range(3)
        ],
        "mapPins": [pin | {"clientRef": f"pin-{n}", "lat": n, "lng": -0.0} for n in range(4)],
        "actionItems": [{"text": "Pack", "urgency": "now", "clientRef": "pack"}],
    }

    first = await api.post(f"{trip}/sync", json=snapshot)
    before = (await api.get(f"{trip}/export")).json()
    second = await api.post(f"{trip}/sync", json=snapshot)

    assert first.status_code == second.status_code == 200
    assert [first.json()[name]["created"] for name in snapshot] == [3, 4, 1]
    assert [second.json()[name]["unchanged"] for name in snapshot] == [3, 4, 1]
    assert first.json()["dryRun"] is False
    assert (await api.get(f"{trip}/export")).json() == before


async def test_a_dry_run_tells_what_would_be_and_writes_nothing(
    api: httpx.AsyncClient, trip: str, leg: dict[str, Any], pin: dict[str, Any]
) -> None:
    await api.post(f"{trip}/legs", json=leg | {"clientRef": "a"})
    before = (await api.get(f"{trip}/export")).json()
    snapshot = {
        "legs": [leg | {"clientRef": "a", "title": "New"}, leg, leg | {"order": "x"}],
        "mapPins": [pin | {"clientRef": "p"}, pin | {"clientRef": "p"}],
    }

    dry = await api.post(f"{trip}/sync", params={"dryRun": "true"}, json=snapshot)
    untouched = (await api.get(f"{trip}/export")).json()
    real = await api.post(f"{trip}/sync", params={"dryRun": "false"}, json=snapshot)

    assert untouched == before
    assert dry.status_code == real.status_code == 207
    assert dry.json()["dryRun"] is True
    for category in ("legs", "actionItems", "mapPins"):
        promised, done = dry.json()[category], real.json()[category]
        for outcome in done["results"]:
            if outcome["status"] == "created" or category == "mapPins":
                del outcome["id"]  # only the real run makes it
        assert promised == done


async def test_a_sync_takes_500_of_each_kind_and_no_more(
    api: httpx.AsyncClient, trip: str, pin: dict[str, Any]
) -> None:
    taken = await api.post(f"{trip}/sync", json={"mapPins": [pin] * 500})
    refused = await api.post(f"{trip}/sync", json={"mapPins": [pin] * 501, "legs": []})

    assert taken.json()["mapPins"]["created"] == 500
    assert refused.status_code == 400
    assert refused.json()["error"]["details"] == [{"path": "mapPins", "reason": "at most 500 items"}]
    assert len((await api.get(f"{trip}/map-pins")).json()["items"]) == 500


@pytest.mark.parametrize(
    ("params", "body", "path"),
    [
        ({"dryRun": "yes"}, {}, "dryRun"),
        ({"dryRun": ""}, {}, "dryRun"),
        ({}, {"dryRun": True}, "dryRun"),
        ({}, {"commitments": []}, "commitments"),
        ({}, {"legs": None}, "legs"),
        ({"legs": "[]"}, {}, "legs"),
    ],
)
async def test_a_sync_that_is_none_is_refused(
    api: httpx.AsyncClient, trip: str, params: dict[str, str], body: dict[str, Any], path: str
) -> None:
    refused = await api.post(f"{trip}/sync", params=params, json=body)

    assert refused.status_code == 400
    assert [detail["path"] for detail in refused.json()["error"]["details"]] == [path]


async def test_a_sync_never_deletes(api: httpx.AsyncClient, trip: str, leg: dict[str, Any]) -> None:
    await api.post(f"{trip}/sync", json={"legs": [leg | {"clientRef": "a"}, leg | {"clientRef": "b"}]})

    await api.post(f"{trip}/sync", json={"legs": [leg | {"clientRef": "b"}], "mapPins": []})
    await api.post(f"{trip}/sync", json={})

    assert len((await api.get(f"{trip}/legs")).json()["items"]) == 2
