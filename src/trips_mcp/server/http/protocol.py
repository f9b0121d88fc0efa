"""uvicorn's h11 protocol with connection limits, and timeouts for slow headers and slow readers.

MCP request bodies (`request.py`) and calls (`limits.py`) have their own deadlines.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

import h11
from typing_extensions import override
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol

from trips_mcp.addresses import MOST_PER_ADDRESS, UNKNOWN, TrustedProxies, client_network
from trips_mcp.server.http.request import CONNECTION, INVALID_REQUEST, OVER_LIMIT, RefusalError


class StrictConnection(h11.Connection):
    """Refuses requests with two kinds of length, which a proxy may interpret differently (smuggling).

    Sends the head of a response with the first part of its body, because each write is a system call.
    """

    fault: str | None = None
    """The error of a request that h11 itself would accept."""

    _head = b""
    """The head of a response that has no body yet."""

    @override
    def send(self, event: h11.Event) -> Any:
        output = super().send(event)
        if isinstance(event, h11.Response):
            self._head = output or b""
            return b""
        if self._head and output is not None:
            self._head, output = b"", self._head + output
        return output

    @override
    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            names = {name for name, _ in event.headers}
            if b"content-length" in names and b"transfer-encoding" in names:
                self.fault = "Content-Length and Transfer-Encoding exclude each other; send one of them."
                raise h11.RemoteProtocolError(self.fault)
        return event


class _ConnectionCounts:
    """The connections of one server."""

    def __init__(self) -> None:
        self.open_by_network = Counter[str | None]()
        """Count by network, without refused connections."""
        self.refused: dict[LimitedProtocol, None] = {}
        """The oldest first."""


_COUNTS: Final = WeakKeyDictionary[Config, _ConnectionCounts]()


class LimitedProtocol(H11Protocol):
    """Limits the connections in total and per client address."""

    most_connections: int = 1000
    """Above this, a new connection replaces an idle one of a client with more, or gets a 503."""
    most_per_address: int = MOST_PER_ADDRESS
    """Above this, a client gets a 503. Trusted proxies are exempt."""
    most_refused: int = 100
    """Limit of open connections that wait for a request only to be refused."""
    trusted_proxies: TrustedProxies = TrustedProxies()

    network: str | None = None
    """The client's; None for a trusted proxy."""
    is_refused = False
    """Whether its requests get a 503."""
    idle_since: float = 0

    @override
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = StrictConnection(h11.SERVER)
        self._counts = _COUNTS.setdefault(self.config, _ConnectionCounts())

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        address = self.client[0] if self.client else UNKNOWN
        self.network = None if address in self.trusted_proxies else client_network(address)
        self.idle_since = self.loop.time()
        if len(self.connections) > self.most_connections:
            self._close_idle_connections(len(self.connections) - self.most_connections)
        if self._is_over_limit():
            self._refuse_connection()
        else:
            self._counts.open_by_network[self.network] += 1

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self.is_refused:
            self._counts.refused.pop(self, None)
        else:
            self._counts.open_by_network[self.network] -= 1
            self._counts.open_by_network += Counter()  # drops zero counts
        super().connection_lost(exc)

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.idle_since = self.loop.time()

    @property
    def waits_for_head(self) -> bool:
        return self.conn.their_state is h11.IDLE and not self.transport.is_closing()

    @property
    def is_idle(self) -> bool:
        """Whether closing it loses no request: it waits for one, or still sends one that was answered."""
        is_answered = self.conn.our_state is h11.DONE and not self.transport.is_closing()
        return self.waits_for_head or is_answered

    def close_now(self) -> None:
        self.connections.discard(self)
        self._counts.refused.pop(self, None)
        self.transport.abort()

    def _is_over_limit(self) -> bool:
        if len(self.connections) > self.most_connections:
            return True
        return self.network is not None and self._counts.open_by_network[self.network] >= self.most_per_address

    def _refuse_connection(self) -> None:
        self.is_refused = True
        self.app_state = {**self.app_state, OVER_LIMIT: True}
        self._counts.refused[self] = None
        if len(self._counts.refused) > self.most_refused:
            next(iter(self._counts.refused)).close_now()

    def _close_idle_connections(self, number: int) -> None:
        """Closes idle connections: first refused ones, then those of the clients with most, oldest first.

        Keeps those of trusted proxies, and of clients with no more connections than this one.
        """
        open_by_network = self._counts.open_by_network
        found = [each for each in self._counts.refused if each.is_idle]
        mine = open_by_network[self.network]
        if len(found) < number and max(open_by_network.values(), default=0) > mine:
            greedy = [
                each for each in self._others() if each.network is not None and open_by_network[each.network] > mine
            ]
            idle = [each for each in greedy if each.is_idle and not each.is_refused]
            found += sorted(idle, key=lambda each: (-open_by_network[each.network], each.idle_since))
        for each in found[:number]:
            each.close_now()

    def _others(self) -> "Iterator[LimitedProtocol]":
        for each in cast("set[object]", self.connections):
            if isinstance(each, LimitedProtocol) and each is not self:
                yield each


