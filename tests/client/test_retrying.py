"""Retries: which failures, after which wait, until which deadline."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import anyio
import httpx
import pytest

from trips_mcp.client import (
    ApiError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    OutcomeUnknownError,
    RateLimitedError,
    ServerFaultError,
    TripsClient,
    TripsError,
    UnavailableError,
)
from trips_mcp.client.session import Attempts
from trips_mcp.contract.events import CreateEvent, UpdateEvent
from trips_mcp.contract.messages import SendMessage
from trips_mcp.contract.trips import SyncTrip

if TYPE_CHECKING:
    from .conftest import ClientOf, SkippedTime

Call = Callable[[TripsClient], Any]

GOOD = httpx.Response(200, json={"_id": "x", "items": []})


class Service:
    """Gives the answers in order and then repeats the last; an exception is raised."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.requests: list[httpx.Request] = []
        self._answers: Iterator[httpx.Response | Exception] = iter(answers)
        self._last = answers[-1]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = next(self._answers, self._last)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def refusing(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()})


def send(client: TripsClient) -> Any:
    return client.messages.send(SendMessage(trip_id="t1", channel_id="c1", content="Hello"))


def read(client: TripsClient) -> Any:
    return client.trips.list()


def delete_event(client: TripsClient) -> Any:
    return client.events.delete(7)


class Calling(Protocol):
    async def __call__(self, service: Service, call: Call, *, deadline: float = 45) -> Any: ...


@pytest.fixture
def calling(client_of: "ClientOf", time: "SkippedTime") -> Calling:
    """The result of one call to a service, and the seconds that the client slept."""

    async def calling(service: Service, call: Call, *, deadline: float = 45) -> Any:
        client = client_of(service, clock=time.clock, sleep=time.sleep, deadline=deadline)
        with anyio.fail_after(30):
            return await call(client)

    return calling


PASSING = [
    *(refusing(status) for status in (408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529)),
    refusing(403, Retry_After="1"),
    httpx.ConnectError("down"),
    httpx.ConnectTimeout("down"),
    httpx.ReadTimeout("slow"),
    httpx.ReadError("reset"),
    httpx.RemoteProtocolError("cut off"),
]


@pytest.mark.parametrize("failure", PASSING, ids=repr)
@pytest.mark.parametrize("call", [read, send])
async def test_temporary_failures_are_retried(
    calling: Calling, failure: httpx.Response | Exception, call: Call
) -> None:
    service = Service(failure, failure, GOOD)

    await calling(service, call)

    assert len(service.requests) == 3


@pytest.mark.parametrize(
    "failure",
    [
        *(refusing(status) for status in (400, 401, 403, 404, 405, 410, 413, 418, 422, 501, 505)),
        httpx.UnsupportedProtocol("ftp"),
        httpx.LocalProtocolError("ours"),
    ],
    ids=str,
)
@pytest.mark.parametrize("call", [read, send])
async def test_permanent_failures_are_not_retried(
    calling: Calling, failure: httpx.Response | Exception, call: Call
) -> None:
    service = Service(failure)

    with pytest.raises(TripsError) as caught:
        await calling(service, call)

    assert isinstance(caught.value, (ApiError, UnavailableError, OutcomeUnknownError))
    assert caught.value.retry_after is None
    assert len(service.requests) == 1


@pytest.mark.parametrize("call", [read, send])
async def test_a_403_that_names_only_the_limit_is_retried(calling: Calling, call: Call) -> None:
    service = Service(refusing(403, X_RateLimit_Limit="60", X_RateLimit_Remaining="0"), GOOD)

    await calling(service, call)

    assert len(service.requests) == 2


async def test_the_last_allowed_request_may_be_a_plain_403(calling: Calling) -> None:
    headers = {"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0"}
    service = Service(httpx.Response(403, headers=headers, json={"error": {"code": "FORBIDDEN", "message": "No."}}))

    with pytest.raises(ForbiddenError):
        await calling(service, read)

    assert len(service.requests) == 1


