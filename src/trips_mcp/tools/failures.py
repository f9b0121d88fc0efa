"""Errors in words a model can act on: what happened, what it means, what to do next, and the request's id."""

from trips_mcp.client.errors import (
    ApiError,
    BadAnswerError,
    CannotConnectError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    NotConfiguredError,
    NotFoundError,
    RateLimitedError,
    ServerFaultError,
    TripsError,
    UnauthorizedError,
    UnavailableError,
)
from trips_mcp.contract.faults import in_words


def advice(error: TripsError, tool: str, lookup: str, reads: bool) -> str:
    match error:
        case ApiError():
            return " ".join(filter(None, (_said(error), _next_step(error, tool, lookup, reads), _request(error))))
        case CannotConnectError() | NotConfiguredError():
            return str(error)
        case UnavailableError():
            return f"{error} {_again_after_no_answer(tool, lookup, reads or not error.sent)}"
        case BadAnswerError():
            return f"{error} {_again_after_no_answer(tool, lookup, reads)}"
        case _:
            return str(error)


def _said(error: ApiError) -> str:
    return f"{error.code} ({error.status}): {str(error).rstrip('.')}."


def _next_step(error: ApiError, tool: str, lookup: str, reads: bool) -> str:
    match error:
        case InvalidError():
            found = in_words(error.details)
            return f"Mend and call again: {found}." if found else "Mend the arguments and call again."
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
            wait = f"{error.retry_after:.0f} seconds" if error.retry_after is not None else "a minute"
            return f"Too many requests in a minute: wait {wait}, then call {tool} again."
        case ServerFaultError():
            return _again_after_no_answer(tool, lookup, reads)
        case _:
            return ""


def _again_after_no_answer(tool: str, lookup: str, harmless: bool) -> str:
    if harmless:
        return f"Nothing was changed: call {tool} again in a moment."
    check = f" with {lookup}" if lookup else ""
    return f"Whether {tool} took effect is unknown: check{check} before calling it again."


def _request(error: ApiError) -> str:
    return f"Request {error.request_id}." if error.request_id else ""
