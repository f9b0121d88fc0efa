"""Routing of a method and a path, still percent-encoded, to an operation."""

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

from trips_mcp.backend.errors import ProblemError, not_found
from trips_mcp.contract.operation import Method, Operation

T = TypeVar("T")

_MOUNTS = {"trips": "/api/v1", "events": ""}
"""The paths of the Events API include /v1, which is not part of its base URL (docs/contract.md#base-urls)."""


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
