"""The one client all calls share: opened by the first that needs it, closed when the server ends."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup, TaskStatus

from trips_mcp.server.importing import without_collecting

if TYPE_CHECKING:
    from trips_mcp.client import TripsClient

CLOSING_SECONDS = 5

logger = logging.getLogger(__name__)


class Holding:
    def __init__(self, connect: "Callable[[], AbstractAsyncContextManager[TripsClient]]", tasks: TaskGroup) -> None:
        self._connect = connect
        self._tasks = tasks
        self._opening = anyio.Lock()
        self._client: TripsClient | None = None
        self._ended = anyio.Event()

    async def client(self) -> "TripsClient":
        """Raises whatever opening it raises; the next call tries again."""
        if self._client is not None:
            return self._client
        async with self._opening:
            client = self._client or await self._tasks.start(self._hold)
            self._client = client
            return client

    @property
    def key_refused(self) -> bool:
        """Whether the service has refused the client's key since it last told what that allows."""
        return self._client is not None and self._client.key_refused

    def end(self) -> None:
        self._ended.set()

    async def _hold(self, *, task_status: "TaskStatus[TripsClient]") -> None:
        """In a task of its own, so that it is left where it was entered, by nobody's cancelled call."""
        with anyio.CancelScope() as scope:
            try:
                async with AsyncExitStack() as stack:
                    with without_collecting():  # opening it imports the client and the backend
                        client = await stack.enter_async_context(self._connect())
                    # From here on it ends when it is told to, and in good order.
                    scope.shield = True
                    task_status.started(client)
                    await self._ended.wait()
                    scope.deadline = anyio.current_time() + CLOSING_SECONDS
            except Exception:
                if not scope.shield:
                    raise
                # The calls are over, and the closing is all that failed.
                logger.warning("closing the connection failed", exc_info=True)


@asynccontextmanager
async def holding(connect: "Callable[[], AbstractAsyncContextManager[TripsClient]]") -> AsyncGenerator[Holding]:
    async with anyio.create_task_group() as tasks:
        held = Holding(connect, tasks)
        try:
            yield held
        finally:
            held.end()
