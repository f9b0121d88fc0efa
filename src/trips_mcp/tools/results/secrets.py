"""Masking of secrets in results, at any depth."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from trips_mcp.contract.fields import MASK, SECRETS
from trips_mcp.json_values import is_list, is_object
from trips_mcp.tools.results.fields import with_parts

M = TypeVar("M", bound=BaseModel)

_PLAIN_NAMES: Final = frozenset(name.lower() for name in SECRETS)
_EMPTY: Final[tuple[object, ...]] = (None, "", [], {})


@lru_cache(maxsize=2048)
def is_secret(name: str) -> bool:
    """Ignores case, "_" and "-": services may spell unknown fields their own way, as `door_code`."""
    return name.replace("_", "").replace("-", "").lower() in _PLAIN_NAMES


def masked(result: M) -> M:
    """The result with every non-empty secret masked."""
    return with_parts(result, _masked)


def secrets_of(thing: BaseModel) -> Iterator[tuple[str, object]]:
    """Each secret with its path, such as `flights.0.confirmationNumber`."""
    return _found(thing.model_dump(mode="json", exclude_none=True, exclude_unset=True), "")


def _masked(name: str, value: Any) -> Any:
    if is_secret(name):
        return value if value in _EMPTY else MASK
    return with_parts(value, _masked)


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
