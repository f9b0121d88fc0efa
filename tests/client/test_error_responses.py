"""Error responses of both APIs, and of neither, become one kind of error."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from trips_mcp.client import ApiError, GoneError, InvalidError, NotFoundError, RateLimitedError, TripsClient
from trips_mcp.client.responses import seconds_to_wait
from trips_mcp.contract.errors import Fault
from trips_mcp.contract.trips import GET_TRIP

ClientOf = Callable[[Callable[[httpx.Request], httpx.Response]], TripsClient]


async def refused(client_of: ClientOf, status: int, **answer: Any) -> ApiError:
    client = client_of(lambda request: httpx.Response(status, **answer))
    with pytest.raises(ApiError) as caught:
        await client.trips.get("t1")
    return caught.value


async def test_the_trips_apis_envelope_is_read_whole(client_of: ClientOf) -> None:
    error = await refused(
        client_of,
        400,
        json={
            "error": {
                "code": "VALIDATION_ERROR",
                "message": "Two fields are wrong.",
                "requestId": "req_1",
                "details": [
                    {"path": "title", "reason": "required"},
                    {"path": "legs.0.order", "reason": "expected a number"},
                ],
            }
        },
    )

    assert isinstance(error, InvalidError)
    assert (error.operation, error.status, error.code) == (GET_TRIP, 400, "VALIDATION_ERROR")
    assert (error.message, error.request_id, error.retry_after) == ("Two fields are wrong.", "req_1", None)
    assert error.details == [
        Fault(path="title", reason="required"),
        Fault(path="legs.0.order", reason="expected a number"),
    ]
    assert str(error) == "The Trips API refused get_trip: Two fields are wrong."


async def test_the_events_apis_sentence_is_read(client_of: ClientOf) -> None:
    client = client_of(lambda request: httpx.Response(410, json={"error": "Event is deleted"}))

    with pytest.raises(GoneError, match=r"^The Events API refused get_event: Event is deleted\.$") as caught:
        await client.events.get(7)

    assert (caught.value.code, caught.value.details) == ("GONE", [])


async def test_the_events_apis_list_of_faults_is_read(client_of: ClientOf) -> None:
    client = client_of(
        lambda request: httpx.Response(
            400, json={"error": [{"path": ["attach", "trip_ids", 0], "message": "Required"}]}
        )
    )

    with pytest.raises(InvalidError) as caught:
        await client.events.get(7)

    assert caught.value.details == [Fault(path="attach.trip_ids.0", reason="Required")]
    assert caught.value.code == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error": {"code": "TEAPOT", "message": "Short and stout"}}, "TEAPOT", "Short and stout"),
        ({"error": "Nope", "code": "NO_SUCH"}, "NO_SUCH", "Nope"),
        ({"message": "Nope", "code": "not_found"}, "not_found", "Nope"),
        ({"error": {}}, "NOT_FOUND", ""),
        ({"error": None}, "NOT_FOUND", ""),
        ({"error": 404}, "NOT_FOUND", ""),
        ({"error": {"code": 404, "message": ["a"], "details": {"path": "x"}}}, "NOT_FOUND", ""),
        ({"error": {"code": "<b>", "message": None, "details": [1, None, {}, {"path": 3}]}}, "NOT_FOUND", ""),
        ("Nope", "NOT_FOUND", "Nope"),
        ([], "NOT_FOUND", ""),
        (None, "NOT_FOUND", ""),
    ],
)
async def test_other_envelopes_give_what_they_have(client_of: ClientOf, body: object, code: str, message: str) -> None:
    error = await refused(client_of, 404, json=body)

    assert isinstance(error, NotFoundError)
    assert (error.code, error.message, error.details) == (code, message, [])


@pytest.mark.parametrize(
    "content", [b"", b"<html><h1>Not here</h1></html>", b"\xff\xfe", b"Not Found", b"{", b"[" * 9_999]
)
async def test_a_body_that_is_not_json_gives_our_own_words(client_of: ClientOf, content: bytes) -> None:
    error = await refused(client_of, 404, content=content)

    assert str(error) == "The Trips API refused get_trip: there is no such thing."


async def test_the_request_id_may_come_as_a_header(client_of: ClientOf) -> None:
    error = await refused(client_of, 404, json={"error": "Nope"}, headers={"X-Request-Id": "req_2"})

    assert error.request_id == "req_2"


async def test_an_invalid_request_id_is_dropped(client_of: ClientOf) -> None:
    error = await refused(client_of, 404, json={"error": {"requestId": "two words\n<b>"}})

    assert error.request_id is None


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("one\ntwo\r\n\tthree", "one two three"),
        ("bell\x07 and\x1b[31m red\u202e", "bell and [31m red"),
        ("key osk_trips-key is revoked", "key … is revoked"),
        ("key osk_another-key is revoked", "key … is revoked"),
        ("key osk_with.dots~and+more/of=them is revoked", "key … is revoked"),
        ("this is no key: osk_another.", "this is no key: …."),
        ("Authorization: Bearer abc.def", "Authorization: Bearer …"),
        ("send it as Authorization: Bearer osk_...", "send it as Authorization: Bearer …."),
        ("send Authorization: Bearer abc.def. Then try again", "send Authorization: Bearer …. Then try again"),
        ("the token (bearer a.b.c) is old", "the token (bearer …) is old"),
        ("bearer a,b;c.d", "bearer …"),
        ("see https://trips.test/shared/trips/s3cret?x=1 now", "see … now"),
        ("<p>Bad gateway</p>", ""),
        ("oops <!DOCTYPE html>", ""),
        ("a < b and 3 <4", "a < b and 3 <4"),
        ("   ", ""),
        ("x" * 5_000, "x" * 299 + "…"),
    ],
)
async def test_another_systems_words_are_cleaned(client_of: ClientOf, message: str, said: str) -> None:
    error = await refused(
        client_of, 400, json={"error": {"message": message, "details": [{"path": message, "reason": message}]}}
    )

    assert error.message == said
    assert error.details == ([Fault(path=said, reason=said)] if said else [])
    assert str(error) == f"The Trips API refused get_trip: {(said or InvalidError.means).rstrip('.')}."


async def test_a_failure_inside_the_service_is_not_repeated(client_of: ClientOf) -> None:
    error = await refused(client_of, 500, json={"error": {"message": "SELECT * FROM users"}})

    assert str(error) == "The Trips API failed at get_trip: something broke on its side."


async def test_no_error_shows_the_key_in_any_form(client_of: ClientOf) -> None:
    error = await refused(
        client_of,
        401,
        json={"error": {"code": "osk_trips-key", "message": "osk_trips-key", "requestId": "osk_trips-key"}},
    )

    assert "trips-key" not in f"{error} {error!r} {vars(error)}"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7),
        (" 0 ", 0),
        ("1.5", 1.5),
        ("Sun, 01 Nov 2026 12:00:30 GMT", 30),
        ("Sun, 01 Nov 2026 12:00:30 -0000", 30),
        ("Sun, 01 Nov 2026 11:00:00 GMT", 0),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("nan", None),
        ("1e400", None),
        ("1793534410", 10),
        ("1893534410", 86_400),
        ("1593534410", 86_400),
        ("1793534410000", 86_400),
        ("9" * 5_000, 86_400),
        ("Sun, 99 Nov 2026 12:00:30 GMT", None),
        ("Sun, 01 Nov 99999 12:00:30 GMT", None),
        ("٣", None),
    ],
)
def test_retry_after_is_seconds_a_date_an_epoch_or_nothing(header: str | None, seconds: float | None) -> None:
    """A date and a Unix time are relative to the answer's Date header, not to this computer's clock."""
    headers = [(b"Date", b"Sun, 01 Nov 2026 12:00:00 GMT")]
    if header is not None:
        headers.append((b"Retry-After", header.encode()))

    assert seconds_to_wait(httpx.Headers(headers)) == seconds


async def test_a_rate_limit_says_when_to_come_back(client_of: ClientOf) -> None:
    error = await refused(client_of, 429, json={"error": {"code": "RATE_LIMITED"}}, headers={"Retry-After": "12"})

    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 12