_FIRST_LOOK_SECONDS: Final = 0.001
_LOOK_SECONDS: Final = 0.05


class TimeoutProtocol(LimitedProtocol):
    """Ends what is too slow, which uvicorn lets wait."""

    head_seconds: float = 10
    """Timeout for the headers, from the connection or the request's first byte."""
    refused_seconds: float = 1
    """The same timeout for a connection over the limit."""
    body_seconds: float | None = None
    """Timeout for a request's body; None if the app has its own."""
    reader_seconds: float = 30
    """How long a client may read more slowly than the server sends."""
    closing_seconds: float = 5
    """How long the last bytes may stay unread before the connection is cut."""

    _head_timer: asyncio.TimerHandle | None = None
    _body_timer: asyncio.TimerHandle | None = None
    _reader_timer: asyncio.TimerHandle | None = None
    _closing_timer: asyncio.TimerHandle | None = None
    _lost = False
    _cut_off = False
    """Whether the connection was lost before everything was written."""

    async def sent(self) -> bool:
        """Waits until everything is written to the socket. False if the connection was lost."""
        if self._lost:
            return False
        pause = _FIRST_LOOK_SECONDS
        while self.transport.get_write_buffer_size():
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LOOK_SECONDS)
        await asyncio.sleep(0)  # a broken transport reports it in the loop's next iteration
        return not self._cut_off

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.app_state = {**self.app_state, CONNECTION: self}
        self._expect_head()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._head_timer, self._body_timer, self._reader_timer, self._closing_timer):
            if timer is not None:
                timer.cancel()
        self._lost = True
        self._cut_off = self._cut_off or exc is not None
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._expect_head()
        self._expect_body()

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._close_for_good()
        elif self.conn.trailing_data[0]:  # the next head has started to arrive
            self._expect_head()
            self._expect_body()

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader_timer = self.loop.call_later(self.reader_seconds, self._cut)

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reader_timer is not None:
            self._reader_timer.cancel()
            self._reader_timer = None

    @override
    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._close_for_good()

    @override
    def send_400_response(self, msg: str) -> None:
        self._refuse(400, self.conn.fault or msg)

    def error_body(self, status: int, message: str) -> bytes:
        """The body of a response that does not come from the app."""
        return RefusalError(status, message, INVALID_REQUEST).body()

    def _expect_head(self) -> None:
        waits = self.waits_for_head
        if not waits and self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        elif waits and self._head_timer is None:
            seconds = min(self.head_seconds, self.refused_seconds) if self.is_refused else self.head_seconds
            self._head_timer = self.loop.call_later(seconds, self._no_head)

    def _expect_body(self) -> None:
        waits = self.conn.their_state is h11.SEND_BODY and not self.transport.is_closing()
        if not waits and self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None
        elif waits and self._body_timer is None and self.body_seconds is not None:
            self._body_timer = self.loop.call_later(self.body_seconds, self._no_body)

    def _no_head(self) -> None:
        if not self.transport.is_closing():
            self._refuse(408, f"The request's headers were not all here within {self.head_seconds:g} seconds.")

    def _no_body(self) -> None:
        if not self.transport.is_closing():
            self.cycle.disconnected = True
            self._refuse(408, f"The request's body was not all here within {self.body_seconds:g} seconds.")

    def _refuse(self, status: int, message: str) -> None:
        """Responds to a request that the app has not answered."""
        body = self.error_body(status, message)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
        self._close_for_good()

    def _close_for_good(self) -> None:
        """Cuts the connection later: a closed transport waits until everything is read."""
        if self._closing_timer is None:
            self._closing_timer = self.loop.call_later(self.closing_seconds, self._cut)

    def _cut(self) -> None:
        self._cut_off = bool(self.transport.get_write_buffer_size())
        self.transport.abort()
