"""The rate limit: so many requests in a window, counted in the database so that all processes agree."""

from dataclasses import dataclass
from math import ceil
from typing import Final

from sqlalchemy import Select, case, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trips_mcp.backend.problems import ProblemError
from trips_mcp.backend.store.tables import rate_windows
from trips_mcp.backend.store.upserts import insert_into

WINDOW: Final = 60.0
"""Seconds."""


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


async def count_request(db: AsyncConnection, bucket: str, limit: int, now: float) -> Allowance:
    """Counts this request too, in one statement: no two requests ever take the same place."""
    held = rate_windows.c
    # The window may have begun a little after `now`: by another computer's clock, or while this waited for its turn.
    # One that begins more than its own length ahead is of a clock that was set back since.
    over = or_(held.started <= now - WINDOW, held.started > now + WINDOW)
    new = insert_into(db, rate_windows).values(bucket=bucket, started=now, count=1)
    counted = new.on_conflict_do_update(
        index_elements=[held.bucket],
        set_={"count": case((over, 1), else_=held.count + 1), "started": case((over, now), else_=held.started)},
    ).returning(held.started, held.count)
    started, used = (await db.execute(counted)).one()
    if used == 1:
        await db.execute(delete(rate_windows).where(held.bucket.in_(_ended(now))))
    return Allowance(limit, used, started + WINDOW - now)


def _ended(now: float) -> Select[str]:
    """The buckets whose windows are over; not those that another request is at: two that wait for each other never end.

    On SQLite nobody else is at anything, and these words are left out.
    """
    over = rate_windows.c.started <= now - WINDOW
    return select(rate_windows.c.bucket).where(over).with_for_update(skip_locked=True)
