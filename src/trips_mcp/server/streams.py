"""The SDK's two streams, straight on the wire: no task, queue or thread between a message and its handler."""

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import anyio
import mcp_types as types
from mcp.server import Server
from mcp.shared.message import ServerMessageMetadata, SessionMessage

from trips_mcp import delivery
from trips_mcp.delivery import Delivery
from trips_mcp.server.front import REPLAYED
from trips_mcp.server.inbox import Inbox, MalformedError, Message
from trips_mcp.server.pipes import Input, Output

MOST_IN_FLIGHT = 100
"""Requests not yet answered, or whose answer nobody has read; no more are read until there are fewer."""

FIRST_LOOK_SECONDS = 0.001
LOOK_SECONDS = 0.05
"""How often to look whether the host has read the answer to a write: no event tells of it."""

DRAIN_SECONDS = 30
"""How long calls still running at the end of input may take to be answered."""


async def converse(server: Server[Any], inbox: Inbox, source: Input, output: Output) -> None:
    """Serves what is in the inbox and what the source still gives, until its end."""
    in_flight = InFlight()
    outgoing = Outgoing(output, in_flight, inbox)
    incoming = Incoming(inbox, source, outgoing, in_flight)
    await server.run(incoming, outgoing, server.create_initialization_options())


class InFlight:
    """How many requests have been read and not yet settled."""

    def __init__(self) -> None:
        self._count = 0
        self._settled = anyio.Event()

    def began(self) -> None:
        self._count += 1

    def settled(self) -> None:
        self._count -= 1
        self._settled.set()

    async def fewer_than(self, number: int) -> None:
        while self._count >= number:
            self._settled = anyio.Event()
            await self._settled.wait()


class _Stream:
    async def aclose(self) -> None:
        """The wire outlives the session, and is closed with the process."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        return None


class Outgoing(_Stream):
    def __init__(self, output: Output, in_flight: InFlight, inbox: Inbox) -> None:
        self._output = output
        self._in_flight = in_flight
        self._inbox = inbox

    async def send(self, item: SessionMessage, /) -> None:
        message = item.message
        if not isinstance(message, types.JSONRPCResponse | types.JSONRPCError):
            await self.say(_line(message))
            return
        if message.id == REPLAYED:
            return
        answer = delivery.current()
        position = self._output.put(_line(message))
        try:
            await self._output.written(position)
        finally:
            self._in_flight.settled()
        if answer is not None and answer.pending:
            await (self._end(answer, position) if isinstance(message, types.JSONRPCResponse) else answer.abandon())

    async def say(self, line: bytes) -> None:
        await self._output.written(self._output.put(line))

    async def _end(self, answer: Delivery, position: int) -> None:
        """Confirms it once the host has read its answer.

        One that was not read when a signal ended the session is neither confirmed nor abandoned: its notes are those
        of a process that died. A host that ends its input, and can still read, counts as having read.
        """
        pause = FIRST_LOOK_SECONDS
        try:
            while not self._output.is_read(position):
                await anyio.sleep(pause)
                pause = min(2 * pause, LOOK_SECONDS)
            await answer.confirm()
        finally:
            if self._output.is_read(position) or (self._inbox.ended and self._output.has_reader()):
                with anyio.CancelScope(shield=True):
                    await answer.confirm()


def _line(message: types.JSONRPCMessage) -> bytes:
    try:
        text = message.model_dump_json(by_alias=True, exclude_unset=True)
    except ValueError:  # half a surrogate pair, which JSON can spell and UTF-8 cannot
        text = json.dumps(message.model_dump(by_alias=True, exclude_unset=True))
    return text.encode() + b"\n"


class Incoming(_Stream):
    def __init__(
        self,
        inbox: Inbox,
        source: Input,
        outgoing: Outgoing,
        in_flight: InFlight,
        patience: float = DRAIN_SECONDS,
    ) -> None:
        self._inbox = inbox
        self._source = source
        self._outgoing = outgoing
        self._in_flight = in_flight
        self._patience = patience

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def receive(self) -> SessionMessage | Exception:
        await self._in_flight.fewer_than(MOST_IN_FLIGHT)
        while (message := await self._next()) is None:
            if self._inbox.ended:
                # The SDK cancels what still runs once it is told of the end.
                with anyio.move_on_after(self._patience):
                    await self._in_flight.fewer_than(1)
                raise anyio.EndOfStream
            self._inbox.feed(await self._source.read())
        return self._delivered(message)

    async def _next(self) -> Message | None:
        while True:
            try:
                return self._inbox.next()
            except MalformedError as malformed:
                await self._outgoing.say(malformed.reply())

    def _delivered(self, message: Message) -> SessionMessage:
        method: str = message["method"]
        params: Mapping[str, object] | None = message.get("params")
        # Constructed, not validated: the inbox has checked all of it.
        if "id" not in message:
            return SessionMessage(
                types.JSONRPCNotification.model_construct(jsonrpc="2.0", method=method, params=params)
            )
        if message["id"] != REPLAYED:
            self._in_flight.began()
        return SessionMessage(
            types.JSONRPCRequest.model_construct(jsonrpc="2.0", id=message["id"], method=method, params=params),
            ServerMessageMetadata(on_request_unanswered=self._unanswered),
        )

    async def _unanswered(self) -> None:
        """The SDK calls it, in the request's own task, for one that its client cancelled."""
        try:
            if (answer := delivery.current()) is not None:
                await answer.abandon()
        finally:
            self._in_flight.settled()
