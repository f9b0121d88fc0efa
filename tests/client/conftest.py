"""Fixtures for clients of broken, slow and hostile services, on clocks that only the tests move."""

from collections.abc import Callable, Coroutine
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

import anyio
import httpx
import pytest
from anyio.lowlevel import checkpoint

from trips_mcp.client import Endpoint, TripsClient
from trips_mcp.client.journal import Journal

Handler = Callable[[httpx.Request], httpx.Response] | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]


class ClientOf(Protocol):
    def __call__(self, answer: Handler, *, journal: Journal | None = None, **settings: object) -> TripsClient: ...


class SkippedTime:
    """A clock that moves at once when someone sleeps. For sequential calls."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await checkpoint()
        self.slept.append(seconds)
        self.now += seconds


class SharedTime:
    """A clock that moves to the next wake-up time when all tasks are idle. For concurrent calls."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._order = count()
        self._sleepers: list[tuple[float, int, anyio.Event]] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        woken = anyio.Event()
        heappush(self._sleepers, (self.now + seconds, next(self._order), woken))
        await woken.wait()

    async def pass_by(self) -> None:
        """Run this concurrently with the calls, and cancel it after them."""
        while True:
            await anyio.wait_all_tasks_blocked()
            if self._sleepers:
                self.now, _, woken = heappop(self._sleepers)
                woken.set()
            await checkpoint()


@pytest.fixture
def time() -> SkippedTime:
    return SkippedTime()


@pytest.fixture
def shared_time() -> SharedTime:
    return SharedTime()


@pytest.fixture(scope="session")
def new_time() -> type[SharedTime]:
    """For tests of many examples."""
    return SharedTime


@pytest.fixture(scope="session")
def client_of() -> ClientOf:
    def client_of(answer: Handler, *, journal: Journal | None = None, **settings: object) -> TripsClient:
        network = httpx.MockTransport(answer)
        time = SkippedTime()
        return TripsClient(
            trips=Endpoint("http://trips.test/api/v1", "osk_trips-key", network),
            events=Endpoint("http://events.test", "events-token", network),
            journal=journal,
            **{"clock": time.clock, "sleep": time.sleep, **settings},  # type: ignore[arg-type]
        )

    return client_of
