"""Answers that break the contract in any way give a typed result or a TripsError, nothing else."""

import json
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trips_mcp.client import ApiError, BadAnswerError, OutcomeUnknownError, TripsClient, TripsError
from trips_mcp.contract import OPERATIONS
from trips_mcp.contract.models import Params, Result
from trips_mcp.contract.operation import Operation
from trips_mcp.json_values import is_list, is_object

if TYPE_CHECKING:
    from .conftest import ClientOf

AnyOperation = Operation[Any, Any]

FEW = settings(max_examples=30, deadline=None)
MANY = settings(max_examples=400, deadline=None)
ARGUMENTS: dict[str, Any] = {
    "tripId": "t1",
    "legId": "l1",
    "itemId": "i1",
    "commitmentId": "c1",
    "pinId": "p1",
    "channelId": "ch1",
    "token": "s1",
    "groupId": "g1",
    "title": "Kyoto",
    "name": "Inari",
    "text": "Pack",
    "content": "Hello",
    "destination": "Kyoto",
    "timezone": "Asia/Tokyo",
    "startDate": "2026-11-01",
    "endDate": "2026-11-02",
    "date": "2026-11-01",
    "type": "food",
    "category": "dinner",
    "urgency": "now",
    "order": 1,
    "lat": 35.0,
    "lng": 135.7,
    "event_id": 7,
    "trip_id": 42,
}


def asked(operation: AnyOperation) -> Params:
    """The minimal params of the operation."""
    needed = {field.alias or name for name, field in operation.params.model_fields.items() if field.is_required()}
    fields = {name: ARGUMENTS[name] for name in needed if name != "items"}
    if "items" in needed:
        item = operation.params.model_fields["items"].annotation.__args__[0]
        required = [field.alias or name for name, field in item.model_fields.items() if field.is_required()]
        fields["items"] = [{name: ARGUMENTS[name] for name in required}]
    return operation.params.model_validate(fields, strict=True)


def field_names(schema: object) -> set[str]:
    """Every field of the schema's model and of its nested models."""
    if is_object(schema):
        return {*schema.get("properties", ())}.union(*map(field_names, schema.values()))
    return set[str]().union(*map(field_names, schema)) if is_list(schema) else set()


NAMES = sorted(
    {name for operation in OPERATIONS for name in field_names(operation.result.model_json_schema())}
    | {"id", "data", "page", "results", "cursor", "isDone", "continueCursor", "error", "details", "model_config"}
    | {name for operation in OPERATIONS for name in operation.result.own_names}
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["2026-11-01", "10:00", "Asia/Tokyo", "t1", "", "0"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), inner, max_size=6)
    ),
    max_leaves=12,
)
BODIES = (
    JSON.map(lambda value: json.dumps(value).encode())
    | JSON.flatmap(
        lambda value: st.integers(0, 200).map(lambda length: json.dumps(value, ensure_ascii=False).encode()[:length])
    )
    | st.binary(max_size=100)
    | st.sampled_from([b"<!DOCTYPE html><p>Hello", b"\xef\xbb\xbf{}", b"[" * 5_000, b'{"a":' * 5_000, b"9" * 9_000])
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Content-Type": st.sampled_from(["text/html", "application/json", "application/json; charset=utf-16", "%%%"]),
        "Retry-After": st.sampled_from(["1", "-1", "soon", "1e999", "Sun, 01 Nov 2026 12:00:30 GMT"]),
        "X-Request-Id": st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=30),
        "Location": st.just("http://evil.test/"),
        "Set-Cookie": st.just("a=b"),
    },
)


async def outcome(client: TripsClient, operation: AnyOperation) -> Result | TripsError:
    with anyio.fail_after(30):
        try:
            result = await client.call(operation, asked(operation))
        except OutcomeUnknownError as error:
            fit_to_show(error)
            return fit_to_show(error.__cause__)
        except TripsError as error:
            return fit_to_show(error)
    assert isinstance(result, operation.result)
    json.dumps(result.model_dump(mode="json"), allow_nan=False)
    return result


def fit_to_show(error: BaseException | None) -> TripsError:
    assert isinstance(error, TripsError)
    assert "\n" not in str(error)
    assert len(str(error)) < 600
    assert "osk_trips-key" not in f"{error} {error!r} {vars(error)}"
    return error


async def check_answer(
    client_of: "ClientOf", operation: AnyOperation, status: int, body: bytes, headers: dict[str, str]
) -> None:
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    client = client_of(lambda request: httpx.Response(status, content=body, headers=sent.items()), deadline=3)  # type: ignore[arg-type]

    read = await outcome(client, operation)

    assert isinstance(read, TripsError) or 200 <= status < 300
    assert isinstance(read, ApiError) == (400 <= status < 600)


any_answer = given(
    operation=st.sampled_from(OPERATIONS),
    status=st.sampled_from([200, 201, 204, 207, 301, 304, 400, 401, 404, 409, 429, 500, 503, 599])
    | st.integers(200, 999),
    body=BODIES,
    headers=HEADERS,
)


@FEW
@any_answer
@example(operation=OPERATIONS[0], status=200, body=b'{"groups": [{"_id": 1e400}]}', headers={})
@example(operation=OPERATIONS[0], status=400, body=b'{"error": {"message": "osk_trips-key"}}', headers={})
async def test_any_answer_is_read_or_refused(client_of: "ClientOf", **answer: Any) -> None:
    await check_answer(client_of, **answer)


@pytest.mark.soak
@MANY
@any_answer
async def test_any_of_many_answers_is_read_or_refused(client_of: "ClientOf", **answer: Any) -> None:
    await check_answer(client_of, **answer)


async def check_fields(client_of: "ClientOf", operation: AnyOperation, fields: dict[str, Any]) -> None:
    read = await outcome(client_of(lambda request: httpx.Response(200, content=json.dumps(fields))), operation)

    assert isinstance(read, (operation.result, BadAnswerError))


any_fields = given(
    operation=st.sampled_from(OPERATIONS), fields=st.dictionaries(st.sampled_from(NAMES), JSON, max_size=8)
)


@FEW
@any_fields
async def test_every_field_may_be_wrong(client_of: "ClientOf", **answer: Any) -> None:
    await check_fields(client_of, **answer)


@pytest.mark.soak
@MANY
@any_fields
async def test_many_fields_may_be_wrong(client_of: "ClientOf", **answer: Any) -> None:
    await check_fields(client_of, **answer)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_an_answer_may_end_anywhere(client_of: "ClientOf", operation: AnyOperation) -> None:
    whole = json.dumps({name: [{"_id": "x"}] for name in ("items", "events", "legs", "error")}).encode()

    for length in range(1 + OPERATIONS.index(operation) % 5, len(whole), 5):  # each end with eight operations
        read = await outcome(client_of(lambda request, end=length: httpx.Response(200, content=whole[:end])), operation)
        assert isinstance(read, BadAnswerError)


async def _broken_off() -> AsyncGenerator[bytes]:
    yield b'{"items": ['
    raise httpx.RemoteProtocolError("peer closed connection")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_a_connection_may_break_in_mid_answer(client_of: "ClientOf", operation: AnyOperation) -> None:
    read = await outcome(client_of(lambda request: httpx.Response(200, content=_broken_off()), deadline=3), operation)

    assert "the connection ended before the whole answer was there" in str(read)
