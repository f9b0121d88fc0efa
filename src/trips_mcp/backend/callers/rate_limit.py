"""The rate limit: so many requests in a window, counted in the database so that all processes agree."""

from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import Final

from sqlalchemy import Executable, bindparam, case, delete, or_, select

from trips_mcp.backend.connection import Connection
from trips_mcp.backend.errors import ProblemError
from trips_mcp.backend.store.on_conflict import insert_into
from trips_mcp.backend.store.tables import rate_windows

WINDOW: Final = 60.0
"""Seconds."""


_held = rate_windows.c
# not those that another request is at (PostgreSQL): two that wait for each other never end
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
        """Raises: ProblemError when it is used up."""
        if self.used > self.limit:
            wait = max(1, ceil(self.resets_in))
            raise ProblemError(
                "RATE_LIMITED",
                f"Too many requests: {self.limit} a minute are allowed. Try again in {wait} seconds.",
                headers=[("retry-after", str(wait))],
            )


async def count_request(db: Connection, bucket: str, limit: int, now: float) -> Allowance:
    """Counts this request too, in one statement: no two requests ever take the same place."""
    row = {"bucket": bucket, "now": now, "before": now - WINDOW, "after": now + WINDOW}
    started, used = (await db.execute(_count(db.dialect.name), row)).one()
    if used == 1:
        await db.execute(_FORGET, {"before": now - WINDOW})
    return Allowance(limit, used, started + WINDOW - now)


@cache
def _count(dialect: str) -> Executable:
    # The window may have begun a little after `now`: by another computer's clock, or while this waited for its turn.
    # One that begins more than its own length ahead is of a clock that was set back since.
    over = or_(_held.started <= bindparam("before"), _held.started > bindparam("after"))
    new = insert_into(dialect, rate_windows).values(bucket=bindparam("bucket"), started=bindparam("now"), count=1)
    return new.on_conflict_do_update(
        index_elements=[_held.bucket],
        set_={
            "count": case((over, 1), else_=_held.count + 1),
            "started": case((over, new.excluded.started), else_=_held.started),
        },
    ).returning(_held.started, _held.count)
