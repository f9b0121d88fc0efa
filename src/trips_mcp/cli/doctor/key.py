"""The doctor's checks of a key and what it allows: its owner, its scopes, its rate limit, the tools offered."""

import re
from collections.abc import Iterator
from typing import Final

from trips_mcp.cli.command import CommandError
from trips_mcp.cli.doctor import Diagnosis
from trips_mcp.cli.settings import choice_of
from trips_mcp.client.errors import ForbiddenError, RateLimitedError, TripsError, UnauthorizedError
from trips_mcp.client.rate_limiter import WINDOW
from trips_mcp.client.responses import ApiResponse
from trips_mcp.contract.me import Me
from trips_mcp.contract.operation import Api
from trips_mcp.redaction import without_secrets
from trips_mcp.scopes import Scope
from trips_mcp.settings import Settings


def offered(settings: Settings) -> Diagnosis:
    try:
        choice = choice_of(settings)
    except CommandError as error:
        return Diagnosis("tools", "fail", "none is offered", str(error), {"offered": 0})
    known = len(choice.entries) + len(choice.hidden)
    facts = {"offered": len(choice.entries), "known": known}
    said = f"{len(choice.entries)} of {known} tools are offered{_limits(settings)}"
    if not choice.entries:
        return Diagnosis("tools", "warn", said, "Fix the settings above.", facts)
    secrets = "masked" if settings.masks_secrets(by_default=False) else "shown"
    return Diagnosis("tools", "ok", f"{said}; secrets are {secrets}; `trips-mcp tools` lists them", facts=facts)


def scopes_needed(settings: Settings) -> dict[str, list[str]]:
    """The offered tools, by required scope."""
    needed: dict[str, list[str]] = {}
    for entry in choice_of(settings).entries:
        if entry["api"] == "trips" and ":" in entry["scope"]:
            needed.setdefault(entry["scope"], []).append(entry["listing"]["name"])
    return needed


def _limits(settings: Settings) -> str:
    said = [
        *(["read-only"] if settings.read_only else []),
        *(["without outbound ones"] if settings.no_outbound else []),
        *([f"bound to the trip {settings.trip}"] if settings.trip else []),
        *([f"{len(settings.event_trips)} linked to events"] if settings.event_trips else []),
    ]
    return f" ({', '.join(said)})" if said else ""


_ALLOWS: Final = {
    "trips:read": "reading trips",
    "trips:write": "changing trips",
    "messages:read": "reading messages",
    "messages:write": "posting messages",
}
_MOST_NAMES: Final = 3
_COUNT: Final = re.compile(r"[0-9]{1,9}")


def key_findings(
    api: Api, variable: str, settings: Settings, result: object, error: TripsError | None, *, has_key: bool
) -> Iterator[Diagnosis]:
    check = f"{api}-key"
    if not has_key:
        yield Diagnosis(check, "ok", "each call brings its caller's own", facts={"valid": None})
    elif isinstance(error, UnauthorizedError):
        found = f"the key in {variable} is wrong or was revoked (HTTP 401)"
        yield Diagnosis(check, "fail", found, f"Set {variable} to a valid key; {_where(api)}.", {"valid": False})
    elif isinstance(error, RateLimitedError):
        yield Diagnosis(check, "warn", "it could not be checked now", "Run this again in a minute.", {"valid": None})
    elif isinstance(result, Me):
        yield Diagnosis(check, "ok", f"valid; you are {_who(result)}", facts={"valid": True})
        yield from _scopes(settings, result)
    elif api == "trips" and isinstance(error, ForbiddenError):
        found = "the key is valid, but may not read its own account (HTTP 403)"
        yield Diagnosis(check, "warn", found, f"Make another one; {_where(api)}.", {"valid": True})
    else:
        yield Diagnosis(check, "ok", "valid", facts={"valid": True})


def _where(api: Api) -> str:
    return "Osoto makes keys under Settings → API Keys" if api == "trips" else "Travelmode makes tokens for its API"


def _who(me: Me) -> str:
    name = (me.user.name or me.user.id) if me.user else "someone it does not name"
    groups = ", ".join(group.name or group.id for group in me.groups) or "no group"
    return without_secrets(f"{name}, in {groups}")


def _scopes(settings: Settings, me: Me) -> Iterator[Diagnosis]:
    """A scope that no offered tool needs may be missing."""
    if me.scopes is None:
        found = "the service does not say what the key may do"
        yield Diagnosis("trips-scopes", "ok", found, facts={"scopes": None})
        return
    held = ", ".join(me.scopes) or "nothing"
    lacking = {scope: tools for scope, tools in scopes_needed(settings).items() if not _has(me.scopes, scope)}
    facts: dict[str, object] = {"scopes": me.scopes, "lacking": sorted(lacking)}
    if lacking:
        without = "; ".join(f"without {scope} no {_ALLOWS[scope]} ({_some(tools)})" for scope, tools in lacking.items())
        to_do = f"Make a key that allows it, or offer less (--read-only, --toolsets); {_where('trips')}."
        yield Diagnosis("trips-scopes", "warn", f"the key allows {held}; {without}", to_do, facts)
    else:
        yield Diagnosis("trips-scopes", "ok", f"the key allows {held}", facts=facts)
    if settings.scopes is not None and set(settings.scopes) != set(me.scopes):
        found = f"TRIPS_MCP_SCOPES says {', '.join(settings.scopes)}, and the key has others"
        yield Diagnosis("trips-scopes", "warn", found, "Set it to what the key has, or unset it.")


def _has(scopes: list[str], needed: str) -> bool:
    """An unknown scope may allow anything."""
    try:
        return any(Scope.parse(scope).base == needed for scope in scopes)
    except ValueError:
        return True


def _some(tools: list[str]) -> str:
    more = len(tools) - _MOST_NAMES
    return ", ".join(tools[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


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
