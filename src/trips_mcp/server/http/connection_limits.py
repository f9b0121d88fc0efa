"""uvicorn's h11 protocol plus connection limits, in total and per client address."""

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
from trips_mcp.server.http.request import OVER_LIMIT


class StrictConnection(h11.Connection):
    """Refuses requests with two kinds of length, which a proxy may interpret differently (smuggling)."""

    fault: str | None = None
    """The error of a request that h11 itself would accept."""

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