async def test_a_403_that_is_a_rate_limit_is_reported_as_one(calling: Calling) -> None:
    service = Service(refusing(403, Retry_After="90"))

    with pytest.raises(RateLimitedError) as caught:
        await calling(service, read)

    assert (caught.value.status, caught.value.retry_after) == (403, 90)


async def test_waits_are_random_below_a_bound_that_doubles(calling: Calling, time: "SkippedTime") -> None:
    for _ in range(20):
        with pytest.raises(ServerFaultError):
            await calling(Service(refusing(500)), read)
        slept, time.slept = time.slept, []
        bounds = [0.5, 1, 2, 4, *[8] * 400]
        assert all(0 <= wait <= bound for wait, bound in zip(slept, bounds, strict=False))
        assert len(slept) >= 7
        assert len({*slept}) == len(slept)


def test_the_bound_of_the_wait_doubles_up_to_eight_seconds(time: "SkippedTime") -> None:
    longest = Attempts(time.clock, time.sleep, lambda least, most: most)
    shortest = Attempts(time.clock, time.sleep, lambda least, most: least)

    attempts = (1, 2, 3, 4, 5, 6, 11, 12, 5_000)
    assert [longest.backoff(number) for number in attempts] == [0.5, 1, 2, 4, 8, 8, 8, 8, 8]
    assert {shortest.backoff(number) for number in attempts} == {0}


async def test_a_wait_of_half_a_second_is_long_enough_to_be_kept(calling: Calling, time: "SkippedTime") -> None:
    await calling(Service(refusing(503, Retry_After="0.5"), GOOD), read)

    assert time.slept == [0.5]


@pytest.mark.parametrize(("deadline", "waits"), [(11, True), (10.5, False)])
async def test_after_a_wait_there_is_a_second_left_for_the_attempt(
    calling: Calling, time: "SkippedTime", deadline: float, waits: bool
) -> None:
    service = Service(refusing(503, Retry_After="10"), GOOD)

    if waits:
        await calling(service, read, deadline=deadline)
    else:
        with pytest.raises(ServerFaultError) as caught:
            await calling(service, read, deadline=deadline)
        assert caught.value.retry_after == 10

    assert time.slept == ([10] if waits else [])


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (refusing(429, X_RateLimit_Limit="60", X_RateLimit_Remaining="0"), 40),
        (refusing(403, X_RateLimit_Limit="60", X_RateLimit_Remaining="0"), 40),
        (refusing(429, X_RateLimit_Limit="60", X_RateLimit_Remaining="0", Retry_After="7"), 7),
    ],
    ids=["429", "403", "named"],
)
async def test_a_used_up_limit_is_waited_for_until_its_window_ends(
    calling: Calling, time: "SkippedTime", answer: httpx.Response, wait: float
) -> None:
    await calling(Service(of_a_limit(59), answer, of_a_limit(58)), lambda client: read_twice(client, time))

    assert time.slept[0] == wait


@pytest.mark.parametrize(
    "answer",
    [
        refusing(429, X_RateLimit_Limit="60", X_RateLimit_Remaining="5"),
        refusing(503, X_RateLimit_Limit="60", X_RateLimit_Remaining="0"),
    ],
    ids=["requests left", "another failure"],
)
async def test_only_a_used_up_limit_is_waited_for(
    calling: Calling, time: "SkippedTime", answer: httpx.Response
) -> None:
    await calling(Service(of_a_limit(59), answer, of_a_limit(58)), lambda client: read_twice(client, time))

    assert time.slept[0] <= 0.5


async def test_a_used_up_limit_whose_window_is_not_known_is_tried_again_soon(
    calling: Calling, time: "SkippedTime"
) -> None:
    await calling(Service(refusing(429, X_RateLimit_Remaining="0"), GOOD), read)

    assert time.slept[0] <= 0.5


def of_a_limit(remaining: int) -> httpx.Response:
    headers = {"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": str(remaining)}
    return httpx.Response(200, json={"items": []}, headers=headers)


