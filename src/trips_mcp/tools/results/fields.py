"""`fields`: those parts of a thing that were asked for, by their names on the wire, inner ones by dotted paths."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final, get_args

from pydantic import BaseModel

from trips_mcp.json_values import is_list, is_object
from trips_mcp.tools.results.answer import ToolRefusedError

_MOST_NAMED: Final = 40
_LONGEST_NAME: Final = 64

Tree = dict[str, Any]
"""Names, each with the tree of what is wanted inside it; an empty one for all of it."""


def tree_of(fields: Iterable[str]) -> Tree:
    tree: Tree = {}
    for path in sorted(set(fields)):  # a whole comes before its parts
        _add(tree, path.split("."))
    return tree


def _add(tree: Tree, steps: list[str]) -> None:
    first, *inner = steps
    if not inner:
        tree[first] = {}
    elif first not in tree:
        _add(tree.setdefault(first, {}), inner)
    elif tree[first]:  # else all of it is wanted
        _add(tree[first], inner)


def selected(value: Any, tree: Tree) -> Any:
    if not tree:
        return value
    if is_list(value):
        return [selected(part, tree) for part in value]
    if is_object(value):
        return {name: selected(part, tree[name]) for name, part in value.items() if name in tree}
    return value


def check(tree: Tree, kinds: Iterable[type[BaseModel]], values: Iterable[object], above: str = "") -> None:
    """Raises: ToolRefusedError where a name is no field of these kinds or of these very values.

    It names the fields of the kinds alone: whoever wrote a value may have chosen the names in it.
    """
    if not tree:
        return
    kinds, objects = list(kinds), list(_objects(values))
    models = {name: field.annotation for kind in kinds for name, field in named_fields(kind).items()}
    there = {name for value in objects for name in value if is_nameable(name)}
    for name, inner in tree.items():
        if name not in models and name not in there and (objects or above):
            raise ToolRefusedError(_no_such(name, above, list(models)))
        check(
            inner, models_in(models.get(name)), (value[name] for value in objects if name in value), f"{above}{name}."
        )


def named_fields(kind: type[BaseModel]) -> dict[str, Any]:
    """By name on the wire."""
    return {wire_name(kind, name): field for name, field in kind.model_fields.items()}


def names_in_words(kind: type[BaseModel], known: Collection[str]) -> str:
    """What can be asked of such a thing, inner names behind the one they are in: `accommodation (.name .address)`."""
    fields = {name: field for name, field in named_fields(kind).items() if name not in known}
    return ", ".join(name + _within(field.annotation) for name, field in fields.items())


def _within(annotation: Any) -> str:
    inner = [f".{name}" for kind in models_in(annotation) for name in named_fields(kind)]
    return f" ({' '.join(inner)})" if inner else ""


def wire_name(kind: type[BaseModel], name: str) -> str:
    field = kind.model_fields[name]
    return field.serialization_alias or field.alias or name


def is_nameable(name: str) -> bool:
    """Whether a key that no model names looks like a field's name, so that it may be told of."""
    return name.isidentifier() and name.isascii() and len(name) <= _LONGEST_NAME


def _no_such(name: str, above: str, known_names: list[str]) -> str:
    if not known_names:
        whole = above.removesuffix(".")
        return f"fields: {whole} has no part {name[:_LONGEST_NAME]}; ask for {whole}."
    known = ", ".join(above + one for one in known_names[:_MOST_NAMED])
    return f"fields: there is no {above}{name[:_LONGEST_NAME]}; there is {known}."


def _objects(values: Iterable[object]) -> Iterator[dict[str, Any]]:
    for value in values:
        if is_object(value):
            yield value
        elif is_list(value):
            yield from _objects(value)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Those that a field of this type may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)
