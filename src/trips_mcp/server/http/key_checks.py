"""Checks of keys with the service, limited in number and in time.

A check runs in its own task, so that it ends in time even if the requests that wait for it are cancelled.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

import anyio
from anyio.abc import TaskGroup

from trips_mcp.addresses import client_network

CHECK_SECONDS: Final = 5
"""Timeout of one check."""
SURE_SECONDS: Final = 1
"""Seconds during which a new check cannot displace a running one."""
MOST_CHECKS: Final = 32

logger = logging.getLogger(__name__)

Clock = Callable[[], float]


class NoRoomError(Exception):
    """The limit of checks is reached, and all of them are recent."""


class KeyCheck:
    """One check, which several requests of the same caller may wait for."""

    def __init__(self, ask: Callable[[], Awaitable[None]], network: str, began: float) -> None:
        self.network = network
        self.began = began
        self._ask = ask
        self._scope = anyio.CancelScope()
        self._over = anyio.Event()
        self._waiting = 0

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    async def wait(self, seconds: float | None, *, for_others: bool) -> None:
        """Waits for the end, at most `seconds`. `for_others`: the check continues when nobody waits."""
        self._waiting += 1
        try:
            with anyio.move_on_after(seconds):
                await self._over.wait()
        finally:
            self._waiting -= 1
            if not self._waiting and not for_others:
                self.end()

    def end(self) -> None:
        self._scope.cancel()

    async def run(self) -> None:
        try:
            with self._scope, anyio.move_on_after(CHECK_SECONDS):
                await self._ask()
        except Exception:  # a failed check must not end the others
            logger.exception("asking about a key broke")
        finally:
            self._over.set()


class KeyChecks:
    def __init__(self, tasks: TaskGroup, clock: Clock) -> None:
        self._tasks = tasks
        self._clock = clock
        self._running: list[KeyCheck] = []
        """Oldest first."""

    def begin(self, ask: Callable[[], Awaitable[None]], address: str) -> KeyCheck:
        """`address`: the client that needs the check. Raises: NoRoomError."""
        network = client_network(address)
        self._running = [check for check in self._running if not check.is_over]
        if len(self._running) >= MOST_CHECKS:
            self._make_room(network)
        check = KeyCheck(ask, network, self._clock())
        self._running.append(check)
        self._tasks.start_soon(check.run)
        return check

    def end(self) -> None:
        for check in self._running:
            check.end()

    def _make_room(self, network: str) -> None:
        """Ends a check of the busiest network, so that it cannot starve others, or else the oldest check."""
        asking = Counter(check.network for check in self._running)
        busiest, most = asking.most_common(1)[0]
        if most > asking[network] + 1:
            oldest = next(check for check in self._running if check.network == busiest)
        else:
            oldest = self._running[0]
            if self._clock() - oldest.began < SURE_SECONDS:
                raise NoRoomError
        oldest.end()
        self._running.remove(oldest)
