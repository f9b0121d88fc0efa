"""An address taken apart: which trip, and what of it."""

import re
from typing import Final, NamedTuple
from urllib.parse import unquote

from trips_mcp.server.resource_uris import DAY, EXPORT, ITINERARY, SCHEME, ResourceKind

DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Place(NamedTuple):
    uri: str
    kind: ResourceKind
    trip: str
    date: str | None = None


def place_of(uri: str) -> Place | None:
    """None for an address that is none of ours; whether there is such a trip is another question."""
    if not uri.startswith(SCHEME):
        return None
    trip, *below = (unquote(part) for part in uri.removeprefix(SCHEME).removesuffix("/").split("/"))
    match below:
        case _ if not trip:
            return None
        case []:
            return Place(uri, ITINERARY, trip)
        case ["export.json"]:
            return Place(uri, EXPORT, trip)
        case ["day", date] if DATE.fullmatch(date):
            return Place(uri, DAY, trip, date)
        case _:
            return None
