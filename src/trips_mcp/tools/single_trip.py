"""Calls on a server bound to one trip: each call is limited to that trip.

Parts of a trip are addressed below its tripId, so filling that in is enough. An event's id finds it on any trip, so
the event is read before it is shown or changed.
"""

from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import NotFoundError, TripsError
from trips_mcp.contract.events import GET_EVENT, LIST_TRIP_EVENTS, GetEvent, ListTripEvents, OneEvent
from trips_mcp.contract.models import Params, Update
from trips_mcp.contract.trips import GET_TRIP, GetTrip
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.selection import NUMBER, NUMBERS, TRIP_ID

_KNOWN_NUMBERS: Final[WeakKeyDictionary[TripsClient, dict[str, int]]] = WeakKeyDictionary()
"""By client and tripId; a trip's number never changes."""


class OtherTripError(TripsError):
    """The call is not about the bound trip. Does not say which trip it is about."""


async def bound(
    client: TripsClient, arguments: Mapping[str, Any], properties: Mapping[str, Any], conduct: Conduct
) -> dict[str, Any]:
    """The arguments plus those that name the trip, as far as a tool with these properties takes them.

    Raises: OtherTripError if they name another trip; TripsError from reading the trip's number.
    """
    found = dict(arguments)
    if conduct.trip is None:
        return found
    if TRIP_ID in properties:
        return _filled(found, TRIP_ID, conduct.trip, conduct)
    if NUMBER in properties:
        return _filled(found, NUMBER, await _number(client, conduct), conduct)
    if NUMBERS in properties and "event_id" not in properties:
        return _filled(found, NUMBERS, [await _number(client, conduct)], conduct)
    return found


async def keep_to_the_trip(client: TripsClient, params: Params, conduct: Conduct) -> None:
    """Raises: OtherTripError for an event that is not on the trip, or for a change of its trips."""
    if conduct.trip is None or not isinstance(params, OneEvent):
        return
    if NUMBERS in params.model_fields_set or (isinstance(params, Update) and NUMBERS in _cleared(params)):
        raise OtherTripError(f"{_bound_to(conduct)}, so an event's trips cannot be changed; leave {NUMBERS} out.")
    if not await _is_on_the_trip(client, params.event_id, conduct):
        raise OtherTripError(f"{_bound_to(conduct)}, and the event {params.event_id} is not on it.")


def where_to_look(error: TripsError, lookup: str, conduct: Conduct) -> tuple[str, str]:
    """The tool that lists the right id, and a hint to add. On a bound server no tool lists trips."""
    is_missing = isinstance(error, NotFoundError)
    if conduct.trip is None or not (lookup == "list_trips" or (is_missing and error.operation is GET_TRIP)):
        return lookup, ""
    return "", f" Ask the user whether {conduct.trip} is the right trip (--trip)." if is_missing else ""


def _filled(arguments: dict[str, Any], name: str, value: object, conduct: Conduct) -> dict[str, Any]:
    if arguments.get(name) not in (None, value):
        raise OtherTripError(f"{_bound_to(conduct)}, and {name} names something else; leave {name} out.")
    return {**arguments, name: value}


def _bound_to(conduct: Conduct) -> str:
    return f"Nothing was done: this server is bound to the trip {conduct.trip} (--trip)"


async def _number(client: TripsClient, conduct: Conduct) -> int:
    """The trip's id in the Events API."""
    trip = conduct.trip or ""
    known = _KNOWN_NUMBERS.setdefault(client, {})
    number = conduct.event_trips.get(trip, known.get(trip))
    if number is None and conduct.one_store:
        number = (await client.call(GET_TRIP, GetTrip(trip_id=trip))).number
    if number is None:
        raise OtherTripError(f"{_bound_to(conduct)}, whose number in the Events API is not known; set --event-trips.")
    known[trip] = number
    return number


async def _is_on_the_trip(client: TripsClient, event_id: int, conduct: Conduct) -> bool:
    number = await _number(client, conduct)
    event = await client.call(GET_EVENT, GetEvent(event_id=event_id))
    if event.attached_trips is not None:
        return number in event.attached_trips
    itinerary = await client.call(LIST_TRIP_EVENTS, ListTripEvents(trip_id=number))
    return any(event.event_id == event_id for event in itinerary.events)


def _cleared(update: Update) -> list[str]:
    return update.clear if isinstance(update.clear, list) else []
