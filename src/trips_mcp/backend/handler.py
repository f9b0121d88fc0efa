"""A handler: its input `Call`, its output `BackendResponse`, and `Served`, which binds it to its operation."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from pydantic_core import to_json

from trips_mcp.backend.store.connection import Connection
from trips_mcp.contract.models import Params
from trips_mcp.contract.operation import Operation, P, R
from trips_mcp.json_values import JsonObject
from trips_mcp.scopes import Scope

Q = TypeVar("Q")
E = TypeVar("E", bound=Params)


@dataclass(frozen=True, slots=True)
class Caller:
    id: str
    """The API key's id, to which idempotency keys and rate limits belong."""
    user_id: str
    scopes: tuple[Scope, ...]
    group_id: str | None = None
    """The key's group; None means the user's first."""
    last_used_at: str = ""
    """When the key was last used, as stored (accurate to an hour)."""


ANYONE = Caller("", "", ())


@dataclass(frozen=True, slots=True)
class Call:
    """The context of one request: caller, time, and the connection with the open transaction."""

    db: Connection
    caller: Caller
    now: float
    kept_at: str | None
    """Location of the database; None if callers must not see it."""

    @property
    def time(self) -> str:
        """`now` in the format of the API."""
        return timestamp(self.now)


@dataclass(slots=True)
class BackendResponse(Generic[R]):
    """A response. Its JSON was not validated again."""

    kind: type[R] | None
    """The model of the result; None for an error or a document."""
    content: JsonObject | bytes | None = None
    """Bytes are encoded JSON."""
    status: int = 0
    """A handler may leave it at 0 for `Operation.success`."""
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def encoded(self) -> bytes:
        if not isinstance(self.content, bytes):
            self.content = b"" if self.content is None else to_json(self.content)
        return self.content

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]


Handler = Callable[[Call, Q], Awaitable[BackendResponse[R]]]


@dataclass(frozen=True, slots=True)
class Served:
    """An operation, the model that validates its fields, and its handler. The `serve*` functions check the types."""

    operation: Operation[Any, Any]
    reads: type[Params]
    run: Callable[[Call, Any], Awaitable[BackendResponse[Any]]]
    is_single: bool = False
    """Whether one statement reads the whole result, so that it needs no transaction to be consistent."""


def serve(operation: Operation[P, R], run: Callable[[Call, P], Awaitable[BackendResponse[R]]]) -> Served:
    return Served(operation, operation.params, run)


def serve_read(operation: Operation[P, R], run: Callable[[Call, P], Awaitable[BackendResponse[R]]]) -> Served:
    """For a result that one statement reads, after the access check."""
    return Served(operation, operation.params, run, is_single=True)


def serve_items(
    operation: Operation[Any, R], reads: type[E], run: Callable[[Call, E], Awaitable[BackendResponse[R]]]
) -> Served:
    """For requests whose items are validated one by one; `reads` validates only the envelope."""
    return Served(operation, reads, run)


def timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
