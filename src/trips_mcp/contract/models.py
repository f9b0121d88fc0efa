"""Base models of the contract for parameters, nested objects and results.

Attributes are snake_case and wire names are camelCase (the Events API overrides that).
Pydantic builds each model at its first use, not at import, to keep the cold start short.
"""

from collections.abc import Iterator
from typing import ClassVar, Generic, TypeVar, get_args

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import MISSING

from trips_mcp.contract.fields import Id

T = TypeVar("T", bound="Result")


def types_in(annotation: object) -> Iterator[object]:
    """The type of a field, and every type inside it."""
    yield annotation
    for part in get_args(annotation):
        yield from types_in(part)


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """The models that a field of this type may contain."""
    for kind in types_in(annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield kind


class WireModel(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
        defer_build=True,
    )


class Params(WireModel):
    """Parameters of an operation. An unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OfTrip(Params):
    """About one trip, as most operations are."""

    trip_id: Id


class OfAnyTrip(Params):
    """A question that may be about one trip or about all."""

    trip_id: Id | MISSING = MISSING


class Item(Params):
    """One row of a batch or sync."""


class OpenObject(Params):
    """A nested object whose unknown keys the API keeps (docs/contract.md#objects)."""

    model_config = ConfigDict(extra="allow")


class Result(WireModel):
    """Result of an operation. It is read tolerantly: unknown fields are kept, and any field may be absent."""

    model_config = ConfigDict(extra="allow")

    own_names: ClassVar[tuple[str, ...]] = ()
    """Keys under which a service may wrap a single object of this kind (docs/contract.md#reading-tolerantly)."""


class Resource(Result):
    """A result with an id, which is empty only if the service left it out."""

    id: str = Field(default="", validation_alias=AliasChoices("_id", "id"), serialization_alias="_id")


class Page(Result, Generic[T]):
    """A page of a list, with the cursor of the next page if there is one (docs/contract.md#lists)."""

    plural_names: ClassVar[tuple[str, ...]] = ()
    """Keys under which a service may put the items instead of `items` (docs/contract.md#reading-tolerantly)."""

    items: list[T] = Field(default_factory=list[T])
    next_cursor: str | None = None


class Deleted(Result):
    """Stands for a 204: the id that is gone."""

    deleted: str
