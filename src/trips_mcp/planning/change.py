"""A change: one call of a tool that writes, as data.

A change may name what it creates (`as`). A later change then holds "@name" where the id belongs; "@name.2" is the
second item of a batch. This counts only in fields that hold ids: elsewhere, text that begins with @ is text.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from trips_mcp.json_values import JsonObject, is_list, is_object

_ID_FIELDS: Final = ("Id", "Ids", "_id", "_ids")
_MARK: Final = "@"

IdOf = Callable[[str, str], str | int]
"""The id that a reference stands for in a field of this name."""


@dataclass(frozen=True, slots=True)
class Change:
    tool: str
    """The name of a tool that writes."""
    arguments: JsonObject
    """As a call of that tool has them; "@name" where an id belongs."""
    name: str | None = None
    """`as` in JSON: what this change creates, for "@name" in later changes."""

    def as_json(self) -> JsonObject:
        named = {} if self.name is None else {"as": self.name}
        return {"tool": self.tool, "arguments": self.arguments, **named}

    @classmethod
    def of_json(cls, value: JsonObject) -> "Change":
        """The inverse of `as_json`."""
        return cls(value["tool"], value["arguments"], value.get("as"))

    def references(self) -> Iterator[tuple[str, str]]:
        """The references in its arguments: the path of the field, and what the "@" names."""
        return _references(self.arguments, "", holds_ids=False)

    def with_ids(self, id_of: IdOf) -> JsonObject:
        """The arguments with an id in the place of each reference."""
        return {name: _replaced(value, id_of, name) for name, value in self.arguments.items()}


def _references(value: object, path: str, *, holds_ids: bool) -> Iterator[tuple[str, str]]:
    if is_object(value):
        for name, inner in value.items():
            yield from _references(inner, f"{path}.{name}" if path else name, holds_ids=_holds_ids(name))
    elif is_list(value):
        for index, inner in enumerate(value):
            yield from _references(inner, f"{path}.{index}", holds_ids=holds_ids)
    elif holds_ids and _is_reference(value):
        yield path, str(value)[1:]


def _replaced(value: Any, id_of: IdOf, field: str) -> Any:
    if is_object(value):
        return {name: _replaced(inner, id_of, name) for name, inner in value.items()}
    if is_list(value):
        return [_replaced(inner, id_of, field) for inner in value]
    return id_of(value[1:], field) if _holds_ids(field) and _is_reference(value) else value


def _holds_ids(name: str) -> bool:
    return name.endswith(_ID_FIELDS)


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and value.startswith(_MARK)
