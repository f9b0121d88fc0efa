"""Batches over Streamable HTTP: one request per message, and one array of responses.

Only revision 2025-03-26 has batches. It is also the default of a request without a version header.
"""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

import anyio
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from typing_extensions import override

from trips_mcp.server.http.errors import RefusalError
from trips_mcp.server.http.request import JSON, HttpRequest, refusal_of
from trips_mcp.server.message_batch import array_of
from trips_mcp.server.stdio.jsonrpc import BATCHES_VERSION, Batch, Message

Handle = Callable[[Message, HttpRequest], Awaitable[None]]


def takes_batches(request: HttpRequest) -> bool:
    return request.headers.get(MCP_PROTOCOL_VERSION_HEADER, BATCHES_VERSION) == BATCHES_VERSION


async def exchange_batch(batch: Batch, request: HttpRequest, handle: Handle) -> None:
    """`handle` answers one message. Messages run one by one, because limits count a batch as one call.

    If the client disconnects, nothing is sent and the remaining messages are not started.
    """
    written = _Written()
    members: list[_Member] = []

    async def handle_one(message: Message, member: _Member) -> None:
        try:
            await handle(message, member)
        except RefusalError as refusal:
            refusal.request_id = message.get("id")
            await member.refuse(refusal)
        finally:
            member.over.set()

    async with anyio.create_task_group() as tasks:
        try:
            for message in batch.messages:
                members.append(_Member(request, written))
                tasks.start_soon(handle_one, message, members[-1])
                await members[-1].over.wait()
                if members[-1].kept is None:
                    return
            answers = [member.kept for member in members if member.kept]
            answers += [refusal_of(refused).body() for refused in batch.refused]
            if answers:
                await request.answer(HTTPStatus.OK, array_of(answers))
            else:
                await request.answer(HTTPStatus.ACCEPTED, b"", ())
            written.told = await request.sent()
        finally:
            written.over.set()


class _Written:
    """Whether the array was sent."""

    def __init__(self) -> None:
        self.over = anyio.Event()
        self.told = False


class _Member(HttpRequest):
    """The request of one message. It keeps its response, and learns when the array was sent."""

    def __init__(self, request: HttpRequest, written: _Written) -> None:
        super().__init__(request.scope, request.receive, request.send, request.quiet_seconds)
        self.kept: bytes | None = None
        """The response body; None if the client disconnected."""
        self.over = anyio.Event()
        self._written = written

    @override
    def values(self, header: str) -> list[str]:
        """Accepts JSON only, because nothing can be streamed before the array."""
        return ["application/json"] if header == "accept" else super().values(header)

    @override
    async def answer(self, status: int, body: bytes, headers: Sequence[tuple[bytes, bytes]] = JSON) -> None:
        self.kept = body
        self.over.set()

    @override
    async def sent(self) -> bool:
        await self._written.over.wait()
        return self._written.told
