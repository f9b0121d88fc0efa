"""Masking of secrets in results, at any depth."""

from collections.abc import Iterator
from operator import is_not
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from trips_mcp.contract.fields import MASK, SECRETS
from trips_mcp.json_values import is_list, is_object
from trips_mcp.tools.results.fields import with_changes

M = TypeVar("M", bound=BaseModel)

_PLAIN_NAMES: Final = frozenset(name.lower() for name in SECRETS)
_EMPTY: Final[tuple[object, ...]] = (None, "", [], {})


def is_secret(name: str) -> bool:
    """Ignores case, "_" and "-": services may spell unknown fields their own way, as `door_code`."""
    return name.replace("_", "").replace("-", "").lower() in _PLAIN_NAMES


def masked(result: M) -> M:
    """The result with every non-empty secret masked."""
    changed: dict[str, Any] = {}
    for name, field in type(result).model_fields.items():
        value = getattr(result, name)
        if (hidden := _masked_value(field.alias or name, value)) is not value:
            changed[name] = hidden
    extra = result.model_extra and _masked_object(result.model_extra)
    return with_changes(result, changed, extra) if changed or extra else result


def secrets_of(thing: BaseModel) -> Iterator[tuple[str, object]]:
    """Each secret with its path, such as `flights.0.confirmationNumber`."""
    return _found(thing.model_dump(mode="json", exclude_none=True, exclude_unset=True), "")


def _masked_value(name: str, value: object) -> Any:
    if is_secret(name):
        return value if value in _EMPTY else MASK
    if isinstance(value, BaseModel):
        return masked(value)
    if is_object(value):
        return _masked_object(value)
    if is_list(value):
        hidden = [_masked_value("", part) for part in value]
        return hidden if any(map(is_not, hidden, value)) else value
    return value


def _masked_object(found: dict[str, Any]) -> dict[str, Any]:
    return {key: _masked_value(key, value) for key, value in found.items()}


def _found(value: object, path: str) -> Iterator[tuple[str, object]]:
    if is_object(value):
        parts = value.items()
    elif is_list(value):
        parts = ((str(at), part) for at, part in enumerate(value))
    else:
        return
    for key, part in parts:
        here = f"{path}.{key}" if path else key
        if not is_secret(key):
            yield from _found(part, here)
        elif part not in _EMPTY:
            yield here, part
