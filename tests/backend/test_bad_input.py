"""Invalid requests get a clear error, change nothing and never crash the backend."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import anyio
import httpx
import pytest
from starlette.types import Message

from trips_mcp.backend import open_backend

both = pytest.mark.parametrize("backend", ["in process", "served"], indirect=True)

BODIES = {
    "no JSON": b"{",
    "trailing": b"{} {}",
    "array": b"[]",
    "text": b'"x"',
    "null": b"null",
    "NaN": b'{"lat": NaN}',
    "Infinity": b'{"lat": -Infinity}',
    "1e400": b'{"lat": 1e400}',
    "5000 digits": b'{"lat": ' + b"9" * 5000 + b"}",
    "latin-1": '{"name": "é"}'.encode("latin-1"),
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "two byte order marks": b"\xef\xbb\xbf" * 2 + b"{}",
    "lone surrogate": b'{"name": "\\ud800", "lat": 1, "lng": 1}',
    "lone surrogate as a key": b'{"\\udfff": 1}',
    "NUL": b'{"name": "a\\u0000b", "lat": 1, "lng": 1}',
    "raw NUL": b'{"name": "a\x00b"}',
    "deep arrays": b'{"name": ' + b"[" * 100_000,
    "deep and whole": b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"a":' * 500 + b"1" + b"}" * 500,
    "huge key": b'{"' + b"k" * 500_000 + b'": 1}',
}


@both
async def test_a_body_that_is_none_is_refused(api: httpx.AsyncClient, trip: str) -> None:
    before = (await api.get(f"{trip}/export")).json()

    for name, body in BODIES.items():
        for path in (f"{trip}/map-pins", f"{trip}/map-pins:batch", f"{trip}/sync"):
            refused = await api.post(path, content=body)
            assert refused.status_code == 400, name
            assert refused.json()["error"]["code"] == "VALIDATION_ERROR", name
            assert refused.json()["error"]["details"], name
            assert len(refused.content) < 5_000, name
    assert (await api.get(f"{trip}/export")).json() == before


@both
async def test_a_byte_order_mark_before_a_body_is_ignored(api: httpx.AsyncClient, trip: str) -> None:
    made = await api.post(f"{trip}/map-pins", content=b'\xef\xbb\xbf{"name": "Inari", "lat": 35, "lng": 135}')

    assert made.status_code == 201
    assert made.json()["name"] == "Inari"


async def test_the_events_api_refuses_it_in_its_own_words(events: httpx.AsyncClient) -> None:
    for name, body in BODIES.items():
        refused = await events.post("/v1/events", content=body)
        assert refused.status_code == 400, name
        for fault in refused.json()["error"]:
            assert isinstance(fault["path"], list), name
            assert fault["message"], name


@pytest.mark.parametrize("depth", [30, 62, 63, 64, 200, 900])
async def test_nesting_is_kept_or_refused(api: httpx.AsyncClient, trip: str, leg: dict[str, Any], depth: int) -> None:
    body = json.dumps(leg)[:-1] + ', "accommodation": ' + '{"a": ' * depth + "1" + "}" * depth + "}"

    answer = await api.post(f"{trip}/legs", content=body)
    patched = await api.patch(f"{trip}/legs/leg_x", content=body)

    assert answer.status_code == (201 if depth <= 63 else 400)
    assert patched.status_code == (404 if depth <= 63 else 400)


@both
async def test_a_body_of_more_than_a_mebibyte_is_too_long(
    api: httpx.AsyncClient, trip: str, leg: dict[str, Any]
) -> None:
    whole = json.dumps(leg | {"accommodation": {"x": ""}})
    longest = whole.replace('"x": ""', '"x": "' + "y" * (2**20 - len(whole)) + '"')
    assert len(longest) == 2**20

    async def in_pieces(text: str) -> AsyncIterator[bytes]:
        for start in range(0, len(text), 2**16):
            yield text[start : start + 2**16].encode()

    assert (await api.post(f"{trip}/legs", content=longest)).status_code == 201
    assert (await api.post(f"{trip}/legs", content=in_pieces(longest))).status_code == 201
    for body in (longest + " ", in_pieces(longest + " ")):
        refused = await api.post(f"{trip}/legs", content=body)
        assert refused.status_code == 413
        assert refused.json()["error"]["code"] == "PAYLOAD_TOO_LARGE"
    assert len((await api.get(f"{trip}/legs")).json()["items"]) == 2


@pytest.mark.parametrize("announced", [b"1", b"0", b"-5", b"many", b"9" * 400, "²".encode()])
async def test_a_body_of_another_length_than_announced_is_read_all_the_same(
    api: httpx.AsyncClient, trip: str, announced: bytes
) -> None:
    too_long = b"[" * (2**20 + 1)

    refused = await api.post(f"{trip}/legs", content=too_long, headers={b"Content-Length": announced})

    assert refused.status_code == 413


IDS = ["a%2Fb", "a%2fb", "..%2f..%2fme", "%2e%2e", "%2E", "%00", "%0a", "a\\b", "%5c", "%ff", "x" * 10_240]


@both
@pytest.mark.parametrize("place", ["GET /trips/{}", "DELETE /trips/{}", "DELETE TRIP/legs/{}", "PATCH TRIP/legs/{}"])
async def test_an_id_that_is_none_reaches_nothing(api: httpx.AsyncClient, trip: str, place: str) -> None:
    before = (await api.get(f"{trip}/export")).json()
    method, path = place.replace("TRIP", trip).split()

    for segment in IDS:
        raw_path = api.base_url.raw_path.rstrip(b"/") + path.format(segment).encode()
        answer = await api.send(api.build_request(method, api.base_url.copy_with(raw_path=raw_path)))
        assert answer.status_code in (400, 404), segment
    assert (await api.get(f"{trip}/export")).json() == before


PATHS = """/ /api /api/v1 /api/v1/ /api/v1/trips/ /api/v1//trips /api/v1/me/ /api/v1/me/x /API/v1/me /api/v2/me
/me /api/v1/trips%2Fx /api/v1/shared /openapi.json/ /api/v1/trips/x/legs:upsert /v1 /v1/ /v1/events/
/v1/events/1/x /v1/me"""


async def test_an_unknown_path_is_not_found(events: httpx.AsyncClient) -> None:
    for path in PATHS.split():
        url = events.base_url.copy_with(raw_path=path.encode())
        assert (await events.send(events.build_request("GET", url))).status_code == 404, path


@both
async def test_another_method_is_not_allowed(api: httpx.AsyncClient) -> None:
    for method, path, allowed in (
        ("PUT", "/trips", "GET, POST"),
        ("DELETE", "/me", "GET"),
        ("HEAD", "/me", "GET"),
        ("OPTIONS", "/trips/x", "DELETE, GET, PATCH"),
        ("GET", "/trips/x/legs:batch", "POST"),
        ("TRACE", "/trips/x/legs", "GET, POST"),
    ):
        answer = await api.request(method, path)
        assert answer.status_code == 405, method
        assert answer.headers["allow"] == allowed
        assert method == "HEAD" or answer.json()["error"]["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize(
    "query",
    ["limit=1&limit=2", "limit=%ff", "unknown=1", "tripId=x", "legId", "%00=1", "limit=1%00", "=", "&&x"],
)
async def test_a_query_that_is_none_is_refused(api: httpx.AsyncClient, trip: str, query: str) -> None:
    refused = await api.get(f"{trip}/legs?{query}")

    assert refused.status_code == 400


async def test_an_empty_body_is_an_empty_object(api: httpx.AsyncClient, trip: str) -> None:
    before = (await api.get(trip)).json()

    assert (await api.patch(trip)).json() == before
    refused = await api.post(f"{trip}/map-pins")
    assert [detail["reason"] for detail in refused.json()["error"]["details"]] == ["required"] * 3


async def test_no_refusal_repeats_the_value(api: httpx.AsyncClient, trip: str, leg: dict[str, Any]) -> None:
    secret = "s3cret" * 40
    body = leg | {name: {"doorCode": [secret]} for name in leg} | {"flights": secret, "clientRef": [secret]}

    for method, path in (("POST", f"{trip}/legs"), ("PATCH", f"{trip}/legs/x"), ("PATCH", trip)):
        refused = await api.request(method, path, json=body)
        assert refused.status_code == 400
        assert "s3cret" not in refused.text


async def test_who_hangs_up_in_the_middle_hears_nothing(database: str, caplog: pytest.LogCaptureFixture) -> None:
    said: list[Message] = [
        {"type": "http.request", "body": b'{"title"', "more_body": True},
        {"type": "http.disconnect"},
    ]
    answered: list[Message] = []

    async def receive() -> Message:
        return said.pop(0)

    async def send(message: Message) -> None:
        answered.append(message)

    async with open_backend(database, require_keys=False) as app:
        with anyio.fail_after(10):
            await app(http_scope("POST", "/api/v1/trips"), receive, send)

    assert said == answered == []
    assert not caplog.records


def http_scope(method: str, raw_path: str) -> dict[str, Any]:
    """Sends a path to the app as it is; a client would normalise it first."""
    path = unquote(raw_path)
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": raw_path.encode(),
        "query_string": b"",
        "headers": [],
        "client": None,
    }


@pytest.mark.parametrize("segment", [".", "..", "../me", "..%2fme", "%2e%2e/me", "me%2f..", "\\.."])
async def test_dots_lead_nowhere(database: str, segment: str) -> None:
    answered: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        answered.append(message)

    async with open_backend(database, require_keys=False) as app:
        for raw_path in (f"/api/v1/trips/{segment}", f"/v1/events/{segment}", f"/api/v1/{segment}"):
            await app(http_scope("GET", raw_path), receive, send)

    assert len(answered) == 6
    assert {message["status"] for message in answered[::2]} <= {400, 404}


async def test_a_websocket_is_turned_away(database: str) -> None:
    answered: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        answered.append(message)

    async with open_backend(database, require_keys=False) as app:
        await app({"type": "websocket", "path": "/"}, receive, send)

    assert answered == [{"type": "websocket.close"}]
