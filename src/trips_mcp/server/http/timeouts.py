"""uvicorn's h11 protocol plus timeouts for slow headers and slow readers, which uvicorn lacks.

MCP request bodies (`request.py`) and calls (`limits.py`) have their own deadlines.
"""

import asyncio
from typing import Final

import h11
from typing_extensions import override

from trips_mcp.server.http.connection_limits import LimitedProtocol
from trips_mcp.server.http.errors import INVALID_REQUEST, RefusalError
from trips_mcp.server.http.request import CONNECTION

_FIRST_LOOK_SECONDS: Final = 0.001
_LOOK_SECONDS: Final = 0.05


class TimeoutProtocol(LimitedProtocol):
    head_seconds: float = 10
    """Timeout for the headers, from the connection or the request's first byte."""
    refused_seconds: float = 1
    """The same timeout for a connection over the limit."""
    body_seconds: float | None = None
    """Timeout for a request's body; None if the app has its own."""
    reader_seconds: float = 30
    """How long a client may read more slowly than the server sends."""
    closing_seconds: float = 5
    """How long the last bytes may stay unread before the connection is cut."""

    _head_timer: asyncio.TimerHandle | None = None
    _body_timer: asyncio.TimerHandle | None = None
    _reader_timer: asyncio.TimerHandle | None = None
    _closing_timer: asyncio.TimerHandle | None = None
    _lost = False
    _cut_off = False
    """Whether the connection was lost before everything was written."""

    async def sent(self) -> bool:
        """Waits until everything is written to the socket. False if the connection was lost."""
        if self._lost:
            return False
        pause = _FIRST_LOOK_SECONDS
        while self.transport.get_write_buffer_size():
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LOOK_SECONDS)
        await asyncio.sleep(0)  # a broken transport reports it in the loop's next iteration
        return not self._cut_off

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.app_state = {**self.app_state, CONNECTION: self}
        self._expect_head()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._head_timer, self._body_timer, self._reader_timer, self._closing_timer):
            if timer is not None:
                timer.cancel()
        self._lost = True
        self._cut_off = self._cut_off or exc is not None
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._expect_head()
        self._expect_body()

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._close_for_good()
        elif self.conn.trailing_data[0]:  # the next head has started to arrive
            self._expect_head()
            self._expect_body()

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader_timer = self.loop.call_later(self.reader_seconds, self._cut)

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reader_timer is not None:
            self._reader_timer.cancel()
            self._reader_timer = None

    @override
    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._close_for_good()

    @override
    def send_400_response(self, msg: str) -> None:
        self._refuse(400, self.conn.fault or msg)

    def error_body(self, status: int, message: str) -> bytes:
        """The body of a response that does not come from the app."""
        return RefusalError(status, message, INVALID_REQUEST).body()

    def _expect_head(self) -> None:
        waits = self.waits_for_head
        if not waits and self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        elif waits and self._head_timer is None:
            seconds = min(self.head_seconds, self.refused_seconds) if self.is_refused else self.head_seconds
            self._head_timer = self.loop.call_later(seconds, self._no_head)

    def _expect_body(self) -> None:
        waits = self.conn.their_state is h11.SEND_BODY and not self.transport.is_closing()
        if not waits and self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None
        elif waits and self._body_timer is None and self.body_seconds is not None:
            self._body_timer = self.loop.call_later(self.body_seconds, self._no_body)

    def _no_head(self) -> None:
        if not self.transport.is_closing():
            self._refuse(408, f"The request's headers were not all here within {self.head_seconds:g} seconds.")

    def _no_body(self) -> None:
        if not self.transport.is_closing():
            self.cycle.disconnected = True
            self._refuse(408, f"The request's body was not all here within {self.body_seconds:g} seconds.")

    def _refuse(self, status: int, message: str) -> None:
        """Responds to a request that the app has not answered."""
        body = self.error_body(status, message)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
        self._close_for_good()

    def _close_for_good(self) -> None:
        """Cuts the connection later: a closed transport waits until everything is read."""
        if self._closing_timer is None:
            self._closing_timer = self.loop.call_later(self.closing_seconds, self._cut)

    def _cut(self) -> None:
        self._cut_off = bool(self.transport.get_write_buffer_size())
        self.transport.abort()
