"""Dispatch of a routed request to its handler in one transaction."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from typing import Any

from pydantic_core import to_json

from trips_mcp.backend.callers.access import check_scope
from trips_mcp.backend.callers.idempotency import Claim, check_key, fingerprint, forget_expired, keep, kept
from trips_mcp.backend.errors import ProblemError, invalid, trips_error
from trips_mcp.backend.handler import BackendResponse, Call, Caller, Served
from trips_mcp.backend.http.requests import BackendRequest, parse_body, path_values
from trips_mcp.backend.store.connection import Connection
from trips_mcp.backend.store.database import Database
from trips_mcp.backend.validation import validated
from trips_mcp.contract.errors import STATUS_OF, Fault
from trips_mcp.contract.models import Params
from trips_mcp.contract.operation import MisplacedError, Operation, gather, location
from trips_mcp.contract.sync import SYNC_TRIP

_SECONDS_UNTIDIED = 60.0


class _AnsweredBeforeError(Exception):
    """An earlier request with this Idempotency-Key already did the work."""


class Runner:
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
