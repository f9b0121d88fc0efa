"""The embedded backend behind a network with faults, on a clock that the tests move."""

import shutil
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import anyio
import httpx
import pytest
from typing_extensions import override

from trips_mcp.backend import open_backend
from trips_mcp.client import Endpoint, TripsClient
from trips_mcp.client.journal import MemoryJournal, SqliteJournal

HTML: Final = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


def error(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": "No.", "requestId": "req_7"}})


class Clock:
    """The client's clock; sleeping moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += max(0.0, seconds)
        await anyio.lowlevel.checkpoint()


class Network(httpx.AsyncBaseTransport):
    """Applies the planned fault to each request; requests after the plan pass unchanged."""

    def __init__(self, service: httpx.AsyncBaseTransport, clock: Clock, *, strips_keys: bool = False) -> None:
        self.plan: deque[str] = deque()
        self.call: anyio.CancelScope | None = None
        """The call in progress, for a host that cancels it."""
        self.delivered = 0
        self._service = service
        self._clock = clock
        self._strips_keys = strips_keys
        self._late: list[httpx.Request] = []
        self._very_late: list[httpx.Request] = []

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        late, self._late = self._late, []
        for one in late:
            await self.deliver(one)
        fault = self.plan.popleft() if self.plan else None
        return await (FAULTS[fault](self, request) if fault else self.deliver(request))

    async def deliver(self, request: httpx.Request) -> httpx.Response:
        self.delivered += 1
        if self._strips_keys:
            request.headers.pop("Idempotency-Key", None)
        response = await self._service.handle_async_request(request)
        return httpx.Response(response.status_code, headers=response.headers, content=await response.aread())

    async def deliver_the_rest(self) -> None:
        for one in self._late + self._very_late:
            await self.deliver(one)
        self._late, self._very_late = [], []

    async def answer_lost(self, request: httpx.Request) -> httpx.Response:
        await self.deliver(request)
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")

    async def reset_before(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("Connection reset by peer", request=request)

    async def reset_after(self, request: httpx.Request) -> httpx.Response:
        await self.deliver(request)
        raise httpx.ReadError("Connection reset by peer", request=request)

    async def refused(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused", request=request)

    async def fails_before(self, _: httpx.Request) -> httpx.Response:
        return error(500, "INTERNAL_ERROR")

    async def fails_after(self, request: httpx.Request) -> httpx.Response:
        await self.deliver(request)
        return await self.fails_before(request)

    async def limited(self, _: httpx.Request) -> httpx.Response:
        return error(429, "RATE_LIMITED")

    async def limited_for_seconds(self, _: httpx.Request) -> httpx.Response:
        return httpx.Response(429, headers={"Retry-After": "7"})

    async def limited_for_a_minute(self, _: httpx.Request) -> httpx.Response:
        return httpx.Response(429, headers={"Retry-After": "60", "X-RateLimit-Remaining": "0"})

    async def slow(self, request: httpx.Request) -> httpx.Response:
        """Done, but not answered within the time of an attempt."""
        await self.deliver(request)
        self._clock.now += 30
        raise httpx.ReadTimeout("", request=request)

    async def slower_than_the_deadline(self, request: httpx.Request) -> httpx.Response:
        await self.deliver(request)
        self._clock.now += 120
        raise httpx.ReadTimeout("", request=request)

    async def arrives_late(self, request: httpx.Request) -> httpx.Response:
        """Arrives after the client gave up, together with the next request."""
        self._late.append(request)
        self._clock.now += 30
        raise httpx.ReadTimeout("", request=request)

    async def arrives_very_late(self, request: httpx.Request) -> httpx.Response:
        """Arrives after all other requests."""
        self._very_late.append(request)
        self._clock.now += 30
        raise httpx.ReadTimeout("", request=request)

    async def cut_off(self, request: httpx.Request) -> httpx.Response:
        """The connection ends in the middle of the answer."""
        whole = await self.deliver(request)
        return httpx.Response(whole.status_code, headers=whole.headers, stream=_CutOff(whole.content))

    async def half_a_body(self, request: httpx.Request) -> httpx.Response:
        """Half of the answer with a matching Content-Length, as a faulty proxy sends it."""
        whole = await self.deliver(request)
        return httpx.Response(whole.status_code, content=whole.content[: len(whole.content) // 2] or b"{")

    async def html_before(self, _: httpx.Request) -> httpx.Response:
        return httpx.Response(502, headers={"Content-Type": "text/html"}, content=HTML)

    async def html_after(self, request: httpx.Request) -> httpx.Response:
        await self.deliver(request)
        return await self.html_before(request)

    async def redirected_before(self, _: httpx.Request) -> httpx.Response:
        """A redirect, for example to a network's sign-in page."""
        return httpx.Response(302, headers={"Location": "http://hotel.test/"})

    async def redirected_after(self, request: httpx.Request) -> httpx.Response:
        await self.deliver(request)
        return await self.redirected_before(request)

    async def refused_on_the_way(self, _: httpx.Request) -> httpx.Response:
        """An answer in a gateway's own form."""
        return httpx.Response(404, json={"message": "Not Found"})

    async def refused_on_the_way_back(self, request: httpx.Request) -> httpx.Response:
        await self.deliver(request)
        return httpx.Response(403, html="<h1>Forbidden</h1>")

    async def welcomed_before(self, _: httpx.Request) -> httpx.Response:
        """A 200 from something that did nothing."""
        return httpx.Response(200, json={"ok": True})

    async def busy_with_it(self, request: httpx.Request) -> httpx.Response:
        """The answer to a retry that came too early."""
        await self.deliver(request)
        return httpx.Response(409)

    async def delivered_twice(self, request: httpx.Request) -> httpx.Response:
        await self.deliver(request)
        return await self.deliver(request)

    async def delivered_twice_and_lost(self, request: httpx.Request) -> httpx.Response:
        await self.deliver(request)
        return await self.answer_lost(request)

    async def cancelled_before(self, _: httpx.Request) -> httpx.Response:
        return await self._cancel()

    async def cancelled_after(self, request: httpx.Request) -> httpx.Response:
        await self.deliver(request)
        return await self._cancel()

    async def _cancel(self) -> httpx.Response:
        assert self.call is not None
        self.call.cancel()
        await anyio.sleep_forever()
        raise AssertionError("the call was not cancelled")


class _CutOff(httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    @override
    async def __aiter__(self) -> AsyncGenerator[bytes]:
        yield self._content[: len(self._content) // 2]
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


FAULTS: Final[dict[str, Callable[[Network, httpx.Request], Awaitable[httpx.Response]]]] = {
    fault.__name__: fault
    for fault in (
        Network.answer_lost,
        Network.reset_before,
        Network.reset_after,
        Network.refused,
        Network.fails_before,
        Network.fails_after,
        Network.limited,
        Network.limited_for_seconds,
        Network.limited_for_a_minute,
        Network.slow,
        Network.slower_than_the_deadline,
        Network.arrives_late,
        Network.arrives_very_late,
        Network.cut_off,
        Network.half_a_body,
        Network.html_before,
        Network.html_after,
        Network.redirected_before,
        Network.redirected_after,
        Network.refused_on_the_way,
        Network.refused_on_the_way_back,
        Network.welcomed_before,
        Network.busy_with_it,
        Network.delivered_twice,
        Network.delivered_twice_and_lost,
        Network.cancelled_before,
        Network.cancelled_after,
    )
}


class Side:
    """The client's side: a process that can restart, its journal, and its network."""

    def __init__(self, folder: Path, network: Network, clock: Clock, *, forgets: bool) -> None:
        self.network = network
        self._journal_file = folder / "journal.db"
        self._clock = clock
        self._forgets = forgets
        self._start()

    def wait(self, seconds: float) -> None:
        self._clock.now += seconds

    async def restart(self) -> None:
        """Ends the process and starts another."""
        await self.end()
        self._start()

    async def end(self) -> None:
        await self.client.aclose()
        await self._journal.aclose()

    def _start(self) -> None:
        self._journal = MemoryJournal() if self._forgets else SqliteJournal(self._journal_file)
        self.client = TripsClient(
            trips=Endpoint("http://embedded/api/v1", transport=self.network),
            events=None,
            journal=self._journal,
            clock=self._clock,
            sleep=self._clock.sleep,
        )


Started = Callable[..., AbstractAsyncContextManager[Side]]


@pytest.fixture(scope="session")
def started(new_database: Path) -> Started:
    """A fresh backend, and a client that reaches it through the network."""

    @asynccontextmanager
    async def started(folder: Path, *, strips_keys: bool = False, forgets: bool = False) -> AsyncGenerator[Side]:
        clock = Clock()
        async with AsyncExitStack() as stack:
            app = await stack.enter_async_context(
                open_backend(str(shutil.copy(new_database, folder)), require_keys=False)
            )
            network = Network(httpx.ASGITransport(app, raise_app_exceptions=False), clock, strips_keys=strips_keys)
            side = Side(folder, network, clock, forgets=forgets)
            yield side
            await side.end()

    return started


@pytest.fixture(scope="session")
def faults() -> tuple[str, ...]:
    return tuple(FAULTS)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs a test of one fault for every fault, unless the test names some."""
    if "fault" in metafunc.fixturenames and not _names_faults(metafunc):
        metafunc.parametrize("fault", FAULTS)


def _names_faults(metafunc: pytest.Metafunc) -> bool:
    return any("fault" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
