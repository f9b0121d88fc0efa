"""The doctor's check of the key's rate limit."""

import re
from typing import Final

from trips_mcp.cli.doctor.finding import Diagnosis
from trips_mcp.client.errors import RateLimitedError, TripsError
from trips_mcp.client.rate_limiter import WINDOW
from trips_mcp.client.session import ApiResponse

_COUNT: Final = re.compile(r"[0-9]{1,9}")


def rate_limit(check: str, answer: ApiResponse, error: TripsError | None) -> Diagnosis | None:
    """None if the response has no rate limit headers."""
    limit, remaining = _number(answer, "X-RateLimit-Limit"), _number(answer, "X-RateLimit-Remaining")
    resets = _number(answer, "Retry-After")
    seconds = round(WINDOW) if resets is None else resets
    facts = {"limit": limit, "remaining": remaining, "resetsInSeconds": seconds}
    if isinstance(error, RateLimitedError):
        found = f"used up for {seconds} seconds at most"
        return Diagnosis(check, "warn", found, "Calls wait that long; see what else uses this key.", facts)
    if limit is None or remaining is None:
        return None
    said = f"{remaining} of {limit} requests are left, for {seconds} seconds at most"
    if remaining:
        return Diagnosis(check, "ok", said, facts=facts)
    return Diagnosis(check, "warn", said, "Calls wait that long; see what else uses this key.", facts)


def _number(answer: ApiResponse, header: str) -> int | None:
    text = answer.headers.get(header, "").strip()
    return int(text) if _COUNT.fullmatch(text) else None
