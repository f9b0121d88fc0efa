"""Plain requests, read and answered without h11, which takes a tenth of a small call; h11 gets all others.

A request is plain if it arrives whole, in the form that every parser reads alike: no folded or empty header, no white
space at an unusual place, one `Host`, at most one `Content-Length`, no `Transfer-Encoding`. So what a request means,
and what is refused, stays h11's to say.
"""

import asyncio
import re
from http import HTTPStatus
from typing import Any, Final, NamedTuple, cast

import h11
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

_PLAIN_HEAD: Final = re.compile(
    rb"(GET|POST|PUT|PATCH|DELETE) (/[A-Za-z0-9/._~-]*) HTTP/1\.1\r\n"
    rb"((?:[A-Za-z0-9-]{1,64}: [\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\r\n){1,50})\r\n"
)
_UNUSUAL_HEADERS: Final = frozenset({b"connection", b"expect", b"trailer", b"transfer-encoding", b"upgrade"})
_NOTHING_SAID: Final = (b"connection", b"keep-alive")
"""The default of HTTP/1.1."""
_LENGTH: Final = re.compile(rb"[0-9]{1,9}")
_STATUS_LINES: Final = {
    status.value: b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode())
    for status in HTTPStatus
    if status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED) and status >= HTTPStatus.OK
}
"""Of the responses that have a body."""


class PlainRequest(NamedTuple):
    method: str
    path: bytes
    headers: list[tuple[bytes, bytes]]
    """With lower-case names."""
    body: bytes

    @classmethod
    def read(cls, data: bytes) -> "PlainRequest | None":
        """The request, if `data` is one whole request in the form that all parsers read alike; else None."""
        found = _PLAIN_HEAD.match(data)
        if found is None:
            return None
        method, path, lines = found.groups()
        headers = [(name.lower(), value) for name, _, value in (line.partition(b": ") for line in lines.splitlines())]
        lengths = [value for name, value in headers if name == b"content-length"]
        if (
            any(name in _UNUSUAL_HEADERS and (name, value.lower()) != _NOTHING_SAID for name, value in headers)
            or [name for name, _ in headers].count(b"host") != 1
            or len(lengths) > 1
            or not all(map(_LENGTH.fullmatch, lengths))
            or len(data) != found.end() + sum(map(int, lengths))
        ):
            return None
        return cls(method.decode(), path, headers, data[found.end() :])


class PlainProtocol(H11Protocol):
    """uvicorn's h11 protocol with the short way for plain requests."""

    plain: "_PlainCycle | None" = None
    """The plain request that is being answered; h11 does not know of it."""
    _later = b""
    """What arrived meanwhile."""

    @override
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = StrictConnection(h11.SERVER)

    @override
    def data_received(self, data: bytes) -> None:
        if self.plain is not None:
            self._later += data
            self.flow.pause_reading()
        elif self._is_between_requests() and (request := PlainRequest.read(data)) is not None:
            self._answer(request, data)
        else:
            super().data_received(data)

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._later and not self.transport.is_closing():
            later, self._later = self._later, b""
            self.data_received(later)

    def hand_over(self, data: bytes) -> None:
        """Gives h11 the plain request, and what arrived after it."""
        self.plain = None
        self.conn.receive_data(data)
        while self.conn.next_event() not in (h11.NEED_DATA, h11.PAUSED):
            pass
        if self._later:
            self.conn.receive_data(self._later)
            self._later = b""

    def _is_between_requests(self) -> bool:
        is_idle = self.conn.our_state is h11.IDLE and self.conn.their_state is h11.IDLE
        return is_idle and not self.conn.trailing_data[0]

    def _answer(self, request: PlainRequest, data: bytes) -> None:
        self._unset_keepalive_if_required()
        self.headers = request.headers
        scope: Any = {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": "1.1",
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "method": request.method,
            "root_path": self.root_path,
            "path": self.root_path + request.path.decode(),
            "raw_path": self.root_path.encode() + request.path,
            "query_string": b"",
            "headers": request.headers,
            "state": self.app_state.copy(),
        }
        self.scope = scope
        self.cycle = self.plain = _PlainCycle(self, scope, request.body, data)
        task = self.loop.create_task(self.cycle.run_asgi(cast("Any", self).app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)


class _PlainCycle(RequestResponseCycle):
    """Writes the response to a plain request, if that is plain too: whole, of a known length. h11 sends all others."""

    def __init__(self, protocol: PlainProtocol, scope: Any, body: bytes, data: bytes) -> None:
        super().__init__(
            scope=scope,
            conn=protocol.conn,
            transport=protocol.transport,
            flow=protocol.flow,
            logger=protocol.logger,
            access_logger=protocol.access_logger,
            access_log=protocol.access_log,
            default_headers=protocol.server_state.default_headers,
            message_event=asyncio.Event(),
            on_response=protocol.on_response_complete,
        )
        self.body += body
        self.more_body = False
        self.message_event.set()
        self._protocol = protocol
        self._data = data
        self._start: Any = None

    @override
    async def send(self, message: Any) -> None:
        if self._protocol.plain is not self:
            await super().send(message)
            return
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if self._start is None and message["type"] == "http.response.start":
            self._start = message
            self.response_started = True
        elif not (self._start and self._write_whole(message)):
            await self._leave_to_h11(message)

    def _write_whole(self, message: Any) -> bool:
        """Whether the response was written: it is whole, of a known length, and keeps the connection open."""
        headers: list[tuple[bytes, bytes]] = [*self.default_headers, *self._start.get("headers", ())]
        body: bytes = message.get("body", b"")
        first = _STATUS_LINES.get(self._start["status"])
        given = dict(headers)
        if (
            first is None
            or message["type"] != "http.response.body"
            or message.get("more_body", False)
            or not self.keep_alive
            or b"connection" in given
            or b"transfer-encoding" in given
            or given.get(b"content-length") != b"%d" % len(body)
        ):
            return False
        head = first + b"".join([b"%b: %b\r\n" % header for header in headers])
        if {head.count(b"\r"), head.count(b"\n")} != {len(headers) + 1}:
            return False  # a line break in a header, which h11 refuses
        self.transport.write(head + b"\r\n" + body)
        self.response_complete = True
        self.message_event.set()
        self._protocol.plain = None
        self.on_response()
        return True

    async def _leave_to_h11(self, message: Any) -> None:
        self._protocol.hand_over(self._data)
        if self._start is not None:
            self.response_started = False
            await super().send(self._start)
        await super().send(message)


class StrictConnection(h11.Connection):
    """Refuses requests with two kinds of length, which a proxy may interpret differently (smuggling).

    Sends the head of a response with the first part of its body, because each write is a system call.
    """

    fault: str | None = None
    """The error of a request that h11 itself would accept."""

    _head = b""
    """The head of a response that has no body yet."""

    @override
    def send(self, event: h11.Event) -> Any:
        output = super().send(event)
        if isinstance(event, h11.Response):
            self._head = output or b""
            return b""
        if self._head and output is not None:
            self._head, output = b"", self._head + output
        return output

    @override
    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            names = {name for name, _ in event.headers}
            if b"content-length" in names and b"transfer-encoding" in names:
                self.fault = "Content-Length and Transfer-Encoding exclude each other; send one of them."
                raise h11.RemoteProtocolError(self.fault)
        return event
