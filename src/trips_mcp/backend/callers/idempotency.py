"""Idempotency-Key: a repeated request is answered as the first time (docs/contract.md#idempotency-key).

A row claims the key in the same transaction that does the work. So of two racing requests, of one process or of two,
one waits for the other's commit and then finds its answer; and work that is undone leaves no claim behind.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sqlalchemy import bindparam, delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trips_mcp.backend.problems import ProblemError, invalid_field
from trips_mcp.backend.store.tables import idempotency
from trips_mcp.backend.store.upserts import insert_into

KEPT: Final = 24 * 3600.0
"""Seconds."""
_LONGEST = 255

_held = idempotency.c
_CLAIMED = (_held.caller == bindparam("of")) & (_held.key == bindparam("named"))
_FIRST = select(_held.fingerprint, _held.request_id, _held.status, _held.body).where(_CLAIMED)
_KEEP = update(idempotency).where(_CLAIMED).values(status=bindparam("new_status"), body=bindparam("new_body"))
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


async def take(db: AsyncConnection, claim: Claim, now: float) -> Kept | None:
    """Claims the key for this request; the first answer, when it was claimed before.

    Raises: ProblemError when that was another request.
    """
    row = {
        "caller": claim.caller,
        "key": claim.key,
        "fingerprint": claim.fingerprint,
        "request_id": claim.request_id,
        "status": None,
        "body": None,
        "expires_at": now + KEPT,
    }
    new = insert_into(db, idempotency).values(row)
    named = [_held.caller, _held.key]
    claimed = new.on_conflict_do_update(index_elements=named, set_=row, where=_held.expires_at <= now)
    if (await db.execute(claimed)).rowcount:
        return None
    first = (await db.execute(_FIRST, {"of": claim.caller, "named": claim.key})).one()
    if first.fingerprint != claim.fingerprint:
        raise ProblemError(
            "IDEMPOTENCY_CONFLICT",
            "This Idempotency-Key was used for a different request; use a new key for a new request.",
        )
    return Kept(first.status, first.body, first.request_id)


async def keep(db: AsyncConnection, claim: Claim, status: int, body: bytes) -> None:
    await db.execute(_KEEP, {"of": claim.caller, "named": claim.key, "new_status": status, "new_body": body})


async def forget_expired(db: AsyncConnection, now: float) -> None:
    await db.execute(_FORGET, {"now": now})
