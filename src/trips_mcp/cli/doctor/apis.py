"""The doctor's check of the two APIs and of the clock, by one read-only request to each API."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import anyio
import anyio.to_thread
import httpx
from pydantic_core import from_json

from trips_mcp.addresses import is_loopback
from trips_mcp.cli.doctor import Diagnosis
from trips_mcp.cli.doctor.key import key_findings, rate_limit
from trips_mcp.client.endpoint import Endpoint
from trips_mcp.client.errors import (
    ApiError,
    BadAnswerError,
    CannotConnectError,
    ForbiddenError,
    GoneError,
    NotFoundError,
    RateLimitedError,
    ServerFaultError,
    TripsError,
    UnauthorizedError,
)
from trips_mcp.client.responses import ApiResponse, read
from trips_mcp.client.session import ApiSession
from trips_mcp.contract.events import GET_EVENT, GetEvent
from trips_mcp.contract.me import GET_ME, GetMe
from trips_mcp.contract.models import Params
from trips_mcp.contract.operation import Api, Operation
from trips_mcp.json_values import is_object
from trips_mcp.redaction import bare_url
from trips_mcp.settings import EVENTS_URL, TRIPS_URL, Settings

MOST: Final = 60.0
"""Tolerance in seconds: enough for slow responses, and far less than any feature depends on."""
SECONDS: Final = 5.0
_SECONDS_FOR_A_NAME: Final = 3.0


@dataclass(frozen=True, slots=True)
class Came:
    answer: ApiResponse
    took: float
    """Seconds."""
    at: float
    """The local time at which the service most likely read its clock."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    kind: str
    """For programs: dns, refused, tls, proxy, timeout, network."""
    found: str
    to_do: str


async def ask(endpoint: Endpoint, operation: Operation[Any, Any], params: Params, variable: str) -> Came | Obstacle:
    """`variable`: the setting that holds the address."""
    proxy = _proxy_for(endpoint.base_url)
    with anyio.move_on_after(SECONDS):
        if proxy is None and not await _has_an_address(endpoint.base_url):
            host = urlsplit(endpoint.base_url).hostname
            to_do = f"Check {variable} for a typo, and your network's name service (DNS)."
            return Obstacle("dns", f"no address is known for the name {host}", to_do)
        return await _asked(endpoint, operation, params, variable, proxy)
    return _too_late(variable)


async def _asked(
    endpoint: Endpoint, operation: Operation[Any, Any], params: Params, variable: str, proxy: str | None
) -> Came | Obstacle:
    account = ApiSession(endpoint, time.monotonic, anyio.sleep)
    began, at = time.monotonic(), time.time()
    try:
        answer = await account.send(operation, account.request(operation, params))
    except TripsError as error:
        return _obstacle(error, endpoint.base_url, variable, proxy)
    finally:
        with anyio.CancelScope(shield=True):
            await account.aclose()
    took = time.monotonic() - began
    return Came(answer, took, at + took / 2)


async def _has_an_address(url: str) -> bool:
    """Resolves in an abandoned thread, because a name server that does not answer can block for long."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or {"http": 80}.get(parts.scheme, 443)
    if is_loopback(host):
        return True
    known: list[bool] = []
    thread = threading.Thread(target=lambda: known.append(_resolves(host, port)), daemon=True)
    thread.start()
    await anyio.to_thread.run_sync(partial(thread.join, _SECONDS_FOR_A_NAME), abandon_on_cancel=True)
    return known == [True]


def _resolves(host: str, port: int) -> bool:
    try:
        return bool(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError):
        return False


def _proxy_for(url: str) -> str | None:
    """The proxy that httpx reads from the environment."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or proxy_bypass(host):
        return None
    known = getproxies()
    return known.get(parts.scheme) or known.get("all")


