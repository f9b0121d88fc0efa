"""What a server offers, derived from its settings; imported before the SDK, so it stays light."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trips_mcp.json_values import JsonObject
from trips_mcp.server.instructions import instructions
from trips_mcp.server.prompt_catalog import Prompt, offered_prompts
from trips_mcp.server.resource_catalog import ResourceKind, kinds, with_pages
from trips_mcp.settings import Settings
from trips_mcp.tools import load
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.selection import choose

if TYPE_CHECKING:
    from trips_mcp.client import TripsClient
    from trips_mcp.tools import Tool

NAME = "trips-mcp"
TITLE = "Trips"
WEBSITE = "https://github.com/trips-mcp/trips-mcp"
ICON = {
    "src": "https://raw.githubusercontent.com/trips-mcp/trips-mcp/main/assets/icon.png",
    "mimeType": "image/png",
    "sizes": ["512x512"],
}
FRESH_MS = 300_000
"""How long a client may cache a list, in milliseconds. Lists change only with a restart."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # nothing compares it, and the start is faster
class Offer:
    """The tools, prompts and resources of a server, and what they need to run."""

    instructions: str
    listing: list[dict[str, Any]]
    """The tools, in wire format."""
    missing: dict[str, str]
    """For each tool that is not offered: the reason, and the setting that excludes it."""
    load_tool: "Callable[[str], Tool[Any, Any]]"
    """Imports the tool of this name."""
    connect: "Callable[[], AbstractAsyncContextManager[TripsClient]]"
    conduct: Conduct = field(default_factory=Conduct)
    pages: Mapping[str, str] = field(default_factory=dict[str, str])
    """By tool, the URI of the page in which hosts with MCP Apps draw its results."""

    @property
    def has_page(self) -> bool:
        """Whether any tool that can be called has a page."""
        return not self.names.isdisjoint(self.pages)

    @property
    def has_resources(self) -> bool:
        return bool(self.resources) or self.has_page

    def listing_for(self, *, draws: bool) -> list[dict[str, Any]]:
        """The tools for a host that draws pages, or does not."""
        return with_pages(self.listing, self.pages) if draws and self.pages else self.listing

    @property
    def names(self) -> frozenset[str]:
        """The tools that can be called."""
        return frozenset(listing["name"] for listing in self.listing)

    @property
    def prompts(self) -> list[Prompt]:
        return offered_prompts(self.names, self.conduct.trip)

    @property
    def resources(self) -> tuple[ResourceKind, ...]:
        return kinds(self.names)

    @property
    def templates(self) -> list[dict[str, Any]]:
        """The URI templates that have a variable, in wire format."""
        wire = (kind.template(self.conduct.trip) for kind in self.resources)
        return [template for template in wire if "{" in template["uriTemplate"]]

    @property
    def completes(self) -> bool:
        """Whether any argument can be completed."""
        return bool(self.prompts or self.templates)


def offer(settings: Settings, *, masks: bool = False) -> Offer:
    """`masks`: whether secrets are masked by default on this transport.

    Raises: SettingsError if the settings select unknown tools, or none.
    """
    choice = choose(settings, masks=masks)
    return Offer(
        instructions=instructions(settings, {listing["name"] for listing in choice.listing}),
        listing=choice.listing,
        pages={entry["listing"]["name"]: entry["page"] for entry in choice.entries if "page" in entry},
        missing={name: why.sentence for name, why in choice.hidden.items()},
        load_tool=load,
        connect=lambda: _connect(settings),
        conduct=Conduct(
            mask_secrets=settings.masks_secrets(by_default=masks),
            trip=settings.trip,
            local=settings.embedded,
            one_store=settings.one_store,
            event_trips=settings.event_trips,
            absent=frozenset(choice.hidden),
            twin=_twin,
            files=settings.files,
            writes_files=settings.files is not None and not settings.read_only,
        ),
    )


def _twin(
    export: JsonObject, events: list[JsonObject], number: int | None, other_numbers: Collection[int] = ()
) -> "AbstractAsyncContextManager[TripsClient]":
    from trips_mcp.connect import twin

    return twin(export, events, number, other_numbers)


def _connect(settings: Settings) -> "AbstractAsyncContextManager[TripsClient]":
    from trips_mcp.connect import connect

    return connect(settings)
