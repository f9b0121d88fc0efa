"""A single request to an API with a timeout, which gives a response or the obstacle in words."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import anyio
import anyio.to_thread
import httpx

from trips_mcp.addresses import is_loopback
from trips_mcp.client.endpoint import Endpoint
from trips_mcp.client.errors import TripsError
from trips_mcp.client.session import ApiResponse, ApiSession
from trips_mcp.contract.models import Params
from trips_mcp.contract.operation import Operation
from trips_mcp.redaction import bare_url

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
