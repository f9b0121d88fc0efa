"""The exceptions of httpx, translated to our errors."""

import ssl
from typing import Any, Final

import httpx

from trips_mcp.client.errors import BadAnswerError, CannotConnectError, TripsError, UnavailableError
from trips_mcp.contract.operation import Operation

TIMEOUTS: Final = httpx.Timeout(30, connect=5)

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
_UNTRUSTED: Final = "its certificate is not trusted; set SSL_CERT_FILE to a file of those to trust"
_PERMANENT: Final = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, ssl.SSLCertVerificationError)


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
