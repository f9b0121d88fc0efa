"""One HTTP request: its headers, its body, its response and its log line, and the errors that refuse it."""

import asyncio
import os
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from random import Random
from typing import Any, Final, cast

import anyio
from pydantic_core import to_json
from starlette.types import Message as Event
from starlette.types import Receive, Scope, Send

from trips_mcp.addresses import UNKNOWN, TrustedProxies, is_address, is_loopback
from trips_mcp.server.jsonrpc import Batch, MalformedError, Message, parsed

REFUSED: Final = -32000
"""A code that JSON-RPC reserves for servers. The HTTP status and the message give the reason."""
INVALID_REQUEST: Final = -32600
INTERNAL_ERROR: Final = -32603

Headers = Sequence[tuple[str, str]]


@dataclass
class RefusalError(Exception):
    """The request had no effect. The caller sees the message, so it holds no internal details."""

    status: int
    message: str
    code: int = REFUSED
    headers: Headers = ()
    request_id: str | int | None = None
    data: Mapping[str, Any] | None = field(default=None)

    def body(self) -> bytes:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            error["data"] = self.data
        return to_json({"jsonrpc": "2.0", "id": self.request_id, "error": error})


def not_found(place: str) -> RefusalError:
    """`place`: the path of the MCP endpoint."""
    return RefusalError(HTTPStatus.NOT_FOUND, f"There is nothing at this address; MCP is at {place}.", INVALID_REQUEST)


def not_allowed(*methods: str) -> RefusalError:
    allowed = ", ".join(methods)
    message = f"This address takes {allowed} only."
    return RefusalError(HTTPStatus.METHOD_NOT_ALLOWED, message, INVALID_REQUEST, (("allow", allowed),))


def too_much_head() -> RefusalError:
    return RefusalError(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "The address and the headers are too long.",
        INVALID_REQUEST,
        (("connection", "close"),),
    )


def busy(whose: str) -> RefusalError:
    message = f"{whose} as many calls under way as this server allows; try again in a moment."
    return RefusalError(HTTPStatus.TOO_MANY_REQUESTS, message, headers=(("retry-after", "1"),))


def ending() -> RefusalError:
    message = "This server is shutting down; call again in a moment."
    return RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, message, headers=(("retry-after", "1"),))


def too_many_connections() -> RefusalError:
    message = "This server has as many connections as it takes; try again in a moment."
    headers = (("retry-after", "1"), ("connection", "close"))
    return RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, message, headers=headers)


def broken(incident: str) -> RefusalError:
    message = f"Something broke here; it is in this server's log as request {incident}."
    return RefusalError(HTTPStatus.INTERNAL_SERVER_ERROR, message, INTERNAL_ERROR)


CONNECTION: Final = "trips_mcp.connection"
"""Key in a scope's state: the request's connection (`protocol.py`), which has a `sent` method."""
OVER_LIMIT: Final = "trips_mcp.too_many_connections"
"""Key in a scope's state: the connection is over the limit (`protocol.py`)."""
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ids: Final = Random()  # noqa: S311 - they need to differ, and asking the system each time takes long
if hasattr(os, "register_at_fork"):  # workers must not generate the same ids
    os.register_at_fork(after_in_child=_ids.seed)
_LONGEST_PATH: Final = 200
_JSON: Final = (b"content-type", b"application/json")
JSON: Final = (_JSON,)
_CLOSE: Final = (b"connection", b"close")
_MOST_TO_DRAIN: Final = 8 * 1024 * 1024
_DRAIN_SECONDS: Final = 2
_COMMENT: Final = b": \r\n\r\n"
_GONE: Final = 499
"""nginx's status for a client that disconnected before the response."""
LARGEST_BODY: Final = 4 * 1024 * 1024


