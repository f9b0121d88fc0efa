"""The database connection as handlers see it; the transaction is the caller's."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from sqlalchemy import Dialect, Executable

Row = tuple[Any, ...]


class Rows:
    """The rows that a statement returned, or the number of rows that it changed. Methods as in SQLAlchemy's Result."""

    def __init__(self, names: tuple[str, ...], rows: Sequence[Row], rowcount: int) -> None:
        self.names = names
        """Of the columns."""
        self.rowcount = rowcount
        """How many rows were returned or changed; -1 for several sets of parameters."""
        self._rows = rows

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def one(self) -> Row:
        (row,) = self._rows
        return row

    def one_or_none(self) -> Row | None:
        return self.one() if self._rows else None

    def scalars(self) -> list[Any]:
        """The first column."""
        return [row[0] for row in self._rows]

    def scalar_one(self) -> Any:
        return self.one()[0]

    def scalar_one_or_none(self) -> Any:
        return self.one()[0] if self._rows else None


class Connection(Protocol):
    @property
    def dialect(self) -> Dialect: ...

    async def execute(self, statement: Executable, parameters: Any = None) -> Rows:
        """`parameters` is one set of parameters, or a list of sets."""
        ...
