"""The callers' accounts, each with its own client, rate limiter, connections and running writes.

The first request opens an account. When there are too many, the least recently used idle account is closed. An
account is found only by a hash of the keys it was opened with.

The service decides what a key may do. If the service cannot be reached, its last response for an accepted key stays
valid for a time, and unknown keys are refused. Checks with the service are limited in number and in time, and run in
tasks of their own, so that they end in time even if the requests that wait for them are cancelled.
"""

import logging
from collections import Counter, OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from math import ceil
from time import monotonic
from typing import Final

import anyio
from anyio.abc import TaskGroup

from trips_mcp.addresses import client_network
from trips_mcp.client import TripsClient
from trips_mcp.client.errors import ForbiddenError, TripsError, UnauthorizedError
from trips_mcp.scopes import Scope
from trips_mcp.server.client_holder import ClientHolder
from trips_mcp.server.http.auth import HttpCaller, unverified
from trips_mcp.server.http.request import RefusalError

MOST_ACCOUNTS: Final = 500
FRESH_SECONDS: Final = 300
"""How long the service's response about a key is valid."""
AGAIN_SECONDS: Final = 15
"""Delay before a failed check is retried."""
STALE_SECONDS: Final = 3600
"""How long the last response stays valid while the service gives no new one."""
_CHECK_WAIT_SECONDS: Final = 0.5
"""How long a request waits for a new response while the last one is still valid."""
_RETRY_AFTER: Final = 5
_LONGEST_RETRY_AFTER: Final = 60
_MOST_REJECTED: Final = 10_000
CHECK_SECONDS: Final = 5
"""Timeout of one check."""
SURE_SECONDS: Final = 1
"""Seconds during which a new check cannot displace a running one."""
MOST_CHECKS: Final = 32

logger = logging.getLogger(__name__)

Connect = Callable[[HttpCaller], AbstractAsyncContextManager[TripsClient]]
Clock = Callable[[], float]


class Account:
    def __init__(self, caller: HttpCaller, holder: ClientHolder) -> None:
        self.caller = caller
        self.holder = holder
        self.scopes: tuple[str, ...] | None = None
        """The key's scopes as the service last reported them; None if it has not."""
        self.active = 0
        """Number of open requests and streams."""
        self.fresh_until = float("-inf")
        self.stale_until = float("-inf")
        """Until when the service's last response is valid if there is no new one."""
        self.accepted = False
        """Whether the service has ever accepted the key."""
        self.rejected = False
        self.check: KeyCheck | None = None
        self.retry_after: float | None = None
        """Seconds until a retry, as the service requested when a check failed."""


