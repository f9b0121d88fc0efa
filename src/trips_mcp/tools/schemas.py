"""The schemas of tools, and tolerant reading of arguments by them.

Input schemas are as every client accepts them: closed objects, nothing shared, no unions. Bounds are left out: models
do not heed them, some clients reject them, and `Tool.call` checks them anyway. Those that matter are in the
descriptions.

Some clients send null or "" for each optional argument they leave out, and everything but text as JSON in a string.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from trips_mcp.contract.models import Params, Result
from trips_mcp.json_values import is_list, is_object

_ORDER = ("type", "description", "enum", "properties", "required", "additionalProperties")
_BOUNDS = frozenset({"minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"})
_LEFT_OUT = _BOUNDS | {"title", "default", "format", "pattern", "$defs"}

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "boolean": (bool,),
    "integer": (int, float),
    "number": (int, float),
}
_SWITCHES: Final = {"true": True, "false": False}


def input_schema(model: type[Params]) -> dict[str, Any]:
    whole = model.model_json_schema()
    schema = _closed(whole, whole.get("$defs", {}))
    properties: dict[str, Any] = schema["properties"]
    if "clear" in properties:  # the field that matters least stands last
        properties["clear"] = properties.pop("clear")
    return schema


def _closed(schema: dict[str, Any], shared: dict[str, Any], described: bool = True) -> dict[str, Any]:
    """Inside lists nothing is described: a single-item tool says it, and here it would be paid for twice."""
    if "$ref" in schema:
        return _closed(shared[schema["$ref"].removeprefix("#/$defs/")], shared, described)
    left_out = _LEFT_OUT if described else _LEFT_OUT | {"description"}
    kept: dict[str, Any] = {key: value for key, value in schema.items() if key not in left_out}
    if is_object(items := kept.get("items")):
        kept["items"] = _closed(items, shared, described=False)
    if kept.get("type") == "object" and not _is_open(kept):
        properties: dict[str, Any] = kept.get("properties", {})
        kept["properties"] = {name: _closed(inner, shared, described) for name, inner in properties.items()}
        kept["additionalProperties"] = False
    return {key: kept[key] for key in sorted(kept, key=_rank)}


def _is_open(schema: dict[str, Any]) -> bool:
    """Whether it takes any object, such as the arguments of another tool."""
    return "properties" not in schema and schema.get("additionalProperties") is True


def _rank(key: str) -> int:
    return _ORDER.index(key) if key in _ORDER else len(_ORDER)


def output_schema(model: type[Result]) -> dict[str, Any]:
    """Of an answer. Nothing is required, as what has no content is left out; more may be there."""
    whole = model.model_json_schema(mode="serialization")
    schema = _open(whole, whole.get("$defs", {}))
    told = {"remarks": {"type": "array", "items": {"type": "string"}}, "quoting": {"type": "string"}}
    return {**schema, "properties": {**schema["properties"], **told}}


def _open(schema: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return _open(shared[schema["$ref"].removeprefix("#/$defs/")], shared)
    for choice in schema.get("anyOf", ()):
        if choice.get("type") != "null":
            return _open(choice, shared)
    kept = {key: value for key, value in schema.items() if key in ("type", "enum")}
    if is_object(items := schema.get("items")):
        kept["items"] = _open(items, shared)
    if kept.get("type") == "object":
        properties: dict[str, Any] = schema.get("properties", {})
        kept["properties"] = {name: _open(inner, shared) for name, inner in properties.items()}
    return kept


def tidied(value: object, schema: dict[str, Any]) -> Any:
    """`value` with JSON strings decoded where no text is expected, and without null or "" in optional fields.

    An empty list counts as an empty object, as PHP encodes both alike.
    """
    kind = schema.get("type")
    if isinstance(value, str) and kind in _TYPES:
        value = _decoded(value, kind)
    if kind == "object" and value == []:
        value = {}
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
