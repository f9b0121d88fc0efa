"""Parsing of a request's path, query, body and credentials, within limits."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, cookie_parser
from starlette.types import Receive, Scope

from trips_mcp.backend.errors import ProblemError, invalid_field
from trips_mcp.json_values import is_list, is_object

LONGEST_BODY = 2**20
_DEEPEST = 64
"""Most levels of nesting: far more than an itinerary has, and safe for recursive functions."""


def raw_path(scope: Scope) -> str:
    """The path, still percent-encoded, so that an encoded slash separates nothing."""
    raw: bytes | None = scope.get("raw_path")
    return quote(scope["path"], safe="/:") if raw is None else raw.partition(b"?")[0].decode("latin-1")


def path_values(raw: Mapping[str, str]) -> dict[str, str]:
    """Raises: ProblemError."""
    values: dict[str, str] = {}
    for name, segment in raw.items():
        try:
            values[name] = unquote_to_bytes(segment).decode()
        except UnicodeDecodeError:
            raise invalid_field(name, "not an id; copy it exactly as it was given") from None
    return values


def query_values(scope: Scope) -> dict[str, str]:
    """Raises: ProblemError."""
    raw: bytes = scope.get("query_string", b"")
    if not raw:
        return {}
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise invalid_field("query", "not valid Unicode text, percent-encoded") from None
    values = dict(pairs)
    if len(values) != len(pairs):
        raise invalid_field("query", "a parameter is given more than once")
    return values


async def read_body(receive: Receive, headers: Headers) -> bytes:
    """Raises: ProblemError if the body is too long, ClientDisconnect if it is incomplete."""
    announced = headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and (len(announced) > 9 or int(announced) > LONGEST_BODY):
        raise _too_long()
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > LONGEST_BODY:
            raise _too_long()
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def parse_body(raw: bytes) -> dict[str, Any]:
    """The body's JSON object; empty if there is no body.

    Raises: ProblemError.
    """
    if not raw:
        return {}
    try:
        body: object = json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse_constant, parse_float=_finite)
    except UnicodeDecodeError:
        raise _bad_body("not valid UTF-8") from None
    except json.JSONDecodeError as error:
        raise _bad_body(f"not valid JSON (line {error.lineno}, column {error.colno})") from None
    except (ValueError, RecursionError):  # NaN, 1e400, a number of thousands of digits
        raise _bad_body("not valid JSON: a number out of range, or nested too deeply") from None
    if not is_object(body):
        raise _bad_body("expected a JSON object")
    if raw.count(b"{") + raw.count(b"[") > _DEEPEST and _is_deeper(body, _DEEPEST):
        raise _bad_body(f"nested more than {_DEEPEST} levels deep")
    return body


def credentials(headers: Headers, *, cookie: bool) -> str | None:
    """The key or token of the request; the Events API also accepts a cookie."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    if cookie:
        return cookie_parser(headers.get("cookie", "")).get("session_token") or None
    return None


def _is_deeper(value: object, levels: int) -> bool:
    level: list[object] = [value]
    for _ in range(levels):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: object) -> list[object]:
    if is_object(value):
        return [inner for inner in value.values() if isinstance(inner, dict | list)]
    if is_list(value):
        return [inner for inner in value if isinstance(inner, dict | list)]
    return []


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("out of range")
    return value


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _bad_body(reason: str) -> ProblemError:
    return invalid_field("body", reason)


def _too_long() -> ProblemError:
    return ProblemError("PAYLOAD_TOO_LARGE", f"The body is too long: at most {LONGEST_BODY} bytes are read.")
