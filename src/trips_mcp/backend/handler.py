"""What a handler is given and what it answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from trips_mcp.backend.connection import Connection
from trips_mcp.backend.json_values import JsonObject
from trips_mcp.contract.operation import R
from trips_mcp.contract.scopes import Scope

Q = TypeVar("Q")


@dataclass(frozen=True, slots=True)
class Caller:
    id: str
    """The API key's id: what idempotency keys and rate limits are counted for."""
    user_id: str
    scopes: tuple[Scope, ...]
    group_id: str | None = None
    """The key's group; None stands for the user's first."""
    last_used_at: str = ""
    """When the key was last used, as far as that was noted."""


ANYONE = Caller("", "", ())


@dataclass(frozen=True, slots=True)
class Call:
    """One request: who asks, when, and the connection in whose transaction it all happens."""

    db: Connection
    caller: Caller
    now: float
    kept_at: str | None
    """Where the trips are kept, if that is no secret to the caller: the database is his own."""

    @property
    def time(self) -> str:
        """Now, as the API writes it."""
        return timestamp(self.now)


@dataclass(frozen=True, slots=True)
class HandlerResult(Generic[R]):
    """What is sent for a result of type R: JSON that fits it, made without a detour over the model."""

    kind: type[R]
    body: JsonObject | None = None
    status: int | None = None
    """None means the operation's usual one."""


Handler = Callable[[Call, Q], Awaitable[HandlerResult[R]]]


def timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
