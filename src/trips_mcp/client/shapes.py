"""Telling parsed JSON apart, as `contract.models.is_object` does."""

from typing import Any, TypeGuard


def is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
