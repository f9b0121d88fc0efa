"""Early responses to a host's opening messages, sent while the SDK is still being imported.

The import takes most of a second. This module does no I/O. It leaves every message that it does not fully understand
to the SDK, after a replay of the opening.
"""

import json
import os
from collections.abc import Mapping
from typing import Any, Final

from trips_mcp import __version__
from trips_mcp.json_values import is_list, is_object, is_text
from trips_mcp.server.jsonrpc import (
    CAPABILITIES_KEY,
    CLIENT_KEY,
    PREFIX,
    VERSION_KEY,
    Message,
    has_envelope,
    is_request_id,
)
from trips_mcp.server.offer import FRESH_MS, ICON, NAME, TITLE, WEBSITE, Offer
from trips_mcp.server.resource_catalog import EXTENSION, draws

HANDSHAKE_VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
ENVELOPE_VERSION = "2026-07-28"

REPLAYED: Final = f"trips-mcp/replayed/{os.urandom(16).hex()}"
"""The id of a replayed request. Its response is not written, because the client already has one.

The SDK copies ids by value, so object identity does not work; this is a value that no client can guess.
"""

NOTHING = b""
_METHOD_NOT_FOUND = -32601
_LISTS = ("tools/list", "prompts/list", "resources/list", "resources/templates/list")
_DEFERRED: Final[dict[str, Any]] = {}
"""Marks a request that the SDK must answer, while later messages need not wait for it."""
_SERVER = {"name": NAME, "title": TITLE, "version": __version__, "websiteUrl": WEBSITE, "icons": [ICON]}
_STAMP = {
    "_meta": {PREFIX + "serverInfo": _SERVER},
    "resultType": "complete",
    "ttlMs": FRESH_MS,
    "cacheScope": "private",
}


class EarlyResponses:
    """The opening of one connection. Its first request decides the era of the protocol."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self._opening: Message | None = None
        self._initialized: Message | None = None
        self._deferred: list[Message] = []
        self._lists = _lists(offer)
        self.listed = False
        """Whether the client has listed the tools, the last request of most hosts before a user acts."""

    @property
    def opened(self) -> bool:
        return self._opening is not None

    @property
    def has_deferred(self) -> bool:
        """Whether requests wait for the SDK."""
        return bool(self._deferred)

    def replay(self) -> list[Message]:
        """The messages that bring the SDK to the client's state, then those it must answer."""
        return [message for message in (self._opening, self._initialized) if message is not None] + self._deferred

    def answer(self, message: Message) -> bytes | None:
        """The line to write; NOTHING if no response is due yet; None if the SDK must take over."""
        method: str = message["method"]
        if "id" not in message:
            if method == "notifications/initialized":
                self._initialized = message
            elif self._deferred:  # it may cancel a deferred request
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
        """Handles the era without a handshake."""
        if not is_bare_envelope(params) or (self._opening or {}).get("method") not in (None, "server/discover"):
            return None
        outcome = self._envelope_outcome(method, draws(params["_meta"][CAPABILITIES_KEY].get("extensions")))
        if outcome is not None and self._opening is None:
            self._opening = _replayed("server/discover", params)
        return outcome

    def _envelope_outcome(self, method: str, draws_pages: bool) -> dict[str, Any] | None:
        if method == "server/discover":
            told = self._capabilities_and_instructions()
            if self._offer.has_page:
                told["capabilities"]["extensions"] = {EXTENSION: {}}
            return {"result": {**told, "supportedVersions": [ENVELOPE_VERSION], **_STAMP}}
        return self._list_outcome(method, _STAMP, draws_pages)

    def _with_handshake(self, method: str, params: Mapping[str, Any]) -> dict[str, Any] | None:
        if method == "initialize" and self._opening is None and is_handshake(params):
            self._opening = _replayed(method, params)
            return {"result": self._initialize_result(params["protocolVersion"])}
        if (self._opening or {}).get("method") != "initialize" or not is_bare(params):
            return None
        if method == "ping":
            return {"result": {}}
        return self._list_outcome(method, {}, draws((self._opening or {})["params"]["capabilities"].get("extensions")))

    def _list_outcome(self, method: str, stamp: dict[str, Any], draws_pages: bool) -> dict[str, Any] | None:
        if method == "resources/list" and self._offer.has_resources:
            return _DEFERRED  # listing the trips needs the client
        if method == "tools/list":
            return {"result": {"tools": self._offer.listing_for(draws=draws_pages), **stamp}}
        if method in self._lists:
            return {"result": {**self._lists[method], **stamp}}
        return _not_found(method) if method in _LISTS else None

    def _initialize_result(self, version: str) -> dict[str, Any]:
        spoken = version if version in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1]
        return {"protocolVersion": spoken, "serverInfo": _SERVER, **self._capabilities_and_instructions()}

    def _capabilities_and_instructions(self) -> dict[str, Any]:
        return {"capabilities": _capabilities(self._offer), "instructions": self._offer.instructions}


