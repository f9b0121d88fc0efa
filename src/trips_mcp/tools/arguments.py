"""Tolerant reading of arguments: what clients really send, converted to what the schema says.

Some clients send null or "" for each optional argument they leave out, and everything but text as JSON in a string.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from trips_mcp.json_values import is_list, is_object

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "boolean": (bool,),
    "integer": (int, float),
    "number": (int, float),
}
_SWITCHES: Final = {"true": True, "false": False}


def tidied(value: object, schema: dict[str, Any]) -> Any:
    """`value` with JSON strings decoded where no text is expected, and without null or "" in optional fields."""
    kind = schema.get("type")
    if isinstance(value, str) and kind in _TYPES:
        value = _decoded(value, kind)
    if kind == "object" and is_object(value):
        return _without_blanks(value, schema)
    if kind == "array" and is_list(value):
        return [tidied(item, schema["items"]) for item in value]
    return value


def only_blank(given: Mapping[str, object], schema: dict[str, Any]) -> list[str]:
    """The fields of an update in which every value is "": it says neither what to change nor what to `clear`."""
    optional = schema["properties"].keys() - schema.get("required", ())
    said = {name: value for name, value in given.items() if name in optional and value is not None}
    updates = "clear" in optional and said and all(value == "" for value in said.values())
    return sorted(said) if updates else []


def _without_blanks(fields: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    required = schema.get("required", ())
    properties: dict[str, dict[str, Any]] = schema.get("properties", {})
    return {
        name: tidied(value, properties.get(name, {}))
        for name, value in fields.items()
        if value not in (None, "") or name in required or name not in properties
    }


def _decoded(text: str, kind: str) -> object:
    """The decoded value, or `text` itself if it is not of this kind."""
    if kind == "boolean":
        return _SWITCHES.get(text.strip().lower(), text)
    try:
        decoded: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return decoded if isinstance(decoded, _TYPES[kind]) and not isinstance(decoded, bool) else text
