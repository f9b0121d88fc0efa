"""The error responses of both APIs, translated to our errors (docs/contract.md#errors)."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx
from pydantic_core import from_json

from trips_mcp.client.errors import (
    ApiError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    NotFoundError,
    RateLimitedError,
    ServerFaultError,
    UnauthorizedError,
)
from trips_mcp.client.session import ApiResponse
from trips_mcp.contract.errors import STATUS_OF, Fault
from trips_mcp.contract.operation import Operation
from trips_mcp.json_values import is_list, is_object
from trips_mcp.redaction import without_keys

_KINDS: Final[dict[int, type[ApiError]]] = {
    400: InvalidError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: GoneError,
    413: InvalidError,
    422: InvalidError,
    429: RateLimitedError,
}
_CODES: Final[dict[int, str]] = {status: code for code, status in STATUS_OF.items()} | {410: "GONE"}
_LONGEST: Final = 300
_MOST_DETAILS: Final = 1000

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9][\x21-\x7e]{0,127}")
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_NOT_SECONDS = re.compile(r"[0-9]{10,}(?:\.[0-9]+)?")
"""A Unix time, or a wait of decades."""
_DAY: Final = 86_400.0
_MARKUP = re.compile(r"<[A-Za-z!/?]")
_NOT_TEXT = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_LINK = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")


def refusal(operation: Operation[Any, Any], answer: ApiResponse, key: str | None = None) -> ApiError:
    error = _error(answer.body)
    status = answer.status
    kind = ServerFaultError if status >= 500 else _KINDS.get(status, ApiError)
    if is_rate_limit(answer):
        kind = RateLimitedError
    return kind(
        operation,
        status=status,
        code=_matching(_CODE, error.get("code"), key) or _CODES.get(status) or f"HTTP_{status}",
        message=_cleaned(error.get("message"), key),
        request_id=_matching(_REQUEST_ID, error.get("requestId"), key) or request_id(answer, key),
        details=list(_details(error.get("details"), key)),
        retry_after=seconds_to_wait(answer.headers),
        by_service=is_of_service(operation, answer),
    )


def is_of_service(operation: Operation[Any, Any], answer: ApiResponse) -> bool:
    """Whether an answer of status 300 or above comes from the service, in the contract's error envelope.

    A gateway or proxy may answer instead, even after the service carried the request out. Errors of the Trips API
    have a request id; errors of the Events API have only `{"error": …}`.
    """
    if answer.status < 400:
        return False
    try:
        whole = from_json(answer.body)
    except ValueError:
        return False
    error: object = whole.get("error") if is_object(whole) else None
    if operation.api == "events":
        return is_list(error) or (isinstance(error, str) and bool(error))
    return is_object(error) and all(_is_text(error.get(name)) for name in ("code", "requestId"))


def is_in_progress(operation: Operation[Any, Any], answer: ApiResponse) -> bool:
    """Whether a request with this Idempotency-Key may still be in progress."""
    if answer.status != 409:
        return False
    return not is_of_service(operation, answer) or _error(answer.body).get("code") == "IDEMPOTENCY_IN_PROGRESS"


def is_key_conflict(answer: ApiResponse) -> bool:
    return answer.status == 409 and _error(answer.body).get("code") == "IDEMPOTENCY_CONFLICT"


def is_rate_limit(answer: ApiResponse) -> bool:
    """Whether the service refused one request too many: a 429, or a 403 with rate limit headers.

    The last allowed request also has nothing remaining, so a FORBIDDEN there is a plain FORBIDDEN.
    """
    if answer.status != 403:
        return answer.status == 429
    if "Retry-After" in answer.headers:
        return True
    return answer.headers.get("X-RateLimit-Remaining") == "0" and _error(answer.body).get("code") != "FORBIDDEN"


def request_id(answer: ApiResponse, key: str | None) -> str | None:
    return _matching(_REQUEST_ID, answer.headers.get("X-Request-Id"), key)


def excerpt(body: bytes, key: str | None) -> str:
    text = body[:2000].decode("utf-8", "replace")
    return _without_secrets(text, key)[:200]


def seconds_to_wait(headers: httpx.Headers) -> float | None:
    """Retry-After in seconds from now; None if it is missing or cannot be read.

    A date is relative to the answer's Date header, as this computer's clock may be wrong.
    """
    header = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(header):
        return float(header)
    sent_at = _date(headers.get("Date", "")) or datetime.now(UTC)
    if _NOT_SECONDS.fullmatch(header):
        until = float(header[:15]) - sent_at.timestamp()
        return until if 0 < until < _DAY else _DAY
    at = _date(header)
    return None if at is None else max(0.0, (at - sent_at).total_seconds())


def says_not_now(headers: httpx.Headers) -> bool:
    """Whether Retry-After is a number too large for a wait, so that this call is not retried."""
    return _NOT_SECONDS.fullmatch(headers.get("Retry-After", "").strip()) is not None


def _date(header: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return at.replace(tzinfo=at.tzinfo or UTC)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _error(body: bytes) -> dict[str, Any]:
    """The error envelope of either API as {code, message, requestId, details}; each may be missing."""
    try:
        whole = from_json(body)
    except ValueError:
        return {}
    error: object = whole.get("error", whole) if is_object(whole) else whole
    if is_object(error):
        return error
    if is_list(error):
        return {"details": error}
    envelope = whole if is_object(whole) else {}
    return {**envelope, "message": error}


def _details(found: object, key: str | None) -> Iterator[Fault]:
    if not is_list(found):
        return
    for detail in found[:_MOST_DETAILS]:
        if is_object(detail):
            steps = detail.get("path")
            path = ".".join(map(str, steps)) if is_list(steps) else steps
            reason = _cleaned(detail.get("reason") or detail.get("message"), key)
            if reason:
                yield Fault(path=_cleaned(path, key), reason=reason)


def _cleaned(text: object, key: str | None) -> str:
    """The text of another system as one line without secrets; empty if it must not be repeated."""
    if not isinstance(text, str) or _MARKUP.search(text):
        return ""
    line = _NOT_TEXT.sub(" ", _without_secrets(text[:10_000], key)).strip()
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"


def _without_secrets(text: str, key: str | None) -> str:
    if key:
        text = text.replace(key, "…")
    return _LINK.sub("…", without_keys(text))


def _matching(pattern: re.Pattern[str], text: object, key: str | None) -> str | None:
    if isinstance(text, str) and pattern.fullmatch(text) and _without_secrets(text, key) == text:
        return text
    return None
