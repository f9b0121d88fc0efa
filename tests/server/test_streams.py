"""The limits of a stdio session."""

import json
from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp.shared.message import ServerMessageMetadata, SessionMessage

from trips_mcp.server.jsonrpc import Inbox
from trips_mcp.server.stdio.session import MOST_IN_FLIGHT, Incoming, InFlight, Outgoing

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'


class Stuck:
    """An output that nobody reads until told."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.read_on = anyio.Event()

    def put(self, line: bytes) -> int:
        self.lines.append(line)
        return len(b"".join(self.lines))

    async def written(self, position: int | None = None) -> bool:
        await self.read_on.wait()
        return True

    def is_read(self, position: int) -> bool:
        return self.read_on.is_set()

    def has_reader(self) -> bool:
        return True


class Ended:
    async def read(self) -> bytes:
        return b""


def streams(lines: bytes) -> tuple[Incoming, Outgoing, Stuck]:
    inbox = Inbox()
    inbox.feed(lines)
    output = Stuck()
    in_flight = InFlight()
    outgoing = Outgoing(output, in_flight, inbox)
    return Incoming(inbox, Ended(), outgoing, in_flight), outgoing, output


async def test_reading_stops_while_responses_are_unread() -> None:
    incoming, outgoing, output = streams(PING * (MOST_IN_FLIGHT + 1))
    received: list[Any] = []
    counts: list[int] = []
    """Read before any answer, while the answers are not read, and once they are."""

    async def receive_all() -> None:
        async for message in incoming:
            received.append(message)  # noqa: PERF401 - it is looked at meanwhile

    async with anyio.create_task_group() as tasks:
        with anyio.fail_after(10):
            tasks.start_soon(receive_all)
            await anyio.wait_all_tasks_blocked()
            counts.append(len(received))
            for _ in range(MOST_IN_FLIGHT):
                tasks.start_soon(outgoing.send, answer({}))
            await anyio.wait_all_tasks_blocked()
            counts.append(len(received))
            output.read_on.set()
            await anyio.wait_all_tasks_blocked()
            counts.append(len(received))
            await outgoing.send(answer({}))

    assert counts == [MOST_IN_FLIGHT, MOST_IN_FLIGHT, MOST_IN_FLIGHT + 1]


async def test_the_end_waits_for_answers_but_not_for_calls_that_were_cancelled() -> None:
    incoming, outgoing, output = streams(PING * 2)
    output.read_on.set()
    with anyio.fail_after(10):
        await incoming.receive()
        cancelled = await incoming.receive()

        await outgoing.send(answer({}))
        assert isinstance(cancelled, SessionMessage)
        assert isinstance(cancelled.metadata, ServerMessageMetadata)
        assert cancelled.metadata.on_request_unanswered is not None
        await cancelled.metadata.on_request_unanswered()

        with pytest.raises(anyio.EndOfStream):
            await incoming.receive()


async def test_the_end_does_not_wait_for_a_call_forever() -> None:
    inbox = Inbox()
    outgoing = Outgoing(Stuck(), InFlight(), inbox)
    inbox.feed(PING)
    incoming = Incoming(inbox, Ended(), outgoing, InFlight(), drain_seconds=0)
    with anyio.fail_after(10):
        await incoming.receive()

        with pytest.raises(anyio.EndOfStream):
            await incoming.receive()


async def test_a_lone_surrogate_is_written_escaped() -> None:
    _, outgoing, output = streams(b"")
    output.read_on.set()

    await outgoing.send(answer({"said": "\ud800"}))

    assert json.loads(output.lines[0])["result"] == {"said": "\ud800"}
    assert output.lines[0].isascii()


def answer(result: dict[str, Any]) -> SessionMessage:
    return SessionMessage(types.JSONRPCResponse(jsonrpc="2.0", id=1, result=result))
