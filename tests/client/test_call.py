"""The requests that calls send, and what they never send."""

import gzip
import json
from collections.abc import AsyncGenerator, Callable

import httpx
import pytest
from pydantic import ValidationError
from typing_extensions import override

from trips_mcp import __version__
from trips_mcp.client import BadAnswerError, Endpoint, TripsClient, session
from trips_mcp.contract.commitments import CreateCommitment, UpdateCommitment
from trips_mcp.contract.events import CreateEvent
from trips_mcp.contract.trips import LIST_TRIPS, SyncTrip

ClientOf = Callable[[Callable[[httpx.Request], httpx.Response]], TripsClient]


class Service:
    """Gives the same answer to every request, and records the requests."""

    def __init__(self, status: int = 200, **answer: object) -> None:
        self.requests: list[httpx.Request] = []
        self._answer = (status, answer)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        status, answer = self._answer
        return httpx.Response(status, json=answer)

    @property
    def last(self) -> httpx.Request:
        return self.requests[-1]


async def test_a_read_is_placed_in_path_and_query(client_of: ClientOf) -> None:
    service = Service(items=[])

    await client_of(service).legs.list("jx7 é?#:b", limit=5, cursor="a +B&c=/d")

    assert service.last.method == "GET"
    path, query = service.last.url.raw_path.split(b"?")
    assert path == b"/api/v1/trips/jx7%20%C3%A9%3F%23%3Ab/legs"
    assert query == b"limit=5&cursor=a%20%2BB%26c%3D%2Fd"
    assert service.last.content == b""
    assert "Content-Type" not in service.last.headers


async def test_a_write_is_compact_utf8_json(client_of: ClientOf) -> None:
    service = Service(_id="c1")

    await client_of(service).commitments.create(
        CreateCommitment(trip_id="t1", title="Größe", start_date="2026-11-01", category="dinner")
    )

    assert service.last.content == '{"title":"Größe","startDate":"2026-11-01","category":"dinner"}'.encode()
    assert service.last.headers["Content-Type"] == "application/json"
    assert service.last.headers["Content-Length"] == str(len(service.last.content))


async def test_a_cleared_field_is_a_null(client_of: ClientOf) -> None:
    service = Service(_id="c1")

    await client_of(service).commitments.update(
        UpdateCommitment(trip_id="t1", commitment_id="c1", title="Dinner", clear=["notes"])
    )

    assert json.loads(service.last.content) == {"title": "Dinner", "notes": None}


async def test_a_dry_run_is_asked_for_in_the_query(client_of: ClientOf) -> None:
    service = Service(dryRun=True)

    await client_of(service).trips.sync(SyncTrip(trip_id="t1", dry_run=True, legs=[]))

    assert service.last.url.query == b"dryRun=true"
    assert service.last.content == b'{"legs":[]}'


async def test_each_api_gets_its_own_key_and_place(client_of: ClientOf) -> None:
    service = Service(_id="x", event_id=7)
    client = client_of(service)

    await client.trips.get("t1")
    await client.events.create(CreateEvent(type="food", title="Ramen", date="2026-11-01", trip_ids=[42]))

    for_trips, for_events = service.requests
    assert str(for_trips.url) == "http://trips.test/api/v1/trips/t1"
    assert for_trips.headers["Authorization"] == "Bearer osk_trips-key"
    assert str(for_events.url) == "http://events.test/v1/events"
    assert for_events.headers["Authorization"] == "Bearer events-token"
    assert json.loads(for_events.content)["attach"] == {"trip_ids": [42]}


async def test_every_request_has_a_user_agent(client_of: ClientOf) -> None:
    service = Service(items=[])

    await client_of(service).trips.list()

    assert service.last.headers["User-Agent"] == f"trips-mcp/{__version__}"
    assert service.last.headers["Accept"] == "application/json"
    assert service.last.extensions["timeout"] == {"connect": 5, "read": 30, "write": 30, "pool": 30}


async def test_a_shared_view_is_read_without_key_or_cookie() -> None:
    def set_a_cookie(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"_id": "t1", "legs": []}, headers={"Set-Cookie": "session=hunter2; Path=/"})

    requests: list[httpx.Request] = []
    network = httpx.MockTransport(set_a_cookie)
    async with TripsClient(trips=Endpoint("http://trips.test", "osk_key", network), events=None) as client:
        await client.trips.get("t1")
        await client.shares.get("token")
        await client.shares.export("token")

    assert [("Authorization" in request.headers) for request in requests] == [True, False, False]
    assert not any("Cookie" in request.headers for request in requests)


async def test_the_address_of_a_shared_view_is_not_kept(client_of: ClientOf) -> None:
    """Others are, as parsing one takes time; but its token is all that one needs to read the trip."""
    client = client_of(Service(_id="t1", legs=[]))
    session._parsed.cache_clear()  # noqa: SLF001 - nothing else shows what is kept

    await client.shares.get("token")
    after_the_shared_view = session._parsed.cache_info().currsize  # noqa: SLF001
    await client.trips.get("t1")

    assert after_the_shared_view == 0
    assert session._parsed.cache_info().currsize == 1  # noqa: SLF001


