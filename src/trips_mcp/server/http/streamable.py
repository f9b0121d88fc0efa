"""Streamable HTTP without sessions: one POST is one message, and its response is complete.

So any replica can answer any request, in both eras of the protocol. The SDK runs the request (`ServerRunner`) and has
the rules of the newer era (`mcp.shared.inbound`). Its own transport is not used: without sessions, it takes twice the
time in the older era.

A call gets a JSON response. If it reports progress or takes long, it gets an event stream instead, unless the client
accepts JSON only. No tool has an argument in a header of its own (x-mcp-header), so none is compared.

A host of the older era says only in its first request that it draws pages (MCP Apps). So the response to that request
has a session id that says it, and the host sends the id with every request. Nothing is kept of it.
"""

import asyncio
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final

import anyio
from mcp.server import Server
from mcp.server.connection import Connection
from mcp.server.runner import ServerRunner, modern_error_data
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.inbound import (
    ERROR_CODE_HTTP_STATUS,
    MCP_PROTOCOL_VERSION_HEADER,
    InboundLadderRejection,
    InboundModernRoute,
    classify_inbound_request,
    find_duplicated_routing_header,
    unsupported_protocol_version_rejection,
)
from mcp.shared.jsonrpc_dispatcher import progress_token_from_params
from mcp.shared.message import MessageMetadata, ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types import DEFAULT_NEGOTIATED_VERSION, HEADER_MISMATCH
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic_core import to_json
from typing_extensions import override

from trips_mcp.delivery import delivering
from trips_mcp.json_values import is_object
from trips_mcp.server.client_holder import ClientHolder
from trips_mcp.server.http.limits import Deadlines
from trips_mcp.server.http.request import INVALID_REQUEST, JSON, HttpRequest, RefusalError, refusal_of
from trips_mcp.server.jsonrpc import BATCHES_VERSION, Batch, Message, array_of, has_envelope
from trips_mcp.server.resource_catalog import EXTENSION, draws

EVENTS: Final = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),  # nginx: pass on each event at once
]
_SESSION_ID: Final = "mcp-session-id"
_DRAWS: Final = re.compile(r"draws-[0-9a-f]{32}")
_TRANSPORT: Final = TransportContext(kind="streamable-http", can_send_request=False)
UNWATCHED_SECONDS: Final = 1.0
"""Seconds until a call is watched for its client's disconnection. A shorter call runs to its end."""


async def exchange(
    server: Server[ClientHolder], holder: ClientHolder, message: Message, request: HttpRequest, deadlines: Deadlines
) -> None:
    """Raises: RefusalError."""
    streams = _accepts_events(request)
    route = _routed(message, request)
    if "method" not in message or "id" not in message:
        # notifications and responses: nothing waits for them
        await request.answer(HTTPStatus.ACCEPTED, b"", ())
        return
    is_opening = isinstance(route, str) and message["method"] == "initialize"
    if is_opening and (session := _session_id_for(message.get("params") or {})) is not None:
        request.more_headers.append((_SESSION_ID.encode(), session.encode()))
    with delivering() as delivery:
        try:
            told = await _answered(server, holder, _Answer(message, request, streams), deadlines, route)
            if told and delivery.pending and await request.sent():
                await delivery.confirm()
        finally:
            if delivery.pending:
                with anyio.CancelScope(shield=True):
                    await delivery.abandon()


async def _answered(
    server: Server[ClientHolder],
    holder: ClientHolder,
    answer: "_Answer",
    deadlines: Deadlines,
    route: InboundModernRoute | str,
) -> bool:
    """Whether a result was sent, rather than an error."""
    outcome: dict[str, Any] = {}  # stays empty if the client disconnects
    status = HTTPStatus.OK
    try:
        with deadlines.limit() as call, watched(answer.watch, call):
            # Not `serve_one`, which also ends what a handler left on the connection; ours leave nothing.
            runner = ServerRunner(server, _connection(route, answer), holder)
            outcome["result"] = await runner.on_request(answer, answer.message["method"], answer.message.get("params"))
    except Exception as error:  # noqa: BLE001 - the boundary between internal errors and callers
        told = modern_error_data(error)
        outcome["error"] = told.model_dump(by_alias=True, mode="json", exclude_none=True)
        status = _status(told.code, route)
    if outcome:
        await answer.finish(status, outcome)
    return "result" in outcome


def _connection(route: InboundModernRoute | str, answer: "_Answer") -> Connection:
    """An SDK connection for this request only."""
    if isinstance(route, str):
        return Connection.from_envelope(route, None, _announced_capabilities(answer.request))
    return Connection.from_envelope(route.protocol_version, route.client_info, route.client_capabilities)


def _status(code: int, route: InboundModernRoute | str) -> HTTPStatus:
    """The older era reports errors in the body only, with status 200."""
    return HTTPStatus(ERROR_CODE_HTTP_STATUS.get(code, 200) if isinstance(route, InboundModernRoute) else 200)


def _accepts_events(request: HttpRequest) -> bool:
    """Whether the client accepts event streams. Raises: RefusalError if it does not accept JSON."""
    kinds = {kind.partition(";")[0].strip().lower() for kind in ",".join(request.values("accept")).split(",")} - {""}
    if kinds and not kinds & {"application/json", "application/*", "*/*"}:
        raise RefusalError(
            HTTPStatus.NOT_ACCEPTABLE, "Accept must list application/json and text/event-stream.", INVALID_REQUEST
        )
    return not kinds or bool(kinds & {"text/event-stream", "text/*", "*/*"})


