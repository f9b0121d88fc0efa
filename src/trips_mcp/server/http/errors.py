"""Errors that refuse a request: an HTTP status with a JSON-RPC error as body."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from pydantic_core import to_json

REFUSED: Final = -32000
"""A code that JSON-RPC reserves for servers. The HTTP status and the message give the reason."""
INVALID_REQUEST: Final = -32600
INTERNAL_ERROR: Final = -32603

Headers = Sequence[tuple[str, str]]


@dataclass
class RefusalError(Exception):
    """The request had no effect. The caller sees the message, so it holds no internal details."""

    status: int
    message: str
    code: int = REFUSED
    headers: Headers = ()
    request_id: str | int | None = None
    data: Mapping[str, Any] | None = field(default=None)

    def body(self) -> bytes:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            error["data"] = self.data
        return to_json({"jsonrpc": "2.0", "id": self.request_id, "error": error})


def not_found(place: str) -> RefusalError:
    """`place`: the path of the MCP endpoint."""
    return RefusalError(HTTPStatus.NOT_FOUND, f"There is nothing at this address; MCP is at {place}.", INVALID_REQUEST)


def not_allowed(*methods: str) -> RefusalError:
    allowed = ", ".join(methods)
    message = f"This address takes {allowed} only."
    return RefusalError(HTTPStatus.METHOD_NOT_ALLOWED, message, INVALID_REQUEST, (("allow", allowed),))


def too_much_head() -> RefusalError:
    return RefusalError(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "The address and the headers are too long.",
        INVALID_REQUEST,
        (("connection", "close"),),
    )


def busy(whose: str) -> RefusalError:
    message = f"{whose} as many calls under way as this server allows; try again in a moment."
    return RefusalError(HTTPStatus.TOO_MANY_REQUESTS, message, headers=(("retry-after", "1"),))


def ending() -> RefusalError:
    message = "This server is shutting down; call again in a moment."
    return RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, message, headers=(("retry-after", "1"),))


def too_many_connections() -> RefusalError:
    message = "This server has as many connections as it takes; try again in a moment."
    headers = (("retry-after", "1"), ("connection", "close"))
    return RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, message, headers=headers)


def broken(incident: str) -> RefusalError:
    message = f"Something broke here; it is in this server's log as request {incident}."
    return RefusalError(HTTPStatus.INTERNAL_SERVER_ERROR, message, INTERNAL_ERROR)
