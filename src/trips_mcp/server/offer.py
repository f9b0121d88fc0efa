"""What a server has to offer, settled by its settings alone: read before the SDK is, so it must stay light."""

from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trips_mcp.server.instructions import instructions
from trips_mcp.settings import Settings
from trips_mcp.tools.catalogue import catalogue

if TYPE_CHECKING:
    from trips_mcp.client import TripsClient
    from trips_mcp.tools import Tool

NAME = "trips-mcp"
TITLE = "Trips"
FRESH_MS = 300_000
"""How long a client may keep a list; ours change with the settings, so with a restart."""

_KEYS = {"trips": ("Trips", "OSOTO_API_KEY"), "events": ("Events", "TRAVELMODE_TOKEN")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    instructions: str
    listing: list[dict[str, Any]]
    """The tools, as they stand on the wire."""
    missing: dict[str, str]
    """For each tool that is not offered: what has to be set for it."""
    load_tools: "Callable[[], Iterable[Tool[Any, Any]]]"
    connect: "Callable[[], AbstractAsyncContextManager[TripsClient]]"


def offer(settings: Settings) -> Offer:
    return Offer(
        instructions=instructions(settings),
        listing=catalogue(settings.apis),
        missing=_missing(settings.apis, settings.notices),
        load_tools=_load_tools,
        connect=lambda: _connect(settings),
    )


def _missing(apis: Collection[str], notices: Iterable[str]) -> dict[str, str]:
    return {
        listing["name"]: " ".join(
            (f"{listing['name']} needs the {api} API, which is not set up: set {key} for this server.", *notices)
        )
        for name, (api, key) in _KEYS.items()
        if name not in apis
        for listing in catalogue([name])
    }


def _load_tools() -> "Iterable[Tool[Any, Any]]":
    from trips_mcp.tools import TOOLS

    return TOOLS


def _connect(settings: Settings) -> "AbstractAsyncContextManager[TripsClient]":
    from trips_mcp.connect import connect

    return connect(settings)
