"""The backend, which authenticates, rate-limits and routes each request, and runs its handler in one transaction."""

import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from hashlib import sha256
from typing import Any

from pydantic_core import to_json
from sqlalchemy import literal, select
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from trips_mcp.addresses import UNKNOWN, client_network
from trips_mcp.backend.callers import (
    LOCAL_OWNER,
    Allowance,
    KeyLookups,
    check_scope,
    count_request,
    note_use,
    user_named,
)
from trips_mcp.backend.errors import ProblemError, events_error, invalid, trips_error
from trips_mcp.backend.handler import ANYONE, BackendResponse, Call, Caller, Served, timestamp, validated
from trips_mcp.backend.idempotency import Claim, check_key, fingerprint, forget_expired, keep, kept
from trips_mcp.backend.requests import (
    BackendRequest,
    Routes,
    full_path,
    parse_body,
    path_values,
    query_values,
    raw_path,
    read_body,
)
from trips_mcp.backend.resources import HANDLERS
from trips_mcp.backend.store import DatabaseLostError
from trips_mcp.backend.store.connection import FAILURES, Connection
from trips_mcp.backend.store.database import Database, open_database
from trips_mcp.contract.errors import STATUS_OF, Fault
from trips_mcp.contract.models import Params
from trips_mcp.contract.operation import MisplacedError, Operation, gather, location
from trips_mcp.contract.trips import SYNC_TRIP

LOG = logging.getLogger("trips_mcp.backend")

_DOCUMENT = "/openapi.json"
_PING = select(literal(1))
_SECONDS_UNNOTED = 3600.0
"""How old the stored last use of a key may be. Storing every use would make each read a write."""
_SECONDS_UNTIDIED = 60.0


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
        self._keys = KeyLookups(database.single)
        self._run = _Runner(database, clock, database.shown if owner else None)
        self.routes: Routes[Served | None] = Routes(
            [
                *((full_path(served.operation), served.operation.method, served) for served in HANDLERS),
                (_DOCUMENT, "GET", None),
            ]
        )

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
                await db.execute(_PING)
        except FAILURES as error:
            LOG.warning("%s does not answer (%s)", self._database.shown, type(error).__name__)
            return False
        return True

    async def knows(self, key: str) -> bool:
        """Whether the key is valid, outside the rate limit. True while the database cannot be reached."""
        try:
            return await self._keys.find(key) is not None
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
            from trips_mcp.backend.openapi import document

            return BackendResponse(None, document(), 200)
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
        caller = None if key is None else await self._keys.find(key)
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


@asynccontextmanager
async def open_backend(
    database: str,
    *,
    require_keys: bool,
    rate_limit: int | None = 60,
    clock: Callable[[], float] = time.time,
) -> AsyncGenerator[Backend]:
    """Both APIs as an ASGI app over the database at this URL or path, until the block ends.

    Without `require_keys` every request acts as the local owner, with every scope and no rate limit.

    Raises: DatabaseError.
    """
    async with open_database(database) as opened:
        if require_keys:
            yield Backend(opened, owner=None, rate_limit=rate_limit, clock=clock)
            return
        async with opened.preparing() as db:
            user_id = await user_named(db, LOCAL_OWNER)
        owner = Caller.with_all_scopes("local", user_id)
        yield Backend(opened, owner=owner, rate_limit=None, clock=clock)


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


class _AnsweredBeforeError(Exception):
    """An earlier request with this Idempotency-Key already did the work."""


