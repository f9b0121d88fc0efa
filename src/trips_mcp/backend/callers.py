"""Callers: their keys and groups, the trips they may read or write (docs/contract.md#scopes), and their rate limit."""

import secrets
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from itertools import repeat
from math import ceil
from typing import Final

from anyio import Event
from sqlalchemy import ColumnElement, Executable, bindparam, case, delete, exists, func, insert, or_, select, update

from trips_mcp.backend.errors import ProblemError, forbidden, not_found
from trips_mcp.backend.handler import Call, Caller, new_id, timestamp
from trips_mcp.backend.rows import TRIP, listed
from trips_mcp.backend.store.connection import FAILURES, Connection, Row, insert_into, insertion_if_new
from trips_mcp.backend.store.tables import api_keys, group_members, groups, rate_windows, trips, users
from trips_mcp.contract.operation import Access
from trips_mcp.json_values import JsonObject
from trips_mcp.scopes import BASE_SCOPES, BaseScope, Scope, allows

_WINDOW: Final = 60.0
"""Seconds that a rate limit counts."""
LOCAL_OWNER = "owner"
"""Name of the default user."""

_USER_OF_NAME = select(users.c.id).where(users.c.name == bindparam("name"))
_GROUP_OF_NAME = select(groups.c.id).where(groups.c.name == bindparam("name"))
SHOWN_NAME = func.coalesce(users.c.display_name, users.c.name)
_FIND = select(
    api_keys.c.digest,
    api_keys.c.id,
    api_keys.c.user_id,
    api_keys.c.scopes,
    api_keys.c.group_id,
    api_keys.c.last_used_at,
).where(api_keys.c.digest.in_(bindparam("digests", expanding=True)))
_FIRST_GROUP = (
    select(group_members.c.group_id)
    .where(group_members.c.user_id == api_keys.c.user_id)
    .order_by(group_members.c.seq)
    .limit(1)
    .scalar_subquery()
)
_LIST = (
    select(
        api_keys.c.id,
        users.c.name,
        groups.c.name.label("group"),
        api_keys.c.label,
        api_keys.c.scopes,
        api_keys.c.created_at,
        api_keys.c.last_used_at,
    )
    .join(users, users.c.id == api_keys.c.user_id)
    .outerjoin(groups, groups.c.id == func.coalesce(api_keys.c.group_id, _FIRST_GROUP))
    .order_by(api_keys.c.seq)
)
_USED = update(api_keys).where(api_keys.c.id == bindparam("which")).values(last_used_at=bindparam("at"))


@dataclass(frozen=True, slots=True)
class NewKey:
    id: str
    secret: str = field(repr=False)
    """The key itself; only its hash is stored."""


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A stored key without its secret."""

    id: str
    user: str
    group: str | None
    """The default group for new trips."""
    label: str | None
    scopes: tuple[str, ...]
    created_at: str
    last_used_at: str | None
    """Accurate to one hour."""


def digest(secret: str) -> str:
    """The hash under which a key or token is stored."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(eq=False, slots=True)
class _Lookup:
    digest: str
    is_done: bool = False
    caller: Caller | None = None
    error: Exception | None = None


class KeyLookups:
    """Finds the callers of keys. Requests that wait for the database at the same time share one query.

    A request's query begins after the request arrived, so a revoked key is refused from the next request on.
    """

    def __init__(self, single: Callable[[], AbstractAsyncContextManager[Connection]]) -> None:
        """`single` opens a connection for one statement."""
        self._single = single
        self._waiting: set[_Lookup] = set()
        self._query_ended: Event | None = None
        """Set when the running query ends, which one of the requests makes for all of them. None if no query runs."""

    async def find(self, key: str) -> Caller | None:
        """None for an unknown key. Raises: what the database raises."""
        own = _Lookup(digest(key))
        self._waiting.add(own)
        try:
            while not own.is_done:
                if self._query_ended is None:
                    await self._query()
                else:
                    await self._query_ended.wait()
        finally:
            self._waiting.discard(own)  # if it is cancelled
        if own.error is not None:
            raise own.error
        return own.caller

    async def _query(self) -> None:
        """Answers the requests that wait when a connection is free. If this is cancelled, another one of them asks."""
        self._query_ended = Event()
        asked = self._waiting
        try:
            async with self._single() as db:
                asked, self._waiting = self._waiting, set()
                found = await _callers(db, {lookup.digest for lookup in asked})
            for lookup in asked:
                lookup.is_done, lookup.caller = True, found.get(lookup.digest)
        except FAILURES as error:
            for lookup in asked:
                lookup.is_done, lookup.error = True, error
        finally:
            self._waiting = {lookup for lookup in asked | self._waiting if not lookup.is_done}
            self._query_ended.set()
            self._query_ended = None


