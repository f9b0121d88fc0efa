"""A REST operation, described once for the client, the backend and the tools, and its mapping to an HTTP request.

The client calls `place` to build a request; the backend calls `gather` to read one. Each is the inverse of the other.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from trips_mcp.contract.errors import Fault
from trips_mcp.contract.models import Params, Result, types_in
from trips_mcp.json_values import is_object
from trips_mcp.scopes import BaseScope

P = TypeVar("P", bound=Params)
R = TypeVar("R", bound=Result)
M = TypeVar("M")

Method = Literal["GET", "POST", "PATCH", "DELETE"]
Api = Literal["trips", "events"]
Access = BaseScope | Literal["any key", "nobody"]
"""What a caller needs: a scope, any valid key, or no key (the client then sends no Authorization header)."""

_PLACE = re.compile(r"{(\w+)}")
_WHOLE = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Operation(Generic[P, R]):
    name: str
    method: Method
    path: str
    """Below the API's base URL, with a `{camelCase}` placeholder for each path value."""
    scope: Access
    params: type[P]
    result: type[R]
    success: int = 200
    """The usual status of a success."""
    when_empty: Callable[[P], R] | None = None
    """Makes the result of a 204 from the parameters; None if the response has a body."""
    api: Api = "trips"
    other_success: int | None = None
    """Another status of a success: 200 for a create that merged, 207 for a batch with errors (docs/contract.md)."""

    @property
    def reads(self) -> bool:
        return self.method == "GET"

    @property
    def has_body(self) -> bool:
        return self.method in ("POST", "PATCH")


@dataclass(frozen=True, slots=True)
class InQuery:
    """Marks a parameter that is in the query although the request has a body."""


@dataclass(frozen=True, slots=True)
class Under:
    """Marks a parameter that the body nests in an object of this name."""

    name: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Marks a parameter for the client alone; it is never sent."""


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    query: dict[str, str | int | float | bool]
    body: dict[str, Any] | None
    """None if the operation has no body."""


def place(operation: Operation[P, R], params: P) -> Request:
    fields = params.model_dump(mode="json")
    path = _PLACE.sub(lambda found: quote(str(fields.pop(found[1])), safe=""), operation.path)
    if not operation.has_body:
        return Request(path, fields, None)
    for name in marked(operation.params, NotSent):
        fields.pop(name, None)
    query = {name: fields.pop(name) for name in marked(operation.params, InQuery) if name in fields}
    cleared: list[str] = fields.pop("clear", [])
    under = marked(operation.params, Under)
    for name, mark in under.items():
        if name in fields:
            fields.setdefault(mark.name, {})[name] = fields.pop(name)
    for dotted in cleared:
        steps = dotted.split(".")
        _write_null(fields, [under[steps[0]].name, *steps] if steps[0] in under else steps)
    return Request(path, query, fields)


def gather(
    operation: Operation[P, R], path: dict[str, str], query: dict[str, str], body: dict[str, Any]
) -> dict[str, Any]:
    """The fields of `operation.params` from a request, not yet validated.

    Raises: MisplacedError if a field is in the wrong part of the request.
    """
    model, under = operation.params, marked(operation.params, Under)
    in_query = set(marked(model, InQuery)) if operation.has_body else set(names(model)) - set(path)
    not_here = {*path, *under, *in_query, *marked(model, NotSent), "clear"}
    body = dict(body)
    inner: dict[str, Any] = {}
    misplaced: list[Fault] = []
    for mark in set(under.values()):
        held: object = body.pop(mark.name, {})
        if not is_object(held):
            raise MisplacedError([Fault(path=mark.name, reason="expected an object")])
        inner |= held
        misplaced += [_unknown(f"{mark.name}.{name}") for name in held if name not in under]
    misplaced += [_unknown(name) for name in query if name not in in_query]
    misplaced += [_unknown(name) for name in body if name in not_here]
    if misplaced:
        raise MisplacedError(misplaced)
    fields = {**body, **inner}
    if "clear" in names(model):
        fields = _without_nulls(fields, cleared := [])
        if cleared:
            fields["clear"] = cleared
    return fields | {name: _parsed(model, name, text) for name, text in {**query, **path}.items()}


class MisplacedError(ValueError):
    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.path}: {fault.reason}" for fault in faults))
        self.faults = faults


def location(operation: Operation[P, R], fault_path: str) -> list[str]:
    """The path of a parameter's fault in the request body: `trip_ids.0` → attach, trip_ids, 0."""
    steps = fault_path.split(".")
    mark = marked(operation.params, Under).get(steps[0])
    return [mark.name, *steps] if mark else steps


@cache
def names(model: type[Params]) -> tuple[str, ...]:
    """The fields' names on the wire."""
    unsent = marked(model, NotSent)
    wire = (field.alias or name for name, field in model.model_fields.items())
    return tuple(name for name in wire if name not in unsent)


def marked(model: type[Params], kind: type[M]) -> dict[str, M]:
    """Wire name → mark, for the fields that have one."""
    return {name: mark for name, mark in _marks(model) if isinstance(mark, kind)}


@cache
def _marks(model: type[Params]) -> tuple[tuple[str, object], ...]:
    return tuple((field.alias or name, mark) for name, field in model.model_fields.items() for mark in field.metadata)


def _unknown(path: str) -> Fault:
    return Fault(path=path, reason="unknown field here")


def _write_null(target: dict[str, Any], steps: list[str]) -> None:
    *parents, last = steps
    for step in parents:
        inner: dict[str, Any] | None = target.setdefault(step, {})
        if inner is None:  # cleared as a whole
            return
        target = inner
    target[last] = None


def _without_nulls(fields: dict[str, Any], cleared: list[str], above: str = "") -> dict[str, Any]:
    """`fields` without nulls; adds their paths to `cleared`. Lists are not searched."""
    kept: dict[str, Any] = {}
    for name, value in fields.items():
        if value is None:
            cleared.append(above + name)
        elif is_object(value):
            inner = _without_nulls(value, cleared, f"{above}{name}.")
            if inner or not value:
                kept[name] = inner
        else:
            kept[name] = value
    return kept


def _parsed(model: type[Params], name: str, text: str) -> Any:
    """A path or query value in its field's type; text that does not parse stays text."""
    kinds = _types_of(model, name)
    if bool in kinds:
        return {"true": True, "false": False}.get(text, text)
    if int in kinds and _WHOLE.fullmatch(text):
        return int(text)
    return text


@cache
def _types_of(model: type[Params], name: str) -> frozenset[object]:
    field = next(f for n, f in model.model_fields.items() if name == (f.alias or n))
    return frozenset(types_in(field.annotation))
