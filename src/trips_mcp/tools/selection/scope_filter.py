"""Whether a key's scopes allow a tool, both for the listing and for calls.

The same rule as `client.permissions`, which checks each call; here the arguments are not known yet. Standard library
only: this is on the start path.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from trips_mcp.scopes import Scope
from trips_mcp.tools.listing import Entry

_ALWAYS: Final = ("any key", "nobody")


class Lack(NamedTuple):
    scope: str
    """The scope that the tool needs and the key lacks."""
    elsewhere: bool
    """Whether the key has it for other trips."""


def lack(entry: Entry, scopes: Iterable[str] | None, *, events_too: bool, trip: str | None = None) -> Lack | None:
    """None if the key allows the tool for at least one trip, or if its scopes are unknown.

    `events_too`: whether the scopes also apply to the Events API, whose tokens have none otherwise. `trip`: the bound
    trip.
    """
    if scopes is None or entry["scope"] in _ALWAYS or (entry["api"] == "events" and not events_too):
        return None
    limits = _limits(scopes, entry["scope"])
    if None in limits or _is_enough(limits, entry, trip):
        return None
    return Lack(entry["scope"], bool(limits))


def _is_enough(limits: set[str | None], entry: Entry, trip: str | None) -> bool:
    """A key limited to a trip may use the tools about that trip, and may list trips, which shows only that one."""
    listing = entry["listing"]
    if "tripId" in listing["inputSchema"]["properties"] or entry["toolset"] == "plans":
        return bool(limits) if trip is None else trip in limits
    return bool(limits) and (listing["annotations"]["readOnlyHint"] or entry["api"] == "events")


def _limits(scopes: Iterable[str], needed: str) -> set[str | None]:
    """The trips for which the key has this scope; None stands for every trip."""
    return {scope.trip_id for scope in map(Scope.parse, scopes) if scope.base == needed}