async def _callers(db: Connection, digests: Collection[str]) -> dict[str, Caller]:
    """Digest → caller."""
    size = 1 << (len(digests) - 1).bit_length()  # a power of two: each other size would be one more statement
    padded = [*digests, *repeat("", size - len(digests))]
    return {
        digest: Caller(key_id, user_id, tuple(map(Scope.parse, scopes)), group_id, last_used_at or "")
        for digest, key_id, user_id, scopes, group_id, last_used_at in await db.execute(_FIND, {"digests": padded})
    }


async def note_use(db: Connection, caller: Caller, now: float) -> None:
    await db.execute(_USED, {"which": caller.id, "at": timestamp(now)})


async def add_key(
    db: Connection,
    user_id: str,
    scopes: Sequence[Scope],
    now: float,
    *,
    group_id: str | None = None,
    label: str | None = None,
) -> NewKey:
    made = NewKey(new_id("key"), f"osk_{secrets.token_urlsafe(32)}")
    row = {
        "id": made.id,
        "digest": digest(made.secret),
        "user_id": user_id,
        "scopes": [str(scope) for scope in scopes],
        "created_at": timestamp(now),
        "label": label,
        "group_id": group_id,
    }
    await db.execute(insert(api_keys), row)
    return made


async def held_keys(db: Connection) -> list[HeldKey]:
    """All keys, oldest first."""
    return [_held_key(row) for row in await db.execute(_LIST)]


async def remove_key(db: Connection, by: ColumnElement[bool]) -> HeldKey | None:
    """The removed key; None if there is no such key."""
    found = (await db.execute(_LIST.where(by))).one_or_none()
    gone = await db.execute(delete(api_keys).where(by))
    return _held_key(found) if found and gone.rowcount else None


def of_id(key_id: str) -> ColumnElement[bool]:
    return api_keys.c.id == key_id


def of_secret(key: str) -> ColumnElement[bool]:
    return api_keys.c.digest == digest(key)


def _held_key(row: Row) -> HeldKey:
    key_id, user, group, label, scopes, made, used = row
    return HeldKey(key_id, user, group, label, tuple(scopes), made, used)


async def user_named(db: Connection, name: str) -> str:
    """The user's id. Creates the user and a group of their own if there is no such user."""
    if found := (await db.execute(_USER_OF_NAME, {"name": name})).scalar_one_or_none():
        return found
    await db.execute(insertion_if_new(db.dialect.name, users), {"id": new_id("usr"), "name": name})
    user_id = (await db.execute(_USER_OF_NAME, {"name": name})).scalar_one()
    await join(db, user_id, f"{name}'s trips")
    return user_id


async def join(db: Connection, user_id: str, group: str) -> str:
    """Adds the user to the group of that name; returns the group's id. The user owns a group that this creates."""
    made = await db.execute(insertion_if_new(db.dialect.name, groups), {"id": new_id("grp"), "name": group})
    group_id: str = (await db.execute(_GROUP_OF_NAME, {"name": group})).scalar_one()
    member = {
        "group_id": group_id,
        "user_id": user_id,
        "role": "owner" if made.rowcount else "member",
    }
    await db.execute(insertion_if_new(db.dialect.name, group_members), member)
    return group_id


