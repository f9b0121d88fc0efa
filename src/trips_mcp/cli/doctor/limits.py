"""How much of its rate limit the key has left."""

import re
from typing import Final

from trips_mcp.cli.doctor.finding import Finding
from trips_mcp.client.account import Answer
from trips_mcp.client.errors import RateLimitedError, TripsError
from trips_mcp.client.rate_limiter import WINDOW

_COUNT: Final = re.compile(r"[0-9]{1,9}")


def rate_limit(check: str, answer: Answer, error: TripsError | None) -> Finding | None:
    """None where the service tells of none."""
    limit, remaining = _number(answer, "X-RateLimit-Limit"), _number(answer, "X-RateLimit-Remaining")
    resets = _number(answer, "Retry-After")
    seconds = round(WINDOW) if resets is None else resets
    facts = {"limit": limit, "remaining": remaining, "resetsInSeconds": seconds}
    if isinstance(error, RateLimitedError):
        found = f"used up for {seconds} seconds at most"
        return Finding(check, "warn", found, "Calls wait that long; see what else uses this key.", facts)
    if limit is None or remaining is None:
        return None
    said = f"{remaining} of {limit} requests are left, for {seconds} seconds at most"
    if remaining:
        return Finding(check, "ok", said, facts=facts)
    return Finding(check, "warn", said, "Calls wait that long; see what else uses this key.", facts)


def _number(answer: Answer, header: str) -> int | None:
    text = answer.headers.get(header, "").strip()
    return int(text) if _COUNT.fullmatch(text) else None
