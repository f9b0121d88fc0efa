"""Requests: their routes, and the parsing of path, query, body and credentials, within limits."""

import json
from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
from typing import Any, Generic, NoReturn, TypeVar
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from starlette.requests import cookie_parser
from starlette.types import Scope

from trips_mcp.backend.errors import ProblemError, invalid_field, not_found
from trips_mcp.backend.handler import new_request_id
from trips_mcp.contract.operation import Method, Operation
from trips_mcp.json_values import is_list, is_object

LONGEST_BODY = 2**20
_DEEPEST = 64
"""Most levels of nesting: far more than an itinerary has, and safe for recursive functions."""


T = TypeVar("T")

_MOUNTS = {"trips": "/api/v1", "events": ""}
"""The paths of the Events API include /v1, which is not part of its base URL (docs/contract.md#base-urls)."""


class BackendRequest:
    """A request to either API, from a socket or from this process."""

    def __init__(
        self,
        method: str,
        path: str,
        raw_query: bytes,
        headers: Iterable[tuple[bytes, bytes]],
        chunks: AsyncIterable[bytes],
        address: str,
    ) -> None:
        """`path` and `raw_query`: percent-encoded. `headers`: their names in lower case."""
        self.id = new_request_id()
        """A replayed response has the id of the first request."""
        self.method = method
        self.path = path
        self.raw_query = raw_query
        self.chunks = chunks
        self.address = address
        self._headers: dict[bytes, bytes] = {}
        for name, value in headers:
            self._headers.setdefault(name, value)
        self.is_events = path.startswith("/v1/")
        self.key = self._credentials()
        self.response_headers: list[tuple[str, str]] = []
        """Headers of the response, whatever it is."""

        self.operation: Operation[Any, Any] | None = None
        """Set by the router, as the next ones; nothing is validated yet."""
        self.path_values: dict[str, str] = {}
        """Percent-encoded."""
        self.query: dict[str, str] = {}
        self.body = b""

    def header(self, name: bytes) -> str | None:
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    def _credentials(self) -> str | None:
        """The key or token of the request; the Events API also accepts a cookie."""
        scheme, _, key = (self.header(b"authorization") or "").partition(" ")
        if scheme.lower() == "bearer" and key.strip():
            return key.strip()
        if self.is_events:
            return cookie_parser(self.header(b"cookie") or "").get("session_token") or None
        return None


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


def query_values(raw: bytes) -> dict[str, str]:
    """Raises: ProblemError."""
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


async def read_body(request: BackendRequest) -> None:
    """Raises: ProblemError if the body is too long, ClientDisconnect if it is incomplete."""
    announced = request.header(b"content-length") or ""
    if announced.isascii() and announced.isdigit() and (len(announced) > 9 or int(announced) > LONGEST_BODY):
        raise _too_long()
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.chunks:
        size += len(chunk)
        if size > LONGEST_BODY:
            raise _too_long()
        chunks.append(chunk)
    request.body = b"".join(chunks)


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


def full_path(operation: Operation[Any, Any]) -> str:
    return _MOUNTS[operation.api] + operation.path


class Routes(Generic[T]):
    """Path templates with `{name}` placeholders → a target for each method."""

    def __init__(self, served: Iterable[tuple[str, Method, T]]) -> None:
        by_path: dict[str, dict[str, T]] = {}
        for path, method, what in served:
            by_path.setdefault(path, {})[method] = what
        self._by_length: dict[int, list[tuple[list[str], dict[str, T]]]] = {}
        for path, by_method in by_path.items():
            segments = path.split("/")
            self._by_length.setdefault(len(segments), []).append((segments, by_method))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for places in self._by_length.values():
            for segments, by_method in places:
                yield from ((method, "/".join(segments)) for method in by_method)

    def find(self, method: str, path: str) -> tuple[T, dict[str, str]]:
        """The target and the path's values, still percent-encoded. Raises: ProblemError."""
        segments = path.split("/")
        for wanted, by_method in self._by_length.get(len(segments), ()):
            values = _match(wanted, segments)
            if values is None:
                continue
            if method in by_method:
                return by_method[method], values
            allowed = ", ".join(sorted(by_method))
            raise ProblemError("METHOD_NOT_ALLOWED", f"This path takes {allowed} only.", headers=[("allow", allowed)])
        raise not_found("path in this API; /openapi.json lists them")


def _match(wanted: list[str], segments: list[str]) -> dict[str, str] | None:
    values: dict[str, str] = {}
    for expected, segment in zip(wanted, segments, strict=True):
        if expected.startswith("{"):
            if not segment:
                return None
            values[expected[1:-1]] = segment
        elif expected != segment:
            return None
    return values
