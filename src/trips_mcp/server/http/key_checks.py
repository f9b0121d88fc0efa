"""Questions to the service whose key this is: a few at once, each for a few seconds, none in another's way.

A question runs in a task of its own, so that it ends in time whatever becomes of the requests that wait for it.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

import anyio
from anyio.abc import TaskGroup

from trips_mcp.addresses import client_network

CHECK_SECONDS: Final = 5
"""The longest that one question may take."""
SURE_SECONDS: Final = 1
"""For which a question keeps its place, however many others wait for one."""
MOST_CHECKS: Final = 32

logger = logging.getLogger(__name__)

Clock = Callable[[], float]


class NoRoomError(Exception):
    """As many questions as are allowed are being asked, none of them for long."""


class KeyCheck:
    """One question, which several requests of the same caller may wait for."""

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
        """Until it is over, or for so long. `for_others`: it goes on when nobody waits any more."""
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
        except Exception:  # one key's question must not end the others'
            logger.exception("asking about a key broke")
        finally:
            self._over.set()


class KeyChecks:
    def __init__(self, tasks: TaskGroup, clock: Clock) -> None:
        self._tasks = tasks
        self._clock = clock
        self._running: list[KeyCheck] = []
        """The oldest first."""

    def begin(self, ask: Callable[[], Awaitable[None]], address: str) -> KeyCheck:
        """`address`: of whoever's request needs the answer. Raises: NoRoomError."""
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
        """Ends one of those who ask most, so that no address keeps another one from asking; or the oldest question."""
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