def _routed(message: Message, request: HttpRequest) -> InboundModernRoute | str:
    """The route of the newer era, or the version of the older one. Raises: RefusalError."""
    request_id = message.get("id")
    if duplicated := find_duplicated_routing_header(request.lines):
        said = f"{duplicated} header appears more than once"
        raise RefusalError(HTTPStatus.BAD_REQUEST, said, HEADER_MISMATCH, request_id=request_id)
    version = request.headers.get(MCP_PROTOCOL_VERSION_HEADER)
    if version in HANDSHAKE_PROTOCOL_VERSIONS or (version is None and not has_envelope(message.get("params") or {})):
        _check_session(message, request)
        return version or DEFAULT_NEGOTIATED_VERSION
    if "method" not in message:
        raise RefusalError(HTTPStatus.BAD_REQUEST, "Invalid Request: this is an answer to nothing", INVALID_REQUEST)
    if "id" not in message:
        found = unsupported_protocol_version_rejection(version or "")
    else:
        found = classify_inbound_request(message, headers=request.headers)
    if isinstance(found, InboundLadderRejection):
        status = ERROR_CODE_HTTP_STATUS.get(found.code, HTTPStatus.BAD_REQUEST)
        raise RefusalError(status, found.message, found.code, request_id=request_id, data=found.data)
    return found or (version or "")


def _check_session(message: Message, request: HttpRequest) -> None:
    """Refuses other servers' session ids: this server has no sessions, so the client must initialize again."""
    if message.get("method") != "initialize" and not _is_known_session(request):
        raise RefusalError(
            HTTPStatus.NOT_FOUND,
            "There is no such session: this server keeps none; initialize again.",
            INVALID_REQUEST,
            request_id=message.get("id"),
        )


def _session_id_for(params: Mapping[str, Any]) -> str | None:
    """The id for a host that initializes with these params. None if it announces nothing that matters later."""
    capabilities: object = params.get("capabilities")
    is_drawing = is_object(capabilities) and draws(capabilities.get("extensions"))
    return f"draws-{secrets.token_hex(16)}" if is_drawing else None


def _is_known_session(request: HttpRequest) -> bool:
    """Whether the request has no session id, or one of ours."""
    given = request.values(_SESSION_ID)
    return all(_DRAWS.fullmatch(each) for each in given)


def _announced_capabilities(request: HttpRequest) -> dict[str, Any] | None:
    """What the host announced, as far as its session id says."""
    return {"extensions": {EXTENSION: {}}} if request.values(_SESSION_ID) and _is_known_session(request) else None


class _Answer:
    """The response to the client, which the SDK uses as the request's DispatchContext."""

    def __init__(self, message: Message, request: HttpRequest, may_stream: bool) -> None:
        self.message = message
        self.request_id: str | int | None = message["id"]
        self.transport = _TRANSPORT
        self.can_send_request = False
        self.message_metadata: MessageMetadata = ServerMessageMetadata(request_context=request)
        self.request = request
        self._progress_token = progress_token_from_params(message.get("params"))
        self._may_stream = may_stream
        self._streams = False
        self._finished = False

    @property
    def cancel_requested(self) -> anyio.Event:
        """Never set: clients cancel a call by closing its request."""
        return anyio.Event()

    @cached_property
    def _send_lock(self) -> anyio.Lock:
        return anyio.Lock()

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        raise NoBackChannelError(method)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        await self._stream(event_of({"jsonrpc": "2.0", "method": method, "params": params or {}}))

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        if self._progress_token is None:
            return
        told = {"progressToken": self._progress_token, "progress": progress, "total": total, "message": message}
        await self.notify("notifications/progress", {name: part for name, part in told.items() if part is not None})

    async def finish(self, status: int, outcome: Mapping[str, Any]) -> None:
        answer = {"jsonrpc": "2.0", "id": self.request_id, **outcome}
        self._finished = True
        if not self._streams:
            await self.request.answer(status, as_json(answer))
            return
        async with self._send_lock:
            await self.request.send({"type": "http.response.body", "body": event_of(answer)})

    async def watch(self) -> None:
        """Returns when the client disconnects."""
        await self.request.gone(quiet=self._stream)

    async def _stream(self, event: bytes) -> None:
        async with self._send_lock:
            if self._finished or not self._may_stream:
                return
            if not self._streams:
                self._streams = True
                await self.request.send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": EVENTS})
            await self.request.send({"type": "http.response.body", "body": event, "more_body": True})


def as_json(message: Mapping[str, Any]) -> bytes:
    with suppress(ValueError):  # a lone surrogate, valid in JSON but not in UTF-8
        return to_json(message)
    return json.dumps(message, separators=(",", ":")).encode()


def event_of(message: Mapping[str, Any]) -> bytes:
    return b"event: message\r\ndata: " + as_json(message) + b"\r\n\r\n"


@contextmanager
def watched(watch: Callable[[], Awaitable[None]], call: anyio.CancelScope) -> Generator[None]:
    """Starts `watch` after a delay, and cancels the call when `watch` returns or fails.

    Most calls end before the delay. A timer is used because a task per call would add 5 % to a small call.
    """
    watching: asyncio.Task[None] | None = None
    has_ended = False

    async def to_its_end() -> None:
        try:
            await watch()
        finally:
            if not has_ended:
                call.cancel()

    def begin() -> None:
        nonlocal watching
        watching = asyncio.get_running_loop().create_task(to_its_end())

    timer = asyncio.get_running_loop().call_later(UNWATCHED_SECONDS, begin)
    try:
        yield
    finally:
        has_ended = True
        timer.cancel()
        if watching is not None:
            watching.cancel()


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
