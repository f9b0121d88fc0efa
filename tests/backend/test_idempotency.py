"""A repeated Idempotency-Key gets the first response, whatever happened since (docs/contract.md#idempotency-key)."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

RETRY = {"Idempotency-Key": "create 1"}


@pytest.mark.parametrize("backend", ["in process", "served"], indirect=True)
async def test_a_retry_is_answered_as_the_first_time(api: httpx.AsyncClient, trip: str, pin: dict[str, Any]) -> None:
    first = await api.post(f"{trip}/map-pins", json=pin, headers=RETRY)
    reordered = dict(reversed(pin.items()))

    again = await api.post(f"{trip}/map-pins", json=reordered, headers=RETRY)

    assert first.status_code == again.status_code == 201
    assert again.content == first.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert len((await api.get(f"{trip}/map-pins")).json()["items"]) == 1


async def test_every_way_to_change_something_can_be_retried(
    api: httpx.AsyncClient, trip: str, pin: dict[str, Any]
) -> None:
    made = (await api.post(f"{trip}/map-pins", json=pin)).json()
    path = f"{trip}/map-pins/{made['_id']}"

    for method, url, body in (("PATCH", path, {"notes": "x"}), ("DELETE", path, None), ("DELETE", trip, None)):
        headers = {"Idempotency-Key": f"{method} {url}"}
        first = await api.request(method, url, json=body, headers=headers)
        again = await api.request(method, url, json=body, headers=headers)
        assert first.is_success
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["idempotent-replayed"] == "true"


async def test_another_request_with_the_same_key_is_a_conflict(
    api: httpx.AsyncClient, trip: str, pin: dict[str, Any]
) -> None:
    made = (await api.post(f"{trip}/map-pins", json=pin, headers=RETRY)).json()
    before = (await api.get(f"{trip}/export")).json()

    for method, path, body in (
        ("POST", f"{trip}/map-pins", pin | {"name": "Other"}),
        ("POST", f"{trip}/map-pins?x=1", pin),
        ("POST", f"{trip}/legs", pin),
        ("PATCH", f"{trip}/map-pins/{made['_id']}", pin),
        ("DELETE", f"{trip}/map-pins/{made['_id']}", None),
    ):
        conflict = await api.request(method, path, json=body, headers=RETRY)
        assert conflict.status_code == 409
        assert conflict.json()["error"]["code"] == "IDEMPOTENCY_CONFLICT"
    assert (await api.get(f"{trip}/export")).json() == before


@pytest.mark.parametrize("body", [b'{"name": ""}', b"{", b"[]", b'{"lat": 1e999}', b"\xff"])
async def test_a_request_that_was_not_understood_keeps_no_key(
    api: httpx.AsyncClient, trip: str, pin: dict[str, Any], body: bytes
) -> None:
    refused = [await api.post(f"{trip}/map-pins", content=body, headers=RETRY) for _ in range(2)]
    corrected = await api.post(f"{trip}/map-pins", json=pin, headers=RETRY)
    misused = await api.post(f"{trip}/map-pins", content=body, headers=RETRY)

    assert [answer.status_code for answer in refused] == [400, 400]
    assert not any("idempotent-replayed" in answer.headers for answer in refused)
    assert corrected.status_code == 201
    assert misused.status_code == 409


async def test_what_was_not_found_stays_so_for_its_key(api: httpx.AsyncClient, trip: str, pin: dict[str, Any]) -> None:
    first = await api.post("/trips/trip_0000000000/map-pins", json=pin, headers=RETRY)
    again = await api.post("/trips/trip_0000000000/map-pins", json=pin, headers=RETRY)

    assert first.status_code == again.status_code == 404
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("key", ["", "x" * 256, "x" * 300])
async def test_an_impossible_key_is_refused(api: httpx.AsyncClient, trip: str, pin: dict[str, Any], key: str) -> None:
    refused = await api.post(f"{trip}/map-pins", json=pin, headers={"Idempotency-Key": key})

    assert refused.status_code == 400
    assert refused.json()["error"]["details"][0]["path"] == "Idempotency-Key"
    assert (await api.get(f"{trip}/map-pins")).json()["items"] == []


async def test_a_key_of_255_characters_is_taken(api: httpx.AsyncClient, trip: str, pin: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": "x" * 255}

    assert (await api.post(f"{trip}/map-pins", json=pin, headers=headers)).status_code == 201


async def test_reading_minds_no_key(api: httpx.AsyncClient, trip: str) -> None:
    assert (await api.get(trip, headers={"Idempotency-Key": "x" * 300})).status_code == 200


async def test_it_is_forgotten_after_a_day(
    api: httpx.AsyncClient, trip: str, pin: dict[str, Any], clock: list[float]
) -> None:
    first = await api.post(f"{trip}/map-pins", json=pin, headers=RETRY)

    clock[0] += 24 * 3600 - 1
    remembered = await api.post(f"{trip}/map-pins", json=pin, headers=RETRY)
    clock[0] += 1
    forgotten = await api.post(f"{trip}/map-pins", json=pin, headers=RETRY)

    assert remembered.content == first.content
    assert forgotten.json()["_id"] != first.json()["_id"]


async def test_what_is_forgotten_is_no_longer_stored(
    api: httpx.AsyncClient, trip: str, pin: dict[str, Any], clock: list[float], sql: Callable[..., list[Any]]
) -> None:
    for _ in range(2):
        await api.post(f"{trip}/map-pins", json=pin, headers=RETRY)
        await api.post(f"{trip}/map-pins", json=pin, headers={"Idempotency-Key": f"at {clock[0]}"})
        clock[0] += 24 * 3600

    assert [expires for (expires,) in sql("SELECT expires_at FROM idempotency")] == [clock[0]] * 2


async def test_a_kept_answer_is_no_way_to_what_it_says(
    api: httpx.AsyncClient, trip: str, stored: Callable[[], str]
) -> None:
    first = await api.post(f"{trip}/share-token", headers=RETRY)
    again = await api.post(f"{trip}/share-token", headers=RETRY)

    token = first.json()["token"]
    assert again.json()["token"] == token
    for secret in (token, RETRY["Idempotency-Key"]):
        assert secret not in stored()
        assert secret.encode().hex() not in stored().lower()


async def test_a_dry_run_leaves_no_trace_of_its_key(
    api: httpx.AsyncClient, trip: str, pin: dict[str, Any], stored: Callable[[], str]
) -> None:
    snapshot = {"mapPins": [pin]}
    before = stored()

    dry = await api.post(f"{trip}/sync", params={"dryRun": "true"}, json=snapshot, headers=RETRY)
    after = stored()
    real = await api.post(f"{trip}/sync", json=snapshot, headers=RETRY)

    assert dry.status_code == real.status_code == 200
    assert after == before
    assert "idempotent-replayed" not in real.headers


async def test_each_api_key_has_its_own(
    service: Callable[[str | None], httpx.AsyncClient],
    new_key: Callable[..., Awaitable[str]],
    new_trip: Callable[..., Awaitable[dict[str, Any]]],
    pin: dict[str, Any],
) -> None:
    one, other = await new_key(), await new_key()
    path = f"/api/v1/trips/{(await new_trip(one))['_id']}/map-pins"

    first = await service(one).post(path, json=pin, headers=RETRY)
    second = await service(other).post(path, json=pin, headers=RETRY)

    assert first.status_code == second.status_code == 201
    assert first.json()["_id"] != second.json()["_id"]


async def test_a_broken_request_may_be_tried_again(
    api: httpx.AsyncClient,
    trip: str,
    pin: dict[str, Any],
    sql: Callable[..., list[Any]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    sql("ALTER TABLE map_pins RENAME TO elsewhere")
    broken = await api.post(f"{trip}/map-pins", json=pin, headers=RETRY)
    sql("ALTER TABLE elsewhere RENAME TO map_pins")

    again = await api.post(f"{trip}/map-pins", json=pin, headers=RETRY)

    assert broken.status_code == 500
    assert broken.json()["error"]["code"] == "INTERNAL_ERROR"
    assert "map_pins" not in broken.text
    (record,) = caplog.records
    assert record.name == "trips_mcp.backend"
    assert broken.headers["x-request-id"] in record.getMessage()
    assert "map_pins" in caplog.text
    assert pin["name"] not in caplog.text
    assert again.status_code == 201
    assert "idempotent-replayed" not in again.headers