def _lists(offer: Offer) -> dict[str, dict[str, Any]]:
    """The results that need no client and are the same for every host, by method."""
    found: dict[str, dict[str, Any]] = {}
    if prompts := offer.prompts:
        found["prompts/list"] = {"prompts": [prompt.listing() for prompt in prompts]}
    if offer.has_resources:
        found["resources/templates/list"] = {"resourceTemplates": offer.templates}
    return found


def _capabilities(offer: Offer) -> dict[str, Any]:
    found: dict[str, Any] = {"tools": {"listChanged": False}}
    if offer.prompts:
        found["prompts"] = {"listChanged": False}
    if offer.has_resources:
        found["resources"] = {"subscribe": False, "listChanged": False}
    if offer.completes:
        found["completions"] = {}
    return found


def _replayed(method: str, params: Mapping[str, Any]) -> Message:
    return {"jsonrpc": "2.0", "id": REPLAYED, "method": method, "params": params}


def _not_found(method: str) -> dict[str, Any]:
    return {"error": {"code": _METHOD_NOT_FOUND, "message": "Method not found", "data": method}}


# Strict checks that a client's params hold only what the SDK accepts. Early responses go only to requests that pass. A
# false negative costs some milliseconds; a false positive would open a connection that the SDK then refuses.

_CAPABILITIES = {"roots", "sampling", "elicitation", "tasks"}
_OPEN_CAPABILITIES = {"experimental", "extensions"}


def is_handshake(params: Mapping[str, Any]) -> bool:
    return (
        params.keys() <= {"protocolVersion", "capabilities", "clientInfo", "_meta"}
        and is_text(params.get("protocolVersion"))
        and _is_capabilities(params.get("capabilities"))
        and _is_implementation(params.get("clientInfo"))
        and _is_meta(params.get("_meta", {}))
    )


def is_bare(params: Mapping[str, Any]) -> bool:
    """Whether there is only a `_meta`, of the era with a handshake."""
    return params.keys() <= {"_meta"} and _is_meta(params.get("_meta", {}))


def is_bare_envelope(params: Mapping[str, Any]) -> bool:
    """Whether there is only a `_meta`, complete for the era without a handshake."""
    if not has_envelope(params) or set(params) != {"_meta"}:
        return False
    rest: dict[str, Any] = dict(params["_meta"])
    return (
        rest.pop(VERSION_KEY) == ENVELOPE_VERSION
        and _is_capabilities(rest.pop(CAPABILITIES_KEY, None))
        and _is_implementation(rest.pop(CLIENT_KEY, {"name": "", "version": ""}))
        and _is_meta(rest)
    )


def _is_meta(value: object) -> bool:
    return (
        is_object(value)
        and not any(not is_text(key) or key.startswith(PREFIX) for key in value)
        and is_request_id(value.get("progressToken", 0))
    )


def _is_implementation(value: object) -> bool:
    if not is_object(value):
        return False
    texts = {name: part for name, part in value.items() if name != "icons"}
    return {"name", "version"} <= texts.keys() and _all_text(texts) and _is_icons(value.get("icons", []))


def _is_icons(value: object) -> bool:
    return is_list(value) and all(
        is_object(icon) and icon.keys() <= {"src", "mimeType"} and "src" in icon and _all_text(icon) for icon in value
    )


def _is_capabilities(value: object) -> bool:
    return is_object(value) and all(_is_capability(name, said) for name, said in value.items())


def _is_capability(name: str, said: object) -> bool:
    if not is_text(name) or not is_object(said):
        return False
    if name in _OPEN_CAPABILITIES:
        return all(is_text(key) and is_object(part) for key, part in said.items())
    return name not in _CAPABILITIES or _is_tree(said)


def _is_tree(value: object) -> bool:
    """Capabilities are nested objects; `listChanged` is the only flag."""
    return is_object(value) and all(
        is_text(key) and (isinstance(part, bool) if key == "listChanged" else _is_tree(part))
        for key, part in value.items()
    )


def _all_text(value: Mapping[str, Any]) -> bool:
    return all(is_text(key) and is_text(part) for key, part in value.items())
