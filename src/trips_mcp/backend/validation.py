"""Validation of a request's fields against the operation's model."""

from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import ValidationError

from trips_mcp.backend.errors import invalid
from trips_mcp.contract.errors import Fault, faults
from trips_mcp.contract.models import OfTrip, Params
from trips_mcp.json_values import is_list, is_object, is_unicode

M = TypeVar("M", bound=Params)


class Envelope(OfTrip):
    """Fields around a list whose items are validated one by one later."""


def validated(model: type[M], fields: object) -> M:
    """Raises: ProblemError with every fault."""
    try:
        params = model.model_validate(fields, strict=True, by_name=False)
    except ValidationError as error:
        raise invalid(faults(error, model)) from None  # its text repeats the values
    unstorable = [] if isinstance(params, Envelope) else list(_unstorable(fields, ""))
    if unstorable:
        raise invalid(unstorable)
    return params


def _unstorable(value: Any, path: str) -> Iterator[Fault]:
    """Faults for strings, also under unknown keys, that a database or UTF-8 cannot store."""
    if isinstance(value, str):
        if "\0" in value:
            yield Fault(path=path, reason="must not contain the NUL character")
        elif not value.isascii() and not is_unicode(value):
            yield Fault(path=path, reason="not valid Unicode text")
    elif is_object(value):
        for name, inner in value.items():
            inside = f"{path}.{name}" if path else name
            yield from _unstorable(name, inside)
            yield from _unstorable(inner, inside)
    elif is_list(value):
        for index, inner in enumerate(value):
            yield from _unstorable(inner, f"{path}.{index}")
