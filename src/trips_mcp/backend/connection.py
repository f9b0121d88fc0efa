"""The database connection as handlers see it; the transaction is the caller's."""

from typing import Any, Protocol

from sqlalchemy import CursorResult, Dialect, Executable


class Connection(Protocol):
    @property
    def dialect(self) -> Dialect: ...

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[*tuple[Any, ...]]:
        """`parameters` is one set of parameters, or a list of sets."""
        ...
