"""The allow-list of share links, derived from the Shared* models."""

from collections.abc import Callable, Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from trips_mcp.json_values import JsonObject, is_list, is_object

_Pick = Callable[[Any], Any]
"""Returns the public part of a value; None if there is none."""


def projection(model: type[BaseModel]) -> Callable[[JsonObject], JsonObject]:
    """A function that reduces a stored object to the fields of `model`, and drops values of another type."""
    picks = {
        field.serialization_alias or field.alias or name: _pick(field.annotation)
        for name, field in model.model_fields.items()
    }

    def project(stored: JsonObject) -> JsonObject:
        picked = ((name, pick(stored[name])) for name, pick in picks.items() if name in stored)
        return {name: value for name, value in picked if value is not None}

    return project


def _pick(annotation: Any) -> _Pick:
    (kind,) = (part for part in _options(annotation) if part is not type(None))
    if get_origin(kind) is list:
        return _pick_list(_pick(get_args(kind)[0]))
    if issubclass(kind, BaseModel):
        return _pick_object(projection(kind))
    return _pick_scalar(kind)


def _options(annotation: Any) -> Iterator[Any]:
    """`Annotated[str | None, …]` → str, None."""
    metadata = getattr(annotation, "__metadata__", None)
    if metadata is not None:
        yield from _options(annotation.__origin__)
    elif get_origin(annotation) in (list, None):
        yield annotation
    else:
        for part in get_args(annotation):
            yield from _options(part)


def _pick_list(pick: _Pick) -> _Pick:
    def picked(value: Any) -> Any:
        if not is_list(value):
            return None
        return [part for part in map(pick, value) if part is not None]

    return picked


def _pick_object(project: Callable[[JsonObject], JsonObject]) -> _Pick:
    return lambda value: project(value) if is_object(value) else None


def _pick_scalar(kind: type) -> _Pick:
    kinds = (int, float) if kind is float else (kind,)

    def picked(value: Any) -> Any:
        return value if isinstance(value, kinds) and (kind is bool or not isinstance(value, bool)) else None

    return picked