def _obstacle(error: TripsError, url: str, variable: str, proxy: str | None) -> Obstacle:
    causes = list(_causes(error))
    host = urlsplit(url).netloc.rpartition("@")[2]
    untrusted = next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if untrusted is not None:
        to_do = (
            "Check this computer's clock; if your network inspects TLS, name its certificate in SSL_CERT_FILE; "
            f"else check {variable}."
        )
        return Obstacle("tls", f"the certificate of {host} is not trusted ({untrusted.verify_message})", to_do)
    if _any(causes, ssl.SSLError):
        return Obstacle("tls", f"{host} does not speak TLS", f"Check the port in {variable}.")
    if proxy is not None and _any(causes, httpx.ProxyError, httpx.ConnectError, httpx.ConnectTimeout):
        to_do = "Check HTTPS_PROXY and the other proxy variables, or name the host in NO_PROXY."
        return Obstacle("proxy", f"the proxy {bare_url(proxy)} does not forward the request", to_do)
    if _any(causes, socket.gaierror):
        return Obstacle("dns", f"no address is known for {host}", f"Check {variable} for a typo, and your network.")
    if _any(causes, ConnectionRefusedError):
        to_do = f"Check the host and port in {variable}, and that the service runs."
        return Obstacle("refused", f"nothing listens at {host}", to_do)
    if _any(causes, httpx.TimeoutException):
        return _too_late(variable)
    return Obstacle("network", str(error).rstrip("."), f"Check {variable} and your network.")


def _too_late(variable: str) -> Obstacle:
    return Obstacle("timeout", f"no answer came within {SECONDS:.0f} seconds", f"Check {variable} and your network.")


