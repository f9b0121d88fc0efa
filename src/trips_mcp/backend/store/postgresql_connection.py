"""PostgreSQL connections and transactions, on the driver itself.

SQLAlchemy opens the connections, so that URLs and types mean the same here and in migrations. Its pool and its
transactions take longer than a small statement, so requests do not use them.
"""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from anyio import CancelScope, Semaphore, move_on_after
from sqlalchemy import Dialect, Executable
from sqlalchemy.exc import DBAPIError

from trips_mcp.backend.connection import Rows
from trips_mcp.backend.database_errors import DatabaseLostError
from trips_mcp.backend.store.compiled import CompiledStatements
from trips_mcp.backend.store.postgresql import is_lost, reason
from trips_mcp.json_values import is_list

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

CONNECTIONS: Final = 10
"""Most connections of one process. PostgreSQL allows 100 in all by default, so a few processes fit."""
_SECONDS_OF_USE: Final = 300.0
"""Age at which a connection is replaced: firewalls drop idle ones silently."""

_SECONDS_TO_CLOSE: Final = 2.0


class PostgresqlConnection:
    def __init__(self, db: "AsyncConnection", driver: Any, compiled: CompiledStatements) -> None:
        """`driver`: asyncpg's connection, which has no types without asyncpg."""
        self.driver = driver
        self._db = db
        self._compiled = compiled
        self._ends = monotonic() + _SECONDS_OF_USE

    @property
    def dialect(self) -> Dialect:
        return self._compiled.dialect

    @property
    def is_usable(self) -> bool:
        """Without asking the server; asyncpg knows of a connection that was closed."""
        return not self.driver.is_closed() and monotonic() < self._ends

    async def execute(self, statement: Executable, parameters: Any = None) -> Rows:
        if is_list(parameters):
            compiled = self._compiled.of(statement, parameters[0], many=True)
            await self.driver.executemany(compiled.sql, list(map(compiled.arguments, parameters)))
            return compiled.rows((), -1)
        values: dict[str, Any] = parameters or {}
        compiled = self._compiled.of(statement, values)
        if compiled.names:
            found = await self.driver.fetch(compiled.sql, *compiled.arguments(values))
            return compiled.rows(found, len(found))
        status: str = await self.driver.execute(compiled.sql, *compiled.arguments(values))
        return compiled.rows((), int(status.rpartition(" ")[2]))

    async def close(self) -> None:
        """Says goodbye to the server, but not in a transaction or for long."""
        if self.driver.is_closed() or self.driver.is_in_transaction():
            self.driver.terminate()
        else:
            with suppress(OSError):
                await self.driver.close(timeout=_SECONDS_TO_CLOSE)
        await self._db.close()


class PostgresqlTransactions:
    def __init__(self, engine: "AsyncEngine", patience: float) -> None:
        """A request waits `2 * patience` seconds for a free connection."""
        # only with the extra `postgresql`
        from asyncpg import InterfaceError, PostgresError  # pyright: ignore[reportMissingTypeStubs]

        self._engine = engine
        self._patience = patience
        self._errors = (PostgresError, InterfaceError, DBAPIError, OSError)
        self._compiled = CompiledStatements(engine.dialect)
        self._places = Semaphore(CONNECTIONS, fast_acquire=True)
        self._idle: list[PostgresqlConnection] = []
        """The latest last; it is used first."""

    def single(self) -> AbstractAsyncContextManager[PostgresqlConnection]:
        return self._connection()

    def reading(self) -> AbstractAsyncContextManager[PostgresqlConnection]:
        # one snapshot for all queries of a request, as in SQLite
        return self._transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def writing(self) -> AbstractAsyncContextManager[PostgresqlConnection]:
        # each query sees what others committed, e.g. while this one waited for a lock
        return self._transaction("BEGIN ISOLATION LEVEL READ COMMITTED")

    async def aclose(self) -> None:
        with CancelScope(shield=True):
            while self._idle:
                await self._idle.pop().close()

    @asynccontextmanager
    async def _transaction(self, begin: str) -> AsyncGenerator[PostgresqlConnection]:
        """Raises: DatabaseLostError."""
        async with self._connection() as db:
            await db.driver.execute(begin)
            try:
                yield db
            except BaseException as error:
                if isinstance(error, self._errors) and is_lost(error):
                    db.driver.terminate()
                else:
                    await db.driver.execute("ROLLBACK")
                raise
            await db.driver.execute("COMMIT")

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[PostgresqlConnection]:
        """Raises: DatabaseLostError."""
        with move_on_after(2 * self._patience) as wait:
            await self._places.acquire()
        if wait.cancelled_caught:
            raise DatabaseLostError(f"none of {CONNECTIONS} connections was free for {2 * self._patience:g} seconds")
        try:
            with CancelScope(shield=True):  # a cancelled statement would break the connection
                db = await self._idle_or_new()
                try:
                    yield db
                finally:
                    await self._put_back(db)
        except self._errors as error:
            if is_lost(error):
                raise DatabaseLostError(reason(error)) from error
            if isinstance(error, DBAPIError):
                raise
            raise DBAPIError(None, None, error, hide_parameters=True) from error
        finally:
            self._places.release()

    async def _idle_or_new(self) -> PostgresqlConnection:
        while self._idle:
            db = self._idle.pop()
            if db.is_usable:
                return db
            await db.close()
        db = await self._engine.connect()
        driver = (await db.get_raw_connection()).driver_connection
        return PostgresqlConnection(db, driver, self._compiled)

    async def _put_back(self, db: PostgresqlConnection) -> None:
        if db.is_usable and not db.driver.is_in_transaction():
            self._idle.append(db)
        else:
            await db.close()
