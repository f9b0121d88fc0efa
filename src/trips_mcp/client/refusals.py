"""The error answers of both APIs, as one of our errors (docs/contract.md#errors)."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from pydantic_core import from_json

from trips_mcp.client.account import Answer
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
from trips_mcp.client.shapes import is_list
from trips_mcp.contract.errors import STATUS_OF, Fault
from trips_mcp.contract.models import is_object
from trips_mcp.contract.operation import Operation

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
_MARKUP = re.compile(r"<[A-Za-z!/?]")
_NOT_TEXT = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_LINK = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_SECRET = re.compile(r"osk_[A-Za-z0-9_-]+|(?i:bearer)\s+\S+")


def refusal(operation: Operation[Any, Any], answer: Answer, key: str | None = None) -> ApiError:
    said = _error(answer.body)
    status = answer.status
    kind = ServerFaultError if status >= 500 else _KINDS.get(status, ApiError)
    if is_rate_limit(answer):
        kind = RateLimitedError
    return kind(
        operation,
        status=status,
        code=_matching(_CODE, said.get("code"), key) or _CODES.get(status) or f"HTTP_{status}",
        message=_cleaned(said.get("message"), key),
        request_id=_matching(_REQUEST_ID, said.get("requestId"), key) or request_id(answer, key),
        details=list(_details(said.get("details"), key)),
        retry_after=seconds_to_wait(answer.headers.get("Retry-After"), datetime.now(UTC)),
    )


def is_rate_limit(answer: Answer) -> bool:
    """Some services refuse one request too many with a 403, and tell it by their headers.

    The last request that is allowed has nothing remaining either: there a plain FORBIDDEN is what it says.
    """
    if answer.status != 403:
        return answer.status == 429
    if "Retry-After" in answer.headers:
        return True
    return answer.headers.get("X-RateLimit-Remaining") == "0" and _error(answer.body).get("code") != "FORBIDDEN"


def request_id(answer: Answer, key: str | None) -> str | None:
    return _matching(_REQUEST_ID, answer.headers.get("X-Request-Id"), key)


def excerpt(body: bytes, key: str | None) -> str:
    text = body[:2000].decode("utf-8", "replace")
    return _without_secrets(text, key)[:200]


def seconds_to_wait(header: str | None, now: datetime) -> float | None:
    """A Retry-After header as seconds from `now`; None where it is missing or says nothing."""
    if header is None:
        return None
    if _SECONDS.fullmatch(header.strip()):
        return float(header)
    try:
        at = parsedate_to_datetime(header)
        return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
    except (ValueError, OverflowError):
        return None


def _error(body: bytes) -> dict[str, Any]:
    """Either API's envelope as {code, message, requestId, details}, with what there is of them."""
    try:
        whole = from_json(body)
    except ValueError:
        return {}
    error: object = whole.get("error", whole) if is_object(whole) else whole
    if is_object(error):
        return error
    if is_list(error):
        return {"details": error}
    beside = whole if is_object(whole) else {}
    return {**beside, "message": error}


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
    """One line of another system's words, fit to repeat; empty where it isn't."""
    if not isinstance(text, str) or _MARKUP.search(text):
        return ""
    line = _NOT_TEXT.sub(" ", _without_secrets(text[:10_000], key)).strip()
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"


def _without_secrets(text: str, key: str | None) -> str:
    if key:
        text = text.replace(key, "…")
    return _LINK.sub("…", _SECRET.sub("…", text))


def _matching(pattern: re.Pattern[str], text: object, key: str | None) -> str | None:
    if isinstance(text, str) and pattern.fullmatch(text) and _without_secrets(text, key) == text:
        return text
    return None
