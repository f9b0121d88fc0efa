"""Facts about trips, remembered from what was read of them: who may have written the texts, and the destinations.

The members come from answers that contain them; otherwise they are listed, at most once in 5 minutes for each trip.
Destinations are remembered for ten minutes.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

import anyio
from pydantic_core import MISSING

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import TripsError
from trips_mcp.contract.exports import TripExport
from trips_mcp.contract.legs import Leg, LegPage, ListLegs
from trips_mcp.contract.members import LIST_MEMBERS, ListMembers, Member, MemberPage
from trips_mcp.contract.messages import Message, MessagePage
from trips_mcp.contract.models import Params
from trips_mcp.contract.operation import R

_MEMBERS_VALID: Final = 300.0
"""Seconds. Someone who joined since may have written."""
_MEMBERS_SECONDS: Final = 5.0
"""Seconds. An answer waits no longer for the members."""
_MOST_TRIPS: Final = 1000
"""Trips remembered per client."""
_DESTINATIONS_VALID: Final = 600.0
"""Seconds. Others may have changed the trip since."""


@dataclass(slots=True)
class _Members:
    others: dict[str, tuple[float, bool]] = field(default_factory=dict[str, tuple[float, bool]])
    """By trip: expiry, and whether others may write to it."""
    names: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """By trip: the names of its members by user id."""

    def note(self, trip_id: str, others: bool, members: Sequence[Member] = ()) -> None:
        self.others.pop(trip_id, None)
        if len(self.others) >= _MOST_TRIPS:
            oldest = next(iter(self.others))
            del self.others[oldest]
            self.names.pop(oldest, None)
        self.others[trip_id] = (time.monotonic() + _MEMBERS_VALID, others)
        self.names[trip_id] = {one.user_id: one.name for one in members if one.user_id and one.name}

    def of(self, trip_id: str) -> bool | None:
        until, others = self.others.get(trip_id, (0.0, False))
        return others if time.monotonic() < until else None


_MEMBERS: Final[WeakKeyDictionary[TripsClient, _Members]] = WeakKeyDictionary()


def note_members(client: TripsClient, trip_id: str, result: object) -> None:
    """Notes the members in a result; a result without any says nothing."""
    members = result.members if isinstance(result, TripExport) else None
    if isinstance(result, MemberPage) and result.next_cursor is None:
        members = result.items
    if members:
        _MEMBERS.setdefault(client, _Members()).note(trip_id, len(members) > 1, members)


def with_author_names(client: TripsClient, trip_id: str, result: R) -> R:
    """Messages of a service that gives only the ids of their authors, with the names of the trip's members."""
    if not isinstance(result, MessagePage) or all(one.author_name for one in result.items):
        return result
    names = _MEMBERS.setdefault(client, _Members()).names.get(trip_id, {})
    return result.model_copy(update={"items": [_with_author_name(one, names) for one in result.items]})


def _with_author_name(message: Message, names: Mapping[str, str]) -> Message:
    name = names.get(message.author_id or "")
    return message if message.author_name or name is None else message.model_copy(update={"author_name": name})


async def others_may_have_written(client: TripsClient, trip_id: str, result: object) -> bool:
    """True also for events, which anybody may have planned, and where the members are unknown."""
    note_members(client, trip_id, result)
    return bool(getattr(result, "events", None)) or await _others_may_write(client, trip_id)


def known_others(client: TripsClient, trip_id: str) -> bool | None:
    """None if it is not known without a request."""
    return _MEMBERS.setdefault(client, _Members()).of(trip_id)


async def _others_may_write(client: TripsClient, trip_id: str) -> bool:
    known = _MEMBERS.setdefault(client, _Members())
    others = known.of(trip_id)
    if others is None:
        others, members = await _members(client, trip_id)
        known.note(trip_id, others, members)
    return others


async def _members(client: TripsClient, trip_id: str) -> tuple[bool, Sequence[Member]]:
    """Whether there are others, and who; without an answer, there may be."""
    try:
        with anyio.fail_after(_MEMBERS_SECONDS):
            page = await client.call(LIST_MEMBERS, ListMembers(trip_id=trip_id))
    except (TripsError, TimeoutError):
        return True, ()
    return len(page.items) != 1 or page.next_cursor is not None, page.items


class Destination(NamedTuple):
    name: str
    zone: str | None


class _Destinations(NamedTuple):
    until: float
    destinations: tuple[Destination, ...]


_DESTINATIONS: Final[WeakKeyDictionary[TripsClient, dict[str, _Destinations]]] = WeakKeyDictionary()


def note_destinations(client: TripsClient, trip_id: str, asked: Params, result: object) -> None:
    """Note them if the result has all legs of the trip."""
    if isinstance(result, TripExport):
        _note(client, trip_id, result.legs)
    elif isinstance(result, LegPage) and _is_whole(asked, result):
        _note(client, trip_id, result.items)


def _is_whole(asked: Params, page: LegPage) -> bool:
    return isinstance(asked, ListLegs) and asked.cursor is MISSING and page.next_cursor is None


def forget_destinations(client: TripsClient, trip_id: str) -> None:
    """For a trip that is about to change."""
    _DESTINATIONS.get(client, {}).pop(trip_id, None)


def known_destinations(client: TripsClient, trip_id: str) -> tuple[Destination, ...] | None:
    """In the order of the legs, each once; None if they are not known."""
    known = _DESTINATIONS.get(client, {}).get(trip_id)
    return known.destinations if known is not None and time.monotonic() < known.until else None


def _note(client: TripsClient, trip_id: str, legs: list[Leg]) -> None:
    trips = _DESTINATIONS.setdefault(client, {})
    trips.pop(trip_id, None)
    if len(trips) >= _MOST_TRIPS:
        del trips[next(iter(trips))]
    ordered = sorted(legs, key=lambda leg: (leg.start_date or "9999", leg.order or 0))
    found = (Destination(name, leg.timezone) for leg in ordered if (name := leg.destination or leg.title))
    trips[trip_id] = _Destinations(time.monotonic() + _DESTINATIONS_VALID, tuple(dict.fromkeys(found)))
