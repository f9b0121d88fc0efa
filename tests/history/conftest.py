"""Fixtures for both histories, on clocks that only the tests move, and for clients that record."""

import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio.lowlevel import checkpoint
from typing_extensions import override

from trips_mcp.backend import open_backend
from trips_mcp.client import Endpoint, TripsClient
from trips_mcp.client.journal import SqliteJournal
from trips_mcp.history import History, MemoryHistory
from trips_mcp.history.sqlite import SqliteHistory

OnFile = Callable[..., SqliteHistory]
ClientOf = Callable[..., Awaitable[TripsClient]]


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "history.db"


@pytest.fixture
async def on_file(file: Path, clock: Clock) -> AsyncGenerator[OnFile]:
    """Opens the file as another process would."""
    opened: list[SqliteHistory] = []

    def on_file(**settings: int) -> SqliteHistory:
        opened.append(
            SqliteHistory(file, clock=clock, timer=clock, largest=settings.get("largest"), kept=settings.get("kept"))
        )
        return opened[-1]

    yield on_file

    for history in opened:
        await history.aclose()


@pytest.fixture(params=["memory", "file"])
def history(request: pytest.FixtureRequest, clock: Clock, on_file: OnFile) -> History:
    return MemoryHistory(clock=clock) if request.param == "memory" else on_file()


class Network(httpx.AsyncBaseTransport):
    """A way to the embedded backend that counts requests, and fails when it is told to."""

    def __init__(self, service: httpx.AsyncBaseTransport) -> None:
        self._service = service
        self.sent: list[str] = []
        """Method and last part of the path of each request."""
        self.fails: Callable[[httpx.Request], bool] = lambda _: False
        self.loses: Callable[[httpx.Request], bool] = lambda _: False
        """Whether the request arrives, and its answer does not."""

    @property
    def reads(self) -> int:
        return sum(sent.startswith("GET") for sent in self.sent)

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(f"{request.method} {request.url.path.rpartition('/')[2]}")
        if self.fails(request):
            raise httpx.ConnectError("refused", request=request)
        response = await self._service.handle_async_request(request)
        if self.loses(request):
            await response.aread()
            raise httpx.ReadError("reset", request=request)
        return response

    @override
    async def aclose(self) -> None:
        """Clients come and go."""


@pytest.fixture
async def network(new_database: Path, tmp_path: Path) -> AsyncGenerator[Network]:
    database = str(shutil.copy(new_database, tmp_path / "trips.db"))
    async with open_backend(database, require_keys=False) as backend:
        yield Network(httpx.ASGITransport(backend, raise_app_exceptions=False))


class MovedTime:
    """A clock that moves when someone sleeps, or a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await checkpoint()
        self.now += seconds


@pytest.fixture
def time() -> MovedTime:
    return MovedTime()


@pytest.fixture
async def client_of(
    network: Network, time: MovedTime, file: Path
) -> AsyncGenerator[Callable[..., Awaitable[TripsClient]]]:
    """Clients as processes on this computer would have them: all with the same files."""
    async with AsyncExitStack() as stack:

        async def client_of(history: History | None = None, **settings: Any) -> TripsClient:
            journal = SqliteJournal(file.with_name("journal.db"))
            history = history or SqliteHistory(file)
            for one in (journal, history):
                stack.push_async_callback(one.aclose)
            return await stack.enter_async_context(
                TripsClient(
                    trips=Endpoint("http://embedded/api/v1", transport=network, account="a"),
                    events=Endpoint("http://embedded", transport=network, account="a"),
                    journal=journal,
                    history=history,
                    clock=time.clock,
                    sleep=time.sleep,
                    **settings,
                )
            )

        yield client_of
