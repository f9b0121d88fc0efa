"""Arguments as clients really send them, brought to what the schema says.

Some clients send a null for every optional argument they leave out, and objects or lists as JSON in a string.
"""

import json
from typing import Any, TypeGuard

from trips_mcp.contract.models import is_object


def tidied(value: object, schema: dict[str, Any]) -> Any:
    """`value` with JSON-encoded objects and lists decoded, and the nulls of optional fields left out."""
    kind = schema.get("type")
    if isinstance(value, str) and kind in ("object", "array"):
        value = _decoded(value, dict if kind == "object" else list)
    if kind == "object" and is_object(value):
        return _without_nulls(value, schema)
    if kind == "array" and _is_list(value):
        return [tidied(item, schema["items"]) for item in value]
    return value


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _without_nulls(fields: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    required = schema.get("required", ())
    properties: dict[str, dict[str, Any]] = schema["properties"]
    return {
        name: tidied(value, properties.get(name, {}))
        for name, value in fields.items()
        if value is not None or name in required or name not in properties
    }


def _decoded(text: str, kind: type) -> object:
    try:
        decoded: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return decoded if isinstance(decoded, kind) else text
