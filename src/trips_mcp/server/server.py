"""The MCP server: an SDK `Server` with the handlers of everything that is offered."""

from functools import cached_property
from typing import Any

from mcp.server import CacheHint, Server
from mcp_types import Icon
from opentelemetry.trace import ProxyTracerProvider, get_tracer_provider
from typing_extensions import override

from trips_mcp import __version__
from trips_mcp.server.client_holder import ClientHolder, client_lifespan
from trips_mcp.server.handlers import LazyTools, add_prompts, add_tools
from trips_mcp.server.offer import FRESH_MS, ICON, NAME, TITLE, WEBSITE, Offer
from trips_mcp.server.resource_catalog import EXTENSION
from trips_mcp.server.resource_handlers import TripCache, add_completions, add_resources

_LISTS = CacheHint(ttl_ms=FRESH_MS, scope="private")
_OF_THE_MOMENT = CacheHint(ttl_ms=0, scope="private")


class _Server(Server[ClientHolder]):
    """The SDK's server, without its work for each call that no response and no trace shows."""

    @property
    @override
    def server_info_stamp(self) -> dict[str, Any]:
        """Shared, not the SDK's deep copy for each response: nothing here changes a response."""
        return self._shared_stamp

    @cached_property
    def _shared_stamp(self) -> dict[str, Any]:
        return super().server_info_stamp

    def without_unseen_traces(self) -> "_Server":
        """Drops the SDK's tracing, its only middleware, if this process has nothing that collects traces."""
        if isinstance(get_tracer_provider(), ProxyTracerProvider):
            self.middleware.clear()
        return self


def build_server(offer: Offer) -> Server[ClientHolder]:
    """Builds the server. The first call opens the client, and the first call of each tool imports it."""
    server = _Server(
        NAME,
        version=__version__,
        title=TITLE,
        website_url=WEBSITE,
        icons=[Icon.model_validate(ICON)],
        instructions=offer.instructions,
        cache_hints={
            "server/discover": _LISTS,
            "tools/list": _LISTS,
            "prompts/list": _LISTS,
            "resources/templates/list": _LISTS,
            "resources/list": _OF_THE_MOMENT,
            "resources/read": _OF_THE_MOMENT,
        },
        lifespan=lambda _: client_lifespan(offer.connect),
    ).without_unseen_traces()
    tools = LazyTools(offer.load_tool)
    trips = TripCache(offer.conduct.trip)
    add_tools(server, offer, tools)
    # Register only what is offered. Anything else is no capability, and its method is not found.
    if offer.prompts:
        add_prompts(server, offer)
    if offer.has_page:
        server.extensions[EXTENSION] = {}
    if offer.has_resources:
        add_resources(server, offer, tools, trips)
    if offer.completes:
        add_completions(server, offer, trips)
    return server
