"""What a handler may do with the database: statements, in a transaction that somebody else begins and ends."""

from typing import Any, Protocol

from sqlalchemy import CursorResult, Dialect, Executable


class Connection(Protocol):
    @property
    def dialect(self) -> Dialect: ...

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[*tuple[Any, ...]]:
        """With one set of parameters, or with a list of them."""
        ...
