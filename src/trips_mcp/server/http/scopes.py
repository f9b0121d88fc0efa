"""Scopes over HTTP: what a key lists, and a 403 for a tool that it may not call.

Callers whose keys have the same APIs and scopes share an SDK server. It keeps no state of its callers; each request
brings its client (`streamable.py`). The client and the service check every call too. The 403 tells a host, in HTTP
terms, which scope to request.
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
from trips_mcp.tools.selection.rules import lack

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
        """The offer for these scopes."""
        settings = self._settings
        if self._keyed and not events:
            settings = replace(settings, caller_apis=("trips",))
        try:
            return self._offering(settings if scopes is None else replace(settings, scopes=scopes))
        except SettingsError:  # the key allows none of this server's tools
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
        """The name if it is a tool; other text from a client must not reach the log."""
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
