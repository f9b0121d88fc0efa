"""Keyset cursors, which encode the last row's key so that inserts and deletes shift no page."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from math import isfinite
from typing import Any

from pydantic_core import MISSING
from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, tuple_

from trips_mcp.backend.errors import ProblemError, invalid_field
from trips_mcp.backend.handler import Call
from trips_mcp.backend.rows import listed
from trips_mcp.json_values import JsonObject, is_list

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


@dataclass(frozen=True, slots=True)
class RowPage:
    rows: list[JsonObject]
    next_cursor: str | None

    def told(self) -> JsonObject:
        return {"items": self.rows, "nextCursor": self.next_cursor}


class Paging:
    """A list of rows that belong to one owner (a trip, a channel), ordered by `keys`, which are unique together."""

    def __init__(
        self,
        name: str,
        query: Select[*tuple[Any, ...]],
        belonging: ColumnElement[bool],
        keys: dict[ColumnElement[Any], type[str] | type[float] | type[int]],
        *,
        backwards: bool = False,
    ) -> None:
        """`belonging` selects the owner's rows by `bindparam("owner")`."""
        columns = list(keys)
        self._name = name
        self._kinds = tuple(keys.values())
        values: list[BindParameter[Any]] = [bindparam(f"key_{index}") for index in range(len(keys))]
        after = tuple_(*values)
        self._first = (
            query.add_columns(*(column.label(f"key_{index}") for index, column in enumerate(columns)))
            .where(belonging)
            .order_by(*(column.desc() if backwards else column for column in columns))
            .limit(bindparam("rows"))
        )
        place = tuple_(*columns)
        self._next = self._first.where(place < after if backwards else place > after)

    async def page(self, call: Call, owner: str, limit: int, cursor: str | MISSING) -> RowPage:
        """Raises: ProblemError if the cursor is not of this list."""
        list_name = f"{self._name}:{owner}"
        values: dict[str, object] = {"owner": owner, "rows": limit + 1}  # an extra row shows that there is a next page
        query = self._first
        if cursor is not MISSING:
            query = self._next
            for index, value in enumerate(read_cursor(cursor, list_name, *self._kinds)):
                values[f"key_{index}"] = value
        rows = await listed(call.db, query, **values)
        keys = [tuple(row.pop(f"key_{index}") for index in range(len(self._kinds))) for row in rows]
        more = write_cursor(list_name, keys[limit - 1]) if len(rows) > limit else None
        return RowPage(rows[:limit], more)
