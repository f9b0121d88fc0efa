"""The rate limiter against services that count their windows in different ways, on a virtual clock."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import httpx
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from trips_mcp.backend import create_key, open_backend
from trips_mcp.client import (
    ApiError,
    Endpoint,
    RateLimit,
    RateLimitedError,
    TripsClient,
    TripsError,
    UnavailableError,
)
from trips_mcp.contract.trips import LIST_TRIPS, ListTrips
from trips_mcp.scopes import Scope

if TYPE_CHECKING:
    from .conftest import SharedTime


class Service:
    """Counts by the contract: a limited number of requests in the 60 seconds from the first one."""

    def __init__(
        self, time: "SharedTime", limit: int = 60, *, latencies: Sequence[tuple[float, float]] = ((0.1, 0.1),)
    ) -> None:
        """`latencies`: the round-trip seconds of successive requests."""
        self.time = time
        self.limit = limit
        self.statuses: list[int] = []
        self.arrivals: list[tuple[str, float]] = []
        self.shares: list[httpx.Request] = []
        self._latencies = latencies
        self._began = -1e9
        self._count = 0

    def use_up(self, requests: int) -> int:
        """The remaining count of the window; negative for one request too many."""
        if self.time.now >= self._began + 60:
            self._began, self._count = self.time.now, 0
        self._count += requests
        return self.limit - self._count

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        there, back = self._latencies[len(self.arrivals) % len(self._latencies)]
        self.arrivals.append((request.url.path, self.time.now))
        await self.time.sleep(there)
        remaining = self.use_up(1)
        headers = {"X-RateLimit-Limit": str(self.limit), "X-RateLimit-Remaining": str(max(0, remaining))}
        status = 200 if remaining >= 0 else 429
        if status == 429:
            headers["Retry-After"] = str(max(1, round(self._began + 60 - self.time.now)))
        await self.time.sleep(back)
        self.statuses.append(status)
        return httpx.Response(status, json={"_id": "t", "items": []}, headers=headers)


@asynccontextmanager
async def passing(time: "SharedTime") -> AsyncGenerator[None]:
    with anyio.fail_after(60):
        async with anyio.create_task_group() as clockwork:
            clockwork.start_soon(time.pass_by)
            yield
            clockwork.cancel_scope.cancel()


def paced(service: Service, deadline: float = 45) -> TripsClient:
    endpoint = Endpoint("http://trips.test", "osk_key", httpx.MockTransport(service))
    time = service.time
    return TripsClient(trips=endpoint, events=None, deadline=deadline, clock=time.clock, sleep=time.sleep)


class Calls:
    """What became of many calls: the names of those that succeeded in their order, and the errors with their times."""

    def __init__(self, client: TripsClient, time: "SharedTime") -> None:
        self._client = client
        self._time = time
        self.done: list[str] = []
        self.refused: list[tuple[float, TripsError]] = []

    async def call(self, name: str) -> None:
        began = self._time.now
        try:
            await self._client.trips.get(name)
        except TripsError as error:
            self.refused.append((self._time.now - began, error))
        else:
            self.done.append(name)

    async def at_once(self, names: Sequence[str]) -> None:
        async with anyio.create_task_group() as calls:
            for name in names:
                calls.start_soon(self.call, name)


def names(count: int, prefix: str = "t") -> list[str]:
    return [f"{prefix}{number:03}" for number in range(count)]


async def test_a_hundred_calls_at_once_provoke_no_429(shared_time: "SharedTime") -> None:
    service = Service(shared_time)
    calls = Calls(paced(service), shared_time)

    async with passing(shared_time):
        await calls.at_once(names(100))

    assert service.statuses == [200] * 60
    assert calls.done == names(60)
    assert len(calls.refused) == 40
    for waited, error in calls.refused:
        assert isinstance(error, RateLimitedError)
        assert (error.status, error.code) == (429, "RATE_LIMITED")
        assert error.message == "60 requests a minute are allowed, and these are used up"
        assert waited < 1
        assert error.retry_after is not None
        assert 58 <= error.retry_after <= 61


async def test_before_anything_is_known_one_goes_ahead_alone(shared_time: "SharedTime") -> None:
    service = Service(shared_time, latencies=[(1, 2), (0.1, 0.1)])
    calls = Calls(paced(service), shared_time)
    began = shared_time.now

    async with passing(shared_time):
        await calls.at_once(names(20))

    assert [at - began for _, at in service.arrivals] == [0, *[3] * 19]


async def test_calls_that_fit_wait_for_the_next_window_in_their_order(shared_time: "SharedTime") -> None:
    service = Service(shared_time, limit=10)
    calls = Calls(paced(service), shared_time)

    async with passing(shared_time):
        await calls.at_once(names(10, "a"))
        await shared_time.sleep(30)
        async with anyio.create_task_group() as group:
            for name in names(15, "b"):
                group.start_soon(calls.call, name)
                await shared_time.sleep(0.1)

    assert service.statuses == [200] * 20
    assert [path for path, _ in service.arrivals[10:]] == [f"/trips/{name}" for name in names(10, "b")]
    assert len(calls.refused) == 5
    assert all(waited == 0 for waited, _ in calls.refused)
    assert all(isinstance(error, RateLimitedError) and (error.retry_after or 0) > 80 for _, error in calls.refused)


SECONDS = st.sampled_from([0.0, 0.01, 0.5, 3, 20])


@given(
    limit=st.integers(1, 20),
    latencies=st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=5),
    bursts=st.lists(
        st.tuples(st.integers(1, 25), st.sampled_from([0.0, 0.3, 7, 31, 52, 59.9, 60, 200])), min_size=1, max_size=6
    ),
    deadline=st.sampled_from([10, 45, 150]),
)
@settings(max_examples=50, deadline=None)
@example(5, [(0.0, 0.0), (0.0, 0.0), (0.01, 0.0), (0.0, 0.0), (0.0, 0.5)], [(1, 0.0), (1, 0.0), (9, 0.0)], 150)
@example(3, [(0.0, 0.5), (0.0, 0.01), (0.0, 0.0)], [(1, 60), (4, 0)], 10)
@example(3, [(0.0, 20), (0.0, 20), (0.0, 0.0)], [(1, 70), (2, 11), (4, 0)], 10)
async def test_no_pattern_of_calls_provokes_a_429(
    new_time: "type[SharedTime]",
    limit: int,
    latencies: list[tuple[float, float]],
    bursts: list[tuple[int, float]],
    deadline: float,
) -> None:
    time = new_time()
    service = Service(time, limit, latencies=latencies)
    calls = Calls(paced(service, deadline), time)

    async with passing(time), anyio.create_task_group() as group:
        for count, pause in bursts:
            for name in names(count):
                group.start_soon(calls.call, name)
            await time.sleep(pause)

    assert 429 not in service.statuses
    assert len(calls.done) + len(calls.refused) == sum(count for count, _ in bursts)
    assert len(calls.done) >= min(limit, bursts[0][0]) or max(map(sum, latencies)) > 1


async def test_two_processes_with_one_key_both_succeed(shared_time: "SharedTime") -> None:
    service = Service(shared_time, limit=10)
    one, other = Calls(paced(service, 150), shared_time), Calls(paced(service, 150), shared_time)

    async with passing(shared_time), anyio.create_task_group() as both:
        both.start_soon(one.at_once, names(10, "a"))
        both.start_soon(other.at_once, names(10, "b"))

    assert one.done == names(10, "a")
    assert other.done == names(10, "b")
    assert service.statuses.count(429) < 10


async def test_a_429_holds_back_everyone_until_it_has_passed(shared_time: "SharedTime") -> None:
    service = Service(shared_time, limit=10)
    calls = Calls(paced(service), shared_time)

    async with passing(shared_time):
        await calls.at_once(["first"])
        await shared_time.sleep(25)
        service.use_up(9)
        began = shared_time.now
        await calls.at_once(names(5))

    tried, *_ = [at for _, at in service.arrivals[1:] if at >= began + 30]
    assert calls.done == ["first", *names(5)]
    assert service.statuses.count(429) == 5  # those were under way when the first of them was told
    assert tried >= began + 34
    assert not [at for _, at in service.arrivals if began + 1 < at < began + 34]


async def test_a_429_without_a_limit_is_reported_without_one(shared_time: "SharedTime") -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(429, headers={"Retry-After": "50"})

    endpoint = Endpoint("http://trips.test", "osk_key", httpx.MockTransport(refuse))
    client = TripsClient(trips=endpoint, events=None, clock=shared_time.clock, sleep=shared_time.sleep)
    calls = Calls(client, shared_time)

    async with passing(shared_time):
        await calls.at_once(names(1))
        await calls.at_once(names(1))

    _, error = calls.refused[1]
    assert isinstance(error, RateLimitedError)
    assert (error.status, error.code, error.message, error.retry_after) == (429, "RATE_LIMITED", "", 50)


async def test_a_waiter_may_be_cancelled_at_any_time(shared_time: "SharedTime") -> None:
    service = Service(shared_time, limit=10)
    calls = Calls(paced(service, 150), shared_time)

    async with passing(shared_time):
        await calls.at_once(names(10, "a"))
        async with anyio.create_task_group() as staying, anyio.create_task_group() as leaving:
            for number in range(10):
                leaving.start_soon(calls.call, f"l{number}")
                staying.start_soon(calls.call, f"s{number}")
            await shared_time.sleep(1)
            leaving.cancel_scope.cancel()

    assert calls.done == [*names(10, "a"), *(f"s{number}" for number in range(10))]
    assert calls.refused == []
    assert service.statuses == [200] * 20


async def test_the_turn_of_a_cancelled_waiter_goes_to_the_next(shared_time: "SharedTime") -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/trips/first":
            await released.wait()
            leaving.cancel_scope.cancel()  # in the same moment in which the others are let through
        served.append(request.url.path)
        return httpx.Response(200, json={"_id": "t"}, headers={"X-RateLimit-Limit": "3", "X-RateLimit-Remaining": "2"})

    served: list[str] = []
    released = anyio.Event()
    endpoint = Endpoint("http://trips.test", "osk_key", httpx.MockTransport(answer))
    client = TripsClient(trips=endpoint, events=None, deadline=150, clock=shared_time.clock, sleep=shared_time.sleep)
    with anyio.fail_after(30):
        async with client, anyio.create_task_group() as staying, anyio.create_task_group() as leaving:
            staying.start_soon(client.trips.get, "first")
            await anyio.wait_all_tasks_blocked()
            for number in range(2):
                leaving.start_soon(client.trips.get, f"l{number}")
            await anyio.wait_all_tasks_blocked()
            for number in range(2):
                staying.start_soon(client.trips.get, f"s{number}")
            await anyio.wait_all_tasks_blocked()
            released.set()

    assert served == ["/trips/first", "/trips/s0", "/trips/s1"]


async def test_waiting_ends_without_answers_too(shared_time: "SharedTime") -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await shared_time.sleep(1000)
        raise httpx.ReadTimeout("slow")

    endpoint = Endpoint("http://trips.test", "osk_key", httpx.MockTransport(never))
    client = TripsClient(trips=endpoint, events=None, clock=shared_time.clock, sleep=shared_time.sleep)
    calls = Calls(client, shared_time)

    async with passing(shared_time):
        await calls.at_once(names(3))

    assert [waited < 45 for waited, _ in calls.refused] == [True, True, False]
    assert all(isinstance(error, UnavailableError) for _, error in calls.refused)
    assert [error.sent for _, error in calls.refused if isinstance(error, UnavailableError)] == [False, False, True]
    waited_in_vain = calls.refused[0][1]
    assert isinstance(waited_in_vain, UnavailableError)
    assert "it got no turn within 44 seconds, as an earlier request had no answer yet" in str(waited_in_vain)
    assert waited_in_vain.retry_after == 1


async def test_the_client_shows_the_budget(shared_time: "SharedTime") -> None:
    service = Service(shared_time)
    client = paced(service)

    async with passing(shared_time):
        before = client.rate_limit
        outcome = await client.outcome(LIST_TRIPS, ListTrips())
        after = client.rate_limit
        await shared_time.sleep(20)
        later = client.rate_limit
        await shared_time.sleep(60)
        renewed = client.rate_limit

    assert before is None
    assert outcome.rate_limit == after == RateLimit(60, 59, 60)
    assert later == RateLimit(60, 59, 40)
    assert renewed is not None
    assert renewed.remaining == 60


async def test_a_service_without_a_limit_is_not_paced(shared_time: "SharedTime") -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        served.append(request)
        return httpx.Response(200, json={"_id": "t"})

    served: list[httpx.Request] = []
    endpoint = Endpoint("http://trips.test", None, httpx.MockTransport(answer))
    client = TripsClient(trips=endpoint, events=None, clock=shared_time.clock, sleep=shared_time.sleep)
    calls = Calls(client, shared_time)
    began = shared_time.now

    async with passing(shared_time):
        await calls.at_once(names(300))

    assert len(calls.done) == len(served) == 300
    assert shared_time.now == began
    assert client.rate_limit is None


async def test_shared_views_are_counted_apart(shared_time: "SharedTime") -> None:
    service = Service(shared_time, limit=5)
    client = paced(service)

    async with passing(shared_time):
        await client.trips.get("t")
        known = client.rate_limit
        await client.shares.get("token")

    assert known is not None
    assert client.rate_limit is not None
    assert client.rate_limit.remaining == known.remaining == 4


LIES = st.sampled_from(
    ["-1", "-99999", "0", "1", "3", "60", "61", "1e9", "999999999", "9" * 40, "many", "", " ", "1.5", "NaN", "٣", "0x1"]
)


@given(
    told=st.lists(
        st.fixed_dictionaries(
            {}, optional={"X-RateLimit-Limit": LIES, "X-RateLimit-Remaining": LIES, "Retry-After": LIES}
        ),
        min_size=1,
        max_size=8,
    ),
    statuses=st.lists(st.sampled_from([200, 200, 200, 404, 429, 403, 500]), min_size=1, max_size=8),
)
@settings(max_examples=8, deadline=None)
@example([{"X-RateLimit-Limit": "0", "X-RateLimit-Remaining": "0"}], [200])
@example([{"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0"}], [200])
@example([{"X-RateLimit-Limit": "1", "X-RateLimit-Remaining": "60"}], [200])
@example([{"X-RateLimit-Limit": "9" * 40, "X-RateLimit-Remaining": "-1"}], [200])
@example([{"Retry-After": "999999999"}], [429, 200])
@example([{}, {"X-RateLimit-Limit": "1", "X-RateLimit-Remaining": "0"}], [200])
async def test_no_lie_of_the_headers_stops_a_client_for_good(
    new_time: "type[SharedTime]", told: list[dict[str, str]], statuses: list[int]
) -> None:
    async def lie(request: httpx.Request) -> httpx.Response:
        await time.sleep(0.1)
        turn = next(turns)
        headers = [(name, value.encode()) for name, value in told[turn % len(told)].items()]
        return httpx.Response(statuses[turn % len(statuses)], json={"_id": "t"}, headers=headers)  # type: ignore[arg-type]

    time = new_time()
    turns = count()
    network = httpx.MockTransport(lie)
    client = TripsClient(
        trips=Endpoint("http://trips.test", "osk_key", network), events=None, clock=time.clock, sleep=time.sleep
    )
    calls = Calls(client, time)

    async with passing(time):
        for _ in range(2):
            await calls.at_once(names(6))
            await time.sleep(61)
        before = next(turns)
        await calls.at_once(["last"])

    assert next(turns) > before + 1  # it was sent
    assert all(isinstance(error, (ApiError, UnavailableError)) for _, error in calls.refused)


class Remembering(httpx.AsyncBaseTransport):
    def __init__(self, network: httpx.AsyncBaseTransport, answered: list[int]) -> None:
        self._network = network
        self._answered = answered

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._network.handle_async_request(request)
        self._answered.append(response.status_code)
        return response


async def test_a_real_service_never_says_too_many(tmp_path: Path) -> None:
    key = await create_key(str(tmp_path / "trips.db"), [Scope.parse("trips:read")])
    async with open_backend(str(tmp_path / "trips.db"), require_keys=True, rate_limit=60) as app:
        answered: list[int] = []
        endpoint = Endpoint("http://trips.test/api/v1", key, Remembering(httpx.ASGITransport(app), answered))
        client = TripsClient(trips=endpoint, events=None)
        outcomes: list[object] = []
        with anyio.fail_after(60):
            async with client, anyio.create_task_group() as calls:

                async def call() -> None:
                    try:
                        outcomes.append(await client.trips.list())
                    except RateLimitedError as error:
                        outcomes.append(error.retry_after)

                for _ in range(100):
                    calls.start_soon(call)

    assert answered == [200] * 60
    refused = [outcome for outcome in outcomes if isinstance(outcome, float)]
    assert len(refused) == 40
    assert all(50 <= seconds <= 61 for seconds in refused)
