"""MCP Apps: the page that a host draws in the chat, and which hosts draw one. Imported at start, so it stays light.

The extension is https://github.com/modelcontextprotocol/ext-apps, of 2026-01-26.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from trips_mcp.json_values import is_list, is_object

EXTENSION: Final = "io.modelcontextprotocol/ui"
MIME_TYPE: Final = "text/html;profile=mcp-app"
SCHEME: Final = "ui://"
TRIP_PAGE: Final = "ui://trips-mcp/trip.html"
META: Final[dict[str, Any]] = {
    "ui": {
        "csp": {"connectDomains": [], "resourceDomains": [], "frameDomains": [], "baseUriDomains": []},
        "prefersBorder": True,
    }
}
"""The page loads nothing."""
RESOURCE: Final[dict[str, Any]] = {
    "uri": TRIP_PAGE,
    "name": "trip_page",
    "title": "Trip page",
    "description": "The page that show_trip draws: a map, a timeline and a list.",
    "mimeType": MIME_TYPE,
    "_meta": META,
}
"""Its entry in resources/list, in wire format."""


def draws(extensions: object) -> bool:
    """Whether a client with these `extensions`, of its capabilities, draws pages."""
    said: object = extensions.get(EXTENSION) if is_object(extensions) else None
    if not is_object(said):
        return False
    kinds: object = said.get("mimeTypes", [MIME_TYPE])
    return is_list(kinds) and MIME_TYPE in kinds


def with_pages(listing: Iterable[dict[str, Any]], pages: Mapping[str, str]) -> list[dict[str, Any]]:
    """The tools for a host that draws. `pages`: by tool, the URI of the page that its results are drawn in."""
    return [
        {**tool, "_meta": {**tool.get("_meta", {}), "ui": {"resourceUri": pages[tool["name"]]}}}
        if tool["name"] in pages
        else tool
        for tool in listing
    ]
