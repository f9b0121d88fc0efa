"""Whether a key's scopes allow a tool: the one rule, for what is offered and for what may be called.

As `client.permissions` sees it, which judges each call by itself; here before anything is known of its arguments.
Standard library alone, as it is on the way of every start.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from trips_mcp.tools.listing import Entry

_ALWAYS: Final = ("any key", "nobody")


class Lack(NamedTuple):
    scope: str
    """What the tool needs and the key does not have."""
    elsewhere: bool
    """Whether it has that for other trips."""


def lack(entry: Entry, scopes: Iterable[str] | None, *, events_too: bool, trip: str | None = None) -> Lack | None:
    """None where the key allows it, for some trip at least, or nothing is known of the key.

    `events_too`: whether the scopes are those of the Events API as well; else its tokens have none. `trip`: the one
    that all is about.
    """
    if scopes is None or entry["scope"] in _ALWAYS or (entry["api"] == "events" and not events_too):
        return None
    limits = _limits(scopes, entry["scope"])
    if None in limits or _is_enough(limits, entry, trip):
        return None
    return Lack(entry["scope"], bool(limits))


def _is_enough(limits: set[str | None], entry: Entry, trip: str | None) -> bool:
    """A key limited to a trip may use what is about that one, and may list trips, where it is shown that one."""
    listing = entry["listing"]
    if "tripId" in listing["inputSchema"]["properties"]:
        return bool(limits) if trip is None else trip in limits
    return bool(limits) and (listing["annotations"]["readOnlyHint"] or entry["api"] == "events")


def _limits(scopes: Iterable[str], needed: str) -> set[str | None]:
    """The trips for which the key has this scope; None stands for every trip."""
    limits: set[str | None] = set()
    for scope in scopes:
        area, action, *trip = scope.split(":")
        if f"{area}:{action}" == needed:
            limits.add(trip[0] if trip else None)
    return limits
