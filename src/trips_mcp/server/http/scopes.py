"""What a server shows to whom: one SDK server for all whose keys open the same APIs and have the same scopes.

It keeps nothing of its callers: whose client a call uses is handed to it with each request (`exchange.py`).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Final

from mcp.server import Server

from trips_mcp.server.client_holder import ClientHolder
from trips_mcp.server.http.auth import out_of_scope
from trips_mcp.server.http.limits import Deadlines
from trips_mcp.server.offer import Offer
from trips_mcp.server.server import build_server
from trips_mcp.server.stdio.jsonrpc import Message
from trips_mcp.settings import Settings, SettingsError
from trips_mcp.tools.listing import Entry, entries
from trips_mcp.tools.selection.scope_filter import lack

Offering = Callable[[Settings], Offer]

_MOST_SERVERS: Final = 64


class ScopedServers:
    def __init__(self, settings: Settings, deadlines: Deadlines, offering: Offering, *, keyed: bool) -> None:
        """`keyed`: whether callers bring their keys (`settings_of_callers`)."""
        self._settings = settings
        self._offering = offering
        self._keyed = keyed
        self._deadlines = deadlines
        self._made = lru_cache(_MOST_SERVERS)(self._make)

    def of(self, scopes: Iterable[str] | None, *, events: bool) -> Server[ClientHolder]:
        """`events`: whether the caller has a token for the Events API."""
        return self._made(None if scopes is None else tuple(sorted(scopes)), events)

    def _make(self, scopes: tuple[str, ...] | None, events: bool) -> Server[ClientHolder]:
        server = build_server(self._offer(scopes, events))
        server.middleware.append(self._deadlines)
        return server

    def _offer(self, scopes: tuple[str, ...] | None, events: bool) -> Offer:
        """How tools conduct themselves over HTTP is settled here, too."""
        settings = self._settings
        if self._keyed and not events:
            settings = replace(settings, caller_apis=("trips",))
        try:
            return self._offering(settings if scopes is None else replace(settings, scopes=scopes))
        except SettingsError:  # of what was chosen for this server the key allows nothing
            offered = self._offering(settings)
            conduct = replace(offered.conduct, absent=offered.conduct.absent | offered.names)
            return replace(offered, listing=[], conduct=conduct)


class ScopeCheck:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def check(self, message: Message, scopes: Iterable[str] | None) -> None:
        """Raises: RefusalError, a 403, for a call of a tool that these scopes forbid."""
        tool = called_tool(message)
        entry = self._entries.get(tool or "")
        if tool is None or entry is None:
            return
        found = lack(entry, scopes, events_too=self._settings.team, trip=self._settings.trip)
        if found is not None:
            raise out_of_scope(tool, found.scope, message.get("id"))

    def known(self, tool: str | None) -> str | None:
        """The name, if there is such a tool: any other text is the client's own, and nothing for a log."""
        return tool if tool in self._entries else None

    @cached_property
    def _entries(self) -> dict[str, Entry]:
        return {entry["listing"]["name"]: entry for entry in entries()}


def called_tool(message: Message) -> str | None:
    if message.get("method") != "tools/call":
        return None
    params: Mapping[str, object] = message.get("params") or {}
    name = params.get("name")
    return name if isinstance(name, str) else None