async def read_twice(client: TripsClient, time: "SkippedTime") -> None:
    await read(client)
    time.now += 20
    await read(client)


async def test_a_failure_that_is_no_rate_limit_holds_no_other_call_back(calling: Calling, time: "SkippedTime") -> None:
    service = Service(refusing(503, Retry_After="100"), GOOD)

    async def calls(client: TripsClient) -> None:
        with pytest.raises(ServerFaultError):
            await read(client)
        await read(client)

    await calling(service, calls)

    assert time.slept == []


@pytest.mark.parametrize(
    ("failure", "remaining"),
    [(httpx.ReadTimeout("slow"), 58), (httpx.UnsupportedProtocol("ftp"), 59), (httpx.InvalidURL("odd"), 59)],
    ids=["may have arrived", "never sent", "no URL"],
)
async def test_only_requests_that_may_have_arrived_are_counted(
    calling: Calling, failure: Exception, remaining: int
) -> None:
    async def calls(client: TripsClient) -> int:
        await read(client)
        with pytest.raises(TripsError):
            await read(client)
        assert client.rate_limit is not None
        return client.rate_limit.remaining

    assert await calling(Service(of_a_limit(59), failure), calls, deadline=0.9) == remaining


async def test_a_shared_view_waits_for_its_own_limit_only(calling: Calling, time: "SkippedTime") -> None:
    """The service counts requests without a key apart from those with one."""
    used_up = {"X-RateLimit-Limit": "1", "X-RateLimit-Remaining": "0"}
    service = Service(httpx.Response(200, json={"_id": "x", "items": [], "legs": []}, headers=used_up))

    async def calls(client: TripsClient) -> None:
        await client.shares.get("token")
        await client.trips.list()
        assert time.slept == []
        await client.shares.get("token")
        assert sum(time.slept) == 60
        await client.trips.list()
        assert sum(time.slept) == 60

    await calling(service, calls, deadline=100)


@pytest.mark.parametrize("named", ["7", " 7 ", "7.0"])
@pytest.mark.parametrize("status", [429, 503])
async def test_the_wait_that_the_service_names_is_kept(
    calling: Calling, time: "SkippedTime", status: int, named: str
) -> None:
    await calling(Service(refusing(status, Retry_After=named), GOOD), read)

    assert time.slept == [7]


async def test_the_wait_may_be_named_as_a_date(calling: Calling, time: "SkippedTime") -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)

    await calling(Service(refusing(503, Retry_After=then), GOOD), read)

    [slept] = time.slept
    assert 20 < slept <= 30


@pytest.mark.parametrize("garbage", ["soon", "-5", "NaN", "inf", "1e9", "", "0x10", "Mon, 99 Foo 2026", "٣"])
async def test_without_a_valid_wait_our_own_is_used(calling: Calling, time: "SkippedTime", garbage: str) -> None:
    await calling(Service(httpx.Response(503, headers=[(b"Retry-After", garbage.encode())]), GOOD), read)

    [slept] = time.slept
    assert 0 <= slept <= 0.5


@pytest.mark.parametrize("named", ["0", "0.0", "Sun, 01 Nov 2020 12:00:30 GMT"])
async def test_a_wait_of_zero_does_not_cause_a_retry_storm(calling: Calling, time: "SkippedTime", named: str) -> None:
    service = Service(refusing(429, Retry_After=named))

    with pytest.raises(RateLimitedError):
        await calling(service, read)

    assert len(service.requests) < 100
    assert sum(time.slept) > 30


@pytest.mark.parametrize(
    ("answer", "error"),
    [(refusing(429, Retry_After="46"), RateLimitedError), (refusing(503, Retry_After="3600"), ServerFaultError)],
)
async def test_a_wait_beyond_the_deadline_is_reported_and_not_slept(
    calling: Calling, time: "SkippedTime", answer: httpx.Response, error: type[ApiError]
) -> None:
    service = Service(answer)

    with pytest.raises(error) as caught:
        await calling(service, read)

    assert caught.value.retry_after == float(answer.headers["Retry-After"])
    assert len(service.requests) == 1
    assert time.slept == []


