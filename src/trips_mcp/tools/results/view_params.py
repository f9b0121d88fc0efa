"""`fields` and `cursor` on tools whose operations do not know them: they stay here, and are never sent."""

from functools import cache
from typing import Annotated, Final, NamedTuple

from pydantic import Field, ValidationError, create_model
from pydantic_core import MISSING

from trips_mcp.contract.models import Params
from trips_mcp.tools.results.answer import ToolRefusedError
from trips_mcp.tools.results.cursors import Position
from trips_mcp.tools.results.fields import Tree, tree_of

Cursor = Annotated[str, Field(min_length=1, max_length=4096)]
"""A service's own, or one of ours, which may hold one of a service's."""

_UNKNOWN: Final = "cursor: nothing gave this one; copy nextCursor exactly, or leave it out to start again."


class Ours(Params):
    cursor: Cursor | MISSING = MISSING
    fields: list[str] | MISSING = MISSING


_NAMES: Final = set(Ours.model_fields)


class Wanted(NamedTuple):
    tree: Tree
    """Of the fields; empty for the usual ones."""
    position: Position


@cache
def with_ours(params: type[Params], names: str) -> type[Params]:
    """The operation's arguments and ours; `names` says which fields there are."""
    fields = Annotated[list[str], Field(description=f"Only these: {names}")]
    return create_model(f"{params.__name__}Asked", __base__=(Ours, params), fields=(fields | MISSING, MISSING))


def ours(asked: Params) -> Wanted:
    """Raises: ToolRefusedError for a cursor that nothing gave."""
    given = asked.model_dump(include=_NAMES)
    position = Position()
    if (cursor := given.get("cursor")) is not None and (position := Position.read(cursor)) is None:
        raise ToolRefusedError(_UNKNOWN)
    return Wanted(tree_of(given.get("fields", ())), position)


def theirs(asked: Params, params: type[Params], page: str | None) -> Params:
    """The operation's own arguments, `page` as its cursor.

    Raises: ToolRefusedError for a cursor that no service gives.
    """
    given = asked.model_dump(exclude=_NAMES)
    try:
        return params.model_validate(given if page is None else {**given, "cursor": page})
    except ValidationError:
        raise ToolRefusedError(_UNKNOWN) from None


def is_paged(params: type[Params]) -> bool:
    return "cursor" in params.model_fields
