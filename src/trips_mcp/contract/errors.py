"""Error codes, their statuses, and faults in a request (docs/contract.md#errors)."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from trips_mcp.contract.models import models_in

ErrorCode = Literal[
    "VALIDATION_ERROR",
    "UNAUTHORIZED",
    "FORBIDDEN",
    "NOT_FOUND",
    "METHOD_NOT_ALLOWED",
    "IDEMPOTENCY_CONFLICT",
    "PAYLOAD_TOO_LARGE",
    "RATE_LIMITED",
    "INTERNAL_ERROR",
]

STATUS_OF: Final[dict[ErrorCode, int]] = {
    "VALIDATION_ERROR": 400,
    "UNAUTHORIZED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "IDEMPOTENCY_CONFLICT": 409,
    "PAYLOAD_TOO_LARGE": 413,
    "RATE_LIMITED": 429,
    "INTERNAL_ERROR": 500,
}


class Fault(BaseModel):
    """One invalid field of a request: its path, and what is accepted there."""

    model_config = ConfigDict(frozen=True)

    path: str
    reason: str


_REASONS = {
    "missing": "required",
    "string_type": "expected text",
    "string_unicode": "not valid Unicode text",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "finite_number": "expected a finite number",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "list_type": "expected a list",
    "dict_type": "expected an object",
    "model_type": "expected an object",
    "model_attributes_type": "expected an object",
    "literal_error": "expected one of {choices}",
    "string_too_long": "at most {max_length} characters",
    "greater_than_equal": "expected at least {ge}",
    "less_than_equal": "expected at most {le}",
    "too_long": "at most {max_length} items",
}


def faults(error: ValidationError, model: type[BaseModel]) -> list[Fault]:
    """A reason never repeats the value, which may be a secret or ten megabytes long."""
    return [_fault(detail, model) for detail in error.errors(include_url=False, include_input=False)]


def in_words(found: list[Fault]) -> str:
    return "; ".join(f"{fault.path}: {fault.reason}" for fault in found)


def _fault(detail: ErrorDetails, model: type[BaseModel]) -> Fault:
    path, context = detail["loc"], detail.get("ctx", {})
    if "path" in context:  # the error concerns another field than the one that raised it
        return Fault(path=context["path"], reason=detail["msg"])
    return Fault(path=".".join(map(str, path)) or "arguments", reason=_reason(detail, context, model))


def _reason(detail: ErrorDetails, context: dict[str, Any], model: type[BaseModel]) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return f"unknown field; accepted: {', '.join(_accepted(model, detail['loc'][:-1]))}"
    if kind == "literal_error":
        return f"expected one of {context['expected'].replace(' or ', ', ').replace(chr(39), '')}"
    if kind in ("string_too_short", "too_short"):
        return "must not be empty"
    return _REASONS.get(kind, detail["msg"]).format_map(context)


def _accepted(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The field names of the model at `path` in `model`."""
    for step in path:
        if isinstance(step, str):
            field = next(f for n, f in model.model_fields.items() if step in (n, f.alias))
            model = next(models_in(field.annotation), model)
    return [field.alias or name for name, field in model.model_fields.items()]
