"""Keyset cursors, which encode the last row's key so that inserts and deletes shift no page."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from math import isfinite
from typing import Any

from trips_mcp.backend.errors import ProblemError, invalid_field
from trips_mcp.json_values import is_list

Key = tuple[str | int | float, ...]


def write_cursor(list_name: str, key: Key) -> str:
    """`list_name` identifies the list, so that the cursor is valid for no other."""
    text = json.dumps([list_name, *key], separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str, list_name: str, *kinds: type[str] | type[float] | type[int]) -> Key:
    """Raises: ProblemError unless it is a cursor of this list, with a key of these `kinds`."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        found: Any = json.loads(urlsafe_b64decode(padded))
    except (ValueError, RecursionError):
        raise _bad() from None
    if not is_list(found) or found[:1] != [list_name] or len(found) != len(kinds) + 1:
        raise _bad()
    key = tuple(found[1:])
    if not all(map(_fits, key, kinds)):
        raise _bad()
    return key


def _fits(value: object, kind: type) -> bool:
    if isinstance(value, bool):
        return False
    if kind is float:
        return (isinstance(value, float) and isfinite(value)) or _fits(value, int)
    if kind is int:
        return isinstance(value, int) and abs(value) < 2**63
    return isinstance(value, str) and value.isascii() and "\0" not in value


def _bad() -> ProblemError:
    return invalid_field("cursor", "not a cursor of this list; copy it exactly as the page before gave it")
