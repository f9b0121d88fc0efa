"""Stored responses for repeated requests with one Idempotency-Key (docs/contract.md#idempotency-key).

The response is stored last, in the transaction that does the work. If two requests race, in one process or two, the
second waits for the first commit, finds a stored response, and rolls back its own work. Work that is rolled back
leaves no response behind.

A response may contain a share link or a door code. It is therefore encrypted with the Idempotency-Key, and only a hash
of that key is stored, so neither can be read from the database.
"""

import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256, shake_256
from typing import Final

from sqlalchemy import Executable, bindparam, delete, select, tuple_

from trips_mcp.backend.errors import ProblemError, invalid_field
from trips_mcp.backend.store.connection import Connection, insert_into
from trips_mcp.backend.store.tables import idempotency

KEPT: Final = 24 * 3600.0
"""Seconds."""
_LONGEST = 255

_held = idempotency.c
_FIRST = select(_held.fingerprint, _held.request_id, _held.status, _held.body).where(
    _held.caller == bindparam("of"), _held.key == bindparam("named"), _held.expires_at > bindparam("now")
)
# PostgreSQL: skip rows locked by another request, which could deadlock
_EXPIRED = select(_held.caller, _held.key).where(_held.expires_at <= bindparam("now")).with_for_update(skip_locked=True)
_FORGET = delete(idempotency).where(tuple_(_held.caller, _held.key).in_(_EXPIRED))


@dataclass(frozen=True, slots=True)
class Kept:
    """The response to the first request."""

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
        raise invalid_field("Idempotency-Key", f"expected 1 to {_LONGEST} characters")


def fingerprint(method: str, path: str, query: dict[str, str], body: object) -> str:
    """Equal for equal requests, whatever the whitespace and key order of their JSON."""
    canonical = json.dumps([method, path, query, body], sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode()).hexdigest()


def key_digest(caller: str, key: str) -> str:
    """The hash under which a key is stored."""
    return sha256(f"{caller}\0{key}".encode("utf-8", "surrogatepass")).hexdigest()


def sealed(body: bytes, key: str, request_id: str) -> bytes:
    """The body, encrypted with the key. Its own inverse. No two requests share a `request_id`."""
    stream = shake_256(f"trips-mcp kept answer\0{request_id}\0{key}".encode("utf-8", "surrogatepass"))
    pad = int.from_bytes(stream.digest(len(body)))
    return (int.from_bytes(body) ^ pad).to_bytes(len(body))


async def kept(db: Connection, claim: Claim, now: float) -> Kept | None:
    """The stored response, if there is one.

    Raises: ProblemError if the key was used for a different request.
    """
    named = {"of": claim.caller, "named": key_digest(claim.caller, claim.key), "now": now}
    first = (await db.execute(_FIRST, named)).one_or_none()
    if first is None:
        return None
    kept_fingerprint, request_id, status, body = first
    if kept_fingerprint != claim.fingerprint:
        raise ProblemError(
            "IDEMPOTENCY_CONFLICT",
            "This Idempotency-Key was used for a different request; use a new key for a new request.",
        )
    return Kept(status, sealed(body, claim.key, request_id), request_id)


async def keep(db: Connection, claim: Claim, status: int, body: bytes, now: float) -> bool:
    """Stores the first response and returns True; waits for a concurrent request with the same key."""
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
