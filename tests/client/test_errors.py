"""Every failure is an error of one class tree."""

import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from trips_mcp import client as client_package
from trips_mcp.client import TripsClient, TripsError, errors
from trips_mcp.client.errors import (
    ApiError,
    BadAnswerError,
    CannotConnectError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    NotConfiguredError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitedError,
    ServerFaultError,
    UnauthorizedError,
    UnavailableError,
)
from trips_mcp.contract.legs import CREATE_LEG, CreateLeg
from trips_mcp.contract.trips import LIST_TRIPS

ClientOf = Callable[[Callable[[httpx.Request], httpx.Response]], TripsClient]


def below(kind: type[Any]) -> Iterator[type[Any]]:
    """Those of the client; what other layers derive from them is theirs to offer."""
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from below(child)


EVERY_ERROR = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
HTTPX_ERRORS = [
    kind
    for kind in vars(httpx).values()
    if isinstance(kind, type) and issubclass(kind, Exception) and kind.__module__.startswith("httpx")
]


def of_httpx(kind: type[Exception]) -> Exception:
    """Any of httpx's errors, whose constructors differ."""
    request = httpx.Request("GET", "http://trips.test")
    match kind:
        case httpx.HTTPStatusError:
            return httpx.HTTPStatusError("told", request=request, response=httpx.Response(500))
        case httpx.StreamConsumed | httpx.StreamClosed | httpx.ResponseNotRead | httpx.RequestNotRead:
            return kind()
        case _:
            return kind("told by httpx")


@pytest.mark.parametrize("kind", EVERY_ERROR)
def test_every_error_is_a_trips_error(kind: type[Exception]) -> None:
    assert issubclass(kind, TripsError)


@pytest.mark.parametrize("kind", [TripsError, *below(TripsError)])
def test_every_error_is_in_the_diagram_and_exported(kind: type[Exception]) -> None:
    assert f"{kind.__name__}" in (errors.__doc__ or "")
    assert getattr(client_package, kind.__name__) is kind


def test_the_package_exports_nothing_else() -> None:
    assert {*client_package.__all__} == {kind.__name__ for kind in EVERY_ERROR} | {
        "TripsClient",
        "Endpoint",
        "Outcome",
        "RateLimit",
    }
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = client_package.Nonsense  # type: ignore[attr-defined] - that is the test


def test_errors_can_be_imported_without_httpx() -> None:
    program = (
        "import sys; sys.modules['httpx'] = None; "
        "from trips_mcp.client import TripsError; from trips_mcp.client.errors import ApiError"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("kind", HTTPX_ERRORS)
async def test_every_error_of_httpx_becomes_one_of_ours(client_of: ClientOf, kind: type[Exception]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise of_httpx(kind)

    with pytest.raises(TripsError) as caught:
        await client_of(fail).trips.list()

    assert "told by httpx" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "sent", "why"),
    [
        (httpx.ConnectError, False, "no connection could be made"),
        (httpx.ConnectTimeout, False, "no connection within 5 seconds"),
        (httpx.PoolTimeout, False, "all connections stayed busy for 30 seconds"),
        (httpx.ProxyError, False, "the proxy did not let it through"),
        (httpx.UnsupportedProtocol, False, "the base URL's protocol is not supported"),
        (httpx.LocalProtocolError, False, "the request could not be put into HTTP"),
        (httpx.ReadTimeout, True, "nothing came for 30 seconds"),
        (httpx.WriteTimeout, True, "it took nothing in for 30 seconds"),
        (httpx.ReadError, True, "the connection broke"),
        (httpx.WriteError, True, "the connection broke"),
        (httpx.RemoteProtocolError, True, "the connection ended before the whole answer was there"),
    ],
)
async def test_an_error_without_answer_says_whether_the_request_may_have_arrived(
    client_of: ClientOf, kind: type[httpx.TransportError], sent: bool, why: str
) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise kind("down")

    with pytest.raises(UnavailableError) as caught:
        await client_of(fail).trips.list()

    assert caught.value.sent is sent
    assert caught.value.operation is LIST_TRIPS
    assert str(caught.value) == f"The Trips API did not answer list_trips: {why}."


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidError),
        (401, UnauthorizedError),
        (402, ApiError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (405, ApiError),
        (409, ConflictError),
        (410, GoneError),
        (413, InvalidError),
        (418, ApiError),
        (422, InvalidError),
        (429, RateLimitedError),
        (500, ServerFaultError),
        (502, ServerFaultError),
        (599, ServerFaultError),
    ],
)
async def test_the_status_decides_the_class(client_of: ClientOf, status: int, kind: type[ApiError]) -> None:
    client = client_of(lambda request: httpx.Response(status, html="<h1>Sorry</h1>"))

    with pytest.raises(ApiError) as caught:
        await client.trips.list()

    assert type(caught.value) is kind
    assert caught.value.status == status
    assert caught.value.code
    assert str(caught.value) == f"The Trips API {kind.did} list_trips: {kind.means}."


async def test_no_error_repeats_the_key(client_of: ClientOf) -> None:
    answer = httpx.Response(400, json={"error": "events-token is odd"}, headers={"X-Request-Id": "events-token"})

    with pytest.raises(InvalidError, match="is odd") as caught:
        await client_of(lambda request: answer).events.get(7)

    assert "events-token" not in f"{caught.value} {vars(caught.value)}"


async def test_an_api_that_is_not_set_up_is_named_with_its_setting() -> None:
    async with TripsClient(trips=None, events=None) as client:
        with pytest.raises(NotConfiguredError, match=r"get_event needs the Events API.*set TRAVELMODE_TOKEN\."):
            await client.events.get(1)
        with pytest.raises(NotConfiguredError, match=r"list_trips needs the Trips API.*set OSOTO_API_KEY\."):
            await client.trips.list()


async def test_a_closed_client_says_so(client_of: ClientOf) -> None:
    async with client_of(lambda request: httpx.Response(200, json=[])) as client:
        await client.trips.list()

    with pytest.raises(CannotConnectError, match=r"^This client was closed"):
        await client.trips.list()


@pytest.mark.parametrize("chained", [True, False])
async def test_an_untrusted_certificate_fails_at_once_with_the_setting_to_use(
    client_of: ClientOf, chained: bool
) -> None:
    asked: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        told = ssl.SSLCertVerificationError("self-signed certificate in chain")
        if chained:
            raise httpx.ConnectError("TLS") from told
        try:
            raise told
        except ssl.SSLCertVerificationError:
            raise httpx.ConnectError("TLS")  # noqa: B904 - as a transport may

    with pytest.raises(UnavailableError, match="its certificate is not trusted; set SSL_CERT_FILE"):
        await client_of(refuse).trips.list()

    assert len(asked) == 1


async def test_a_write_whose_answer_is_unreadable_is_unknown(client_of: ClientOf) -> None:
    client = client_of(lambda request: httpx.Response(201, text="Created!"))
    leg = CreateLeg.model_validate(
        {
            "tripId": "t1",
            "order": 1,
            "title": "Kyoto",
            "destination": "Kyoto",
            "startDate": "2026-11-01",
            "endDate": "2026-11-02",
            "timezone": "Asia/Tokyo",
        }
    )

    with pytest.raises(OutcomeUnknownError, match=r"create_leg .* does not say what was done\.$") as caught:
        await client.legs.create(leg)

    assert caught.value.operation is CREATE_LEG
    unreadable = caught.value.__cause__
    assert isinstance(unreadable, BadAnswerError)
    assert (unreadable.status, unreadable.excerpt) == (201, "Created!")
    assert "Created!" not in f"{caught.value} {unreadable}"
