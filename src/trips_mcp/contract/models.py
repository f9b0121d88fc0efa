"""Base models of the contract for parameters, updates, nested objects and results.

Attributes are snake_case and wire names are camelCase (the Events API overrides that).
Pydantic builds each model at its first use, not at import, to keep the cold start short.
"""

from collections.abc import Callable, Iterator
from operator import is_not
from typing import Annotated, Any, ClassVar, Final, Generic, Self, TypeVar, get_args

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import MISSING, PydanticCustomError
from typing_extensions import override

from trips_mcp.contract.fields import Id
from trips_mcp.json_values import is_list, is_object

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T", bound="Result")

_WITHOUT_PARTS: Final = frozenset({str, int, float, bool, type(None)})


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


def with_parts(value: Any, change: Callable[[str, Any], Any]) -> Any:
    """`value` with `change` applied to its parts, each with its wire name; the same object if none changes.

    Parts are the fields of a model, the values of an object and the items of a list, which have no name. A model's
    unknown fields are one part, an object without a name.
    """
    if value.__class__ in _WITHOUT_PARTS:  # most parts; asking whether one is a model takes longer
        return value
    if isinstance(value, BaseModel):
        changed: dict[str, Any] = {}
        for name, field in type(value).model_fields.items():
            part = getattr(value, name)
            if (new := change(field.alias or name, part)) is not part:
                changed[name] = new
        extra = value.model_extra and change("", value.model_extra)
        return with_changes(value, changed, extra) if changed or extra is not value.model_extra else value
    if is_object(value):
        found = {name: change(name, part) for name, part in value.items()}
        return found if any(map(is_not, found.values(), value.values())) else value
    if is_list(value):
        items = [change("", part) for part in value]
        return items if any(map(is_not, items, value)) else value
    return value


def with_changes(result: M, fields: dict[str, Any], extra: dict[str, Any] | None) -> M:
    """A copy with these fields changed. A field that the service left out is still left out."""
    copy = result.model_copy(update=fields)
    copy.model_fields_set.intersection_update(result.model_fields_set)
    copy.__pydantic_extra__ = extra
    return copy


Clear = Annotated[list[str], Field(max_length=50, description="Optional fields to empty, e.g. notes")]


class Update(Params):
    """Parameters of an update: omitted fields keep their value, fields in `clear` are emptied.

    `clear` is used in place of null, which Python models and tools do not take
    (docs/contract.md#updates-and-clearing-fields).
    """

    creates: ClassVar[type[Params]]
    """The model that creates such an object."""

    required: ClassVar[frozenset[str]]
    """Wire names of the fields that cannot be cleared: those that `creates` requires, or sets itself."""

    nested: ClassVar[frozenset[str]] = frozenset()
    """Wire names of the objects whose keys can be cleared one by one, e.g. `accommodation.doorCode`."""

    clear: Clear | MISSING = MISSING

    @classmethod
    @override
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if not hasattr(cls, "creates"):  # an abstract one
            return
        created = cls.creates.model_fields
        cls.required = frozenset(
            field.alias or name
            for name, field in cls.model_fields.items()
            if name != "clear" and not field.is_required() and (name not in created or created[name].is_required())
        )

    @model_validator(mode="after")
    def _clear_is_possible(self) -> Self:
        if self.clear is MISSING:
            return self
        fields = self.model_dump()
        optional = {
            field.alias or name for name, field in type(self).model_fields.items() if not field.is_required()
        } - {"clear"}
        for path in self.clear:
            head, *inner = path.split(".")
            if head in self.required:
                raise _cannot(path, "required, cannot be cleared")
            if head not in optional:
                raise _cannot(path, "unknown field, cannot be cleared")
            if inner and (head not in self.nested or not all(inner)):
                raise _cannot(path, "only a whole field can be cleared here")
            if _is_set(fields, [head, *inner]):
                raise _cannot(path, "both set and cleared")
        return self


class UpdateOfTrip(OfTrip, Update):
    """Parameters of an update of a trip, or of one of its parts."""


def _cannot(path: str, why: str) -> PydanticCustomError:
    return PydanticCustomError("clear", why, {"path": path})  # type: ignore[arg-type]


def _is_set(fields: object, steps: list[str]) -> bool:
    for step in steps:
        if not is_object(fields) or step not in fields:
            return False
        fields = fields[step]
    return True
