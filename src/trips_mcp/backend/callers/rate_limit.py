"""The rate limit per window, counted in the database so that all processes share it."""

from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import Final

from sqlalchemy import Executable, bindparam, case, delete, or_, select

from trips_mcp.backend.errors import ProblemError
from trips_mcp.backend.store.connection import Connection, insert_into
from trips_mcp.backend.store.tables import rate_windows

WINDOW: Final = 60.0
"""Seconds."""


_held = rate_windows.c
# PostgreSQL: skip rows locked by another request, which could deadlock
_ENDED = select(_held.bucket).where(_held.started <= bindparam("before")).with_for_update(skip_locked=True)
_FORGET = delete(rate_windows).where(_held.bucket.in_(_ENDED))


@dataclass(frozen=True, slots=True)
class Allowance:
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
    row = {"bucket": bucket, "now": now, "before": now - WINDOW, "after": now + WINDOW}
    started, used = (await db.execute(_count(db.dialect.name), row)).one()
    if used == 1:
        await db.execute(_FORGET, {"before": now - WINDOW})
    return Allowance(limit, used, started + WINDOW - now)


@cache
def _count(dialect: str) -> Executable:
    # The window may start a little after `now`: another computer's clock, or a wait for the lock.
    # A start more than one window ahead means that the clock was set back since.
    over = or_(_held.started <= bindparam("before"), _held.started > bindparam("after"))
    new = insert_into(dialect, rate_windows).values(bucket=bindparam("bucket"), started=bindparam("now"), count=1)
    return new.on_conflict_do_update(
        index_elements=[_held.bucket],
        set_={
            "count": case((over, 1), else_=_held.count + 1),
            "started": case((over, new.excluded.started), else_=_held.started),
        },
    ).returning(_held.started, _held.count)
