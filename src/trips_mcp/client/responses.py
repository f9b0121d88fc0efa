"""The tolerant reader of API answers, of successes (docs/contract.md#reading-tolerantly) and errors.

The usual answer is validated as it is; only an unusual one is unwrapped. A write counts as done only if its answer
confirms that in the contract's form, as a 200 may come from a proxy or gateway.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Final

import httpx
from pydantic import AliasChoices, ValidationError
from pydantic_core import from_json

from trips_mcp.client.errors import (
    ApiError,
    BadAnswerError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    NotFoundError,
    RateLimitedError,
    ServerFaultError,
    UnauthorizedError,
)
from trips_mcp.contract.batches import BatchReport
from trips_mcp.contract.errors import STATUS_OF, Fault
from trips_mcp.contract.events import DeletedEvent, Event
from trips_mcp.contract.models import Page, Params, Resource, Result
from trips_mcp.contract.operation import Operation, P, R
from trips_mcp.contract.shares import Revoked, ShareToken
from trips_mcp.contract.trips import SyncReport
from trips_mcp.json_values import is_list, is_object
from trips_mcp.redaction import without_keys

_BOM = b"\xef\xbb\xbf"
_ITEMS = ("items", "data", "page", "results")
_CURSORS = ("nextCursor", "cursor", "continueCursor")

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


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A response of any status."""

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)


def read(operation: Operation[P, R], params: P, answer: ApiResponse, key: str | None = None) -> R:
    """The answer as the operation's result. `key`: the API key, which no error may repeat.

    Raises: ApiError, BadAnswerError.
    """
    if 400 <= answer.status < 600:
        raise refusal(operation, answer, key)
    if 300 <= answer.status < 400:
        raise BadAnswerError(operation, "with a redirect, which is never followed", status=answer.status)
    if not 200 <= answer.status < 300:
        raise BadAnswerError(operation, f"with HTTP status {answer.status}", status=answer.status)
    if operation.method == "DELETE" and answer.status == 204:
        return _deleted(operation, params)
    result = _usual(operation.result, answer.body) or _unusual(operation, params, answer.body)
    if result is not None and not operation.reads and not confirms(params, result):
        result = None
    if result is None:
        form = "in a form that could not be read" if operation.reads else "without saying what was done"
        raise BadAnswerError(
            operation,
            f"{form} (HTTP {answer.status})",
            status=answer.status,
            excerpt=excerpt(answer.body, key),
        )
    return result


def _usual(kind: type[R], body: bytes) -> R | None:
    """The body as it is; None if its content may be wrapped, renamed or malformed."""
    try:
        result = kind.model_validate_json(body)
    except ValidationError:
        return None
    return result if _is_plain(result) else None


def _is_plain(result: Result) -> bool:
    extra = result.model_extra or {}
    if isinstance(result, Page):
        return not extra and "items" in result.model_fields_set and result.next_cursor != ""
    if isinstance(result, Resource) and result.id:
        return True
    return bool(result.model_fields_set - set(extra)) and not set(_wrappers(type(result))) & set(extra)


def _unusual(operation: Operation[P, R], params: P, body: bytes) -> R | None:
    try:
        found = from_json(body.removeprefix(_BOM), allow_inf_nan=False) if body.strip() else None
    except ValueError:
        return None
    plural_names = _plural_names(operation.result)
    if plural_names is not None:
        return _valid(operation.result, _page(plural_names, found))
    if operation.when_empty is not None:
        return _deletion(operation, params, found)
    bare: object = _bare(operation.result, found) if found is not None else dict[str, object]()
    if operation.reads and bare and not _known(operation.result, bare):
        return None  # an object, but not of the expected type
    return _valid(operation.result, bare)


def _valid(kind: type[R], fields: object) -> R | None:
    """The fields as a result. A null that the model does not allow counts as absent."""
    for candidate in (fields, _without_nulls(fields)):
        try:
            return kind.model_validate(candidate)
        except ValidationError:
            continue
    return None


def _deleted(operation: Operation[P, R], params: P) -> R:
    """The result of a DELETE that was answered with 204."""
    if operation.when_empty is not None:
        return operation.when_empty(params)
    return operation.result.model_validate({"_id": own_id(operation, params)})


