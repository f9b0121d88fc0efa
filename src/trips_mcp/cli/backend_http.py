"""HTTP protection for `trips-mcp backend serve`: timeouts, connection limits, trusted proxies."""

from collections.abc import Callable
from typing import Final

from pydantic_core import to_json
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override

from trips_mcp.addresses import TrustedProxies
from trips_mcp.backend.errors import ProblemError, trips_error
from trips_mcp.backend.handler import new_request_id
from trips_mcp.server.http.protocol import TimeoutProtocol
from trips_mcp.server.http.request import OVER_LIMIT, with_real_client
from trips_mcp.server.http.settings import BODY_SECONDS

_FULL: Final = "This server has as many connections as it takes; try again in a moment."


def protocol_of(proxies: TrustedProxies, per_address: int) -> type[TimeoutProtocol]:
    class BackendProtocol(TimeoutProtocol):
        body_seconds = BODY_SECONDS
        most_per_address = per_address
        trusted_proxies = proxies

        @override
        def error_body(self, status: int, message: str) -> bytes:
            return _error(status, message)

    return BackendProtocol


def guarded(app: ASGIApp, proxies: TrustedProxies) -> Callable[[Scope, Receive, Send], object]:
    """Rejects connections over the limit, and gives the app the clients behind trusted proxies."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if OVER_LIMIT in scope.get("state", ()):
            await _answer_full(send)
        else:
            await app(with_real_client(scope, proxies), receive, send)

    return guarded


async def _answer_full(send: Send) -> None:
    body = _error(503, _FULL)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"retry-after", b"1"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _error(status: int, message: str) -> bytes:
    problem = ProblemError("INTERNAL_ERROR" if status >= 500 else "VALIDATION_ERROR", message, status=status)
    return to_json(trips_error(problem, new_request_id()))
