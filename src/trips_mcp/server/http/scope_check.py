"""A call of a tool that the caller's scopes forbid is answered with a 403, before anything runs.

The client and the service check every call by themselves. This is so that a host is told, in HTTP's own way, which
scope to ask its user for. The same rule has taken the tool off what is offered (`faces.py`).
"""

from collections.abc import Iterable, Mapping
from functools import cached_property

from trips_mcp.server.http.auth_challenge import out_of_scope
from trips_mcp.server.stdio.jsonrpc import Message
from trips_mcp.settings import Settings
from trips_mcp.tools.listing import Entry, entries
from trips_mcp.tools.selection.scope_filter import lack


class Scoping:
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