async def test_closing_the_client_closes_its_transports() -> None:
    class Transport(httpx.MockTransport):
        closed = False

        @override
        async def aclose(self) -> None:
            self.closed = True

    transport = Transport(Service(items=[]))

    async with TripsClient(trips=Endpoint("http://trips.test", None, transport), events=None) as client:
        await client.trips.list()
        before = transport.closed

    assert (before, transport.closed) == (False, True)


async def test_without_a_key_no_authorization_is_sent() -> None:
    service = Service(items=[])
    network = httpx.MockTransport(service)

    async with TripsClient(trips=Endpoint("http://trips.test", None, network), events=None) as client:
        await client.trips.list()

    assert "Authorization" not in service.last.headers


@pytest.mark.parametrize(
    "bad",
    ["", ".", "..", "../me", "a/b", "a\\b", "%2e", "%2e%2e", "a%2fb", "%2E%2e/x", "a\0b", "a\nb", "x" * 10_240],
)
async def test_an_id_that_could_lead_elsewhere_is_never_sent(client_of: ClientOf, bad: str) -> None:
    service = Service(_id="x")
    client = client_of(service)

    for read in (client.trips.get, client.legs.list, client.shares.get, client.members.list):
        with pytest.raises(ValidationError):
            await read(bad)
    with pytest.raises(ValidationError):
        await client.legs.delete("t1", bad)

    assert service.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(client_of: ClientOf, status: int) -> None:
    def redirect(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(status, headers={"Location": "https://evil.test/steal"})

    hosts: list[str] = []
    with pytest.raises(BadAnswerError, match=r"^The Trips API answered list_trips with a redirect[^\n]*\.$") as caught:
        await client_of(redirect).trips.list()

    assert hosts == ["trips.test"]
    assert caught.value.status == status


async def endless() -> AsyncGenerator[bytes]:
    while True:
        yield b" " * 1_000_000


@pytest.mark.parametrize(
    "answer",
    [
        lambda: httpx.Response(200, content=b'"' + b"x" * (16 * 1024 * 1024) + b'"'),
        lambda: httpx.Response(200, content=endless()),
        lambda: httpx.Response(200, content=gzip.compress(b" " * 20_000_000), headers={"Content-Encoding": "gzip"}),
    ],
    ids=["large", "endless", "bomb"],
)
async def test_an_answer_over_16_mib_is_refused(client_of: ClientOf, answer: Callable[[], httpx.Response]) -> None:
    with pytest.raises(BadAnswerError) as caught:
        await client_of(lambda request: answer()).trips.list()

    assert str(caught.value) == "The Trips API answered list_trips with more than 16 MiB."
    assert (caught.value.operation, caught.value.status) == (LIST_TRIPS, 200)


EMPTY_PAGE = b'{"items":[]}'
LARGEST = b" " * (16 * 1024 * 1024 - len(EMPTY_PAGE)) + EMPTY_PAGE


@pytest.mark.parametrize(
    "answer",
    [
        lambda: httpx.Response(200, content=EMPTY_PAGE),
        lambda: httpx.Response(200, content=_chunks(EMPTY_PAGE)),
        lambda: httpx.Response(200, content=_chunks(EMPTY_PAGE[:4], EMPTY_PAGE[4:7], EMPTY_PAGE[7:])),
        lambda: httpx.Response(200, content=gzip.compress(EMPTY_PAGE), headers={"Content-Encoding": "gzip"}),
        lambda: httpx.Response(200, content=LARGEST),
        lambda: httpx.Response(200, content=_chunks(LARGEST[:-4], LARGEST[-4:])),
        lambda: httpx.Response(200, content=gzip.compress(LARGEST, 1), headers={"Content-Encoding": "gzip"}),
    ],
    ids=["whole", "streamed", "in pieces", "compressed", "largest", "largest in pieces", "largest compressed"],
)
async def test_an_answer_is_read_however_it_arrives(client_of: ClientOf, answer: Callable[[], httpx.Response]) -> None:
    assert (await client_of(lambda request: answer()).trips.list()).items == []


async def test_an_invalid_content_encoding_is_a_bad_answer(client_of: ClientOf) -> None:
    def garbled(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=_chunks(b"no gzip"), headers={"Content-Encoding": "gzip"})

    with pytest.raises(BadAnswerError) as caught:
        await client_of(garbled).trips.list()

    assert str(caught.value) == "The Trips API answered list_trips with something that could not be read."
    assert (caught.value.operation, caught.value.status) == (LIST_TRIPS, 200)


async def _chunks(*chunks: bytes) -> AsyncGenerator[bytes]:
    for chunk in chunks:
        yield chunk
