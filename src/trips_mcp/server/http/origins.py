"""Checks of the Host and Origin headers, and CORS.

Any web page can make its own name resolve to 127.0.0.1 (DNS rebinding) and call local servers from the user's browser.
So both headers are checked on every path. Pages of allowed origins get the CORS headers that browsers need.

Not the SDK's `TransportSecurityMiddleware`: it compares hosts case-sensitively, takes `localhost:anything` for a port,
sees the first of two `Host` headers alone, and covers the paths of its own transports only. Not Starlette's
`CORSMiddleware`: it lets requests of other origins through, without the headers, and refuses their preflights in plain
text. Here both are refused as JSON-RPC errors before anything else reads the request.
"""

from collections.abc import Collection
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

from trips_mcp.server.http.errors import INVALID_REQUEST, RefusalError
from trips_mcp.server.http.request import HttpRequest

_THIS_COMPUTER: Final = ("localhost", "127.0.0.1", "[::1]")
_METHODS: Final = b"GET, POST"
_TO_SEND: Final = (
    b"accept, authorization, content-type, last-event-id, mcp-method, mcp-name, mcp-protocol-version, mcp-session-id, "
    b"x-request-id, x-travelmode-token"
)
_TO_READ: Final = b"mcp-session-id, retry-after, www-authenticate, x-request-id"
_AN_HOUR: Final = b"3600"


class Origins:
    def __init__(self, address: str, hosts: Collection[str], origins: Collection[str]) -> None:
        """`address`: the one the server listens on. A host without a port is allowed on every port."""
        self._hosts = {*_THIS_COMPUTER, *_as_host(address), *hosts}
        self._origins = frozenset(origins)

    def check(self, request: HttpRequest) -> bool:
        """Whether the request is a CORS preflight.

        Raises: RefusalError.
        """
        if not any(_is_one_of(host.lower(), self._hosts) for host in request.values("host")):
            raise RefusalError(
                HTTPStatus.MISDIRECTED_REQUEST, "This server goes by another name (Host).", INVALID_REQUEST
            )
        origins = request.values("origin")
        if not origins:
            return False
        if len(origins) > 1 or not self._is_allowed(origins[0].lower()):
            raise RefusalError(
                HTTPStatus.FORBIDDEN, "Pages of this origin may not call here (Origin).", INVALID_REQUEST
            )
        request.more_headers += [
            (b"access-control-allow-origin", origins[0].encode("latin-1")),
            (b"access-control-expose-headers", _TO_READ),
            (b"vary", b"Origin"),
        ]
        return request.method == "OPTIONS"

    def _is_allowed(self, origin: str) -> bool:
        scheme, _, host = origin.partition("://")
        return origin in self._origins or (scheme in ("http", "https") and _is_one_of(host, _THIS_COMPUTER))


async def answer_preflight(request: HttpRequest) -> None:
    await request.answer(
        HTTPStatus.NO_CONTENT,
        b"",
        [
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _TO_SEND),
            (b"access-control-max-age", _AN_HOUR),
        ],
    )


def _as_host(address: str) -> tuple[str, ...]:
    """The address as a Host header has it; none for the unspecified address."""
    found = ip_address(address)
    if found.is_unspecified:
        return ()
    return (f"[{found}]" if found.version == 6 else str(found),)


def _is_one_of(host: str, names: Collection[str]) -> bool:
    name, colon, port = host.rpartition(":")
    is_port = colon != "" and port.isascii() and port.isdigit()
    return host in names or (is_port and name in names)
