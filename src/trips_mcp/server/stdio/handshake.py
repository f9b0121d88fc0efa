"""Strict checks that a client's params hold only what the SDK accepts.

Early responses go only to requests that pass; the SDK answers the others. A false negative costs some milliseconds.
A false positive would open a connection that the SDK then refuses.
"""

from collections.abc import Mapping
from typing import Any

from trips_mcp.json_values import is_list, is_object, is_text
from trips_mcp.server.stdio.jsonrpc import is_request_id

HANDSHAKE_VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
ENVELOPE_VERSION = "2026-07-28"
PREFIX = "io.modelcontextprotocol/"
VERSION_KEY = PREFIX + "protocolVersion"
CAPABILITIES_KEY = PREFIX + "clientCapabilities"
CLIENT_KEY = PREFIX + "clientInfo"

_CAPABILITIES = {"roots", "sampling", "elicitation", "tasks"}
_OPEN_CAPABILITIES = {"experimental", "extensions"}


def has_envelope(params: Mapping[str, Any]) -> bool:
    """Whether a request is of the era without a handshake. The SDK checks the same key."""
    meta: object = params.get("_meta")
    return is_object(meta) and VERSION_KEY in meta


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
