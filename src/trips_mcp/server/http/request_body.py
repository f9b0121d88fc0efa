"""A request's body: one JSON-RPC message, or a batch of them where the revision has batches; of a size, in a time."""

import asyncio
from http import HTTPStatus
from typing import Final, cast

from trips_mcp.server.http.errors import INVALID_REQUEST, RefusalError
from trips_mcp.server.http.request import Visit
from trips_mcp.server.stdio.jsonrpc import Batch, MalformedError, Message, parsed

LARGEST_BODY: Final = 4 * 1024 * 1024


class ClientDisconnectedError(Exception):
    """The client has left; there is nobody to answer."""


async def read_message(visit: Visit, seconds: float) -> Message:
    """`seconds`: within which all of it must be here. Raises: RefusalError, ClientDisconnectedError."""
    return cast("Message", await read_messages(visit, seconds, takes_batches=False))


async def read_messages(visit: Visit, seconds: float, *, takes_batches: bool) -> Message | Batch:
    """As `read_message`."""
    kind = visit.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" or "content-encoding" in visit.headers:
        raise RefusalError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "Send plain JSON, with Content-Type: application/json and no Content-Encoding.",
            INVALID_REQUEST,
        )
    try:
        return parsed(await _body(visit, seconds), "body", takes_batches=takes_batches)
    except MalformedError as malformed:
        raise refusal_of(malformed) from None


def refusal_of(malformed: MalformedError) -> RefusalError:
    answered = malformed.answered if isinstance(malformed.answered, str | int) else None
    return RefusalError(HTTPStatus.BAD_REQUEST, str(malformed), malformed.code, request_id=answered)


async def _body(visit: Visit, seconds: float) -> bytes:
    declared = visit.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > LARGEST_BODY:
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):  # anyio's costs several times as much, and every request has one
            while True:
                event = await visit.receive()
                if event["type"] == "http.disconnect":
                    raise ClientDisconnectedError
                chunks.append(event.get("body", b""))
                size += len(chunks[-1])
                if size > LARGEST_BODY:
                    raise _too_large()
                if not event.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError:
        raise RefusalError(
            HTTPStatus.REQUEST_TIMEOUT, f"The body was not all here within {seconds:g} seconds.", INVALID_REQUEST
        ) from None


def _too_large() -> RefusalError:
    return RefusalError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {LARGEST_BODY} bytes.", INVALID_REQUEST
    )
