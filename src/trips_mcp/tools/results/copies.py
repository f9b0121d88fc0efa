"""A result with some of its fields changed, as the service would have answered it."""

from typing import Any, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)


def with_changes(result: M, fields: dict[str, Any], extra: dict[str, Any] | None) -> M:
    """What the service left out is still left out."""
    copy = result.model_copy(update=fields)
    copy.model_fields_set.intersection_update(result.model_fields_set)
    copy.__pydantic_extra__ = extra
    return copy
