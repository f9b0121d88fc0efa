"""Dispatch of a routed request to its handler in one transaction."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pydantic_core import to_json

from trips_mcp.backend.callers.access import check_scope
from trips_mcp.backend.callers.idempotency import Claim, check_key, fingerprint, forget_expired, keep, kept
from trips_mcp.backend.connection import Connection
from trips_mcp.backend.errors import ProblemError, invalid, trips_error
from trips_mcp.backend.handler import Call, Caller, Served
from trips_mcp.backend.http.requests import parse_body, path_values
from trips_mcp.backend.store.database import Database
from trips_mcp.backend.validation import validated
from trips_mcp.contract.errors import STATUS_OF, Fault
from trips_mcp.contract.http_mapping import MisplacedError, gather, location
from trips_mcp.contract.models import Params
from trips_mcp.contract.operation import Operation
from trips_mcp.contract.sync import SYNC_TRIP

_SECONDS_UNTIDIED = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A routed request with its body read; nothing is validated yet."""

    served: Served
    request_id: str
    path: str
    segments: dict[str, str]
    """The path's values, still percent-encoded."""
    query: dict[str, str]
    body: bytes
    idempotency_key: str | None

    @property
    def dry_run(self) -> bool:
        return self.served.operation is SYNC_TRIP and self.query.get("dryRun") == "true"

    @property
    def reads(self) -> bool:
        return self.served.operation.reads or self.dry_run


@dataclass(frozen=True, slots=True)
class Sent:
    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    request_id: str | None = None
    """The first request's id, for a replayed response; None means this request's."""


class _AnsweredBeforeError(Exception):
    """An earlier request with this Idempotency-Key already did the work."""


class Runner:
    def __init__(self, database: Database, clock: Callable[[], float], kept_at: str | None) -> None:
        self._database = database
        self._clock = clock
        self._kept_at = kept_at
        self._tidied = -_SECONDS_UNTIDIED

    async def run(self, asked: Asked, caller: Caller) -> Sent:
        """Raises: ProblemError, after rolling back."""
        key = asked.idempotency_key
        if key is not None:
            check_key(key)
            if not asked.dry_run:
                return await self._run_once(asked, caller, key)
        params = _params(asked, caller)
        async with self._transaction(asked) as db:
            return await self._answer(db, asked, caller, params)

    def _transaction(self, asked: Asked) -> AbstractAsyncContextManager[Connection]:
        if not asked.reads:
            return self._database.writing()
        return self._database.single() if asked.served.is_single else self._database.reading()

    async def _run_once(self, asked: Asked, caller: Caller, key: str) -> Sent:
        """Does the work first, because most keys are new. A used key is noticed when the response is stored."""
        claim = Claim(caller.id, key, _fingerprint(asked), asked.request_id)
        problem: ProblemError | None = None
        try:
            async with self._database.writing() as db:
                sent = await self._answer(db, asked, caller, _params(asked, caller))
                if not await keep(db, claim, sent.status, sent.body, self._clock()):
                    raise _AnsweredBeforeError
                await self._tidy(db)
                return sent
        except _AnsweredBeforeError:
            pass
        except ProblemError as error:
            problem = error
        return await self._answered_before(asked, claim, problem)

    async def _answered_before(self, asked: Asked, claim: Claim, problem: ProblemError | None) -> Sent:
        """Replays the stored response. If there is none, stores the problem as the first response.

        A validation error is not stored: the corrected request may use the same key.
        Raises: ProblemError.
        """
        async with self._database.writing() as db:
            if first := await kept(db, claim, self._clock()):
                return Sent(first.status, first.body, (("idempotent-replayed", "true"),), first.request_id)
            if problem is None or problem.status == STATUS_OF["VALIDATION_ERROR"]:
                raise problem or LookupError("the kept answer is gone")
            body = to_json(trips_error(problem, asked.request_id))
            if await keep(db, claim, problem.status, body, self._clock()):
                return Sent(problem.status, body, problem.headers)
        return await self._answered_before(asked, claim, problem)

    async def _tidy(self, db: Connection) -> None:
        """Deletes expired responses, at most once a minute, because the query takes time."""
        now = self._clock()
        if abs(now - self._tidied) >= _SECONDS_UNTIDIED:
            self._tidied = now
            await forget_expired(db, now)

    async def _answer(self, db: Connection, asked: Asked, caller: Caller, params: Params) -> Sent:
        served = asked.served
        answer = await served.run(Call(db, caller, self._clock(), self._kept_at), params)
        body = b"" if answer.body is None else to_json(answer.body)
        return Sent(answer.status or served.operation.success, body)


def _params(asked: Asked, caller: Caller) -> Params:
    """The validated parameters, after checking the key's scopes. Raises: ProblemError."""
    served = asked.served
    path = path_values(asked.segments)
    check_scope(caller, served.operation.scope, path.get("tripId"))
    body = parse_body(asked.body) if served.operation.has_body else {}
    try:
        fields = gather(served.operation, path, asked.query, body)
    except MisplacedError as misplaced:
        raise invalid(misplaced.faults) from None
    try:
        return validated(served.reads, fields)
    except ProblemError as problem:
        raise invalid([_in_request(served.operation, fault) for fault in problem.faults]) from None


def _in_request(operation: Operation[Any, Any], fault: Fault) -> Fault:
    """A parameter's fault with its path in the request body."""
    return Fault(path=".".join(location(operation, fault.path)), reason=fault.reason)


def _fingerprint(asked: Asked) -> str:
    try:
        body: object = parse_body(asked.body)
    except ProblemError:
        body = ["unreadable", sha256(asked.body).hexdigest()]
    return fingerprint(asked.served.operation.method, asked.path, asked.query, body)