def _deletion(operation: Operation[P, R], params: P, found: object) -> R | None:
    """The result of a deletion whose answer has a body; None if the body does not confirm it."""
    kind = operation.result
    bare = _bare(kind, found)
    if not is_object(bare) or any(value is False for value in bare.values()):
        return None  # such as {"success": false}
    deleted_id = own_id(operation, params)
    if (
        any(str(bare.get(name)) == deleted_id for name in ("_id", "id", "event_id", "deleted"))
        or bare.get("deleted") is True
    ):
        expected = _deleted(operation, params).model_dump(by_alias=True, exclude_unset=True)
        return _valid(kind, {**bare, **expected})
    return _valid(kind, bare) if _known(kind, bare) else None


def confirms(params: Params, result: Result) -> bool:
    """Whether the answer confirms the write: with an id, a token, or an outcome for each item."""
    match result:
        case Resource():
            return bool(result.id)
        case Event():
            return result.event_id is not None
        case ShareToken():
            return bool(result.token)
        case BatchReport():
            return _covers(result, getattr(params, "items", ()))
        case SyncReport():
            lists = {name: getattr(params, name) for name in ("legs", "action_items", "map_pins")}
            return all(
                _covers(getattr(result, name), items) for name, items in lists.items() if is_list(items) and items
            )
        case DeletedEvent():
            return result.deleted is not None or result.already_deleted is True
        case Revoked():
            return result.revoked
        case _:
            return True


def _covers(report: BatchReport | None, items: object) -> bool:
    if report is None:
        return False
    sent = len(items) if is_list(items) else 0
    return sent in (len(report.results), report.created + report.updated + report.unchanged + report.errors)


def own_id(operation: Operation[Any, Any], params: Params) -> str:
    """The id of the resource: the last id in the operation's path."""
    return str(params.model_dump(mode="json").get(operation.path.rpartition("{")[2].rstrip("}"), ""))


def _bare(kind: type[Result], found: object) -> object:
    """The object without its wrapper. A field that only shares a wrapper's name is left alone."""
    if not is_object(found):
        return found
    for name in _wrappers(kind):
        inner = found.get(name)
        if is_object(inner) and _known(kind, inner := _bare(kind, inner)) > _known(kind, found):
            return inner
    return found


def _page(plural_names: tuple[str, ...], found: object) -> object:
    if found is None:
        return {"items": []}
    if is_list(found):
        return {"items": found}
    if not is_object(found):
        return found
    names = (*_ITEMS, *plural_names)
    list_name = next((name for name in names if is_list(found.get(name))), None)
    if list_name is not None:
        rest = {name: value for name, value in found.items() if name not in (list_name, *_CURSORS, "isDone")}
        return {**rest, "items": found[list_name], "nextCursor": _cursor(found)}
    for name in names:
        inner = found.get(name)
        if is_object(inner):
            outer = {name: found[name] for name in (*_CURSORS, "isDone") if name in found}
            return _page(plural_names, {**outer, **inner})
    return {"items": []} if any(name in found for name in names) else None


def _plural_names(kind: type[Result]) -> tuple[str, ...] | None:
    """None if the type is not a page."""
    return kind.plural_names if issubclass(kind, Page) else None


def _cursor(found: dict[str, Any]) -> object:
    if found.get("isDone") is True:
        return None
    cursor = next((found[name] for name in _CURSORS if found.get(name) not in (None, "")), None)
    return str(cursor) if isinstance(cursor, int) and not isinstance(cursor, bool) else cursor


def _wrappers(kind: type[Result]) -> tuple[str, ...]:
    return (*kind.own_names, "data")


def _known(kind: type[Result], found: object) -> int:
    """The number of the object's keys that are fields of the model."""
    return len(_names(kind).intersection(found)) if is_object(found) else 0


@cache
def _names(kind: type[Result]) -> frozenset[str]:
    """Every name and alias of the model's fields."""
    names: set[str] = set()
    for described in kind.model_fields.values():
        alias = described.validation_alias
        names.update(map(str, alias.choices) if isinstance(alias, AliasChoices) else [str(alias)])
    return frozenset(names)


def _without_nulls(value: object) -> object:
    if is_object(value):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    if is_list(value):
        return [_without_nulls(inner) for inner in value]
    return value


# Error responses, translated to our errors (docs/contract.md#errors)


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
