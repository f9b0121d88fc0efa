"""What a key allows, told from its scopes: which tools it is shown, and which it may not call.

The client and the service check every call by themselves. This is so that an agent is not offered what it can't do,
and so that a host is told, in HTTP's own way, which scope to ask its user for.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Final

from trips_mcp.server.http.challenge import out_of_scope
from trips_mcp.server.inbox import Message
from trips_mcp.tools.catalogue import Entry, entries

_ALWAYS: Final = ("any key", "nobody")


class Scoping:
    def __init__(self, *, one_key: bool) -> None:
        """`one_key`: whether the scopes are those of the Events API, too; else its tokens have none."""
        self._one_key = one_key

    def shown(self, listing: Iterable[dict[str, Any]], scopes: Iterable[str] | None) -> list[dict[str, Any]]:
        return [tool for tool in listing if self._lacking(tool["name"], scopes) is None]

    def check(self, message: Message, scopes: Iterable[str] | None) -> None:
        """Raises: RefusalError, a 403, for a call of a tool that these scopes forbid."""
        tool = called_tool(message)
        if tool is not None and (scope := self._lacking(tool, scopes)) is not None:
            raise out_of_scope(tool, scope, message.get("id"))

    def known(self, tool: str | None) -> str | None:
        """The name, if there is such a tool: any other text is the client's own, and nothing for a log."""
        return tool if tool in self._entries else None

    def _lacking(self, tool: str, scopes: Iterable[str] | None) -> str | None:
        """The scope that is lacking for this tool. Where nothing is known of the key, it is tried."""
        entry = self._entries.get(tool)
        if entry is None or scopes is None or entry["scope"] in _ALWAYS:
            return None
        if entry["api"] == "events" and not self._one_key:
            return None
        return None if _allows(scopes, entry) else entry["scope"]

    @cached_property
    def _entries(self) -> dict[str, Entry]:
        return {entry["listing"]["name"]: entry for entry in entries()}


def called_tool(message: Message) -> str | None:
    if message.get("method") != "tools/call":
        return None
    params: Mapping[str, object] = message.get("params") or {}
    name = params.get("name")
    return name if isinstance(name, str) else None


def _allows(scopes: Iterable[str], entry: Entry) -> bool:
    """A key limited to a trip may use what is about that one, and may list trips, where it is shown that one."""
    fitting = [scope for scope in scopes if f"{scope}:".startswith(f"{entry['scope']}:")]
    if entry["scope"] in fitting:
        return True
    listing = entry["listing"]
    about_a_trip = "tripId" in listing["inputSchema"]["properties"] or entry["api"] == "events"
    return bool(fitting) and (about_a_trip or listing["annotations"]["readOnlyHint"])