class HttpRequest:
    def __init__(self, scope: Scope, receive: Receive, send: Send, quiet_seconds: float) -> None:
        """`quiet_seconds`: idle time of a stream before a keep-alive comment is due."""
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.scope = scope
        self.lines: list[tuple[str, str]] = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        ]
        """The headers in order, with lower-case names."""
        self.id = self._requested_id() or f"{_ids.getrandbits(128):032x}"
        self.caller: str | None = None
        """A hash that identifies the caller; None until known."""
        self.rpc: str | None = None
        """The JSON-RPC method."""
        self.tool: str | None = None
        self.status = 0
        """0 until a response has started."""
        self.more_headers: list[tuple[bytes, bytes]] = []
        """Headers of every response to this request."""
        self._receive = receive
        self._send = send
        self.quiet_seconds = quiet_seconds
        self._body_ended = "transfer-encoding" not in self.headers and self.headers.get("content-length", "0") == "0"
        self._began = time.perf_counter()

    @cached_property
    def headers(self) -> dict[str, str]:
        return dict(self.lines)

    @property
    def head_size(self) -> int:
        """Bytes of the URL and the headers."""
        sizes = (len(name) + len(value) for name, value in self.lines)
        return len(self.scope["raw_path"]) + len(self.scope["query_string"]) + sum(sizes)

    @property
    def address(self) -> str:
        """The client's address."""
        client: tuple[str, int] | None = self.scope["client"]
        return client[0] if client else UNKNOWN

    @property
    def is_over_connection_limit(self) -> bool:
        return OVER_LIMIT in self.scope.get("state", ())

    def values(self, header: str) -> list[str]:
        return [value for name, value in self.lines if name == header]

    async def receive(self) -> Event:
        event = await self._receive()
        self._body_ended = self._body_ended or not event.get("more_body", False)
        return event

    async def gone(self, quiet: Callable[[bytes], Awaitable[None]]) -> None:
        """Waits until the client disconnects. `quiet` sends keep-alive comments, so that proxies stay open."""
        while True:
            with anyio.move_on_after(self.quiet_seconds):
                while (await self.receive())["type"] != "http.disconnect":
                    pass
                return
            await quiet(_COMMENT)

    async def send(self, event: Event) -> None:
        if event["type"] == "http.response.start":
            self.status = event["status"]
            mine = [(b"x-request-id", self.id.encode()), *self.more_headers]
            event = {**event, "headers": [*event.get("headers", ()), *mine]}
        await self._send(event)

    async def sent(self) -> bool:
        """Waits until the response is written to the connection. False if the connection was lost."""
        connection = self.scope.get("state", {}).get(CONNECTION)
        return connection is None or await connection.sent()

    async def answer(self, status: int, body: bytes, headers: Sequence[tuple[bytes, bytes]] = JSON) -> None:
        length = (b"content-length", b"%d" % len(body))
        # An unread body would be parsed as the next request, or the response lost with the connection.
        unread = () if self._body_ended else (_CLOSE,)
        await self.send({"type": "http.response.start", "status": status, "headers": [*headers, length, *unread]})
        if unread:
            await self.send({"type": "http.response.body", "body": body, "more_body": True})
            await self._drain_body()
            body = b""
        await self.send({"type": "http.response.body", "body": body})

    async def refuse(self, refusal: RefusalError) -> None:
        headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in refusal.headers]
        await self.answer(refusal.status, refusal.body(), [_JSON, *headers])

    async def _drain_body(self) -> None:
        """Drains the body; a client that is still sending would not read the response."""
        left = _MOST_TO_DRAIN
        with anyio.move_on_after(_DRAIN_SECONDS):
            while not self._body_ended and left > 0:
                left -= len((await self.receive()).get("body", b""))

    def line(self) -> str:
        """The log line, without body and key, and without the query, which may hold a session id."""
        told: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "method": self.method[:16],
            "path": self.path[:_LONGEST_PATH],
            "status": self.status or _GONE,
            "ms": round((time.perf_counter() - self._began) * 1000, 1),
            "request": self.id,
            "caller": self.caller,
            "rpc": self.rpc,
            "tool": self.tool,
        }
        return to_json({name: value for name, value in told.items() if value is not None}).decode()

    def _requested_id(self) -> str | None:
        asked = next((value for name, value in self.lines if name == "x-request-id"), "")
        return asked if _ID.fullmatch(asked) else None


class ClientDisconnectedError(Exception):
    """The client has disconnected, so no response is possible."""


async def read_message(request: HttpRequest, seconds: float) -> Message:
    """`seconds`: timeout for the whole body. Raises: RefusalError, ClientDisconnectedError."""
    return cast("Message", await read_messages(request, seconds, takes_batches=False))


async def read_messages(request: HttpRequest, seconds: float, *, takes_batches: bool) -> Message | Batch:
    """Like `read_message`, but may return a batch."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" or "content-encoding" in request.headers:
        raise RefusalError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "Send plain JSON, with Content-Type: application/json and no Content-Encoding.",
            INVALID_REQUEST,
        )
    try:
        return parsed(await _body(request, seconds), "body", takes_batches=takes_batches)
    except MalformedError as malformed:
        raise refusal_of(malformed) from None


def refusal_of(malformed: MalformedError) -> RefusalError:
    answered = malformed.answered if isinstance(malformed.answered, str | int) else None
    return RefusalError(HTTPStatus.BAD_REQUEST, str(malformed), malformed.code, request_id=answered)


async def _body(request: HttpRequest, seconds: float) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > LARGEST_BODY:
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):  # anyio's timeout is several times slower, and every request needs one
            while True:
                event = await request.receive()
                if event["type"] == "http.disconnect":
                    raise ClientDisconnectedError
                chunks.append(event.get("body", b""))
                size += len(chunks[-1])
                if size > LARGEST_BODY:
                    raise _too_large()
                if not event.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError:
        raise RefusalError(
            HTTPStatus.REQUEST_TIMEOUT, f"The body was not all here within {seconds:g} seconds.", INVALID_REQUEST
        ) from None


def _too_large() -> RefusalError:
    return RefusalError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {LARGEST_BODY} bytes.", INVALID_REQUEST
    )


def with_real_client(scope: Scope, proxies: TrustedProxies) -> Scope:
    """The scope with `client` set to the address that trusted proxies report."""
    peer: tuple[str, int] | None = scope["client"]
    if peer is None or peer[0] not in proxies:
        return scope
    forwarded = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return {**scope, "client": (proxies.client(peer[0], forwarded), peer[1])}


_answered: Final[ContextVar[HttpRequest]] = ContextVar("answered")


def note_request(request: HttpRequest) -> None:
    """Notes the request that this task answers, once its Host header has been checked."""
    _answered.set(request)


def public_address() -> str | None:
    """The address by which the caller of the running request reaches this server, such as `https://trips.example.com`.

    None if the request does not name one host.
    """
    request = _answered.get(None)
    hosts = [] if request is None else request.values("host")
    if request is None or len(hosts) != 1:
        return None
    return f"{_scheme(request, hosts[0])}://{hosts[0].lower()}"


def _scheme(request: HttpRequest, host: str) -> str:
    """As the proxy says, which nobody but the caller is told. Without that, a name is behind a proxy that adds TLS."""
    said = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    if said in ("http", "https"):
        return said
    return str(request.scope["scheme"]) if is_loopback(host) or is_address(host) else "https"
