"""Types of a handler: its input `Call` and its output `HandlerResult`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from trips_mcp.backend.connection import Connection
from trips_mcp.contract.operation import R
from trips_mcp.contract.scopes import Scope
from trips_mcp.json_values import JsonObject

Q = TypeVar("Q")


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


@dataclass(frozen=True, slots=True)
class HandlerResult(Generic[R]):
    """The response for a result of type R, as JSON that was not validated again."""

    kind: type[R]
    body: JsonObject | None = None
    status: int | None = None
    """None means `Operation.success`."""


Handler = Callable[[Call, Q], Awaitable[HandlerResult[R]]]


def timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
