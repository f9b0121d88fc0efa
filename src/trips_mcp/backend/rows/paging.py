"""Keyset pagination of a list (docs/contract.md#lists)."""

from dataclasses import dataclass
from typing import Any

from pydantic_core import MISSING
from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, tuple_

from trips_mcp.backend.handler import Call
from trips_mcp.backend.rows.cursors import read_cursor, write_cursor
from trips_mcp.backend.rows.mapping import listed
from trips_mcp.json_values import JsonObject


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
