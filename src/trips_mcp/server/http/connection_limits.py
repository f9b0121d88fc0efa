"""uvicorn's h11 protocol plus limits: how many connections there are, and how many of one address."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import h11
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

from trips_mcp.addresses import UNKNOWN, TrustedProxies, client_network
from trips_mcp.server.http.settings import MOST_PER_ADDRESS
from trips_mcp.server.http.visit import CROWDED


class StrictConnection(h11.Connection):
    """Takes no request whose length is told in two ways: a proxy in front may have believed the other one."""

    fault: str | None = None
    """What is wrong with a request, where h11 itself takes it."""

    @override
    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            names = {name for name, _ in event.headers}
            if b"content-length" in names and b"transfer-encoding" in names:
                self.fault = "Content-Length and Transfer-Encoding exclude each other; send one of them."
                raise h11.RemoteProtocolError(self.fault)
        return event


class LimitedProtocol(H11Protocol):
    most_connections: int = 1000
    """A new one then takes the place of an idle one of a client that has more, or is told to come back."""
    most_per_address: int = MOST_PER_ADDRESS
    """Whoever has so many is told to come back; a trusted proxy may have more."""
    trusted_proxies: TrustedProxies = TrustedProxies()

    network: str | None = None
    """The client's; None for a trusted proxy."""
    is_refused = False
    """Whether its requests are told to come back."""
    idle_since: float = 0

    @override
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = StrictConnection(h11.SERVER)

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        address = self.client[0] if self.client else UNKNOWN
        self.network = None if address in self.trusted_proxies else client_network(address)
        self.idle_since = self.loop.time()
        if len(self.connections) > self.most_connections:
            self._take_an_idle_place()
        if self._is_one_too_many():
            self.is_refused = True
            self.app_state = {**self.app_state, CROWDED: True}

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.idle_since = self.loop.time()

    @property
    def waits_for_head(self) -> bool:
        return self.conn.their_state is h11.IDLE and not self.transport.is_closing()

    def _is_one_too_many(self) -> bool:
        if len(self.connections) > self.most_connections:
            return True
        if self.network is None or len(self.connections) <= self.most_per_address:
            return False
        return sum(each.network == self.network for each in self._others(refused=False)) >= self.most_per_address

    def _take_an_idle_place(self) -> None:
        """Ends the connection that was idle for longest, of the client that has the most: never a trusted proxy's."""
        held = Counter(each.network for each in self._others())
        idle = [
            each
            for each in self._others()
            if each.waits_for_head and (each.is_refused or self._has_less_than(each, held))
        ]
        if idle:
            found = min(idle, key=lambda each: (-held[each.network], not each.is_refused, each.idle_since))
            self.connections.discard(found)
            found.transport.abort()

    def _has_less_than(self, other: "LimitedProtocol", held: Counter[str | None]) -> bool:
        return other.network is not None and held[other.network] > held[self.network]

    def _others(self, *, refused: bool = True) -> "Iterator[LimitedProtocol]":
        for each in cast("set[object]", self.connections):
            if isinstance(each, LimitedProtocol) and each is not self and (refused or not each.is_refused):
                yield each
