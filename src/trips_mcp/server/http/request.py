"""One HTTP request from its arrival to its end: what is known of it, and what the log says of it."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from http import HTTPStatus
from random import Random
from typing import Any, Final, cast

import anyio
from pydantic_core import to_json
from starlette.types import Message as Event
from starlette.types import Receive, Scope, Send

from trips_mcp.addresses import UNKNOWN
from trips_mcp.server.http.errors import INVALID_REQUEST, RefusalError
from trips_mcp.server.stdio.jsonrpc import Batch, MalformedError, Message, parsed

CONNECTION: Final = "trips_mcp.connection"
"""In a scope's state: the connection that the request came over (`patience.py`), which has a `sent`."""
OVER_LIMIT: Final = "trips_mcp.too_many_connections"
"""In a scope's state: that there are more connections than are served (`patience.py`)."""
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ids: Final = Random()  # noqa: S311 - they need to differ, and asking the system each time takes long
_LONGEST_PATH: Final = 200
_JSON: Final = (b"content-type", b"application/json")
JSON: Final = (_JSON,)
_CLOSE: Final = (b"connection", b"close")
_MOST_TO_DRAIN: Final = 8 * 1024 * 1024
_DRAIN_SECONDS: Final = 2
_COMMENT: Final = b": \r\n\r\n"
_GONE: Final = 499
"""As nginx has it: the client did not wait for an answer."""
LARGEST_BODY: Final = 4 * 1024 * 1024


class HttpRequest:
    def __init__(self, scope: Scope, receive: Receive, send: Send, quiet_seconds: float) -> None:
        """`quiet_seconds`: for how long nothing may be sent before who waits should be told that all is well."""
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.scope = scope
        self.lines: list[tuple[str, str]] = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        ]
        """The headers as they came, their names in lower case."""
        self.id = self._requested_id() or f"{_ids.getrandbits(128):032x}"
        self.caller: str | None = None
        """Who calls, as a hash; None as long as that is not known."""
        self.rpc: str | None = None
        """The protocol's method."""
        self.tool: str | None = None
        self.status = 0
        """0 as long as nothing was answered."""
        self.more_headers: list[tuple[bytes, bytes]] = []
        """What every answer to this request carries."""
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
        """Bytes of the address and the headers."""
        sizes = (len(name) + len(value) for name, value in self.lines)
        return len(self.scope["raw_path"]) + len(self.scope["query_string"]) + sum(sizes)

    @property
    def address(self) -> str:
        """From which it came."""
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
        """Waits until the client has left; `quiet` sends it, now and then, what keeps proxies from closing."""
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
        """Whether what was sent has reached the client's connection; waits until it has, or that is lost."""
        connection = self.scope.get("state", {}).get(CONNECTION)
        return connection is None or await connection.sent()

    async def answer(self, status: int, body: bytes, headers: Sequence[tuple[bytes, bytes]] = JSON) -> None:
        length = (b"content-length", b"%d" % len(body))
        # What was not read of a body would be taken for the next request, or have the answer lost with the connection.
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
        """Who is still sending sees no answer before he is done, if at all."""
        left = _MOST_TO_DRAIN
        with anyio.move_on_after(_DRAIN_SECONDS):
            while not self._body_ended and left > 0:
                left -= len((await self.receive()).get("body", b""))

    def line(self) -> str:
        """For the log: no body, no key, no query, which may hold a session's id."""
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
    """The client has left; there is nobody to answer."""


async def read_message(request: HttpRequest, seconds: float) -> Message:
    """`seconds`: within which all of it must be here. Raises: RefusalError, ClientDisconnectedError."""
    return cast("Message", await read_messages(request, seconds, takes_batches=False))


async def read_messages(request: HttpRequest, seconds: float, *, takes_batches: bool) -> Message | Batch:
    """As `read_message`."""
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
        async with asyncio.timeout(seconds):  # anyio's costs several times as much, and every request has one
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
