"""The stdio session with the SDK, which runs until the input ends or a signal arrives.

No task, queue or thread stands between a message and its handler.
"""

import asyncio
import json
import os
import signal
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any, Self

import anyio
import mcp_types as types
from anyio.abc import AsyncResource
from mcp.server import Server
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from typing_extensions import override

from trips_mcp import delivery
from trips_mcp.delivery import Delivery
from trips_mcp.server.jsonrpc import Batch, Inbox, MalformedError, Message, array_of
from trips_mcp.server.logs import log_to_stderr
from trips_mcp.server.offer import Offer
from trips_mcp.server.server import build_server
from trips_mcp.server.stdio.early_responses import REPLAYED
from trips_mcp.server.stdio.pipes import Input, Output, input_of, output_of
from trips_mcp.server.stdio.transport import POSIX, ProtocolDescriptors

LEAVING_SECONDS = 0.8
"""Seconds from a signal to a forced exit, whatever is still running."""

LAST_WRITE_SECONDS = 5

MOST_IN_FLIGHT = 100
"""Limit of requests without a response, or with an unread one. At the limit, reading stops."""

FIRST_LOOK_SECONDS = 0.001
LOOK_SECONDS = 0.05
"""Poll intervals for whether the host has read the response to a write; no event reports it."""

DRAIN_SECONDS = 30
"""Seconds for running calls to finish after the end of input."""


def serve(offer: Offer, wire: ProtocolDescriptors, inbox: Inbox, log: str) -> None:
    log_to_stderr(log)
    asyncio.run(_serve(offer, wire, inbox))


async def _serve(offer: Offer, wire: ProtocolDescriptors, inbox: Inbox) -> None:
    server = build_server(offer)
    with anyio.CancelScope() as session:
        _end_on_signals(session)
        output = output_of(wire, on_broken=session.cancel)
        await converse(server, inbox, input_of(wire), output)
        with anyio.move_on_after(LAST_WRITE_SECONDS):
            await output.written()
    if POSIX:
        os.set_blocking(wire.writing, True)  # restore it for other processes that share the pipe


def _end_on_signals(session: anyio.CancelScope) -> None:
    loop = asyncio.get_running_loop()

    def end(_: int, __: FrameType | None) -> None:
        at_the_latest = threading.Timer(LEAVING_SECONDS, os._exit, (0,))
        at_the_latest.daemon = True
        at_the_latest.start()
        with suppress(RuntimeError):  # the loop has just ended by itself
            loop.call_soon_threadsafe(session.cancel)

    # Not the event loop's signal handling, which Windows lacks.
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)


async def converse(server: Server[Any], inbox: Inbox, source: Input, output: Output) -> None:
    """Serves the messages of the inbox, then those of the source, until its end."""
    in_flight = InFlight()
    outgoing = Outgoing(output, in_flight, inbox)
    incoming = Incoming(inbox, source, outgoing, in_flight)
    await server.run(incoming, outgoing, server.create_initialization_options())


class InFlight:
    """Counts the requests that have been read and not yet settled."""

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


class OpenBatch:
    """A batch with requests that are still running; its responses are sent together in one array."""

    def __init__(self, batch: Batch) -> None:
        self._answers = [refused.reply().strip() for refused in batch.refused]
        self._left = sum("id" in message for message in batch.messages)
        self.deliveries: list[Delivery] = []
        """The deliveries of the responses in the array."""

    def settle(self, answer: bytes | None, delivery: Delivery | None = None) -> None:
        """Records one response; None for a cancelled request, which gets none."""
        self._left -= 1
        if answer is not None:
            self._answers.append(answer.strip())
        if delivery is not None:
            self.deliveries.append(delivery)

    @property
    def line(self) -> bytes | None:
        """The line to write; None while a request is running, or if there is nothing to send."""
        return None if self._left or not self._answers else array_of(self._answers) + b"\n"


