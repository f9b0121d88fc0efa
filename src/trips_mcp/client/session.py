"""The session with one API: its connections, its rate limiters, and a request in as many attempts as it takes."""

import logging
import os
import random
import ssl
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from math import inf
from typing import Any, Final
from urllib.parse import quote, urlencode

import anyio
import httpx
from pydantic_core import to_json
from typing_extensions import override

from trips_mcp import __version__
from trips_mcp.client.endpoint import Endpoint, account_secret, history_account, proxy_to
from trips_mcp.client.errors import ApiError, BadAnswerError, CannotConnectError, TripsError, UnavailableError
from trips_mcp.client.rate_limiter import LEAST_TIME, Clock, RateLimiter, Sleep, Turn
from trips_mcp.client.responses import (
    ApiResponse,
    is_in_progress,
    is_key_conflict,
    is_of_service,
    is_rate_limit,
    read,
    request_id,
    says_not_now,
    seconds_to_wait,
)
from trips_mcp.contract.models import Params
from trips_mcp.contract.operation import Operation, P, R, place

LARGEST_ANSWER = 16 * 1024 * 1024
_ALWAYS = (
    ("Accept", "application/json"),
    ("Accept-Encoding", "gzip, deflate"),
    ("User-Agent", f"trips-mcp/{__version__}"),
)
_LIMITS = httpx.Limits(max_connections=32, max_keepalive_connections=16, keepalive_expiry=60)
TIMEOUTS: Final = httpx.Timeout(30, connect=5)
_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 8.0
_MAY_PASS: Final = frozenset({408, 429, 500, 502, 503, 504, *range(520, 525), 529})
"""From 520 on they are Cloudflare's: the origin failed, was down or took too long; 529: it is overloaded."""
HTTPX_ERRORS: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict)
"""Every exception of httpx, which has no common base class."""

_REASONS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (httpx.ConnectTimeout, f"no connection within {TIMEOUTS.connect:.0f} seconds"),
    (httpx.ConnectError, "no connection could be made"),
    (httpx.PoolTimeout, f"all connections stayed busy for {TIMEOUTS.pool:.0f} seconds"),
    (httpx.ProxyError, "the proxy did not let it through"),
    (httpx.UnsupportedProtocol, "the base URL's protocol is not supported"),
    (httpx.LocalProtocolError, "the request could not be put into HTTP"),
    (httpx.ReadTimeout, f"nothing came for {TIMEOUTS.read:.0f} seconds"),
    (httpx.WriteTimeout, f"it took nothing in for {TIMEOUTS.write:.0f} seconds"),
    (httpx.RemoteProtocolError, "the connection ended before the whole answer was there"),
)
_NEVER_SENT: Final = (
    httpx.ConnectTimeout,
    httpx.ConnectError,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
_CERTIFICATE_SETTINGS: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_UNTRUSTED: Final = "its certificate is not trusted; set SSL_CERT_FILE to a file of those to trust"
_PERMANENT: Final = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, ssl.SSLCertVerificationError)

LOG = logging.getLogger("trips_mcp.client")


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
        self._timeouts = {"timeout": TIMEOUTS.as_dict()}

    @cached_property
    def secret(self) -> bytes:
        return account_secret(self._endpoint)

    @cached_property
    def _anonymous(self) -> httpx.Headers:
        return httpx.Headers([("Host", httpx.URL(self._base_url).netloc.decode("ascii")), *_ALWAYS])

    @cached_property
    def _authorized(self) -> httpx.Headers:
        headers = httpx.Headers(self._anonymous)
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key}"
        return headers

    @cached_property
    def history_account(self) -> str:
        """The account's name in the history."""
        return history_account(self.secret)

    def limiter(self, operation: Operation[Any, Any]) -> RateLimiter:
        return self._anonymous_rate_limiter if operation.scope == "nobody" else self.rate_limiter

    def request(self, operation: Operation[Any, R], params: Params, key: str | None = None) -> httpx.Request:
        """The request, built without httpx's client, which would add headers of its own.

        Made of a stream, it takes half the time: httpx adds no headers to it. `key` is the Idempotency-Key.
        """
        placed = place(operation, params)
        url = self._base_url + placed.path
        if placed.query:
            url += "?" + urlencode({n: _in_query(v) for n, v in placed.query.items()}, quote_via=quote)
        headers = self._anonymous if operation.scope == "nobody" else self._authorized
        body = None if placed.body is None else to_json(placed.body)
        parsed = httpx.URL(url) if operation.scope == "nobody" else _parsed(url)  # the former contains a secret
        stream = httpx.ByteStream(body or b"")
        request = httpx.Request(operation.method, parsed, headers=headers, stream=stream, extensions=self._timeouts)
        request.read()
        if body is not None:
            request.headers["Content-Length"] = str(len(body))
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
        return partial(self._open_http().send, stream=True)

    def _open_http(self) -> _HttpClient:
        if self._http is None:
            with _certificate_errors():
                self._http = _HttpClient(
                    verify=self._tls or trusted(self._base_url),
                    proxy=proxy_to(self._base_url),
                    trust_env=False,  # certificates and proxies are read from the environment above
                    limits=_LIMITS,
                )
        return self._http


