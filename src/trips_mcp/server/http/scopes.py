"""What a server shows to whom: one SDK server for all whose keys open the same APIs and have the same scopes.

It keeps nothing of its callers: whose client a call uses is handed to it with each request (`exchange.py`).
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Final

from mcp.server import Server

from trips_mcp.server.client_holder import ClientHolder
from trips_mcp.server.http.deadlines import Deadlines
from trips_mcp.server.offer import Offer
from trips_mcp.server.server import build_server
from trips_mcp.settings import Settings, SettingsError

Offering = Callable[[Settings], Offer]

_MOST_FACES: Final = 64


class Faces:
    def __init__(self, settings: Settings, deadlines: Deadlines, offering: Offering, *, keyed: bool) -> None:
        """`keyed`: whether callers bring their keys (`settings_of_callers`)."""
        self._settings = settings
        self._offering = offering
        self._keyed = keyed
        self._deadlines = deadlines
        self._made = lru_cache(_MOST_FACES)(self._make)

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
            settings = replace(settings, events_token=None)
        try:
            return self._offering(settings if scopes is None else replace(settings, scopes=scopes))
        except SettingsError:  # of what was chosen for this server the key allows nothing
            offered = self._offering(settings)
            conduct = replace(offered.conduct, absent=offered.conduct.absent | offered.names)
            return replace(offered, listing=[], conduct=conduct)
