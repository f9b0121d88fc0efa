"""Size of a result, estimated before it is rendered, so that it is cut between items."""

from collections.abc import Sequence
from typing import Final, TypeVar, cast

from trips_mcp.contract.fields import Others
from trips_mcp.contract.invisible import hidden
from trips_mcp.contract.models import Result

R = TypeVar("R", bound=Result)

_MARKS: Final = 30
"""Characters of the quotation marks around other people's words."""
_ESCAPED: Final = 9
"""Extra characters of an invisible one when it is escaped."""


def fitting(things: Sequence[R], room: int, others_write: bool) -> list[R]:
    """The first items that fit in `room` characters, at least one."""
    kept: list[R] = []
    for thing in things:
        room -= weight(thing, others_write)
        if room < 0 and kept:
            break
        kept.append(thing)
    return kept


def weight(thing: Result, others_write: bool) -> int:
    """Characters of a rendered item. `others_write`: whether members' words are quoted, too."""
    text = thing.model_dump_json(exclude_none=True)
    return len(text) + _ESCAPED * len(hidden().findall(text)) + _MARKS * _marked(thing, others_write)


def _marked(value: object, others_write: bool) -> int:
    """Number of texts that get quotation marks."""
    if isinstance(value, list):
        return sum(_marked(part, others_write) for part in cast("list[object]", value))
    if not isinstance(value, Result):
        return 0
    count = 0
    for name, field in type(value).model_fields.items():
        part: object = getattr(value, name)
        marks = [mark for mark in field.metadata if isinstance(mark, Others)]
        if marks:
            count += 1 if part and (others_write or not marks[0].members_only) else 0
        else:
            count += _marked(part, others_write)
    return count
