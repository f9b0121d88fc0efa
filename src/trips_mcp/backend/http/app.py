"""The backend's ASGI app, which authenticates, rate-limits and routes each request."""

import logging
from collections.abc import Callable, Iterable
from sqlite3 import Error as SqliteError
from typing import Any

from pydantic_core import to_json
from sqlalchemy import literal, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from trips_mcp.addresses import UNKNOWN, client_network
from trips_mcp.backend.callers.rate_limit import Allowance, count_request
from trips_mcp.backend.callers.users import find_caller, note_use
from trips_mcp.backend.database_errors import DatabaseLostError
from trips_mcp.backend.errors import ProblemError, events_error, trips_error
from trips_mcp.backend.handler import ANYONE, Caller, Served, timestamp
from trips_mcp.backend.http.dispatch import Asked, Runner, Sent
from trips_mcp.backend.http.openapi import openapi
from trips_mcp.backend.http.requests import credentials, query_values, raw_path, read_body
from trips_mcp.backend.http.routing import Routes, full_path
from trips_mcp.backend.id_generator import new_request_id
from trips_mcp.backend.resources import HANDLERS
from trips_mcp.backend.store.database import Database
from trips_mcp.contract.operation import Operation

LOG = logging.getLogger("trips_mcp.backend")

_DOCUMENT = "/openapi.json"
_SECONDS_UNNOTED = 3600.0
"""How old the stored last use of a key may be. Storing every use would make each read a write."""


class Backend:
    """Serves both APIs over one database."""

    def __init__(
        self, database: Database, *, owner: Caller | None, rate_limit: int | None, clock: Callable[[], float]
    ) -> None:
        """`owner` makes every request if no keys are required."""
        self._database = database
        self._owner = owner
        self._rate_limit = rate_limit
        self._clock = clock
        self._run = Runner(database, clock, database.shown if owner else None)
        self.routes: Routes[Served | None] = Routes(
            [
                *((full_path(served.operation), served.operation.method, served) for served in HANDLERS),
                (_DOCUMENT, "GET", None),
            ]
        )
        self._document: bytes | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _lifespan(receive, send)
        else:
            await send({"type": "websocket.close"})

    async def ready(self) -> bool:
        """Whether the database answers."""
        try:
            async with self._database.single() as db:
                await db.execute(select(literal(1)))
        except (DatabaseLostError, SQLAlchemyError, SqliteError) as error:
            LOG.warning("%s does not answer (%s)", self._database.shown, type(error).__name__)
            return False
        return True

    async def knows(self, key: str) -> bool:
        """Whether the key is valid, outside the rate limit. True while the database cannot be reached."""
        try:
            async with self._database.single() as db:
                return await find_caller(db, key) is not None
        except DatabaseLostError:
            return True

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = new_request_id()
        request = _Request(scope)
        try:
            sent = await self._answer(request, receive, request_id)
        except ClientDisconnect:
            return
        except ProblemError as problem:
            sent = request.refusal(problem, request_id)
        except DatabaseLostError as lost:
            LOG.error("request %s: %s was lost (%s)", request_id, self._database.shown, lost.why)
            problem = ProblemError("INTERNAL_ERROR", "The database cannot be reached just now; try again in a moment.")
            sent = request.refusal(problem, request_id)
        except Exception:  # the last resort: the caller gets a response, and the log the details
            LOG.exception("request %s broke", request_id)
            problem = ProblemError("INTERNAL_ERROR", "Something broke here; it has been logged.")
            sent = request.refusal(problem, request_id)
        headers = [*request.headers_back, *sent.headers, ("x-request-id", sent.request_id or request_id)]
        await _send(send, sent.status, sent.body, headers, with_body=request.method != "HEAD")

    async def _answer(self, request: "_Request", receive: Receive, request_id: str) -> Sent:
        caller = self._owner or await self._admit(request)
        served, segments = self.routes.find(request.method, request.path)
        if served is None:
            return Sent(200, self._openapi())
        request.operation = operation = served.operation
        if caller is None and operation.scope != "nobody":
            raise _unauthorized(request.key)
        body = await read_body(receive, request.headers) if operation.has_body else b""
        takes_key = operation.api == "trips" and not operation.reads
        asked = Asked(
            served,
            request_id,
            request.path,
            segments,
            query_values(request.scope),
            body,
            request.headers.get("idempotency-key") if takes_key else None,
        )
        return await self._run.run(asked, caller or ANYONE)

    async def _admit(self, request: "_Request") -> Caller | None:
        """The caller, if the key is valid. Raises: ProblemError if the rate limit is exceeded."""
        key = request.key
        caller = None
        if key is not None:
            async with self._database.single() as db:
                caller = await find_caller(db, key)
        if caller is not None and caller.last_used_at < timestamp(self._clock() - _SECONDS_UNNOTED):
            async with self._database.writing() as db:
                await note_use(db, caller, self._clock())
        if self._rate_limit is None or request.is_events:  # the Events API has no rate limit
            return caller
        async with self._database.writing() as db:
            bucket = caller.id if caller else f"address {client_network(request.address)}"
            allowance: Allowance = await count_request(db, bucket, self._rate_limit, self._clock())
        request.headers_back = allowance.headers
        allowance.check()
        return caller

    def _openapi(self) -> bytes:
        if self._document is None:
            self._document = to_json(openapi())
        return self._document


class _Request:
    """A request's method, path, headers and key, before routing."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.path = raw_path(scope)
        self.headers = Headers(scope=scope)
        self.is_events = self.path.startswith("/v1/")
        self.key = credentials(self.headers, cookie=self.is_events)
        self.operation: Operation[Any, Any] | None = None
        self.headers_back: list[tuple[str, str]] = []

    @property
    def address(self) -> str:
        client: tuple[str, int] | None = self.scope.get("client")
        return client[0] if client else UNKNOWN

    def refusal(self, problem: ProblemError, request_id: str) -> Sent:
        told = events_error(problem, self.operation) if self.is_events else trips_error(problem, request_id)
        return Sent(problem.status, to_json(told), problem.headers)


def _unauthorized(key: str | None) -> ProblemError:
    why = "This API key is not valid" if key else "An API key is missing"
    return ProblemError(
        "UNAUTHORIZED",
        f"{why}; send Authorization: Bearer with a key of this service.",
        headers=[("www-authenticate", "Bearer")],
    )


async def _send(send: Send, status: int, body: bytes, headers: Iterable[tuple[str, str]], *, with_body: bool) -> None:
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    if status != 204:
        raw += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body if with_body else b""})


async def _lifespan(receive: Receive, send: Send) -> None:
    """Does nothing: the database is opened and closed by `open_backend`."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
