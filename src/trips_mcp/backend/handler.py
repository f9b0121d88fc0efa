"""A handler: its input `Call`, its output `BackendResponse`, and `Served`, which binds it to its operation.

What handlers need besides: validation of a request's fields, and new ids.
"""

import os
import secrets
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, Generic, Self, TypeVar
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import to_json

from trips_mcp.backend.errors import invalid
from trips_mcp.backend.store.connection import Connection
from trips_mcp.contract.errors import Fault, faults
from trips_mcp.contract.models import OfTrip, Params
from trips_mcp.contract.operation import Operation, P, R
from trips_mcp.json_values import JsonObject, is_list, is_object, is_unicode
from trips_mcp.scopes import BASE_SCOPES, Scope

_requests = Random()  # noqa: S311 - unique, not secret; the system's generator is slow
if hasattr(os, "register_at_fork"):  # workers must not generate the same ids
    os.register_at_fork(after_in_child=_requests.seed)
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"  # without i, l, o, u, which look like other characters

Q = TypeVar("Q")
E = TypeVar("E", bound=Params)
M = TypeVar("M", bound=Params)


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

    @classmethod
    def with_all_scopes(cls, caller_id: str, user_id: str) -> Self:
        return cls(caller_id, user_id, tuple(map(Scope, BASE_SCOPES)))


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


class Envelope(OfTrip):
    """Fields around a list whose items are validated one by one later."""


def validated(model: type[M], fields: object) -> M:
    """Raises: ProblemError with every fault."""
    try:
        params = model.model_validate(fields, strict=True, by_name=False)
    except ValidationError as error:
        raise invalid(faults(error, model)) from None  # its text repeats the values
    unstorable = [] if isinstance(params, Envelope) else list(_unstorable(fields, ""))
    if unstorable:
        raise invalid(unstorable)
    return params


def _unstorable(value: Any, path: str) -> Iterator[Fault]:
    """Faults for strings, also under unknown keys, that a database or UTF-8 cannot store."""
    if isinstance(value, str):
        if "\0" in value:
            yield Fault(path=path, reason="must not contain the NUL character")
        elif not value.isascii() and not is_unicode(value):
            yield Fault(path=path, reason="not valid Unicode text")
    elif is_object(value):
        for name, inner in value.items():
            inside = f"{path}.{name}" if path else name
            yield from _unstorable(name, inside)
            yield from _unstorable(inner, inside)
    elif is_list(value):
        for index, inner in enumerate(value):
            yield from _unstorable(inner, f"{path}.{index}")


def new_id(prefix: str) -> str:
    """A prefix and ten characters, which a model copies without error."""
    bits = secrets.randbits(50)
    return f"{prefix}_" + "".join(_CROCKFORD[bits >> shift & 31] for shift in range(0, 50, 5))


def new_request_id() -> str:
    return f"req_{UUID(int=_requests.getrandbits(128), version=4)}"
