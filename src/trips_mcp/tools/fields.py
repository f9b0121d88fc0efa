"""The `fields` and `cursor` arguments of lists and exports, and the fields of results by wire name.

`fields` selects parts of an item by their names on the wire, inner ones by dotted paths. Most operations know neither
argument: they stay here and are never sent.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Annotated, Any, Final, NamedTuple, Self

from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic_core import MISSING
from typing_extensions import override

from trips_mcp.contract.models import Params, models_in
from trips_mcp.json_values import is_list, is_object
from trips_mcp.tools.error_text import ToolRefusedError

_MOST_NAMED: Final = 40
_LONGEST_NAME: Final = 64
_DEEPEST: Final = 2
"""Objects inside objects in which a name is looked for: `legs.accommodation.wifiPassword`."""
_PREFIX: Final = "after."
_REMEMBERED: Final = 5

Tree = dict[str, Any]
"""Names, each with the tree of what is selected inside it; an empty tree selects all of it."""

Cursor = Annotated[str, Field(min_length=1, max_length=4096)]
"""A service's own cursor, or one of ours, which may contain one of a service's."""

_UNKNOWN: Final = "cursor: nothing gave this one; copy nextCursor exactly, or leave it out to start again."


class Ours(Params):
    cursor: Cursor | MISSING = MISSING
    fields: list[str] | MISSING = MISSING


_NAMES: Final = set(Ours.model_fields)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a list goes on: after the last item shown, despite later changes.

    A service's own cursor passes through as it is. One of ours names the service's page in which the list was cut, and
    recognises the items shown last, some of which may be deleted by the time it is used.
    """

    page: str | None = None
    """The service's cursor of the page; None for the first or only page."""
    shown: tuple[str, ...] = ()
    """Hashes of the ids of the items shown last, newest first; empty at the start."""

    @classmethod
    def after(cls, page: str | None, ids: Sequence[str]) -> Self:
        return cls(page, tuple(_known_by(id_) for id_ in reversed(ids[-_REMEMBERED:])))

    @classmethod
    def read(cls, cursor: str) -> Self | None:
        """None for a cursor with our prefix that is not valid."""
        if not is_ours(cursor):
            return cls(cursor)
        try:
            page, *shown = _strings(json.loads(urlsafe_b64decode(cursor.removeprefix(_PREFIX).encode("ascii"))))
        except (ValueError, RecursionError):
            return None
        return cls(page or None, tuple(shown))

    @override
    def __str__(self) -> str:
        return _PREFIX + urlsafe_b64encode(json.dumps([self.page or "", *self.shown]).encode()).decode()

    def start(self, ids: Sequence[str]) -> int | None:
        """Where to continue in these items; None if none of the items shown is among them."""
        if not self.shown:
            return 0
        places = {_known_by(id_): place for place, id_ in enumerate(ids)}
        return next((places[known] + 1 for known in self.shown if known in places), None)


def is_ours(cursor: str) -> bool:
    return cursor.startswith(_PREFIX)


def _known_by(id_: str) -> str:
    return blake2b(id_.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _strings(found: Any) -> list[str]:
    if not isinstance(found, list) or not all(isinstance(part, str) for part in found):  # pyright: ignore
        raise ValueError
    return found  # pyright: ignore


class ViewArguments(NamedTuple):
    tree: Tree
    """The selected fields; empty for the usual ones."""
    position: Position


@cache
def with_ours(params: type[Params], names: str, filters: type[Params] | None = None) -> type[Params]:
    """The operation's arguments plus ours. `names` lists the fields in words, `filters` are filter arguments."""
    fields = Annotated[list[str], Field(description=f"Only these: {names}")]
    bases = (Ours, params) if filters is None else (Ours, filters, params)
    return create_model(f"{params.__name__}Asked", __base__=bases, fields=(fields | MISSING, MISSING))


def ours(asked: Params) -> ViewArguments:
    """The `fields` and `cursor` of a call. Raises: ToolRefusedError for a cursor that nothing gave."""
    given = asked.model_dump(include=_NAMES)
    position = Position()
    if (cursor := given.get("cursor")) is not None and (position := Position.read(cursor)) is None:
        raise ToolRefusedError(_UNKNOWN)
    return ViewArguments(tree_of(given.get("fields", ())), position)


def theirs(asked: Params, params: type[Params], page: str | None, **changed: object) -> Params:
    """The operation's own arguments, some of them changed, with `page` as the cursor.

    Raises: ToolRefusedError for a cursor that no service gives.
    """
    given = {**asked.model_dump(include=set(params.model_fields) - _NAMES), **changed}
    try:
        return params.model_validate(given if page is None else {**given, "cursor": page})
    except ValidationError:
        raise ToolRefusedError(_UNKNOWN) from None


def is_paged(params: type[Params]) -> bool:
    return "cursor" in params.model_fields


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
    elif tree[first]:  # else all of it is selected
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
    """Raises: ToolRefusedError if a name is a field of neither these kinds nor these values.

    The error names fields of the kinds only: the keys in a value may be someone else's text.
    """
    if not tree:
        return
    kinds, objects = list(kinds), list(_objects(values))
    models = {name: field.annotation for kind in kinds for name, field in named_fields(kind).items()}
    there = {name for value in objects for name in value if is_nameable(name)}
    for name, inner in tree.items():
        if name not in models and name not in there and (objects or above):
            raise ToolRefusedError(_no_such(name, above, list(models), list(_paths_to(name, kinds, above))))
        check(
            inner, models_in(models.get(name)), (value[name] for value in objects if name in value), f"{above}{name}."
        )


def named_fields(kind: type[BaseModel]) -> dict[str, Any]:
    """Fields by wire name."""
    return {wire_name(kind, name): field for name, field in kind.model_fields.items()}


def names_in_words(kind: type[BaseModel], known: Collection[str]) -> str:
    """The fields that can be selected, each with its inner names: `accommodation (.name .address)`."""
    fields = {name: field for name, field in named_fields(kind).items() if name not in known}
    return ", ".join(name + _within(field.annotation) for name, field in fields.items())


def _within(annotation: Any) -> str:
    inner = [f".{name}" for kind in models_in(annotation) for name in named_fields(kind)]
    return f" ({' '.join(inner)})" if inner else ""


def wire_name(kind: type[BaseModel], name: str) -> str:
    field = kind.model_fields[name]
    return field.serialization_alias or field.alias or name


def is_nameable(name: str) -> bool:
    """Whether an unknown key looks like a field name, so that an answer may show it."""
    return name.isidentifier() and name.isascii() and len(name) <= _LONGEST_NAME


def _paths_to(name: str, kinds: Iterable[type[BaseModel]], above: str, depth: int = _DEEPEST) -> Iterator[str]:
    """Where fields of this name are, further inside."""
    for kind in kinds:
        for outer, field in named_fields(kind).items():
            inner = list(models_in(field.annotation))
            if any(name in named_fields(one) for one in inner):
                yield f"{above}{outer}.{name}"
            if depth:
                yield from _paths_to(name, inner, f"{above}{outer}.", depth - 1)


def _no_such(name: str, above: str, known_names: list[str], inside: list[str]) -> str:
    if inside:
        return f"fields: there is no {above}{name[:_LONGEST_NAME]}; ask for {' or '.join(inside[:_MOST_NAMED])}."
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