@pytest.mark.parametrize("named", ["1793534405", "9999999999", "1793534405000", "9" * 40])
@pytest.mark.parametrize("status", [429, 503])
async def test_an_impossible_wait_ends_the_call_at_once(
    calling: Calling, time: "SkippedTime", status: int, named: str
) -> None:
    service = Service(refusing(status, Retry_After=named, Date="Sun, 01 Nov 2026 12:00:00 GMT"))

    with pytest.raises(ApiError) as caught:
        await calling(service, read)

    assert len(service.requests) == 1
    assert time.slept == []
    assert caught.value.retry_after in (5, 86_400)


async def test_a_retry_date_is_relative_to_the_services_clock(calling: Calling, time: "SkippedTime") -> None:
    """Else a computer whose clock is an hour ahead would not wait, and one that is behind would give up."""
    then = "Sun, 01 Nov 2026 12:00:07 GMT"
    await calling(Service(refusing(503, Retry_After=then, Date="Sun, 01 Nov 2026 12:00:00 GMT"), GOOD), read)

    assert time.slept == [7]


def conflicting(code: str) -> httpx.Response:
    return httpx.Response(409, json={"error": {"code": code, "message": "No.", "requestId": "req_7"}})


LOST = httpx.ReadTimeout("slow")


@pytest.mark.parametrize(
    "answers",
    [
        [LOST, refusing(409)],
        [LOST, conflicting("IDEMPOTENCY_IN_PROGRESS")],
        [LOST, conflicting("CONFLICT"), conflicting("CONFLICT")],
        [refusing(409)],
        [conflicting("IDEMPOTENCY_IN_PROGRESS")],
    ],
    ids=["lost, bare", "lost, in progress", "lost, another code", "bare", "in progress"],
)
async def test_a_conflict_with_a_running_attempt_is_retried_with_the_same_key(
    calling: Calling, answers: list[httpx.Response | Exception]
) -> None:
    service = Service(*answers, GOOD)

    sent = await calling(service, send)

    assert sent.id == "x"
    assert len(service.requests) == len(answers) + 1
    assert len({request.headers["Idempotency-Key"] for request in service.requests}) == 1


@pytest.mark.parametrize("conflict", [refusing(409), conflicting("IDEMPOTENCY_IN_PROGRESS")], ids=["bare", "told"])
async def test_a_conflict_that_does_not_end_leaves_the_outcome_unknown_and_the_key_noted(
    client_of: "ClientOf", time: "SkippedTime", conflict: httpx.Response
) -> None:
    service = Service(LOST, *[conflict] * 500, GOOD)
    client = client_of(service, clock=time.clock, sleep=time.sleep)

    with pytest.raises(OutcomeUnknownError, match="the service is still busy with it"):
        await send(client)
    with anyio.fail_after(30):
        while len(service.requests) < 502:
            try:
                await send(client)
                break
            except OutcomeUnknownError:
                continue

    assert len({request.headers["Idempotency-Key"] for request in service.requests}) == 1


async def test_a_conflict_with_another_write_is_reported_at_once(calling: Calling) -> None:
    service = Service(conflicting("IDEMPOTENCY_CONFLICT"))

    with pytest.raises(ConflictError):
        await calling(service, send)

    assert len(service.requests) == 1


async def test_a_shorter_deadline_has_room_for_less(calling: Calling, time: "SkippedTime") -> None:
    with pytest.raises(RateLimitedError) as caught:
        await calling(Service(refusing(429, Retry_After="10")), read, deadline=5)

    assert caught.value.retry_after == 10
    assert time.slept == []


@pytest.mark.parametrize("failure", [refusing(500), refusing(429), httpx.ConnectError("down"), httpx.ReadTimeout("")])
async def test_all_of_a_call_is_within_its_deadline(
    calling: Calling, time: "SkippedTime", failure: httpx.Response | Exception
) -> None:
    began = time.now

    with pytest.raises((ApiError, UnavailableError)) as caught:
        await calling(Service(failure), read)

    assert 30 < time.now - began <= 45
    assert isinstance(caught.value, (ApiError, UnavailableError))
    assert caught.value.retry_after is not None