def trusted(*base_urls: str) -> ssl.SSLContext:
    """The certificates that this computer trusts; none for plain HTTP, as loading them takes longer than a call.

    Raises: CannotConnectError.
    """
    if all(url.lower().startswith("http:") for url in base_urls):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with _certificate_errors():
        return _certificates(*map(os.environ.get, _CERTIFICATE_SETTINGS))


@lru_cache(maxsize=1)
def _certificates(*settings: str | None) -> ssl.SSLContext:
    """Loaded once per process, and again when the settings change, which httpx reads from the environment."""
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
    if isinstance(response.stream, httpx.ByteStream) and "Content-Encoding" not in response.headers:
        whole = b"".join(response.stream)  # from a transport in this process; httpx takes longer to iterate over it
        if len(whole) <= LARGEST_ANSWER:
            return whole
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


@dataclass(slots=True)
class Course:
    """How far one call has come."""

    ends: float
    """Time of the clock by which the caller must have an answer."""
    may_be_done: bool = False
    """Whether a write may have been carried out and no answer has said so."""
    attempts: int = 0
    pause: float = 0.0
    """Seconds to let pass after the latest attempt, if it failed."""
    place: int | None = None
    """In the queue for a turn; kept over all attempts."""


# A plain loop: the wait comes from the service or from the rate limiter, one that would end too late is not begun, and
# whether to retry depends on what is known of a write. A retry library's hooks for these took more lines than the loop.
class Attempts:
    def __init__(self, clock: Clock, sleep: Sleep, jitter: Callable[[float, float], float] = random.uniform) -> None:
        self.clock = clock
        self._sleep = sleep
        self._jitter = jitter

    async def result(
        self, account: ApiSession, operation: Operation[P, R], params: P, course: Course, key: str | None = None
    ) -> R:
        """`key` is the Idempotency-Key.

        Raises: TripsError; with the seconds to wait, where there was no time for another attempt.
        """
        request = account.request(operation, params, key)
        found = await self._attempt(account, operation, request, course)
        come_back: float | None = None
        while _is_worth_another(found, operation, course):
            if self.clock() + course.pause > course.ends - LEAST_TIME:
                come_back = course.pause
                break
            await self._sleep(course.pause)
            found = await self._attempt(account, operation, request, course)
        try:
            if isinstance(found, UnavailableError):
                raise found
            return read(operation, params, found, account.key)
        except (UnavailableError, ApiError) as error:
            if error.retry_after is None:
                error.retry_after = come_back
            raise

    async def _attempt(
        self, account: ApiSession, operation: Operation[Any, Any], request: httpx.Request, course: Course
    ) -> ApiResponse | UnavailableError:
        """What came of it; `course.may_be_done` is right at every moment, as it may be cancelled at any.

        Raises: RateLimitedError and UnavailableError where it had no turn, CannotConnectError, BadAnswerError.
        """
        limiter = account.limiter(operation)
        if course.place is None:
            course.place = limiter.new_place()
        turn = await limiter.admit(operation, course.place, course.ends)
        began = self.clock()
        course.attempts += 1
        may_have_been_done, course.may_be_done = course.may_be_done, True
        try:
            found = await _sent(account, operation, request, course.ends - began)
        except CannotConnectError:
            course.may_be_done = may_have_been_done
            limiter.close(turn, counted=False)
            raise
        except BaseException:  # cancelled, or nothing that could be read
            limiter.close(turn)
            raise
        self._give_back(turn, limiter, course, found)
        course.may_be_done = may_have_been_done or _may_be_done(found, operation)
        if LOG.isEnabledFor(logging.DEBUG):
            _log(account, operation, request, course, found, self.clock() - began)
        return found

    def _give_back(
        self, turn: Turn, limiter: RateLimiter, course: Course, found: ApiResponse | UnavailableError
    ) -> None:
        if isinstance(found, UnavailableError):
            course.pause = self.backoff(course.attempts)
            limiter.close(turn, counted=found.sent)
        else:
            hold = None
            if found.status >= 300:
                course.pause = self._pause(found, course, limiter)
                hold = course.pause if is_rate_limit(found) else None  # the limiter bounds it
            limiter.close(turn, found.headers, status=found.status, hold=hold)

    def _pause(self, answer: ApiResponse, course: Course, limiter: RateLimiter) -> float:
        if says_not_now(answer.headers):
            return inf
        named = seconds_to_wait(answer.headers)
        if named is None and is_rate_limit(answer) and answer.headers.get("X-RateLimit-Remaining") == "0":
            named = limiter.known.resets_in if limiter.known else None
        # "at once" from a service that is failing would be a storm
        return named if named is not None and named >= _FIRST_WAIT else self.backoff(course.attempts)

    def backoff(self, attempts: int) -> float:
        """The seconds to let pass after so many attempts."""
        return self._jitter(0, min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(attempts - 1, 10)))


