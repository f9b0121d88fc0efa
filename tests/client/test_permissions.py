"""Calls that the key is known not to allow are refused before they are sent."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from trips_mcp.backend import create_key, open_backend
from trips_mcp.client import Endpoint, ForbiddenError, MissingScopeError, TripsClient
from trips_mcp.contract.events import CreateEvent
from trips_mcp.contract.messages import SEND_MESSAGE, SendMessage
from trips_mcp.contract.trips import CreateTrip, UpdateTrip
from trips_mcp.scopes import Scope

if TYPE_CHECKING:
    from .conftest import ClientOf

Call = Callable[[TripsClient], Awaitable[Any]]

TRIP = CreateTrip(group_id="g1", title="Kyoto", start_date="2026-11-01", end_date="2026-11-09")
HELLO = SendMessage(trip_id="t1", channel_id="c1", content="Hello")


class Service:
    """Answers every request, and reports these scopes."""

    def __init__(self, scopes: object = None) -> None:
        self.requests: list[httpx.Request] = []
        self.scopes = scopes

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        me = {} if self.scopes is None else {"scopes": self.scopes}
        return httpx.Response(200, json={"_id": "x", "event_id": 1, "items": [], "groups": [], **me})


def lists_trips(client: TripsClient) -> Awaitable[Any]:
    return client.trips.list()


def reads(client: TripsClient) -> Awaitable[Any]:
    return client.trips.get("t1")


def reads_another(client: TripsClient) -> Awaitable[Any]:
    return client.trips.get("t2")


def makes_a_trip(client: TripsClient) -> Awaitable[Any]:
    return client.trips.create(TRIP)


def changes(client: TripsClient) -> Awaitable[Any]:
    return client.trips.update(UpdateTrip(trip_id="t1", title="Nara"))


def talks(client: TripsClient) -> Awaitable[Any]:
    return client.messages.send(HELLO)


def reads_a_share(client: TripsClient) -> Awaitable[Any]:
    return client.shares.get("token")


def makes_an_event(client: TripsClient) -> Awaitable[Any]:
    return client.events.create(CreateEvent(type="food", title="Ramen", date="2026-11-01"))


def asks_who(client: TripsClient) -> Awaitable[Any]:
    return client.me()


ALL = [
    lists_trips,
    reads,
    reads_another,
    makes_a_trip,
    changes,
    talks,
    reads_a_share,
    makes_an_event,
    asks_who,
]
ALWAYS = {reads_a_share, makes_an_event, asks_who}


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        ([], set[Call]()),
        (["trips:read"], {lists_trips, reads, reads_another}),
        (["trips:write"], {makes_a_trip, changes}),
        (["messages:write", "trips:read:t1"], {talks, lists_trips, reads}),
        (["trips:write:t1"], {changes}),
        (["trips:write:t1", "trips:write:t2"], {changes}),
        (["trips:read:t1", "trips:read"], {lists_trips, reads, reads_another}),
    ],
)
@pytest.mark.parametrize("call", ALL)
async def test_only_what_the_scopes_allow_is_sent(
    client_of: "ClientOf", scopes: list[str], allowed: set[Call], call: Call
) -> None:
    service = Service()
    client = client_of(service, scopes=scopes)

    if call in allowed | ALWAYS:
        await call(client)
        assert service.requests
    else:
        with pytest.raises(MissingScopeError):
            await call(client)
        assert service.requests == []


@pytest.mark.parametrize("call", ALL)
async def test_with_unknown_scopes_every_call_is_sent(client_of: "ClientOf", call: Call) -> None:
    service = Service()

    await call(client_of(service))

    assert service.requests


async def test_the_error_names_the_scope_and_where_to_get_it(client_of: "ClientOf") -> None:
    client = client_of(Service(), scopes=["trips:read", "messages:write:t9"])

    with pytest.raises(
        MissingScopeError, match=r"create_trip needs the scope trips:write, .* does not have.*"
    ) as lacks:
        await client.trips.create(TRIP)
    with pytest.raises(MissingScopeError, match="has only for another trip") as elsewhere:
        await client.messages.send(HELLO)

    assert lacks.value.scope == "trips:write"
    assert elsewhere.value.operation is SEND_MESSAGE
    for error in (lacks.value, elsewhere.value):
        assert "Settings → API Keys" in str(error)
        assert "OSOTO_API_KEY" in str(error)


async def test_what_get_me_reports_counts_from_then_on(client_of: "ClientOf") -> None:
    service = Service(["trips:read"])
    client = client_of(service)
    await client.trips.create(TRIP)

    await client.me()
    with pytest.raises(MissingScopeError):
        await client.trips.create(TRIP)
    service.scopes = ["trips:read", "trips:write"]
    await client.me()
    await client.trips.create(TRIP)

    assert [request.method for request in service.requests] == ["POST", "GET", "GET", "POST"]


@pytest.mark.parametrize("reported", [None, ["trips:read", "trips:admin"], ["*"], [""]])
async def test_an_unknown_reported_scope_forbids_nothing(client_of: "ClientOf", reported: object) -> None:
    service = Service(reported)
    client = client_of(service)

    await client.me()
    await client.trips.create(TRIP)

    assert len(service.requests) == 2


async def test_scopes_that_were_set_are_not_widened_by_a_report(client_of: "ClientOf") -> None:
    client = client_of(Service(["trips:read", "trips:write"]), scopes=["trips:read"])

    await client.me()
    with pytest.raises(MissingScopeError):
        await client.trips.create(TRIP)


def test_an_invalid_scope_is_refused() -> None:
    with pytest.raises(ValueError, match="'trips:everything' is not a scope"):
        TripsClient(trips=None, events=None, scopes=["trips:everything"])


async def test_the_embedded_backend_agrees(tmp_path: Path) -> None:
    """With known scopes, exactly the calls that the backend forbids for a missing scope are refused here."""
    database = str(tmp_path / "trips.db")
    maker = await create_key(database, [Scope.parse("trips:write"), Scope.parse("trips:read")])
    async with open_backend(database, require_keys=True, rate_limit=None) as app:
        endpoint = Endpoint("http://trips.test/api/v1", maker, httpx.ASGITransport(app))
        async with TripsClient(trips=endpoint, events=None) as client:
            group = (await client.me()).default_group_id or ""
            trip = await client.trips.create(TRIP.model_copy(update={"group_id": group}))
    key = await create_key(database, [Scope.parse(text) for text in ("trips:read", f"messages:write:{trip.id}")])
    async with open_backend(database, require_keys=True, rate_limit=None) as app:
        endpoint = Endpoint("http://trips.test/api/v1", key, httpx.ASGITransport(app))
        async with TripsClient(trips=endpoint, events=None) as client:
            for call in (makes_a_trip, changes, talks):
                with pytest.raises(ForbiddenError):
                    await call(client)
            await client.me()
            for call in (makes_a_trip, changes, talks):
                with pytest.raises(MissingScopeError):
                    await call(client)
            await lists_trips(client)
