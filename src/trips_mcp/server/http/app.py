"""The ASGI app: what is at which address, and the way of a request through it.

host and origin, who calls, what the key allows, a turn, the message, a tool that the key allows, the call.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, NamedTuple

import anyio
from mcp.server import Server
from starlette.types import Receive, Scope, Send

from trips_mcp.addresses import TrustedProxies
from trips_mcp.server.client_holder import ClientHolder
from trips_mcp.server.http.accounts import Account, Accounts
from trips_mcp.server.http.auth import Callers
from trips_mcp.server.http.batch_request import exchange_batch, takes_batches
from trips_mcp.server.http.errors import RefusalError, broken, crowded, ending, not_allowed, not_found, too_much_head
from trips_mcp.server.http.limits import Deadlines, Turns
from trips_mcp.server.http.origins import Origins, answer_preflight
from trips_mcp.server.http.proxies import with_real_client
from trips_mcp.server.http.request import ClientDisconnectedError, Visit, read_message, read_messages
from trips_mcp.server.http.scopes import Faces, Scoping, called_tool
from trips_mcp.server.http.settings import Transport
from trips_mcp.server.http.sse import MESSAGES, Connections, SseConnection
from trips_mcp.server.http.streamable import exchange
from trips_mcp.server.stdio.jsonrpc import Batch, Message

_LARGEST_HEAD: Final = 16 * 1024
_METHOD: Final = re.compile(r"[A-Za-z/_]{1,64}")

_READY_SECONDS: Final = 5
_LIVES: Final = b'{"status":"ok"}'
_READY: Final = b'{"status":"ready"}'
_NOT_READY: Final = b'{"status":"not ready"}'

logger = logging.getLogger(__name__)


class _Route(NamedTuple):
    methods: tuple[str, ...]
    answer: Callable[[Visit], Awaitable[None]]
    guarded: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AppParts:
    """What the app is put together from (`opening.py`)."""

    origins: Origins
    scoping: Scoping
    faces: Faces
    deadlines: Deadlines
    calls: Turns
    streams: Turns
    body_seconds: float
    quiet_seconds: float
    proxies: TrustedProxies = field(default_factory=TrustedProxies)


class App:
    def __init__(
        self,
        parts: AppParts,
        accounts: Accounts,
        callers: Callers,
        ready: Callable[[], Awaitable[bool]],
        transport: Transport,
        log: Callable[[str], object],
    ) -> None:
        """`log` takes a line for each request, in JSON."""
        self._parts = parts
        self._accounts = accounts
        self._callers = callers
        self._ready = ready
        self._log = log
        self._connections = Connections()
        self._ending = False
        self._routes = {
            "/healthz": _Route(("GET", "HEAD"), _answer_healthz, guarded=False),
            "/readyz": _Route(("GET", "HEAD"), self._readyz, guarded=False),
            "/sse": _Route(("GET",), self._sse),
            MESSAGES.removesuffix("/"): _Route(("POST",), self._messages),
        }
        if transport == "http":
            self._routes["/mcp"] = _Route(("POST",), self._mcp)

    def end(self) -> None:
        """Takes no more requests, and sees to it that those under way end soon."""
        self._ending = True
        self._parts.deadlines.end()
        self._connections.end()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = Visit(with_real_client(scope, self._parts.proxies), receive, send, self._parts.quiet_seconds)
        try:
            await self._answer(visit)
        except ClientDisconnectedError:
            pass
        except RefusalError as refusal:
            await visit.refuse(refusal)
        except Exception:  # the outermost wall: whatever broke, the caller gets an answer and the log the rest
            logger.exception("request %s broke", visit.id)
            if not visit.status:
                await visit.refuse(broken(visit.id))
        finally:
            self._log(visit.line())

    async def _answer(self, visit: Visit) -> None:
        if visit.is_one_too_many:
            raise crowded()
        if visit.head_size > _LARGEST_HEAD:  # uvicorn counts only what comes in several pieces
            raise too_much_head()
        route = self._routes.get(visit.path.removesuffix("/"))
        if (route is None or route.guarded) and self._parts.origins.check(visit):
            await answer_preflight(visit)
            return
        if route is None:
            raise not_found("/mcp" if "/mcp" in self._routes else "/sse")
        if visit.method not in route.methods:
            raise not_allowed(*route.methods)
        if route.guarded and self._ending:
            raise ending()
        await route.answer(visit)

    async def _mcp(self, visit: Visit) -> None:
        caller = await self._callers.of(visit)
        async with self._accounts.of(caller) as account:

            async def handle(message: Message, visit: Visit) -> None:
                await self._check(account, message, visit)
                await exchange(self._face(account), account.held, message, visit, self._parts.deadlines)

            with self._parts.calls.one(caller.name):
                batches = takes_batches(visit)
                message = await read_messages(visit, self._parts.body_seconds, takes_batches=batches)
                if isinstance(message, Batch):
                    visit.caller = account.caller.name[:12]
                    await exchange_batch(message, visit, handle)
                else:
                    await handle(message, visit)

    async def _sse(self, visit: Visit) -> None:
        caller = await self._callers.of(visit)
        async with self._accounts.of(caller) as account:
            with self._parts.streams.one(caller.name):

                def answered() -> None:
                    self._parts.calls.give_back(caller.name)

                await self._connections.serve(self._face(account), account.held, caller.name, visit, answered)

    async def _messages(self, visit: Visit) -> None:
        caller = await self._callers.of(visit)
        async with self._accounts.of(caller) as account:
            connection = self._connections.of(visit, caller.name)
            message = await read_message(visit, self._parts.body_seconds)
            try:
                await self._check(account, message, visit)
                await self._deliver(connection, message)
            except RefusalError as refusal:
                refusal.request_id = message.get("id")
                await connection.tell(refusal)
                raise
            await visit.answer(202, b"Accepted", [(b"content-type", b"text/plain")])

    async def _deliver(self, connection: SseConnection, message: Message) -> None:
        if "method" not in message:
            return  # an answer: nothing was asked
        if "id" in message:
            self._parts.calls.take(connection.caller)
        await connection.deliver(message)

    async def _check(self, account: Account, message: Message, visit: Visit) -> None:
        """Raises: RefusalError."""
        method = message.get("method", "")
        visit.caller = account.caller.name[:12]
        visit.rpc = method if _METHOD.fullmatch(method) else None
        visit.tool = self._parts.scoping.known(called_tool(message))
        self._parts.scoping.check(message, account.scopes)
        if visit.tool is None:
            await self._accounts.confirm(account)

    def _face(self, account: Account) -> Server[ClientHolder]:
        return self._parts.faces.of(account.scopes, events=account.caller.events_token is not None)

    async def _readyz(self, visit: Visit) -> None:
        async def ready() -> bool:
            return not self._ending and await self._ready()

        await _answer_readyz(visit, ready)


async def _answer_healthz(visit: Visit) -> None:
    await visit.answer(HTTPStatus.OK, _LIVES)


async def _answer_readyz(visit: Visit, ready: Callable[[], Awaitable[bool]]) -> None:
    if await _within_time(ready):
        await visit.answer(HTTPStatus.OK, _READY)
    else:
        await visit.answer(HTTPStatus.SERVICE_UNAVAILABLE, _NOT_READY)


async def _within_time(ready: Callable[[], Awaitable[bool]]) -> bool:
    with anyio.move_on_after(_READY_SECONDS):
        return await ready()
    return False