async def test_slow_failures_leave_less_time_for_others(client_of: "ClientOf", time: "SkippedTime") -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        time.now += 30
        raise httpx.ReadTimeout("slow")

    requests: list[httpx.Request] = []
    with pytest.raises(UnavailableError):
        await client_of(slow, clock=time.clock, sleep=time.sleep).trips.list()

    assert len(requests) == 2


async def test_an_attempt_is_cut_off_at_the_deadline(client_of: "ClientOf") -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    with anyio.fail_after(30):
        with pytest.raises(UnavailableError) as caught:
            await client_of(never, deadline=0.01).trips.list()
        with pytest.raises(OutcomeUnknownError):
            await send(client_of(never, deadline=0.01))

    assert caught.value.sent
    assert str(caught.value) == "The Trips API did not answer list_trips: no whole answer came within 0 seconds."


@pytest.mark.parametrize("call", [read, delete_event])
async def test_without_a_key_no_conflict_is_with_an_attempt_of_our_own(calling: Calling, call: Call) -> None:
    service = Service(refusing(409))

    with pytest.raises(TripsError):
        await calling(service, call)

    assert len(service.requests) == 1


EVENT = CreateEvent(type="food", title="Ramen", date="2026-11-01", trip_ids=[42])


@pytest.mark.parametrize(
    "failure", [httpx.Response(429, json={"error": "Slow down"}), httpx.ConnectError("down")], ids=repr
)
async def test_an_event_that_surely_was_not_written_is_sent_again(
    calling: Calling, failure: httpx.Response | Exception
) -> None:
    service = Service(failure, httpx.Response(201, json={"event_id": 7}))

    event = await calling(service, lambda client: client.events.create(EVENT))

    assert event.event_id == 7
    assert [request.method for request in service.requests] == ["POST", "POST"]


@pytest.mark.parametrize("failure", [refusing(500), refusing(408), refusing(503), httpx.ReadTimeout("slow")], ids=repr)
async def test_an_event_that_may_be_written_is_never_sent_again_blindly(
    client_of: "ClientOf", failure: httpx.Response | Exception
) -> None:
    def failing_at_writes(request: httpx.Request) -> httpx.Response:
        methods.append(request.method)
        if request.method == "GET":
            return httpx.Response(200, json={"event_id": 7, "revision": 0, "events": []})
        return Service(failure)(request)

    methods: list[str] = []
    client = client_of(failing_at_writes)

    with pytest.raises(OutcomeUnknownError):
        await client.events.create(EVENT)
    methods.append("GET")  # what comes next is another event
    with pytest.raises(OutcomeUnknownError):
        await client.events.update(UpdateEvent(event_id=7, title="Udon"))

    assert {"POST", "PATCH"} <= {*methods}
    assert all("GET" in pair for pair in pairwise(methods))


async def test_deleting_an_event_may_be_repeated(calling: Calling) -> None:
    service = Service(httpx.ReadTimeout("slow"), httpx.Response(200, json={"already_deleted": True}))

    gone = await calling(service, lambda client: client.events.delete(7))

    assert gone.already_deleted
    assert len(service.requests) == 2


async def test_a_dry_run_may_be_repeated(calling: Calling) -> None:
    service = Service(refusing(502), httpx.Response(200, json={"dryRun": True, "legs": {"results": []}}))

    await calling(service, lambda client: client.trips.sync(SyncTrip(trip_id="t1", dry_run=True, legs=[])))

    assert len(service.requests) == 2
    assert not any("Idempotency-Key" in request.headers for request in service.requests)


async def test_an_error_after_retries_is_the_last_one(calling: Calling) -> None:
    service = Service(httpx.ReadTimeout("slow"), refusing(500), refusing(400))

    with pytest.raises(InvalidError):
        await calling(service, read)

    assert len(service.requests) == 3
