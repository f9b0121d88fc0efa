"""The session with one API: its connections, its rate limiters and single attempts at a request."""

import ssl
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from pydantic_core import to_json
from typing_extensions import override

from trips_mcp import __version__
from trips_mcp.client.digests import account_secret
from trips_mcp.client.endpoint import Endpoint
from trips_mcp.client.errors import BadAnswerError, CannotConnectError
from trips_mcp.client.httpx_errors import HTTPX_ERRORS, TIMEOUTS, failure
from trips_mcp.client.proxies import proxy_to
from trips_mcp.client.rate_limiter import Clock, RateLimiter, Sleep
from trips_mcp.contract.http_mapping import place
from trips_mcp.contract.models import Params
from trips_mcp.contract.operation import Operation, R

LARGEST_ANSWER = 16 * 1024 * 1024
_ALWAYS = (
    ("Accept", "application/json"),
    ("Accept-Encoding", "gzip, deflate"),
    ("User-Agent", f"trips-mcp/{__version__}"),
)
_LIMITS = httpx.Limits(max_connections=32, max_keepalive_connections=16, keepalive_expiry=60)


class _NoCookies(httpx.Cookies):
    @override
    def extract_cookies(self, response: httpx.Response) -> None:
        pass


class _HttpClient(httpx.AsyncClient):
    """httpx's client without cookies, which an API with keys does not need.

    Searching each answer for cookies takes a tenth of a small call. A stored cookie could also carry one account's
    session into another call.
    """

    @property
    @override
    def cookies(self) -> httpx.Cookies:  # pyright: ignore[reportIncompatibleMethodOverride] - it can't be set
        return _NoCookies()


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A response of any status."""

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)


class ApiSession:
    def __init__(self, endpoint: Endpoint, clock: Clock, sleep: Sleep) -> None:
        self.key = endpoint.key
        self.rate_limiter = RateLimiter(clock, sleep)
        self._anonymous_rate_limiter = RateLimiter(clock, sleep)
        """For requests without the key, which the service counts separately."""
        self._endpoint = endpoint
        self._base_url = endpoint.base_url
        self._transport = endpoint.transport
        self._tls = endpoint.tls
        self._http: _HttpClient | None = None
        self._anonymous = httpx.Headers(_ALWAYS)
        self._authorized = self._anonymous
        if endpoint.key is not None:
            self._authorized = httpx.Headers([*_ALWAYS, ("Authorization", f"Bearer {endpoint.key}")])
        self._timeouts = {"timeout": TIMEOUTS.as_dict()}

    @cached_property
    def secret(self) -> bytes:
        return account_secret(self._endpoint)

    def limiter(self, operation: Operation[Any, Any]) -> RateLimiter:
        return self._anonymous_rate_limiter if operation.scope == "nobody" else self.rate_limiter

    def request(self, operation: Operation[Any, R], params: Params, key: str | None = None) -> httpx.Request:
        """The request, built without httpx's client, which would add headers of its own.

        `key` is the Idempotency-Key.
        """
        placed = place(operation, params)
        url = self._base_url + placed.path
        if placed.query:
            url += "?" + urlencode({n: _in_query(v) for n, v in placed.query.items()}, quote_via=quote)
        headers = self._anonymous if operation.scope == "nobody" else self._authorized
        body = None if placed.body is None else to_json(placed.body)
        parsed = httpx.URL(url) if operation.scope == "nobody" else _parsed(url)  # the former contains a secret
        request = httpx.Request(operation.method, parsed, headers=headers, content=body, extensions=self._timeouts)
        if body is not None:
            request.headers["Content-Type"] = "application/json"
        if key is not None:
            request.headers["Idempotency-Key"] = key
        return request

    async def send(self, operation: Operation[Any, R], request: httpx.Request) -> ApiResponse:
        """One attempt.

        Raises: CannotConnectError, UnavailableError, BadAnswerError for an answer that cannot be read.
        """
        send = self._send_method()
        status: int | None = None
        try:
            response = await send(request)
            status = response.status_code
            try:
                body = await _within_limit(operation, response)
            finally:
                await response.aclose()
        except HTTPX_ERRORS as error:
            raise failure(operation, error, status) from error
        return ApiResponse(status, response.headers, body)

    async def aclose(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()
        if self._http is not None:
            await self._http.aclose()

    def _send_method(self) -> Callable[[httpx.Request], Awaitable[httpx.Response]]:
        if self._transport is not None:
            # An in-process transport needs no auth, redirects or cookies; skipping AsyncClient halves a small call.
            return self._transport.handle_async_request
        return partial(self._open_http().send, stream=True, auth=None, follow_redirects=False)

    def _open_http(self) -> _HttpClient:
        if self._http is None:
            with _certificate_errors():
                self._http = _HttpClient(
                    verify=self._tls or httpx.create_ssl_context(),
                    proxy=proxy_to(self._base_url),
                    trust_env=False,  # certificates and proxies are read from the environment above
                    limits=_LIMITS,
                    timeout=TIMEOUTS,
                )
        return self._http


def trusted() -> ssl.SSLContext:
    """The certificates that this computer trusts, shared by many endpoints. Raises: CannotConnectError."""
    with _certificate_errors():
        return httpx.create_ssl_context()


@contextmanager
def _certificate_errors() -> Generator[None]:
    """Translates errors from the certificates that the environment names. Raises: CannotConnectError."""
    try:
        yield
    except (ValueError, OSError, ImportError, *HTTPX_ERRORS) as error:
        raise CannotConnectError(
            "The certificate settings of this computer cannot be used; check SSL_CERT_FILE and SSL_CERT_DIR."
        ) from error


@lru_cache(maxsize=512)
def _parsed(url: str) -> httpx.URL:
    """Parsing takes longer than any other part of making a small request, and URLs repeat."""
    return httpx.URL(url)


async def _within_limit(operation: Operation[Any, R], response: httpx.Response) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > LARGEST_ANSWER:
            raise BadAnswerError(operation, "with more than 16 MiB", status=response.status_code)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _in_query(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