class _Runner:
    """Runs a routed request's handler in one transaction, and only once for an Idempotency-Key."""

    def __init__(self, database: Database, clock: Callable[[], float], kept_at: str | None) -> None:
        self._database = database
        self._clock = clock
        self._kept_at = kept_at
        self._tidied = -_SECONDS_UNTIDIED

    async def run(self, request: BackendRequest, served: Served, caller: Caller) -> BackendResponse[Any]:
        """Raises: ProblemError, after rolling back."""
        operation = served.operation
        dry_run = operation is SYNC_TRIP and request.query.get("dryRun") == "true"
        if operation.api == "trips" and not operation.reads:
            key = request.header(b"idempotency-key")
            if key is not None:
                check_key(key)
                if not dry_run:
                    return await self._run_once(request, served, caller, key)
        params = _params(request, served, caller)
        async with self._transaction(served, reads=operation.reads or dry_run) as db:
            return await self._answer(db, served, caller, params)

    def _transaction(self, served: Served, *, reads: bool) -> AbstractAsyncContextManager[Connection]:
        if not reads:
            return self._database.writing()
        return self._database.single() if served.is_single else self._database.reading()

    async def _run_once(
        self, request: BackendRequest, served: Served, caller: Caller, key: str
    ) -> BackendResponse[Any]:
        """Does the work first, because most keys are new. A used key is noticed when the response is stored."""
        claim = Claim(caller.id, key, _fingerprint(request), request.id)
        problem: ProblemError | None = None
        try:
            async with self._database.writing() as db:
                response = await self._answer(db, served, caller, _params(request, served, caller))
                if not await keep(db, claim, response.status, response.encoded(), self._clock()):
                    raise _AnsweredBeforeError
                await self._tidy(db)
                return response
        except _AnsweredBeforeError:
            pass
        except ProblemError as error:
            problem = error
        return await self._answered_before(request, claim, problem)

    async def _answered_before(
        self, request: BackendRequest, claim: Claim, problem: ProblemError | None
    ) -> BackendResponse[Any]:
        """Replays the stored response. If there is none, stores the problem as the first response.

        A validation error is not stored: the corrected request may use the same key.
        Raises: ProblemError.
        """
        async with self._database.writing() as db:
            if first := await kept(db, claim, self._clock()):
                request.id = first.request_id
                return BackendResponse(None, first.body, first.status, [("idempotent-replayed", "true")])
            if problem is None or problem.status == STATUS_OF["VALIDATION_ERROR"]:
                raise problem or LookupError("the kept answer is gone")
            body = to_json(trips_error(problem, request.id))
            if await keep(db, claim, problem.status, body, self._clock()):
                return BackendResponse(None, body, problem.status, list(problem.headers))
        return await self._answered_before(request, claim, problem)

    async def _tidy(self, db: Connection) -> None:
        """Deletes expired responses, at most once a minute, because the query takes time."""
        now = self._clock()
        if abs(now - self._tidied) >= _SECONDS_UNTIDIED:
            self._tidied = now
            await forget_expired(db, now)

    async def _answer(self, db: Connection, served: Served, caller: Caller, params: Params) -> BackendResponse[Any]:
        response = await served.run(Call(db, caller, self._clock(), self._kept_at), params)
        response.status = response.status or served.operation.success
        return response


def _params(request: BackendRequest, served: Served, caller: Caller) -> Params:
    """The validated parameters, after checking the key's scopes. Raises: ProblemError."""
    path = path_values(request.path_values)
    check_scope(caller, served.operation.scope, path.get("tripId"))
    body = parse_body(request.body) if served.operation.has_body else {}
    try:
        fields = gather(served.operation, path, request.query, body)
    except MisplacedError as misplaced:
        raise invalid(misplaced.faults) from None
    try:
        return validated(served.reads, fields)
    except ProblemError as problem:
        raise invalid([_in_request(served.operation, fault) for fault in problem.faults]) from None


def _in_request(operation: Operation[Any, Any], fault: Fault) -> Fault:
    """A parameter's fault with its path in the request body."""
    return Fault(path=".".join(location(operation, fault.path)), reason=fault.reason)


def _fingerprint(request: BackendRequest) -> str:
    try:
        body: object = parse_body(request.body)
    except ProblemError:
        body = ["unreadable", sha256(request.body).hexdigest()]
    return fingerprint(request.method, request.path, request.query, body)
