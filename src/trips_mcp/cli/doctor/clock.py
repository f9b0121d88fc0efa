"""The doctor's check of this computer's clock, by the Date header of a response."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from trips_mcp.cli.doctor.finding import Diagnosis
from trips_mcp.cli.doctor.http_probe import Came

MOST: Final = 60.0
"""Tolerance in seconds: enough for slow responses, and far less than any feature depends on."""


def clock(check: str, came: Came) -> Diagnosis | None:
    """None if the response has no valid Date header."""
    try:
        date = parsedate_to_datetime(came.answer.headers.get("Date", ""))
    except (ValueError, OverflowError):
        return None
    ahead = came.at - date.replace(tzinfo=date.tzinfo or UTC).timestamp()
    facts = {"secondsAhead": round(ahead), "here": datetime.fromtimestamp(came.at, UTC).isoformat(timespec="seconds")}
    if abs(ahead) <= MOST:
        return Diagnosis(check, "ok", "this computer and the service have the same time", facts=facts)
    return Diagnosis(
        check,
        "warn",
        f"this computer is {_long(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} the service",
        "Set the clock: with a wrong one, unfinished writes count as too old to finish, waits until a date are wrong, "
        "and certificates seem expired.",
        facts,
    )


def _long(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 1.9 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
