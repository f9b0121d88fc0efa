"""Trip tools, and the tool about the account behind the key."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Final

from pydantic_core import MISSING

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import TripsError
from trips_mcp.client.outcome import Outcome, Report
from trips_mcp.contract.fields import BY_MEMBERS
from trips_mcp.contract.legs import LIST_LEGS, ListLegs
from trips_mcp.contract.me import GET_ME
from trips_mcp.contract.models import Page, Params
from trips_mcp.contract.trips import (
    ARCHIVE_TRIP,
    CREATE_TRIP,
    GET_TRIP,
    LIST_TRIPS,
    UPDATE_TRIP,
    ListTrips,
    Trip,
    TripPage,
)
from trips_mcp.itinerary.formatting import short
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.error_text import ToolRefusedError
from trips_mcp.tools.tool import tool
from trips_mcp.tools.trip_reading import known_destinations, note_destinations
from trips_mcp.tools.views import Filter, Listed, Query

_MOST_READ: Final = 500
"""Local trips whose legs are read for the list."""
_MOST_DESTINATIONS: Final = 10
_LONGEST: Final = 80


class PlacedTrip(Trip):
    destinations: Annotated[list[str] | None, BY_MEMBERS] = None
    """Of its legs, as far as they are known without a request; None if they are not."""
    countries: list[str] | None = None


class PlacedTripPage(Page[PlacedTrip]):
    plural_names: ClassVar = TripPage.plural_names


class TripFilter(Params):
    query: Query | MISSING = MISSING


def _matching(asked: TripFilter, trips: Sequence[PlacedTrip]) -> Sequence[PlacedTrip]:
    """Raises: ToolRefusedError."""
    from trips_mcp.itinerary.search import NO_WORDS, is_named  # get_me, often the first call, needs neither
    from trips_mcp.itinerary.text_match import words_of

    query = asked.query
    if query is MISSING or not words_of(query):
        raise ToolRefusedError(f"query: {NO_WORDS}")
    return [trip for trip in trips if is_named(query, trip.title or "", _places(trip))]


def _places(trip: PlacedTrip) -> list[tuple[str, str | None]]:
    return [(name, None) for name in (*(trip.destinations or ()), *(trip.countries or ()))]


def _unknown(trips: Sequence[PlacedTrip]) -> str | None:
    count = sum(trip.destinations is None for trip in trips)
    if not count:
        return None
    return f"Where {count} of them go is not known yet, so only their titles were searched. " + _LOOK_INTO


_LOOK_INTO: Final = "To look into all trips use search_trip without tripId."


async def _list(client: TripsClient, asked: ListTrips, report: Report, conduct: Conduct) -> Outcome[PlacedTripPage]:
    outcome = await client.outcome(LIST_TRIPS, asked, report)
    trips = [trip for trip in outcome.result.items if trip.id]
    if conduct.local:
        await _read_destinations(client, trips)
    items = [_placed(client, trip) for trip in outcome.result.items]
    parts: dict[str, Any] = {"items": items, "next_cursor": outcome.result.next_cursor}
    extra = outcome.result.model_extra or {}
    page = PlacedTripPage.model_construct(outcome.result.model_fields_set | {"items"}, **parts, **extra)
    return Outcome(page, outcome.notes, outcome.rate_limit)


async def _read_destinations(client: TripsClient, trips: Sequence[Trip]) -> None:
    """Of trips that are kept locally, where a request costs next to nothing."""
    newest = sorted(trips, key=lambda trip: trip.start_date or "", reverse=True)
    for trip in newest[:_MOST_READ]:
        asked = ListLegs(trip_id=trip.id, limit=200)
        try:
            note_destinations(client, trip.id, asked, await client.call(LIST_LEGS, asked))
        except TripsError:  # the list is worth having without
            return


def _placed(client: TripsClient, trip: Trip) -> PlacedTrip:
    parts: dict[str, Any] = {name: getattr(trip, name) for name in Trip.model_fields}
    told = set(trip.model_fields_set)
    known = known_destinations(client, trip.id)
    if known is not None:
        from trips_mcp.places.aliases import countries_in

        told |= {"destinations", "countries"}
        names = (short(one.name, _LONGEST) for one in known)
        parts["destinations"] = list(dict.fromkeys(filter(None, names)))[:_MOST_DESTINATIONS]
        countries = (name for one in known for name in countries_in(one.name, one.zone))
        parts["countries"] = list(dict.fromkeys(countries))[:_MOST_DESTINATIONS]
    return PlacedTrip.model_construct(told, **parts, **(trip.model_extra or {}))


def _with_destinations(page: TripPage | PlacedTripPage) -> Iterator[str]:
    yield from (trip.id for trip in page.items if isinstance(trip, PlacedTrip) and trip.destinations)


get_me = tool(
    GET_ME,
    title="Who am I",
    description="Find the user's groups (groupId for create_trip), what the key may do, and where trips are kept.",
)
_of_the_trips_api = tool(
    LIST_TRIPS,
    title="List trips",
    description="Find a trip and its tripId. Its number is its id for the event tools.",
    apart="Find a trip and its tripId.",
    view=Listed(item=PlacedTrip, known=frozenset(), filter=Filter(TripFilter, _matching, _unknown)),
)
list_trips = replace(_of_the_trips_api, run=_list, told_of=_with_destinations)
create_trip = tool(
    CREATE_TRIP,
    title="Create trip",
    description="Start a new trip in one of the user's groups (get_me lists them). Use defaultGroupId if the user "
    "names none.",
    lookup="get_me",
)
get_trip = tool(
    GET_TRIP,
    title="Get trip",
    description="Read one trip's title, dates and status. Its contents are in export_trip.",
    lookup="list_trips",
)
update_trip = tool(
    UPDATE_TRIP,
    title="Update trip",
    description="Rename a trip, move its dates or change its status. Omitted fields stay; legs and commitments keep "
    "their own dates.",
    lookup="list_trips",
)
archive_trip = tool(
    ARCHIVE_TRIP,
    title="Archive trip",
    description="Archive a trip when it is over. Its status becomes completed. Nothing is erased; update_trip "
    "reopens it.",
    lookup="list_trips",
)
