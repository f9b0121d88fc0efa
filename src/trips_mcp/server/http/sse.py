"""The older HTTP+SSE transport: an event stream per connection, and a POST per client message.

A connection belongs to the replica that holds its stream. Its calls count as running until their responses are on the
stream. When the server ends, the stream stays open until then.

Not the SDK's `SseServerTransport`: it does not say when an answer has been written to the stream. That is when a call
stops counting against its caller's limit, when the note of a write is removed, and when a server that ends may close
the stream. It also tells owners apart by the SDK's own auth middleware, and writes message bodies, which hold secrets,
to the debug log.
"""

import secrets
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

import anyio
import mcp_types as types
from anyio.abc import AsyncResource
from mcp.server import Server
from mcp.server.runner import serve_dual_era_loop
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from typing_extensions import override

from trips_mcp import delivery
from trips_mcp.delivery import Delivery
from trips_mcp.server.client_holder import ClientHolder
from trips_mcp.server.http.request import INVALID_REQUEST, HttpRequest, RefusalError
from trips_mcp.server.http.streamable import EVENTS, event_of
from trips_mcp.server.jsonrpc import Message

MESSAGES: Final = "/messages/"


class SseConnection(AsyncResource):
    """One event stream. The SDK writes its messages to it as a WriteStream."""

    def __init__(self, caller: str, request: HttpRequest, answered: Callable[[], None]) -> None:
        """`answered` is called once per delivered request, when it is finished."""
        self.caller = caller
        self._visit = request
        self._answered = answered
        self._active = Counter[types.RequestId]()
        self._to_server, self._from_client = anyio.create_memory_object_stream[SessionMessage | Exception]()
        self._scope = anyio.CancelScope()
        self._ending = False

    async def run(self, server: Server[ClientHolder], holder: ClientHolder, address: str) -> None:
        """`address`: the path to which the client posts its messages."""
        await self._visit.send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": EVENTS})
        await self._write(b"event: endpoint\r\ndata: " + address.encode() + b"\r\n\r\n")
        try:
            with self._scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._watch)
                    await serve_dual_era_loop(server, self._from_client, self, lifespan_state=holder)
        finally:
            self._to_server.close()
            self._from_client.close()
            for _ in range(self._active.total()):
                self._answered()
            self._active.clear()
        await self._visit.send({"type": "http.response.body", "body": b""})

    async def deliver(self, message: Message) -> None:
        """Raises: RefusalError if the stream has just ended."""
        method: str = message["method"]
        request_id: types.RequestId | None = message.get("id")
        if request_id is None:
            sent = types.JSONRPCNotification.model_construct(jsonrpc="2.0", method=method, params=message.get("params"))
        else:
            sent = types.JSONRPCRequest.model_construct(
                jsonrpc="2.0", id=request_id, method=method, params=message.get("params")
            )
            self._active[request_id] += 1

        async def unanswered() -> None:
            if (answer := delivery.current()) is not None:
                await answer.abandon()
            if request_id is not None:
                self._settle(request_id)

        try:
            await self._to_server.send(SessionMessage(sent, ServerMessageMetadata(on_request_unanswered=unanswered)))
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            await unanswered()
            raise no_such_session() from None

    async def tell(self, refusal: RefusalError) -> None:
        """Sends the error on the stream too, because clients wait there regardless of the POST's status."""
        await self._write(b"event: message\r\ndata: " + refusal.body() + b"\r\n\r\n")

    def end(self) -> None:
        """Ends the stream once all requests are answered."""
        self._ending = True
        self._end_if_done()

    async def send(self, item: SessionMessage, /) -> None:
        message = item.message
        event = event_of(message.model_dump(by_alias=True, exclude_unset=True))
        if not isinstance(message, types.JSONRPCResponse | types.JSONRPCError):
            await self._write(event)
            return
        answer = delivery.current() or Delivery()
        try:
            await self._write(event)
            if answer.pending and isinstance(message, types.JSONRPCResponse) and await self._visit.sent():
                await answer.confirm()
        finally:
            if answer.pending:
                with anyio.CancelScope(shield=True):
                    await answer.abandon()
        if message.id is not None:
            self._settle(message.id)

    @override
    async def aclose(self) -> None:
        """It ends with `run`."""

    async def _watch(self) -> None:
        await self._visit.gone(quiet=self._write)
        self._scope.cancel()

    async def _write(self, event: bytes) -> None:
        await self._visit.send({"type": "http.response.body", "body": event, "more_body": True})

    def _settle(self, request_id: types.RequestId) -> None:
        if self._active[request_id] > 0:
            self._active[request_id] -= 1
            self._answered()
        self._active += Counter()  # drops zero counts
        self._end_if_done()

    def _end_if_done(self) -> None:
        if self._ending and not self._active:
            self._scope.cancel()


class Connections:
    """The open connections. Only the owner of a connection finds it by its id."""

    def __init__(self) -> None:
        self._open: dict[str, SseConnection] = {}
        self._ending = False

    async def serve(
        self,
        server: Server[ClientHolder],
        holder: ClientHolder,
        caller: str,
        request: HttpRequest,
        answered: Callable[[], None],
    ) -> None:
        """For as long as the stream is open."""
        session = secrets.token_hex(16)
        connection = SseConnection(caller, request, answered)
        self._open[session] = connection
        try:
            await connection.run(server, holder, f"{request.scope.get('root_path', '')}{MESSAGES}?session_id={session}")
        finally:
            del self._open[session]

    def of(self, request: HttpRequest, caller: str) -> SseConnection:
        """Raises: RefusalError, the same for another caller's session as for an unknown one."""
        asked = parse_qs(request.scope["query_string"].decode("latin-1"), max_num_fields=8).get("session_id", [""])
        connection = self._open.get(asked[0])
        if connection is None or connection.caller != caller:
            raise no_such_session()
        return connection

    def end(self) -> None:
        for connection in self._open.values():
            connection.end()


def no_such_session() -> RefusalError:
    return RefusalError(HTTPStatus.NOT_FOUND, "There is no such session: open a new one at /sse.", INVALID_REQUEST)