def _any(causes: list[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(cause, kinds) for cause in causes)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """All causes of the error, including those of concurrent connection attempts."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for one in error.exceptions:  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
                yield from _causes(one)  # pyright: ignore[reportUnknownArgumentType]
        error = error.__cause__ or error.__context__


def clock(check: str, came: Came) -> Diagnosis | None:
    """None if the response has no valid Date header."""
    try:
        date = parsedate_to_datetime(came.answer.headers.get("Date", ""))
    except (ValueError, OverflowError):
        return None
    ahead = came.at - date.replace(tzinfo=date.tzinfo or UTC).timestamp()
    facts = {"secondsAhead": round(ahead), "here": datetime.fromtimestamp(came.at, UTC).isoformat(timespec="seconds")}
    if abs(ahead) <= MOST:
        return Diagnosis(check, "ok", "this computer and the service have the same time", facts=facts)
    return Diagnosis(
        check,
        "warn",
        f"this computer is {_long(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} the service",
        "Set the clock: with a wrong one, unfinished writes count as too old to finish, waits until a date are wrong, "
        "and certificates seem expired.",
        facts,
    )


def _long(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 1.9 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


@dataclass(frozen=True, slots=True)
class Probe:
    api: Api
    name: str
    key_variable: str
    url_variable: str
    usual: str
    path: str
    """The expected end of a base URL."""
    operation: Operation[Any, Any]
    params: Params


# The Events API has no operation without arguments, so the probe reads an event that need not exist.
PROBES: Final[dict[Api, Probe]] = {
    "trips": Probe("trips", "Trips API", "OSOTO_API_KEY", "OSOTO_BASE_URL", TRIPS_URL, "/api/v1", GET_ME, GetMe()),
    "events": Probe(
        "events",
        "Events API",
        "TRAVELMODE_TOKEN",
        "TRAVELMODE_BASE_URL",
        EVENTS_URL,
        "the host, without /v1",
        GET_EVENT,
        GetEvent(event_id=1),
    ),
}


async def examine_api(api: Api, settings: Settings, *, of_callers: bool) -> list[Diagnosis]:
    """`of_callers`: callers bring their keys, so there is no key to check."""
    probe = PROBES[api]
    url = settings.trips_url if api == "trips" else settings.events_url
    key = None if of_callers else settings.trips_key if api == "trips" else settings.events_token
    facts: dict[str, object] = {"url": bare_url(url), "usual": url == probe.usual}
    try:
        came = await ask(Endpoint(url, key), probe.operation, probe.params, probe.url_variable)
    except CannotConnectError as error:
        found = f"{probe.url_variable}: {str(error).rstrip('.')}"
        return [Diagnosis(f"{api}-api", "fail", found, f"Fix {probe.url_variable}.", facts)]
    if isinstance(came, Obstacle):
        found = f"{_which(probe, url)} cannot be reached: {came.found}"
        return [Diagnosis(f"{api}-api", "fail", found, came.to_do, {**facts, "problem": came.kind})]
    facts |= {"status": came.answer.status, "milliseconds": round(came.took * 1000)}
    return list(_answered(probe, settings, key, came, _which(probe, url), facts))


def trips_endpoint(url: str, key: str) -> Endpoint | None:
    try:
        return Endpoint(url, key)
    except CannotConnectError:  # the check of the API reports it
        return None


def not_set_up(api: Api, settings: Settings) -> Diagnosis:
    """For an API without a key, if the other one has a key."""
    probe = PROBES[api]
    if api in settings.switched_off:
        found = f"off, as {probe.key_variable} holds no key but a variable that was not expanded"
        return Diagnosis(f"{api}-api", "fail", found, f"Write the key itself there, or unset {probe.key_variable}.")
    found = "not set up, so its tools are not offered"
    return Diagnosis(f"{api}-api", "warn", found, f"Set {probe.key_variable}, if you have a key for it.")


def _which(probe: Probe, url: str) -> str:
    return f"{'the service' if url == probe.usual else 'another service'} at {bare_url(url)}"


def _answered(
    probe: Probe, settings: Settings, key: str | None, came: Came, which: str, facts: dict[str, object]
) -> Iterator[Diagnosis]:
    result, error = _understood(probe, came.answer, key)
    trouble = _stranger(probe, came.answer, error)
    if trouble is not None:
        found, to_do = trouble
        yield Diagnosis(f"{probe.api}-api", "fail", f"{which} {found}", to_do, facts)
    else:
        yield Diagnosis(f"{probe.api}-api", "ok", f"{which} answers in {came.took * 1000:.0f} ms", facts=facts)
        yield from key_findings(probe.api, probe.key_variable, settings, result, error, has_key=key is not None)
        if (limit := rate_limit(f"{probe.api}-rate-limit", came.answer, error)) is not None:
            yield limit
    if (time := clock(f"{probe.api}-clock", came)) is not None:
        yield time


def _understood(probe: Probe, answer: ApiResponse, key: str | None) -> tuple[object, TripsError | None]:
    try:
        return read(probe.operation, probe.params, answer, key), None
    except TripsError as error:
        return None, error


def _stranger(probe: Probe, answer: ApiResponse, error: TripsError | None) -> tuple[str, str] | None:
    """What is wrong with the service, and what to do. None if it is the API and works."""
    there = f"Check {probe.url_variable}; it ends with {probe.path}."
    if _is_page(answer) and not isinstance(error, ServerFaultError):
        return (
            f"answers with a web page (HTTP {answer.status}), and not as the {probe.name}",
            f"{there} A network with a login page answers like this too.",
        )
    match error:
        case ServerFaultError():
            return f"is there, but fails (HTTP {answer.status})", "Try again later; if it continues, ask its operator."
        case BadAnswerError() if 300 <= answer.status < 400:
            return f"redirects (HTTP {answer.status}), and a key is never sent elsewhere", there
        case BadAnswerError():
            return f"answers, but not as the {probe.name} (HTTP {answer.status})", there
        case NotFoundError() if probe.api == "trips" or not _says_why(answer):
            return f"has no {probe.name} at this address (HTTP 404)", there
        case NotFoundError() | GoneError() | ForbiddenError() | UnauthorizedError() | RateLimitedError() | None:
            return None
        case ApiError():
            return f"refuses the check's request to the {probe.name} (HTTP {answer.status})", there
        case _:
            return str(error), there


def _is_page(answer: ApiResponse) -> bool:
    return "html" in answer.headers.get("Content-Type", "").lower()


def _says_why(answer: ApiResponse) -> bool:
    try:
        body = from_json(answer.body)
    except ValueError:
        return False
    return is_object(body) and any(name in body for name in ("error", "detail", "message"))
