"""The backend, which authenticates, rate-limits and routes each request, whichever way it comes."""

import logging
from collections.abc import AsyncGenerator, Callable
from sqlite3 import Error as SqliteError
from typing import Any

from pydantic_core import to_json
from sqlalchemy import literal, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from trips_mcp.addresses import UNKNOWN, client_network
from trips_mcp.backend.callers.rate_limit import Allowance, count_request
from trips_mcp.backend.callers.users import find_caller, note_use
from trips_mcp.backend.errors import ProblemError, events_error, trips_error
from trips_mcp.backend.handler import ANYONE, BackendResponse, Caller, Served, timestamp
from trips_mcp.backend.http.dispatch import Runner
from trips_mcp.backend.http.openapi import openapi
from trips_mcp.backend.http.requests import BackendRequest, query_values, raw_path, read_body
from trips_mcp.backend.http.routing import Routes, full_path
from trips_mcp.backend.resources import HANDLERS
from trips_mcp.backend.store import DatabaseLostError
from trips_mcp.backend.store.database import Database

LOG = logging.getLogger("trips_mcp.backend")

_DOCUMENT = "/openapi.json"
_SECONDS_UNNOTED = 3600.0
"""How old the stored last use of a key may be. Storing every use would make each read a write."""


class Backend:
    """Serves both APIs over one database, as an ASGI app or by `handle`."""

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

    async def handle(self, request: BackendRequest) -> BackendResponse[Any]:
        """The response to a request, with all its headers; an error is a response too.

        Raises: ClientDisconnect.
        """
        try:
            response = await self._respond(request)
        except ClientDisconnect:
            raise
        except ProblemError as problem:
            response = _refusal(request, problem)
        except DatabaseLostError as lost:
            LOG.error("request %s: %s was lost (%s)", request.id, self._database.shown, lost.why)
            problem = ProblemError("INTERNAL_ERROR", "The database cannot be reached just now; try again in a moment.")
            response = _refusal(request, problem)
        except Exception:  # the last resort: the caller gets a response, and the log the details
            LOG.exception("request %s broke", request.id)
            problem = ProblemError("INTERNAL_ERROR", "Something broke here; it has been logged.")
            response = _refusal(request, problem)
        body = response.encoded()
        response.headers = [*request.response_headers, *response.headers, ("x-request-id", request.id)]
        if response.status != 204:
            response.headers += [("content-type", "application/json"), ("content-length", str(len(body)))]
        if request.method == "HEAD":
            response.content = b""
        return response

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        client: tuple[str, int] | None = scope.get("client")
        request = BackendRequest(
            scope["method"],
            raw_path(scope),
            scope.get("query_string", b""),
            scope["headers"],
            _chunks(receive),
            client[0] if client else UNKNOWN,
        )
        try:
            response = await self.handle(request)
        except ClientDisconnect:
            return
        await send({"type": "http.response.start", "status": response.status, "headers": response.raw_headers})
        await send({"type": "http.response.body", "body": response.encoded()})

    async def _respond(self, request: BackendRequest) -> BackendResponse[Any]:
        """Raises: ProblemError."""
        caller = self._owner or await self._admit(request)
        served, request.path_values = self.routes.find(request.method, request.path)
        if served is None:
            return BackendResponse(None, self._openapi(), 200)
        request.operation = operation = served.operation
        if caller is None and operation.scope != "nobody":
            raise _unauthorized(request.key)
        if operation.has_body:
            await read_body(request)
        request.query = query_values(request.raw_query)
        return await self._run.run(request, served, caller or ANYONE)

    async def _admit(self, request: BackendRequest) -> Caller | None:
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
        request.response_headers = allowance.headers
        allowance.check()
        return caller

    def _openapi(self) -> bytes:
        if self._document is None:
            self._document = to_json(openapi())
        return self._document


def _refusal(request: BackendRequest, problem: ProblemError) -> BackendResponse[Any]:
    told = events_error(problem, request.operation) if request.is_events else trips_error(problem, request.id)
    return BackendResponse(None, told, problem.status, list(problem.headers))


def _unauthorized(key: str | None) -> ProblemError:
    why = "This API key is not valid" if key else "An API key is missing"
    return ProblemError(
        "UNAUTHORIZED",
        f"{why}; send Authorization: Bearer with a key of this service.",
        headers=[("www-authenticate", "Bearer")],
    )


async def _chunks(receive: Receive) -> AsyncGenerator[bytes]:
    """The body as it arrives. Raises: ClientDisconnect if it is incomplete."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


async def _lifespan(receive: Receive, send: Send) -> None:
    """Does nothing: the database is opened and closed by `open_backend`."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
