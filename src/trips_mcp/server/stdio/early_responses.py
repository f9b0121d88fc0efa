"""Answers what a host asks on starting a server, before the SDK is there: its import takes most of a second.

Never does I/O itself. A message it does not fully understand it leaves to the SDK, which then is told what
has happened so far.
"""

import json
import os
from collections.abc import Mapping
from typing import Any, Final

from trips_mcp import __version__
from trips_mcp.server.offer import FRESH_MS, ICON, NAME, TITLE, WEBSITE, Offer
from trips_mcp.server.stdio.handshake import (
    ENVELOPE_VERSION,
    HANDSHAKE_VERSIONS,
    PREFIX,
    has_envelope,
    is_bare,
    is_bare_envelope,
    is_handshake,
)
from trips_mcp.server.stdio.jsonrpc import Message

REPLAYED: Final = f"trips-mcp/replayed/{os.urandom(16).hex()}"
"""The id of a replayed request, whose answer is not written: the client has had it.

The SDK copies ids by value, so this cannot be an object that only we hold; it is a value that no client can know.
"""

NOTHING = b""
_METHOD_NOT_FOUND = -32601
_LISTS = ("tools/list", "prompts/list", "resources/list", "resources/templates/list")
_DEFERRED: Final[dict[str, Any]] = {}
"""In place of an outcome: the SDK has to answer this one, but what follows need not wait for it."""
_SERVER = {"name": NAME, "title": TITLE, "version": __version__, "websiteUrl": WEBSITE, "icons": [ICON]}
_STAMP = {
    "_meta": {PREFIX + "serverInfo": _SERVER},
    "resultType": "complete",
    "ttlMs": FRESH_MS,
    "cacheScope": "private",
}


class EarlyResponses:
    """One connection's opening, in the era that its first request decides."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self._opening: Message | None = None
        self._initialized: Message | None = None
        self._deferred: list[Message] = []
        self._lists = _lists(offer)
        self.listed = False
        """Whether the tools were asked for, which is the last thing hosts do before they wait for a user."""

    @property
    def opened(self) -> bool:
        return self._opening is not None

    @property
    def has_deferred(self) -> bool:
        """Whether something waits for the SDK, that is to have it as soon as it is there."""
        return bool(self._deferred)

    def replay(self) -> list[Message]:
        """What the SDK has to be sent first, to be in the state the client knows; then what it has to answer."""
        return [message for message in (self._opening, self._initialized) if message is not None] + self._deferred

    def answer(self, message: Message) -> bytes | None:
        """The line to write; NOTHING where none is due yet; None if the SDK has to answer, and all that follows."""
        method: str = message["method"]
        if "id" not in message:
            if method == "notifications/initialized":
                self._initialized = message
            elif self._deferred:  # it may cancel what is held
                self._deferred.append(message)
            return NOTHING
        params: Mapping[str, Any] = message.get("params") or {}
        outcome = self._with_envelope(method, params) if has_envelope(params) else self._with_handshake(method, params)
        if outcome is None:
            return None
        if outcome is _DEFERRED:
            self._deferred.append(message)
            return NOTHING
        self.listed = self.listed or method == "tools/list"
        line = {"jsonrpc": "2.0", "id": message["id"], **outcome}
        return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    def _with_envelope(self, method: str, params: Mapping[str, Any]) -> dict[str, Any] | None:
        """The era without a handshake; `_with_handshake` is the one with."""
        if not is_bare_envelope(params) or (self._opening or {}).get("method") not in (None, "server/discover"):
            return None
        outcome = self._envelope_outcome(method)
        if outcome is not None and self._opening is None:
            self._opening = _replayed("server/discover", params)
        return outcome

    def _envelope_outcome(self, method: str) -> dict[str, Any] | None:
        if method == "server/discover":
            return {
                "result": {**self._capabilities_and_instructions(), "supportedVersions": [ENVELOPE_VERSION], **_STAMP}
            }
        return self._list_outcome(method, _STAMP)

    def _with_handshake(self, method: str, params: Mapping[str, Any]) -> dict[str, Any] | None:
        if method == "initialize" and self._opening is None and is_handshake(params):
            self._opening = _replayed(method, params)
            return {"result": self._initialize_result(params["protocolVersion"])}
        if (self._opening or {}).get("method") != "initialize" or not is_bare(params):
            return None
        if method == "ping":
            return {"result": {}}
        return self._list_outcome(method, {})

    def _list_outcome(self, method: str, stamp: dict[str, Any]) -> dict[str, Any] | None:
        if method == "resources/list" and self._offer.resources:
            return _DEFERRED  # which trips there are has to be asked for
        if method in self._lists:
            return {"result": {**self._lists[method], **stamp}}
        return _not_found(method) if method in _LISTS else None

    def _initialize_result(self, version: str) -> dict[str, Any]:
        spoken = version if version in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1]
        return {"protocolVersion": spoken, "serverInfo": _SERVER, **self._capabilities_and_instructions()}

    def _capabilities_and_instructions(self) -> dict[str, Any]:
        return {"capabilities": _capabilities(self._offer), "instructions": self._offer.instructions}


def _lists(offer: Offer) -> dict[str, dict[str, Any]]:
    """What is known without asking anybody, by the method that lists it."""
    found: dict[str, dict[str, Any]] = {"tools/list": {"tools": offer.listing}}
    if prompts := offer.prompts:
        found["prompts/list"] = {"prompts": [prompt.listing() for prompt in prompts]}
    if offer.resources:
        found["resources/templates/list"] = {"resourceTemplates": offer.templates}
    return found


def _capabilities(offer: Offer) -> dict[str, Any]:
    found: dict[str, Any] = {"tools": {"listChanged": False}}
    if offer.prompts:
        found["prompts"] = {"listChanged": False}
    if offer.resources:
        found["resources"] = {"subscribe": False, "listChanged": False}
    if offer.completes:
        found["completions"] = {}
    return found


def _replayed(method: str, params: Mapping[str, Any]) -> Message:
    return {"jsonrpc": "2.0", "id": REPLAYED, "method": method, "params": params}


def _not_found(method: str) -> dict[str, Any]:
    return {"error": {"code": _METHOD_NOT_FOUND, "message": "Method not found", "data": method}}
