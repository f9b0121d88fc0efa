"""Limits of a batch and a sync in one request; the client and the tools take more (docs/contract.md)."""

from typing import Any

import httpx
import pytest

PIN: dict[str, Any] = {"name": "Inari", "lat": 35, "lng": 135.5}


async def test_a_batch_takes_fifty_items_and_not_one_more(api: httpx.AsyncClient, trip: str) -> None:
    fits = await api.post(f"{trip}/map-pins:batch", json={"items": [PIN] * 50})
    too_many = await api.post(f"{trip}/map-pins:batch", json={"items": [PIN] * 51})

    assert fits.status_code == 200
    assert too_many.status_code == 400
    assert too_many.json()["error"]["details"] == [{"path": "items", "reason": "at most 50 items"}]


async def test_a_sync_takes_five_hundred_of_a_kind_and_not_one_more(api: httpx.AsyncClient, trip: str) -> None:
    fits = await api.post(f"{trip}/sync", json={"mapPins": [PIN] * 500})
    too_many = await api.post(f"{trip}/sync", json={"mapPins": [PIN] * 501})

    assert fits.status_code == 200
    assert too_many.status_code == 400
    assert too_many.json()["error"]["details"] == [{"path": "mapPins", "reason": "at most 500 items"}]


@pytest.mark.parametrize("path", ["map-pins:batch", "sync"])
@pytest.mark.parametrize("place", ["json", "params"])
async def test_what_is_for_the_client_alone_is_unknown_to_the_api(
    api: httpx.AsyncClient, trip: str, path: str, place: str
) -> None:
    told = {"json": {"items": [PIN]}} if path.endswith("batch") else {"json": {"mapPins": [PIN]}}
    told.setdefault(place, {})
    told[place] = {**told[place], "autoClientRef": False}  # type: ignore[dict-item]

    refused = await api.post(f"{trip}/{path}", **told)  # type: ignore[arg-type]

    assert refused.status_code == 400
    assert [detail["path"] for detail in refused.json()["error"]["details"]] == ["autoClientRef"]


async def test_the_document_of_the_api_tells_its_own_limits(api: httpx.AsyncClient) -> None:
    whole = (await api.get(str(api.base_url.copy_with(path="/openapi.json")))).json()

    def body(path: str) -> dict[str, Any]:
        return whole["paths"][f"/api/v1/trips/{{tripId}}/{path}"]["post"]["requestBody"]["content"]["application/json"][
            "schema"
        ]["properties"]

    assert body("legs:batch")["items"]["maxItems"] == 50
    assert {name: schema["maxItems"] for name, schema in body("sync").items()} == {
        "legs": 500,
        "actionItems": 500,
        "mapPins": 500,
    }
    assert set(body("map-pins:batch")) == {"items"}


async def test_a_pin_at_whole_degrees_that_is_sent_again_is_unchanged(api: httpx.AsyncClient, trip: str) -> None:
    pin = {**PIN, "clientRef": "inari"}
    told = [(await api.post(f"{trip}/map-pins:batch", json={"items": [pin]})).json() for _ in range(2)]

    assert [report["results"][0]["status"] for report in told] == ["created", "unchanged"]