class Accounts:
    def __init__(
        self,
        connect: Connect,
        tasks: TaskGroup,
        *,
        rejection: Callable[[], RefusalError] | None,
        asks: bool = True,
        knows: Callable[[HttpCaller], Awaitable[bool]] | None = None,
        most: int = MOST_ACCOUNTS,
        clock: Clock = monotonic,
    ) -> None:
        """`rejection`: makes the error for a key that the service rejects; None if the key is the server's own.

        `asks`: whether to ask the service for a key's scopes. `knows`: whether the service still has a key, if that
        check is cheap.
        """
        self._connect = connect
        self._tasks = tasks
        self._rejection = rejection
        self._asks = asks
        self._knows = knows
        self._most = most
        self._clock = clock
        self._open: OrderedDict[str, Account] = OrderedDict()
        """By the caller's name, least recently used first."""
        self._rejected: OrderedDict[str, float] = OrderedDict()
        self._checks = KeyChecks(tasks, clock)

    @asynccontextmanager
    async def of(self, caller: HttpCaller) -> AsyncGenerator[Account]:
        """The caller's account, kept open for the block.

        Raises: RefusalError if the service rejects the key, or cannot be reached and has never accepted it.
        """
        self._refuse_if_rejected(caller)
        account = self._open.get(caller.name) or self._opened(caller)
        self._open.move_to_end(caller.name)
        account.active += 1
        try:
            if self._asks and not self._is_fresh(account):
                await self._check(account)
            self._make_room(account)
            yield account
        finally:
            account.active -= 1
            if not account.active and (account.rejected or self._is_unverified(account)):
                self._close(account)

    async def confirm(self, account: Account) -> None:
        """Checks the key before a response that needs no service call. Raises: RefusalError if it was revoked."""
        if self._knows is not None and not await self._knows(account.caller):
            self._reject(account)
            self._refuse_if_rejected(account.caller)

    def end(self) -> None:
        """Closes all accounts; the task group ends with the last."""
        self._checks.end()
        while self._open:
            self._open.popitem()[1].holder.end()

    def _opened(self, caller: HttpCaller) -> Account:
        account = Account(caller, ClientHolder(lambda: self._connect(caller), self._tasks))
        self._open[caller.name] = account
        return account

    def _close(self, account: Account) -> None:
        if self._open.get(account.caller.name) is account:
            del self._open[account.caller.name]
        account.holder.end()

    def _make_room(self, account: Account) -> None:
        """Closes an idle account if there are too many. Unverified keys never displace an account."""
        if account.accepted and len(self._open) > self._most:
            idle = next((each for each in self._open.values() if not each.active), None)
            if idle is not None:
                self._close(idle)

    def _is_unverified(self, account: Account) -> bool:
        return self._asks and self._rejection is not None and not account.accepted

    def _is_fresh(self, account: Account) -> bool:
        """Whether no new check is needed."""
        return self._clock() < account.fresh_until and not self._key_was_refused(account)

    def _is_stale(self, account: Account) -> bool:
        """Whether the last response is still valid, though a new check is due."""
        return self._clock() < account.stale_until and not self._key_was_refused(account)

    def _key_was_refused(self, account: Account) -> bool:
        """Whether the service has refused the caller's key in a call, which voids the last response."""
        return self._rejection is not None and account.holder.key_refused

    async def _check(self, account: Account) -> None:
        """Raises: RefusalError."""
        is_stale = self._is_stale(account)
        try:
            check = account.check
            if check is None or check.is_over:  # concurrent requests of one caller share a check
                check = account.check = self._checks.begin(lambda: self._ask(account), account.caller.address)
            await check.wait(_CHECK_WAIT_SECONDS if is_stale else None, for_others=account.accepted)
        except NoRoomError:
            pass
        if account.rejected:
            self._refuse_if_rejected(account.caller)
        if self._is_fresh(account):
            return
        if not is_stale and self._rejection is not None:
            wanted = account.retry_after or _RETRY_AFTER
            raise unverified(min(ceil(wanted), _LONGEST_RETRY_AFTER))
        account.fresh_until = self._clock() + AGAIN_SECONDS

    async def _ask(self, account: Account) -> None:
        account.retry_after = None
        try:
            me = await (await account.holder.client()).me()
        except UnauthorizedError:
            self._reject(account)
        except ForbiddenError as error:
            if error.message and error.request_id:  # from the service itself, not from a proxy in front of it
                self._accept(account, None)
        except TripsError as error:
            logger.info("the scopes of %s are not known: %s", account.caller.name[:12], type(error).__name__)
            account.retry_after = getattr(error, "retry_after", None)
        else:
            self._accept(account, _known(me.scopes))

    def _accept(self, account: Account, scopes: tuple[str, ...] | None) -> None:
        account.accepted = True
        account.scopes = scopes
        account.fresh_until = self._clock() + FRESH_SECONDS
        account.stale_until = self._clock() + STALE_SECONDS

    def _reject(self, account: Account) -> None:
        account.scopes = None
        account.fresh_until = self._clock() + AGAIN_SECONDS
        account.stale_until = float("-inf")
        if self._rejection is None:
            return
        account.rejected = True
        self._rejected[account.caller.name] = account.fresh_until
        if len(self._rejected) > _MOST_REJECTED:
            self._rejected.popitem(last=False)
        if not account.active:
            self._close(account)

    def _refuse_if_rejected(self, caller: HttpCaller) -> None:
        until = self._rejected.get(caller.name)
        if until is None or self._rejection is None:
            return
        if self._clock() < until:
            raise self._rejection()
        del self._rejected[caller.name]


def _known(scopes: list[str] | None) -> tuple[str, ...] | None:
    """None if any scope is unknown to this version, because it may allow anything."""
    try:
        return None if scopes is None else tuple(str(Scope.parse(scope)) for scope in scopes)
    except ValueError:
        return None


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