async def _sent(
    account: ApiSession, operation: Operation[Any, Any], request: httpx.Request, seconds: float
) -> ApiResponse | UnavailableError:
    with anyio.move_on_after(seconds):
        try:
            return await account.send(operation, request)
        except UnavailableError as error:
            return error
    return UnavailableError(operation, f"no whole answer came within {max(0.0, seconds):.0f} seconds", sent=True)


def _log(
    account: ApiSession,
    operation: Operation[Any, Any],
    request: httpx.Request,
    course: Course,
    found: ApiResponse | UnavailableError,
    seconds: float,
) -> None:
    path = request.url.raw_path.partition(b"?")[0].decode("ascii")
    if operation.scope == "nobody":
        path = operation.path  # the token in it is all that one needs to read the trip
    status, told = "no answer", None
    if isinstance(found, ApiResponse):
        status, told = str(found.status), request_id(found, account.key)
    LOG.debug(
        "%s %s: %s in %.0f ms, attempt %d, request %s",
        request.method,
        path,
        status,
        seconds * 1000,
        course.attempts,
        told or "-",
    )


def _may_be_done(found: ApiResponse | UnavailableError, operation: Operation[Any, Any]) -> bool:
    """Whether a write may have been carried out, going by this attempt alone."""
    if isinstance(found, UnavailableError):
        return found.sent
    if found.status == 408 or not 300 <= found.status < 500:
        return True
    return is_in_progress(operation, found) or not is_of_service(operation, found)


def _is_worth_another(found: ApiResponse | UnavailableError, operation: Operation[Any, Any], course: Course) -> bool:
    """Whether the failure may pass, and no write can be carried out twice."""
    if isinstance(found, UnavailableError):
        if not may_pass(found):
            return False
    elif found.status < 300 or not _may_pass(found, operation, course):
        return False
    return _is_repeatable(operation) or not _may_be_done(found, operation)


def _may_pass(answer: ApiResponse, operation: Operation[Any, Any], course: Course) -> bool:
    if answer.status == 409 and _has_key(operation):
        # after a lost answer, a conflict is with that attempt of our own
        return is_in_progress(operation, answer) or (course.may_be_done and not is_key_conflict(answer))
    return answer.status in _MAY_PASS or is_rate_limit(answer)


def _is_repeatable(operation: Operation[Any, Any]) -> bool:
    """Reads, what carries an Idempotency-Key, and deleting what may be gone already."""
    return operation.reads or operation.api == "trips" or operation.method == "DELETE"


def _has_key(operation: Operation[Any, Any]) -> bool:
    return operation.api == "trips" and not operation.reads


def may_pass(error: UnavailableError) -> bool:
    """Whether another attempt could succeed."""
    return not _caused_by(error, _PERMANENT)


def failure(operation: Operation[Any, Any], error: Exception, status: int | None) -> TripsError:
    """`status`: the status of the answer, if it had begun."""
    if isinstance(error, httpx.TransportError):
        why = next((why for kind, why in _REASONS if isinstance(error, kind)), "the connection broke")
        if _caused_by(error, ssl.SSLCertVerificationError):
            why = _UNTRUSTED
        return UnavailableError(operation, why, sent=not isinstance(error, _NEVER_SENT))
    if isinstance(error, httpx.InvalidURL):
        return CannotConnectError("The base URL cannot be used; use something like https://host/path.")
    return BadAnswerError(operation, "with something that could not be read", status=status)


def _caused_by(error: BaseException, kinds: type[BaseException] | tuple[type[BaseException], ...]) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, kinds):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
