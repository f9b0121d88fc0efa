"""The resources: those of a trip, with their `trips://` URIs, and the page that hosts draw in the chat (MCP Apps).

Imported at start, so it stays light. The extension is https://github.com/modelcontextprotocol/ext-apps, of 2026-01-26.
"""

from collections.abc import Iterable, Mapping, Set
from typing import Any, Final, NamedTuple

from trips_mcp.json_values import is_list, is_object

MARKDOWN: Final = "text/markdown"
JSON: Final = "application/json"

SCHEME: Final = "trips://"


class ResourceKind(NamedTuple):
    """A kind of resource: the result of one tool. It is offered only if the tool is."""

    name: str
    tool: str
    path: str
    """The path below the trip's URI."""
    title: str
    description: str
    mime_type: str

    @property
    def is_whole(self) -> bool:
        """Whether each trip has exactly one."""
        return "{" not in self.path

    def template(self, trip: str | None) -> dict[str, Any]:
        """The entry in resources/templates/list, in wire format."""
        return {
            "uriTemplate": f"{SCHEME}{{tripId}}{self.path}" if trip is None else uri_of(self, trip),
            "name": f"trip_{self.name}",
            "title": self.title,
            "description": self.description,
            "mimeType": self.mime_type,
        }


ITINERARY: Final = ResourceKind(
    name="itinerary",
    tool="get_timeline",
    path="",
    title="Itinerary",
    description="A whole trip, day by day in local times, with the ids to act on.",
    mime_type=MARKDOWN,
)
DAY: Final = ResourceKind(
    name="day",
    tool="get_day",
    path="/day/{date}",
    title="Day",
    description="All that concerns one date (YYYY-MM-DD), in the order of the day and in local times.",
    mime_type=MARKDOWN,
)
EXPORT: Final = ResourceKind(
    name="export",
    tool="export_trip",
    path="/export.json",
    title="Export",
    description="A whole trip as data: legs, map pins, action items, commitments, members, events.",
    mime_type=JSON,
)
CALENDAR: Final = ResourceKind(
    name="calendar",
    tool="export_file",
    path="/calendar.ics",
    title="Calendar",
    description="A trip's flights, stays, cars and plans for a calendar, without codes, contacts and notes.",
    mime_type="text/calendar",
)
PLACES: Final = ResourceKind(
    name="places",
    tool="export_file",
    path="/places.geojson",
    title="Places",
    description="A trip's pins and route for a map, without notes.",
    mime_type="application/geo+json",
)
PAGE: Final = ResourceKind(
    name="page",
    tool="export_file",
    path="/page.html",
    title="Page",
    description="A trip as a web page with map and timeline, without codes, contacts and notes.",
    mime_type="text/html",
)
KINDS: Final = (ITINERARY, DAY, EXPORT, CALENDAR, PLACES, PAGE)


def kinds(offered: Set[str]) -> tuple[ResourceKind, ...]:
    return tuple(kind for kind in KINDS if kind.tool in offered)


def uri_of(kind: ResourceKind, trip: str) -> str:
    from urllib.parse import quote  # most starts do not need it

    return f"{SCHEME}{quote(trip, safe='')}{kind.path}"


EXTENSION: Final = "io.modelcontextprotocol/ui"
PAGE_MIME_TYPE: Final = "text/html;profile=mcp-app"
TRIP_PAGE: Final = "ui://trips-mcp/trip.html"
PAGE_META: Final[dict[str, Any]] = {
    "ui": {
        "csp": {"connectDomains": [], "resourceDomains": [], "frameDomains": [], "baseUriDomains": []},
        "prefersBorder": True,
    }
}
"""The page loads nothing."""
PAGE_RESOURCE: Final[dict[str, Any]] = {
    "uri": TRIP_PAGE,
    "name": "trip_page",
    "title": "Trip page",
    "description": "The page that show_trip draws: a map, a timeline and a list.",
    "mimeType": PAGE_MIME_TYPE,
    "_meta": PAGE_META,
}
"""Its entry in resources/list, in wire format."""


def draws(extensions: object) -> bool:
    """Whether a client with these `extensions`, of its capabilities, draws pages."""
    said: object = extensions.get(EXTENSION) if is_object(extensions) else None
    if not is_object(said):
        return False
    kinds: object = said.get("mimeTypes", [PAGE_MIME_TYPE])
    return is_list(kinds) and PAGE_MIME_TYPE in kinds


def with_pages(listing: Iterable[dict[str, Any]], pages: Mapping[str, str]) -> list[dict[str, Any]]:
    """The tools for a host that draws. `pages`: by tool, the URI of the page that its results are drawn in."""
    return [
        {**tool, "_meta": {**tool.get("_meta", {}), "ui": {"resourceUri": pages[tool["name"]]}}}
        if tool["name"] in pages
        else tool
        for tool in listing
    ]
