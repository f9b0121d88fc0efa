"""Factories of the app, for callers with their own keys or for this computer only."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio

from trips_mcp.client.errors import TripsError
from trips_mcp.connect import connect, services
from trips_mcp.server.http.accounts import Accounts
from trips_mcp.server.http.app import App, AppConfig, Offering, ScopedServers
from trips_mcp.server.http.auth import (
    ANYBODY,
    Authenticator,
    KeyVerifier,
    Origins,
    ScopeCheck,
    rejected,
    rejected_by_us,
)
from trips_mcp.server.http.limits import CallLimit, Deadlines
from trips_mcp.server.http.request import public_address
from trips_mcp.server.http.settings import HttpSettings, Transport
from trips_mcp.server.http.shared_files import SharedFiles
from trips_mcp.server.http.workers import Worker
from trips_mcp.server.offer import Offer, offer
from trips_mcp.settings import Settings

Log = Callable[[str], object]


def masked(settings: Settings) -> Offer:
    """The offer over HTTP, which masks secrets by default. Callers may be on other computers, so it has no files."""
    offered = offer(replace(settings, chosen_files=None), masks=True)
    if not settings.team:
        return offered
    return replace(offered, conduct=replace(offered.conduct, share_base=public_address))


@asynccontextmanager
async def app_for_callers(
    settings: Settings, http: HttpSettings, address: str, log: Log, *, worker: Worker | None = None
) -> AsyncGenerator[App]:
    """Each request uses the key that it brings. `settings` come from `settings_of_callers`.

    Raises: CannotConnectError.
    """
    async with services(settings, rate_limit=http.rate_limit) as apis, anyio.create_task_group() as tasks:
        accounts = Accounts(
            lambda caller: apis.client(caller.trips_key, caller.events_token, caller.address),
            tasks,
            rejection=rejected_by_us if settings.team else rejected,
            knows=(lambda caller: apis.knows(caller.trips_key)) if settings.team else None,
        )
        try:
            parts = _parts(settings, http, address, masked, worker, keyed=True)
            files = SharedFiles(apis.visitor) if settings.team else None
            yield App(parts, accounts, Authenticator(KeyVerifier()), apis.ready, _served(http), log, files)
        finally:
            accounts.end()


@asynccontextmanager
async def app_for_this_computer(
    settings: Settings,
    http: HttpSettings,
    address: str,
    log: Log,
    offering: Offering = masked,
    *,
    worker: Worker | None = None,
) -> AsyncGenerator[App]:
    """Each request uses the keys of the settings, or the embedded backend, as over stdio."""
    async with anyio.create_task_group() as tasks:
        accounts = Accounts(lambda _: connect(settings), tasks, rejection=None, asks=not settings.embedded)

        async def ready() -> bool:
            if not settings.embedded:
                return True
            async with accounts.of(ANYBODY) as account:
                try:
                    await (await account.holder.client()).me()
                except TripsError:
                    return False
                return True

        try:
            parts = _parts(settings, http, address, offering, worker, keyed=False)
            yield App(parts, accounts, Authenticator(None), ready, _served(http), log)
        finally:
            accounts.end()


def _served(http: HttpSettings) -> frozenset[Transport]:
    """A stream of SSE belongs to a process, so several serve none."""
    if http.transport == "sse":
        return frozenset(("sse",))
    return frozenset(("http", "sse") if http.workers == 1 else ("http",))


def _parts(
    settings: Settings, http: HttpSettings, address: str, offering: Offering, worker: Worker | None, *, keyed: bool
) -> AppConfig:
    deadlines = Deadlines(http.call_seconds)
    return AppConfig(
        origins=Origins(address, http.allowed_hosts, http.allowed_origins),
        proxies=http.trusted_proxies,
        scope_check=ScopeCheck(settings),
        deadlines=deadlines,
        servers=ScopedServers(settings, deadlines, offering, keyed=keyed),
        calls=CallLimit(http.max_calls, http.max_calls_per_caller, worker and (worker.calls, worker.number)),
        streams=CallLimit(http.max_calls, http.max_calls_per_caller),
        body_seconds=http.body_seconds,
        quiet_seconds=http.quiet_seconds,
    )
