"""uvicorn's h11 protocol plus timeouts for slow clients: it waits for a request and its reader forever.

Over MCP bodies have their own deadline (`reading.py`), and so have calls (`deadlines.py`).
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
    """From the connection, or a request's first byte, until its headers are all here."""
    refused_seconds: float = 1
    """As much, of a connection that is to be told to come back."""
    body_seconds: float | None = None
    """Within which a request's body must be here; None where the app sees to that."""
    reader_seconds: float = 30
    """For which a client may read less than is sent to it."""
    closing_seconds: float = 5
    """For which it may leave unread what was sent last."""

    _head_timer: asyncio.TimerHandle | None = None
    _body_timer: asyncio.TimerHandle | None = None
    _reader_timer: asyncio.TimerHandle | None = None
    _closing_timer: asyncio.TimerHandle | None = None
    _lost = False
    _cut_off = False
    """Lost before all was written."""

    async def sent(self) -> bool:
        """Whether all that was written has left for the client; waits until it has, or the connection is lost."""
        if self._lost:
            return False
        pause = _FIRST_LOOK_SECONDS
        while self.transport.get_write_buffer_size():
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LOOK_SECONDS)
        await asyncio.sleep(0)  # a broken transport says so in the loop's next round
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
        elif self.conn.trailing_data[0]:  # the next head has begun to come
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
        """Of an answer that the app has no part in."""
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
        """To a request that the app has not answered."""
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
        """A closed transport waits until all is read that it has written."""
        if self._closing_timer is None:
            self._closing_timer = self.loop.call_later(self.closing_seconds, self._cut)

    def _cut(self) -> None:
        self._cut_off = bool(self.transport.get_write_buffer_size())
        self.transport.abort()
