"""Idempotency-Key: a repeated request is answered as the first time (docs/contract.md#idempotency-key).

The answer is kept in the transaction that does the work, last. So of two racing requests, of one process or of two,
one waits for the other's commit, finds that an answer is kept, and has its own work undone; and work that is undone
leaves no answer behind.

A kept answer may hold a share link or a door code. So it is sealed with the Idempotency-Key, of which only a hash is
kept: who reads the database reads neither.
"""

import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256, shake_256
from typing import Final

from sqlalchemy import Executable, bindparam, delete, select, tuple_

from trips_mcp.backend.connection import Connection
from trips_mcp.backend.errors import ProblemError, invalid_field
from trips_mcp.backend.store.on_conflict import insert_into
from trips_mcp.backend.store.tables import idempotency

KEPT: Final = 24 * 3600.0
"""Seconds."""
_LONGEST = 255

_held = idempotency.c
_FIRST = select(_held.fingerprint, _held.request_id, _held.status, _held.body).where(
    _held.caller == bindparam("of"), _held.key == bindparam("named"), _held.expires_at > bindparam("now")
)
# not those that another request is at (PostgreSQL): two that wait for each other never end
_EXPIRED = select(_held.caller, _held.key).where(_held.expires_at <= bindparam("now")).with_for_update(skip_locked=True)
_FORGET = delete(idempotency).where(tuple_(_held.caller, _held.key).in_(_EXPIRED))


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer that was given the first time."""

    status: int
    body: bytes
    request_id: str


@dataclass(frozen=True, slots=True)
class Claim:
    caller: str
    key: str
    fingerprint: str
    request_id: str


def check_key(key: str) -> None:
    """Raises: ProblemError."""
    if not 1 <= len(key) <= _LONGEST or "\0" in key:
        raise invalid_field("Idempotency-Key", f"want 1 to {_LONGEST} characters")


def fingerprint(method: str, path: str, query: dict[str, str], body: object) -> str:
    """Equal for what is the same request, however its JSON is spaced and ordered."""
    canonical = json.dumps([method, path, query, body], sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode()).hexdigest()


def key_digest(caller: str, key: str) -> str:
    """How a key is stored."""
    return sha256(f"{caller}\0{key}".encode("utf-8", "surrogatepass")).hexdigest()


def sealed(body: bytes, key: str, request_id: str) -> bytes:
    """The body, unreadable without the key; its own inverse. No two requests share a `request_id`."""
    stream = shake_256(f"trips-mcp kept answer\0{request_id}\0{key}".encode("utf-8", "surrogatepass"))
    pad = int.from_bytes(stream.digest(len(body)))
    return (int.from_bytes(body) ^ pad).to_bytes(len(body))


async def kept(db: Connection, claim: Claim, now: float) -> Kept | None:
    """The first answer, where there was one.

    Raises: ProblemError where that was to another request.
    """
    named = {"of": claim.caller, "named": key_digest(claim.caller, claim.key), "now": now}
    first = (await db.execute(_FIRST, named)).one_or_none()
    if first is None:
        return None
    if first.fingerprint != claim.fingerprint:
        raise ProblemError(
            "IDEMPOTENCY_CONFLICT",
            "This Idempotency-Key was used for a different request; use a new key for a new request.",
        )
    return Kept(first.status, sealed(first.body, claim.key, first.request_id), first.request_id)


async def keep(db: Connection, claim: Claim, status: int, body: bytes, now: float) -> bool:
    """Whether this is the first answer, and now kept; waits for another request that is just keeping one."""
    row = {
        "caller": claim.caller,
        "key": key_digest(claim.caller, claim.key),
        "fingerprint": claim.fingerprint,
        "request_id": claim.request_id,
        "status": status,
        "body": sealed(body, claim.key, claim.request_id),
        "expires_at": now + KEPT,
        "now": now,
    }
    return bool((await db.execute(_keep(db.dialect.name), row)).rowcount)


@cache
def _keep(dialect: str) -> Executable:
    new = insert_into(dialect, idempotency).values({column: bindparam(column.name) for column in _held})
    own = {column.name: new.excluded[column.name] for column in _held if not column.primary_key}
    named = [_held.caller, _held.key]
    return new.on_conflict_do_update(index_elements=named, set_=own, where=_held.expires_at <= bindparam("now"))


async def forget_expired(db: Connection, now: float) -> None:
    await db.execute(_FORGET, {"now": now})
