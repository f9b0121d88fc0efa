"""The error that refuses a request, and its JSON body in both APIs (docs/contract.md#errors)."""

from collections.abc import Sequence
from typing import Any

from trips_mcp.contract.errors import STATUS_OF, ErrorCode, Fault, in_words
from trips_mcp.contract.operation import Operation

_SHOWN = 5
"""Most faults in the message; `details` has all of them."""
_LONGEST_PATH = 200


class ProblemError(Exception):
    """The request is refused; its transaction is rolled back."""

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        faults: Sequence[Fault] = (),
        *,
        status: int | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message
        self.faults = [Fault(path=_readable(fault.path), reason=fault.reason) for fault in faults]
        self.status = status or STATUS_OF[code]
        self.headers = tuple(headers)


def invalid(faults: Sequence[Fault]) -> ProblemError:
    problem = ProblemError("VALIDATION_ERROR", "", faults)
    more = len(faults) - _SHOWN
    problem.message = in_words(problem.faults[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
    return problem


def invalid_field(path: str, reason: str) -> ProblemError:
    return invalid([Fault(path=path, reason=reason)])


def not_found(what: str) -> ProblemError:
    return ProblemError("NOT_FOUND", f"There is no such {what}.")


def forbidden(why: str) -> ProblemError:
    return ProblemError("FORBIDDEN", why)


def trips_error(problem: ProblemError, request_id: str) -> dict[str, Any]:
    error: dict[str, Any] = {"code": problem.code, "message": problem.message, "requestId": request_id}
    if problem.faults:
        error["details"] = details(problem)
    return {"error": error}


def item_error(problem: ProblemError) -> dict[str, Any]:
    """The error of one item in a batch."""
    return {"code": problem.code, "message": problem.message, "details": details(problem)}


def details(problem: ProblemError) -> list[dict[str, str]]:
    return [{"path": fault.path, "reason": fault.reason} for fault in problem.faults]


def events_error(problem: ProblemError, operation: Operation[Any, Any] | None) -> dict[str, Any]:
    if not problem.faults or operation is None or not operation.has_body:
        return {"error": problem.message}
    return {"error": [{"path": fault.path.split("."), "message": fault.reason} for fault in problem.faults]}


def _readable(path: str) -> str:
    """Shortens and escapes a path: it may contain a field name as sent, of any length and not always valid Unicode."""
    return path[:_LONGEST_PATH].encode("utf-8", "backslashreplace").decode()
