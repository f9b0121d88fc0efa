"""The client that all calls share; the first call opens it, and the end of the server closes it."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, cast

import anyio
from anyio.abc import TaskGroup

from trips_mcp.server.preload import gc_paused

if TYPE_CHECKING:
    from trips_mcp.client import TripsClient

CLOSING_SECONDS = 5

logger = logging.getLogger(__name__)


class _Opening:
    """One attempt to open the client. It runs in its own task, so cancelling a waiting call does not cancel it.

    When no call waits any more, the attempt is abandoned, because it may hang. The next call starts a new attempt.
    """

    def __init__(self) -> None:
        self.scope = anyio.CancelScope()
        self.abandoned = False
        self._waiting = 0
        self._over = anyio.Event()
        self._client: TripsClient | None = None
        self._error: Exception | None = None

    async def client(self) -> "TripsClient":
        self._waiting += 1
        try:
            await self._over.wait()
        finally:
            self._waiting -= 1
            if not self._waiting and not self._over.is_set():
                self.abandoned = True
                self.scope.cancel()
        if self._error is not None:
            raise self._error
        return cast("TripsClient", self._client)

    def succeed(self, client: "TripsClient") -> None:
        self._client = client
        self._over.set()

    def fail(self, error: Exception) -> None:
        self._error = error
        self._over.set()

    @property
    def is_over(self) -> bool:
        return self._over.is_set()


class ClientHolder:
    def __init__(self, connect: "Callable[[], AbstractAsyncContextManager[TripsClient]]", tasks: TaskGroup) -> None:
        self._connect = connect
        self._tasks = tasks
        self._opening: _Opening | None = None
        self._client: TripsClient | None = None
        self._ended = anyio.Event()

    async def client(self) -> "TripsClient":
        """Opens the client if necessary. Raises what opening raises; the next call retries."""
        if self._client is not None:
            return self._client
        if self._opening is None or self._opening.abandoned:
            self._opening = _Opening()
            self._tasks.start_soon(self._hold, self._opening)
        return await self._opening.client()

    @property
    def key_refused(self) -> bool:
        """Whether the service has refused the client's key since it last reported the key's scopes."""
        return self._client is not None and self._client.key_refused

    def end(self) -> None:
        self._ended.set()

    async def _hold(self, opening: _Opening) -> None:
        """Runs in its own task, because a client must be closed by the task that opened it."""
        with opening.scope as scope:
            try:
                async with AsyncExitStack() as stack:
                    with gc_paused():  # opening it imports the client and the backend
                        client = await stack.enter_async_context(self._connect())
                    if opening.abandoned:
                        return
                    # From here on only `end` closes it, in an orderly way.
                    scope.shield = True
                    self._client = client
                    opening.succeed(client)
                    await self._ended.wait()
                    scope.deadline = anyio.current_time() + CLOSING_SECONDS
            except Exception as error:
                if not opening.is_over:
                    opening.fail(error)
                else:  # the calls are done; only closing failed
                    logger.warning("closing the connection failed", exc_info=True)
            finally:
                if not opening.is_over:
                    opening.fail(_ended())
                if self._opening is opening:
                    self._opening = None


def _ended() -> Exception:
    from trips_mcp.client.errors import CannotConnectError

    return CannotConnectError("This server is shutting down.")


@asynccontextmanager
async def client_lifespan(
    connect: "Callable[[], AbstractAsyncContextManager[TripsClient]]",
) -> AsyncGenerator[ClientHolder]:
    async with anyio.create_task_group() as tasks:
        holder = ClientHolder(connect, tasks)
        try:
            yield holder
        finally:
            holder.end()
