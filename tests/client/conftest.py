"""A client of services that a backend cannot play: broken, slow, hostile, unlike the contract."""

from collections.abc import Callable

import httpx
import pytest

from trips_mcp.client import Endpoint, TripsClient

Handler = Callable[[httpx.Request], httpx.Response]
ClientOf = Callable[[Handler], TripsClient]


@pytest.fixture(scope="session")
def client_of() -> ClientOf:
    def client_of(answer: Handler) -> TripsClient:
        network = httpx.MockTransport(answer)
        return TripsClient(
            trips=Endpoint("http://trips.test/api/v1", "osk_trips-key", network),
            events=Endpoint("http://events.test", "events-token", network),
        )

    return client_of
