"""A batch over Streamable HTTP: each message is handled as a request of its own, and the answers are one array.

Revision 2025-03-26 has batches, and is what a request without a version header speaks.
"""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

import anyio
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from typing_extensions import override

from trips_mcp.server.batch import array_of
from trips_mcp.server.http.reading import refusal_of
from trips_mcp.server.http.refusals import RefusalError
from trips_mcp.server.http.visit import JSON, Visit
from trips_mcp.server.inbox import BATCHES_VERSION, Batch, Message

Handle = Callable[[Message, Visit], Awaitable[None]]


def takes_batches(visit: Visit) -> bool:
    return visit.headers.get(MCP_PROTOCOL_VERSION_HEADER, BATCHES_VERSION) == BATCHES_VERSION


async def exchange_batch(batch: Batch, visit: Visit, handle: Handle) -> None:
    """`handle` answers one message. All are under way at once, and each is told when the array has been sent."""
    whole = _Whole(len(batch.messages))

    async def handle_one(message: Message) -> None:
        member = _Member(visit, whole)
        try:
            await handle(message, member)
        except RefusalError as refusal:
            refusal.request_id = message.get("id")
            await member.refuse(refusal)
        finally:
            whole.take(member, b"")

    async with anyio.create_task_group() as tasks:
        for message in batch.messages:
            tasks.start_soon(handle_one, message)
        await whole.complete.wait()
        try:
            answers = [*(refusal_of(refused).body() for refused in batch.refused), *whole.answers]
            if answers:
                await visit.answer(HTTPStatus.OK, array_of(answers))
            else:
                await visit.answer(HTTPStatus.ACCEPTED, b"", ())
            whole.was_sent = await visit.sent()
        finally:
            whole.over.set()


class _Whole:
    """The answers of a batch so far."""

    def __init__(self, members: int) -> None:
        self.answers: list[bytes] = []
        self.complete = anyio.Event()
        self.over = anyio.Event()
        self.was_sent = False
        self._left = members
        self._taken = set[_Member]()
        if not members:
            self.complete.set()

    def take(self, member: "_Member", answer: bytes) -> None:
        """Its first answer counts; an empty one is none."""
        if member in self._taken:
            return
        self._taken.add(member)
        self.answers += [answer] if answer else []
        self._left -= 1
        if not self._left:
            self.complete.set()


class _Member(Visit):
    """A request for one message of the batch: its answer is kept, not sent."""

    def __init__(self, visit: Visit, whole: _Whole) -> None:
        super().__init__(visit.scope, visit.receive, visit.send, visit.quiet_seconds)
        self._whole = whole

    @override
    def values(self, header: str) -> list[str]:
        """Nothing can be told before the array."""
        return ["application/json"] if header == "accept" else super().values(header)

    @override
    async def answer(self, status: int, body: bytes, headers: Sequence[tuple[bytes, bytes]] = JSON) -> None:
        self._whole.take(self, body)

    @override
    async def sent(self) -> bool:
        await self._whole.over.wait()
        return self._whole.was_sent
