"""Map pins (docs/contract.md)."""

from typing import Any

import httpx
import pytest


@pytest.mark.parametrize("backend", ["in process", "served"], indirect=True)
async def test_a_pin_lives_its_whole_life(api: httpx.AsyncClient, trip: str, pin: dict[str, Any]) -> None:
    made = await api.post(f"{trip}/map-pins", json=pin | {"category": "temple", "notes": "gold"})
    path = f"{trip}/map-pins/{made.json()['_id']}"
    assert made.status_code == 201

    moved = await api.patch(path, json={"lat": -90, "notes": None})

    assert moved.json() == {name: v for name, v in made.json().items() if name != "notes"} | {"lat": -90}
    assert (await api.get(f"{trip}/map-pins")).json() == {"items": [moved.json()], "nextCursor": None}
    assert (await api.delete(path)).status_code == 204
    assert (await api.get(f"{trip}/map-pins")).json()["items"] == []


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"lat": 90.0001}, "lat"),
        ({"lng": -180.5}, "lng"),
        ({"lat": "35"}, "lat"),
        ({"lat": 10**400}, "lat"),
        ({"name": "x" * 201}, "name"),
        ({"notes": "x" * 10_001}, "notes"),
        ({"notes": "a\0b"}, "notes"),
        ({"clientRef": "x" * 201}, "clientRef"),
    ],
)
async def test_an_impossible_pin_is_not_made(
    api: httpx.AsyncClient, trip: str, pin: dict[str, Any], fields: dict[str, Any], path: str
) -> None:
    refused = await api.post(f"{trip}/map-pins", json=pin | fields)

    assert refused.status_code == 400
    assert [detail["path"] for detail in refused.json()["error"]["details"]] == [path]
    assert (await api.get(f"{trip}/map-pins")).json()["items"] == []


async def test_text_is_kept_byte_for_byte(api: httpx.AsyncClient, trip: str, pin: dict[str, Any]) -> None:
    texts = {"name": "e\u0301 \u202e\u200f 👩‍👩‍👧‍👦", "notes": "\r\n\t \x7f\u2028\ufeff"}

    made = (await api.post(f"{trip}/map-pins", json=pin | texts)).json()

    assert {name: made[name] for name in texts} == texts
    assert (await api.get(f"{trip}/map-pins")).json()["items"] == [made]


async def test_client_refs_differ_as_bytes(api: httpx.AsyncClient, trip: str, pin: dict[str, Any]) -> None:
    refs = ["a", "A", "a ", "á", "a\u0301"]

    made = [(await api.post(f"{trip}/map-pins", json=pin | {"clientRef": ref})).status_code for ref in refs]

    assert made == [201] * len(refs)
