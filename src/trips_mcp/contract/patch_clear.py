"""The `clear` list of fields to empty in an update (docs/contract.md#updates-and-clearing-fields).

It is used in place of null, which Python models and tools do not take.
"""

from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import MISSING, PydanticCustomError
from typing_extensions import override

from trips_mcp.contract.models import OfTrip, Params
from trips_mcp.json_values import is_object

Clear = Annotated[list[str], Field(max_length=50, description="Optional fields to empty, e.g. notes")]


class Update(Params):
    """Parameters of an update: omitted fields keep their value, fields in `clear` are emptied."""

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
