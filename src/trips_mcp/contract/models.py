"""The three kinds of model in the contract: what goes in, what is nested in it, what comes out.

Attributes are snake_case, the wire is camelCase (the Events API overrides that).
Models are built at their first use, not at import: a server's cold start does not pay for forty operations.
"""

from typing import Any, ClassVar, Generic, TypeGuard, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

T = TypeVar("T", bound="Result")


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether parsed JSON is an object (whose keys are then text)."""
    return isinstance(value, dict)


class WireModel(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
        defer_build=True,
    )


class Params(WireModel):
    """What an operation takes. A field it does not know is the caller's mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Item(Params):
    """One row of a batch or sync."""


class OpenObject(Params):
    """A nested object whose unknown keys the API keeps (docs/contract.md#objects)."""

    model_config = ConfigDict(extra="allow")


class Result(WireModel):
    """What an operation answers. Read tolerantly: unknown fields are kept, and a field may be absent."""

    model_config = ConfigDict(extra="allow")

    own_names: ClassVar[tuple[str, ...]] = ()
    """Keys under which a service may wrap a single object of this kind (docs/contract.md#reading-tolerantly)."""


class Resource(Result):
    """A thing with an id of its own; the id is empty only if the service left it out."""

    id: str = Field(default="", validation_alias=AliasChoices("_id", "id"), serialization_alias="_id")


class Page(Result, Generic[T]):
    """A list's answer: items, and the cursor of the next page if there is one (docs/contract.md#lists)."""

    plural_names: ClassVar[tuple[str, ...]] = ()
    """Keys under which a service may put the items instead of `items` (docs/contract.md#reading-tolerantly)."""

    items: list[T] = Field(default_factory=list[T])
    next_cursor: str | None = None


class Deleted(Result):
    """Stands for a 204: the id that is gone."""

    deleted: str