IS_MEMBER: ColumnElement[bool] = exists().where(
    group_members.c.group_id == trips.c.group_id, group_members.c.user_id == bindparam("user")
)
_READ = TRIP.select.add_columns(IS_MEMBER.label("is_member")).where(trips.c.id == bindparam("trip"))
# PostgreSQL: one writer per trip, while other rows may still reference it; SQLite has a single writer anyway
_WRITE = _READ.with_for_update(of=trips, key_share=True)


async def trip_to_read(call: Call, trip_id: str) -> JsonObject:
    return _of_member(await listed(call.db, _READ, trip=trip_id, user=call.caller.user_id))


async def trip_to_write(call: Call, trip_id: str) -> JsonObject:
    return _of_member(await listed(call.db, _WRITE, trip=trip_id, user=call.caller.user_id))


def _of_member(found: list[JsonObject]) -> JsonObject:
    if not found:
        raise not_found("trip")
    trip = found[0]
    if not trip.pop("is_member"):
        raise forbidden("You are not a member of this trip.")
    return trip


def check_scope(caller: Caller, needed: Access, trip_id: str | None) -> None:
    """Checks what needs no database: the key has the scope, for this trip. Raises: ProblemError."""
    if needed not in BASE_SCOPES:
        return
    if not any(scope.base == needed for scope in caller.scopes):
        raise forbidden(f"This key lacks the scope {needed}.")
    if trip_id is not None:
        check_trip(caller, needed, trip_id)


def check_trip(caller: Caller, needed: BaseScope, trip_id: str | None) -> None:
    """`trip_id` is None for an operation outside any single trip. Raises: ProblemError."""
    if not allows(caller.scopes, needed, trip_id):
        raise forbidden(f"This key has the scope {needed} for another trip only.")


_window = rate_windows.c
# PostgreSQL: skip rows locked by another request, which could deadlock
_ENDED = select(_window.bucket).where(_window.started <= bindparam("before")).with_for_update(skip_locked=True)
_FORGET = delete(rate_windows).where(_window.bucket.in_(_ENDED))


@dataclass(frozen=True, slots=True)
class Allowance:
    """The state of a rate limit's window. All processes share it, because the database counts."""

    limit: int
    used: int
    resets_in: float

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [
            ("x-ratelimit-limit", str(self.limit)),
            ("x-ratelimit-remaining", str(max(0, self.limit - self.used))),
        ]

    def check(self) -> None:
        """Raises: ProblemError if the limit is exceeded."""
        if self.used > self.limit:
            wait = max(1, ceil(self.resets_in))
            raise ProblemError(
                "RATE_LIMITED",
                f"Too many requests: {self.limit} a minute are allowed. Try again in {wait} seconds.",
                headers=[("retry-after", str(wait))],
            )


async def count_request(db: Connection, bucket: str, limit: int, now: float) -> Allowance:
    """Counts this request and returns the state of its window. It is one statement, so it is atomic."""
    row = {"bucket": bucket, "now": now, "before": now - _WINDOW, "after": now + _WINDOW}
    started, used = (await db.execute(_count(db.dialect.name), row)).one()
    if used == 1:
        await db.execute(_FORGET, {"before": now - _WINDOW})
    return Allowance(limit, used, started + _WINDOW - now)


@cache
def _count(dialect: str) -> Executable:
    # The window may start a little after `now`: another computer's clock, or a wait for the lock.
    # A start more than one window ahead means that the clock was set back since.
    over = or_(_window.started <= bindparam("before"), _window.started > bindparam("after"))
    new = insert_into(dialect, rate_windows).values(bucket=bindparam("bucket"), started=bindparam("now"), count=1)
    return new.on_conflict_do_update(
        index_elements=[_window.bucket],
        set_={
            "count": case((over, 1), else_=_window.count + 1),
            "started": case((over, new.excluded.started), else_=_window.started),
        },
    ).returning(_window.started, _window.count)
