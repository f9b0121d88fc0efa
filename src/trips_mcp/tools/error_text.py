"""Errors as a model can act on them: what happened, what to do next, and the request's id."""

from functools import cache
from math import ceil
from typing import Any, Final

from trips_mcp.client.errors import (
    ApiError,
    BadAnswerError,
    CannotConnectError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    MissingScopeError,
    NotConfiguredError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitedError,
    ServerFaultError,
    TripsError,
    UnauthorizedError,
    UnavailableError,
)
from trips_mcp.contract import OPERATIONS
from trips_mcp.contract.errors import in_words
from trips_mcp.contract.operation import Operation

_MOMENT: Final = 60
"""Seconds. A shorter wait after a failure is "a moment"."""
_LONGEST: Final = 8_000


class ToolRefusedError(Exception):
    """A call that was refused. The message is the reason, in one sentence."""


def within_bounds(sentence: str) -> str:
    """An error text, cut if it is too long: each of hundreds of items can be wrong."""
    if len(sentence) <= _LONGEST:
        return sentence
    return f"{sentence[:_LONGEST].rpartition(' ')[0]} … (cut; fix these first)"


def advice(error: TripsError, tool: str, lookup: str, reads: bool) -> str:
    reads = reads or _is_of_a_read(error)
    match error:
        case ApiError():
            return " ".join(filter(None, (_said(error), _next_step(error, tool, lookup, reads), _request(error))))
        case CannotConnectError() | NotConfiguredError():
            return str(error)
        case MissingScopeError():
            return f"{error} Nothing was sent. Trying again won't help; if the key's scopes were changed, call get_me."
        case OutcomeUnknownError():
            return " ".join(filter(None, (_unknown(error, tool), _to_check(lookup), _wait(error.retry_after))))
        case UnavailableError():
            return f"{error} {_again_after_no_answer(tool, lookup, reads or not error.sent, error.retry_after)}"
        case BadAnswerError():
            return f"{error} {_again_after_no_answer(tool, lookup, reads)}"
        case _:
            return str(error)


def where_to_check(error: TripsError, lookup: str) -> str:
    """The tool that shows whether a write of unknown outcome was made, else `lookup`, which lists the ids."""
    return (_shown_by(error.operation) if isinstance(error, OutcomeUnknownError) else "") or lookup


@cache
def _shown_by(operation: Operation[Any, Any]) -> str:
    """The read at the write's path, or at the path of its list."""
    path = operation.path.removesuffix(":batch")
    paths = [path, path.rpartition("/")[0]] if path.endswith("}") else [path]
    reads = {read.path: read.name for read in OPERATIONS if read.reads and read.api == operation.api}
    if operation.name == "sync_trip":
        return "export_trip"
    return next((reads[place] for place in paths if place in reads), "")


def _is_of_a_read(error: TripsError) -> bool:
    """True even inside a write, as when an event could not be read before its update."""
    operation: Operation[Any, Any] | None = getattr(error, "operation", None)
    return operation is not None and operation.reads


def _said(error: ApiError) -> str:
    return f"{error.code} ({error.status}): {str(error).rstrip('.')}."


def _next_step(error: ApiError, tool: str, lookup: str, reads: bool) -> str:
    match error:
        case InvalidError():
            found = in_words(error.details)
            told = not found or found in str(error)  # some services repeat the details in the message
            return "Fix that and call again." if told else f"Fix and call again: {found}."
        case UnauthorizedError():
            return "The API key is missing, wrong or revoked: ask the user to set a valid one; trying again won't help."
        case ForbiddenError():
            needed = f"this needs the scope {error.operation.scope} and membership of the trip"
            return f"Ask the user for a key that allows it ({needed}); trying again won't help."
        case NotFoundError():
            return f"Look the id up with {lookup}." if lookup else ""
        case GoneError():
            return "It was deleted; nothing is left to do."
        case ConflictError():
            return "Read the current state before trying again."
        case RateLimitedError():
            wait = _seconds(error.retry_after) if error.retry_after is not None else "a minute"
            return f"Nothing was done: wait {wait}, then call {tool} again."
        case ServerFaultError():
            return _again_after_no_answer(tool, lookup, reads, error.retry_after)
        case _:
            return ""


def _again_after_no_answer(tool: str, lookup: str, harmless: bool, retry_after: float | None = None) -> str:
    if harmless and retry_after is not None and retry_after >= _MOMENT:
        return f"Nothing was changed: wait {_seconds(retry_after)}, then call {tool} again."
    wait = _wait(retry_after)
    if harmless:
        return f"Nothing was changed: call {tool} again in a moment. {wait}".rstrip()
    check = f" with {lookup}" if lookup else ""
    return f"Whether {tool} took effect is unknown: check{check} before calling it again. {wait}".rstrip()


def _unknown(error: OutcomeUnknownError, tool: str) -> str:
    """Says that a repetition is safe, which the client ensures: a model would not try otherwise."""
    if not error.repeatable:
        return f"Outcome unknown: {error.why}. Do not simply call {tool} again."
    again = f"Calling {tool} again with the same arguments is safe"
    return f"Outcome unknown: {error.why}. {again}: {_why_safe(error.operation, tool)}."


def _why_safe(operation: Operation[Any, Any], tool: str) -> str:
    if operation.api == "events" and operation.method == "POST":
        return "it first looks whether the event is there"
    if operation.api == "events" and operation.method == "PATCH":
        return "it is only done if the event has not changed since"
    done = {"send": "sent", "create": "created", "update": "changed", "upsert": "written", "sync": "written"}
    return f"it will not be {done.get(tool.partition('_')[0], 'done')} twice"


def _to_check(lookup: str) -> str:
    return f"To check: {lookup}." if lookup else ""


def _wait(seconds: float | None) -> str:
    return f"Wait {_seconds(seconds)} before that." if seconds is not None and seconds >= 1 else ""


def _seconds(seconds: float) -> str:
    return "1 second" if ceil(seconds) == 1 else f"{ceil(seconds)} seconds"


def _request(error: ApiError) -> str:
    return f"Request {error.request_id}." if error.request_id else ""