class Outgoing(AsyncResource):
    def __init__(self, output: Output, in_flight: InFlight, inbox: Inbox) -> None:
        self._output = output
        self._in_flight = in_flight
        self._inbox = inbox
        self._batches: dict[types.RequestId | None, list[OpenBatch]] = {}
        """By the ids of their unsettled requests."""

    @override
    async def aclose(self) -> None:
        """Does nothing: the descriptors stay open until the process exits."""

    async def send(self, item: SessionMessage, /) -> None:
        message = item.message
        if not isinstance(message, types.JSONRPCResponse | types.JSONRPCError):
            await self.say(_line(message))
            return
        if message.id == REPLAYED:
            return
        answer = delivery.current()
        if answer is not None and isinstance(message, types.JSONRPCError):
            await answer.abandon()
        if (batch := self._batch_of(message.id)) is not None:
            batch.settle(_line(message), answer)
            await self._close(batch)
            return
        position = self._output.put(_line(message))
        try:
            await self._output.written(position)
        finally:
            self._in_flight.settled()
        if answer is not None and answer.pending:
            await self._end([answer], position)

    async def unanswered(self, request_id: types.RequestId) -> None:
        """Runs in the task of a request that its client cancelled."""
        if (answer := delivery.current()) is not None:
            await answer.abandon()
        if (batch := self._batch_of(request_id)) is None:
            self._in_flight.settled()
        else:
            batch.settle(None)
            await self._close(batch)

    async def open(self, batch: Batch) -> None:
        """Starts to collect the responses of a batch, until all are there."""
        opened = OpenBatch(batch)
        for message in batch.messages:
            if "id" in message:
                self._batches.setdefault(message["id"], []).append(opened)
        if (line := opened.line) is not None:
            await self.say(line)

    async def _close(self, batch: OpenBatch) -> None:
        """Writes the batch if it is complete, and settles one request."""
        try:
            if (line := batch.line) is None:
                return
            position = self._output.put(line)
            await self._output.written(position)
        finally:
            self._in_flight.settled()
        await self._end([answer for answer in batch.deliveries if answer.pending], position)

    def _batch_of(self, request_id: types.RequestId | None) -> OpenBatch | None:
        batches = self._batches.get(request_id, [])
        batch = batches.pop(0) if batches else None
        if batch is not None and not batches:
            del self._batches[request_id]
        return batch

    async def say(self, line: bytes) -> None:
        await self._output.written(self._output.put(line))

    async def _end(self, answers: Sequence[Delivery], position: int) -> None:
        """Confirms the deliveries once the host has read up to `position`.

        If a signal ends the session first, the deliveries are neither confirmed nor abandoned; the journal then treats
        them like those of a crashed process. A host that closed its input but can still read counts as having read.
        """
        pause = FIRST_LOOK_SECONDS
        try:
            while answers and not self._output.is_read(position):
                await anyio.sleep(pause)
                pause = min(2 * pause, LOOK_SECONDS)
        finally:
            if answers and (self._output.is_read(position) or (self._inbox.ended and self._output.has_reader())):
                with anyio.CancelScope(shield=True):
                    for answer in answers:
                        await answer.confirm()


def _line(message: types.JSONRPCMessage) -> bytes:
    try:
        text = message.model_dump_json(by_alias=True, exclude_unset=True)
    except ValueError:  # a lone surrogate, valid in JSON but not in UTF-8
        text = json.dumps(message.model_dump(by_alias=True, exclude_unset=True))
    return text.encode() + b"\n"


class Incoming(AsyncResource):
    def __init__(
        self,
        inbox: Inbox,
        source: Input,
        outgoing: Outgoing,
        in_flight: InFlight,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        self._inbox = inbox
        self._source = source
        self._outgoing = outgoing
        self._in_flight = in_flight
        self._drain_seconds = drain_seconds
        self._members: deque[Message] = deque()
        """The messages of a batch that are still to deliver."""

    @override
    async def aclose(self) -> None:
        """Does nothing: the descriptors stay open until the process exits."""

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
                # The SDK cancels running calls when the stream ends.
                with anyio.move_on_after(self._drain_seconds):
                    await self._in_flight.fewer_than(1)
                raise anyio.EndOfStream
            self._inbox.feed(await self._source.read())
        return self._delivered(message)

    async def _next(self) -> Message | None:
        while not self._members:
            try:
                found = self._inbox.next()
            except MalformedError as malformed:
                await self._outgoing.say(malformed.reply())
                continue
            if not isinstance(found, Batch):
                return found
            await self._outgoing.open(found)
            self._members.extend(found.messages)
        return self._members.popleft()

    def _delivered(self, message: Message) -> SessionMessage:
        method: str = message["method"]
        params: Mapping[str, object] | None = message.get("params")
        # Constructed without validation: the inbox has checked everything.
        if "id" not in message:
            return SessionMessage(
                types.JSONRPCNotification.model_construct(jsonrpc="2.0", method=method, params=params)
            )
        if message["id"] != REPLAYED:
            self._in_flight.began()
        return SessionMessage(
            types.JSONRPCRequest.model_construct(jsonrpc="2.0", id=message["id"], method=method, params=params),
            ServerMessageMetadata(on_request_unanswered=partial(self._outgoing.unanswered, message["id"])),
        )
