"""The backend's OpenAPI document, derived from the operations."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json

from trips_mcp.backend.requests import full_path
from trips_mcp.contract import OPERATIONS
from trips_mcp.contract.batches import AtOnce
from trips_mcp.contract.errors import STATUS_OF
from trips_mcp.contract.models import Update
from trips_mcp.contract.operation import Api, InQuery, Operation, Under, marked, names
from trips_mcp.json_values import JsonObject
from trips_mcp.scopes import BASE_SCOPES

_REF = "#/components/schemas/{model}"
_TEXT: JsonObject = {"type": "string"}
_TRIPS_ERROR: JsonObject = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "requestId"],
            "properties": {
                "code": {"type": "string", "enum": list(STATUS_OF)},
                "message": _TEXT,
                "requestId": _TEXT,
                "details": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"path": _TEXT, "reason": _TEXT}},
                },
            },
        }
    },
}
_EVENTS_ERROR: JsonObject = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "oneOf": [
                _TEXT,
                {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"path": {"type": "array", "items": _TEXT}, "message": _TEXT},
                    },
                },
            ]
        }
    },
}
_ERROR_OF: Mapping[Api, str] = {"trips": "TripsError", "events": "EventsError"}


@cache
def document() -> bytes:
    """The document as JSON, made once for all backends of this process."""
    return to_json(_openapi())


def _openapi() -> JsonObject:
    schemas: JsonObject = {"TripsError": _TRIPS_ERROR, "EventsError": _EVENTS_ERROR}
    paths: dict[str, JsonObject] = {}
    for operation in OPERATIONS:
        path = paths.setdefault(full_path(operation), {})
        path[operation.method.lower()] = _described(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Trips and events",
            "version": "1",
            "description": "A traveller's trips, and the events on their itineraries.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "session_token"},
            },
        },
    }


def _described(operation: Operation[Any, Any], schemas: JsonObject) -> JsonObject:
    fields, required = _fields(operation, schemas)
    parameters = [_header_of_a_retry()] if operation.api == "trips" and not operation.reads else []
    in_query = set(marked(operation.params, InQuery)) if operation.has_body else set(fields)
    for name in list(fields):
        in_path = f"{{{name}}}" in operation.path
        if in_path or name in in_query:
            parameters.append(
                {
                    "name": name,
                    "in": "path" if in_path else "query",
                    "required": in_path or name in required,
                    "schema": fields.pop(name),
                }
            )
    described: JsonObject = {
        "operationId": operation.name,
        "description": _access(operation),
        "security": _security(operation),
        "parameters": parameters,
        "responses": _responses(operation, schemas),
    }
    if operation.has_body:
        body = _body(operation, fields, [name for name in required if name in fields])
        described["requestBody"] = {
            "required": "required" in body,
            "content": {"application/json": {"schema": body}},
        }
    return described


def _fields(operation: Operation[Any, Any], schemas: JsonObject) -> tuple[JsonObject, list[str]]:
    """The parameters' schemas by name, and the names of those that are required."""
    schema = _schema(operation.params, schemas)
    fields = {name: schema["properties"][name] for name in names(operation.params)}
    for name, most in marked(operation.params, AtOnce).items():
        fields[name]["maxItems"] = most.items
    return fields, schema.get("required", [])


def _body(operation: Operation[Any, Any], fields: JsonObject, required: list[str]) -> JsonObject:
    """The body's schema on the wire: nested, and with null for fields to clear."""
    if issubclass(operation.params, Update):
        del fields["clear"]
        never_empty = operation.params.required
        fields = {
            name: schema if name in never_empty else {"anyOf": [schema, {"type": "null"}]}
            for name, schema in fields.items()
        }
    for name, mark in marked(operation.params, Under).items():
        around = fields.setdefault(mark.name, {"type": "object", "properties": {}})
        around["properties"][name] = fields.pop(name)
    body: JsonObject = {"type": "object", "properties": fields, "additionalProperties": False}
    return body | ({"required": required} if required else {})


def _responses(operation: Operation[Any, Any], schemas: JsonObject) -> JsonObject:
    name = operation.result.__name__
    schemas.setdefault(name, _schema(operation.result, schemas))
    content = {"application/json": {"schema": {"$ref": _REF.format(model=name)}}}
    statuses = [status for status in (operation.success, operation.other_success) if status is not None]
    told: JsonObject = {
        str(status): {"description": "Done."} | ({} if status == 204 else {"content": content}) for status in statuses
    }
    error = {"$ref": _REF.format(model=_ERROR_OF[operation.api])}
    told["default"] = {
        "description": "Refused; nothing has changed.",
        "content": {"application/json": {"schema": error}},
    }
    return told


def _schema(model: type[BaseModel], schemas: JsonObject) -> JsonObject:
    schema = model.model_json_schema(ref_template=_REF)
    for name, inner in schema.pop("$defs", {}).items():
        schemas.setdefault(name, inner)
    return schema


def _access(operation: Operation[Any, Any]) -> str:
    if operation.scope in BASE_SCOPES:
        return f"Needs the scope {operation.scope}."
    return "Needs no key." if operation.scope == "nobody" else "Needs any valid key."


def _security(operation: Operation[Any, Any]) -> list[JsonObject]:
    if operation.scope == "nobody":
        return []
    return [{"key": []}, {"session": []}] if operation.api == "events" else [{"key": []}]


def _header_of_a_retry() -> JsonObject:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    }
