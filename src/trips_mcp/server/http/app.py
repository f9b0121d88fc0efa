"""The ASGI app: its routes, and the checks that each request passes.

The order is: Host and Origin, authentication, account, concurrency limit, body, scopes, call.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from http import HTTPStatus
from typing import Final, NamedTuple

import anyio
from mcp.server import Server
from starlette.types import Receive, Scope, Send

from trips_mcp.addresses import TrustedProxies
from trips_mcp.server.client_holder import ClientHolder
from trips_mcp.server.http.accounts import Account, Accounts
from trips_mcp.server.http.auth import Authenticator, Origins, ScopeCheck, answer_preflight, called_tool
from trips_mcp.server.http.limits import CallLimit, Deadlines
from trips_mcp.server.http.request import (
    ClientDisconnectedError,
    HttpRequest,
    RefusalError,
    broken,
    ending,
    not_allowed,
    not_found,
    note_request,
    read_message,
    read_messages,
    too_many_connections,
    too_much_head,
    with_real_client,
)
from trips_mcp.server.http.settings import Transport
from trips_mcp.server.http.shared_files import SharedFiles
from trips_mcp.server.http.sse import MESSAGES, Connections, SseConnection
from trips_mcp.server.http.streamable import exchange, exchange_batch, takes_batches
from trips_mcp.server.jsonrpc import Batch, Message
from trips_mcp.server.offer import Offer
from trips_mcp.server.server import build_server
from trips_mcp.settings import Settings, SettingsError

_LARGEST_HEAD: Final = 16 * 1024
_METHOD: Final = re.compile(r"[A-Za-z/_]{1,64}")

_READY_SECONDS: Final = 5
_LIVES: Final = b'{"status":"ok"}'
_READY: Final = b'{"status":"ready"}'
_NOT_READY: Final = b'{"status":"not ready"}'

Offering = Callable[[Settings], Offer]
_MOST_SERVERS: Final = 64

logger = logging.getLogger(__name__)


class _Route(NamedTuple):
    methods: tuple[str, ...]
    answer: Callable[[HttpRequest], Awaitable[None]]
    guarded: bool = True


class ScopedServers:
    """The SDK servers, one for each set of APIs and scopes, shared by the callers whose keys have them.

    They keep no state of their callers; each request brings its client (`streamable.py`).
    """

    def __init__(self, settings: Settings, deadlines: Deadlines, offering: Offering, *, keyed: bool) -> None:
        """`keyed`: whether callers bring their keys (`settings_of_callers`)."""
        self._settings = settings
        self._offering = offering
        self._keyed = keyed
        self._deadlines = deadlines
        self._made = lru_cache(_MOST_SERVERS)(self._make)

    def of(self, scopes: Iterable[str] | None, *, events: bool) -> Server[ClientHolder]:
        """`events`: whether the caller has a token for the Events API."""
        return self._made(None if scopes is None else tuple(sorted(scopes)), events)

    def _make(self, scopes: tuple[str, ...] | None, events: bool) -> Server[ClientHolder]:
        server = build_server(self._offer(scopes, events))
        server.middleware.append(self._deadlines)
        return server

    def _offer(self, scopes: tuple[str, ...] | None, events: bool) -> Offer:
        """The offer for these scopes."""
        settings = self._settings
        if self._keyed and not events:
            settings = replace(settings, caller_apis=("trips",))
        try:
            return self._offering(settings if scopes is None else replace(settings, scopes=scopes))
        except SettingsError:  # the key allows none of this server's tools
            offered = self._offering(settings)
            conduct = replace(offered.conduct, absent=offered.conduct.absent | offered.names)
            return replace(offered, listing=[], conduct=conduct)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppConfig:
    """The parts of the app, built by `factory.py`."""

    origins: Origins
    scope_check: ScopeCheck
    servers: ScopedServers
    deadlines: Deadlines
    calls: CallLimit
    streams: CallLimit
    body_seconds: float
    quiet_seconds: float
    proxies: TrustedProxies = field(default_factory=TrustedProxies)


class App:
    def __init__(
        self,
        parts: AppConfig,
        accounts: Accounts,
        authenticator: Authenticator,
        ready: Callable[[], Awaitable[bool]],
        transports: Collection[Transport],
        log: Callable[[str], object],
        shared_files: SharedFiles | None = None,
    ) -> None:
        """`log` receives one JSON line per request."""
        self._config = parts
        self._accounts = accounts
        self._authenticator = authenticator
        self._ready = ready
        self._log = log
        self._shared_files = shared_files
        self._connections = Connections()
        self._ending = False
        self._routes = {
            "/healthz": _Route(("GET", "HEAD"), _answer_healthz, guarded=False),
            "/readyz": _Route(("GET", "HEAD"), self._readyz, guarded=False),
        }
        if "sse" in transports:
            self._routes["/sse"] = _Route(("GET",), self._sse)
            self._routes[MESSAGES.removesuffix("/")] = _Route(("POST",), self._messages)
        if "http" in transports:
            self._routes["/mcp"] = _Route(("POST",), self._mcp)

    def end(self) -> None:
        """Refuses new requests and makes the running ones end soon."""
        self._ending = True
        self._config.deadlines.end()
        self._connections.end()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = HttpRequest(with_real_client(scope, self._config.proxies), receive, send, self._config.quiet_seconds)
        try:
            await self._answer(request)
        except ClientDisconnectedError:
            pass
        except RefusalError as refusal:
            await request.refuse(refusal)
        except Exception:  # the outermost boundary: the caller gets a response, the log the details
            logger.exception("request %s broke", request.id)
            if not request.status:
                await request.refuse(broken(request.id))
        finally:
            self._log(request.line())

    async def _answer(self, request: HttpRequest) -> None:
        if request.is_over_connection_limit:
            raise too_many_connections()
        if request.head_size > _LARGEST_HEAD:  # uvicorn limits only heads that arrive in several pieces
            raise too_much_head()
        if self._shared_files is not None and (wanted := self._shared_files.wanted(request)):
            if request.method not in ("GET", "HEAD"):
                raise not_allowed("GET", "HEAD")
            await self._shared_files.answer(request, wanted)
            return
        route = self._routes.get(request.path.removesuffix("/"))
        if (route is None or route.guarded) and self._config.origins.check(request):
            await answer_preflight(request)
            return
        if route is None:
            raise not_found("/mcp" if "/mcp" in self._routes else "/sse")
        if request.method not in route.methods:
            raise not_allowed(*route.methods)
        if route.guarded and self._ending:
            raise ending()
        note_request(request)
        await route.answer(request)

    async def _mcp(self, request: HttpRequest) -> None:
        caller = await self._authenticator.authenticate(request)
        async with self._accounts.of(caller) as account:

            async def handle(message: Message, request: HttpRequest) -> None:
                await self._check(account, message, request)
                await exchange(self._server(account), account.holder, message, request, self._config.deadlines)

            with self._config.calls.slot(caller.name):
                batches = takes_batches(request)
                message = await read_messages(request, self._config.body_seconds, takes_batches=batches)
                if isinstance(message, Batch):
                    request.caller = account.caller.name[:12]
                    await exchange_batch(message, request, handle)
                else:
                    await handle(message, request)

    async def _sse(self, request: HttpRequest) -> None:
        caller = await self._authenticator.authenticate(request)
        async with self._accounts.of(caller) as account:
            with self._config.streams.slot(caller.name):

                def answered() -> None:
                    self._config.calls.release(caller.name)

                await self._connections.serve(self._server(account), account.holder, caller.name, request, answered)

    async def _messages(self, request: HttpRequest) -> None:
        caller = await self._authenticator.authenticate(request)
        async with self._accounts.of(caller) as account:
            connection = self._connections.of(request, caller.name)
            message = await read_message(request, self._config.body_seconds)
            try:
                await self._check(account, message, request)
                await self._deliver(connection, message)
            except RefusalError as refusal:
                refusal.request_id = message.get("id")
                await connection.tell(refusal)
                raise
            await request.answer(202, b"Accepted", [(b"content-type", b"text/plain")])

    async def _deliver(self, connection: SseConnection, message: Message) -> None:
        if "method" not in message:
            return  # a response; the server sends no requests
        if "id" in message:
            self._config.calls.acquire(connection.caller)
        await connection.deliver(message)

    async def _check(self, account: Account, message: Message, request: HttpRequest) -> None:
        """Raises: RefusalError."""
        method = message.get("method", "")
        request.caller = account.caller.name[:12]
        request.rpc = method if _METHOD.fullmatch(method) else None
        request.tool = self._config.scope_check.known(called_tool(message))
        self._config.scope_check.check(message, account.scopes)
        if request.tool is None:
            await self._accounts.confirm(account)

    def _server(self, account: Account) -> Server[ClientHolder]:
        return self._config.servers.of(account.scopes, events=account.caller.events_token is not None)

    async def _readyz(self, request: HttpRequest) -> None:
        async def ready() -> bool:
            return not self._ending and await self._ready()

        await _answer_readyz(request, ready)


async def _answer_healthz(request: HttpRequest) -> None:
    await request.answer(HTTPStatus.OK, _LIVES)


async def _answer_readyz(request: HttpRequest, ready: Callable[[], Awaitable[bool]]) -> None:
    if await _within_time(ready):
        await request.answer(HTTPStatus.OK, _READY)
    else:
        await request.answer(HTTPStatus.SERVICE_UNAVAILABLE, _NOT_READY)


async def _within_time(ready: Callable[[], Awaitable[bool]]) -> bool:
    with anyio.move_on_after(_READY_SECONDS):
        return await ready()
    return False
