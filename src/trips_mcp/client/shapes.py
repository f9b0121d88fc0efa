"""The type guard for lists in parsed JSON, like `contract.models.is_object` for objects."""

from typing import Any, TypeGuard


def is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
