"""The resource that a write changes, named so that later writes to it are recognised."""

import hmac
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

from pydantic_core import MISSING

from trips_mcp.client.batch_split import limits
from trips_mcp.contract import OPERATIONS
from trips_mcp.contract.batches import BatchReport
from trips_mcp.contract.events import Event
from trips_mcp.contract.http_mapping import place
from trips_mcp.contract.models import Params, Resource, Result
from trips_mcp.contract.operation import Operation, P, R
from trips_mcp.contract.sync import SyncReport

_KINDS_IN_SYNC: Final = {"legs": "legs", "action_items": "action-items", "map_pins": "map-pins"}


def target(secret: bytes, operation: Operation[P, R], params: P) -> str | None:
    """Equal for writes to the same resource of one account; None for a new resource, which has no name yet."""
    path = place(operation, params).path
    if operation.path in _resource_paths():
        return _digest(secret, path)
    ref = getattr(params, "client_ref", None)
    return _digest(secret, f"{path}#{ref}") if isinstance(ref, str) else None


def made(secret: bytes, operation: Operation[P, R], params: P, result: Result) -> list[str]:
    """The resources that a POST created or changed, as `target` names them for later writes."""
    if operation.method != "POST":
        return []
    path = place(operation, params).path
    return [_digest(secret, f"{place}/{quote(own, safe='')}") for place, own in _ids(path, result)]


def is_repeatable(operation: Operation[Any, Any], params: Params) -> bool:
    """Whether the write is idempotent without an Idempotency-Key."""
    return operation.method in ("PATCH", "DELETE") or all(
        isinstance(getattr(item, "client_ref", None), str) for item in _items(params)
    )


def _ids(path: str, result: Result) -> Iterator[tuple[str, str]]:
    match result:
        case Resource() if result.id:
            yield path, result.id
        case Event() if result.event_id is not None:
            yield path, str(result.event_id)
        case BatchReport():
            yield from _ids_in({path.removesuffix(":batch"): result})
        case SyncReport():
            trip = path.removesuffix("/sync")
            reports = {kind: getattr(result, name) for name, kind in _KINDS_IN_SYNC.items()}
            yield from _ids_in({f"{trip}/{kind}": report for kind, report in reports.items() if report is not None})
        case _:
            return


def _ids_in(reports: Mapping[str, BatchReport]) -> Iterator[tuple[str, str]]:
    for path, report in reports.items():
        yield from ((path, item.id) for item in report.results if item.id and item.status != "unchanged")


def _items(params: Params) -> list[Params]:
    """The items of a batch, or the params themselves."""
    lists = [getattr(params, name) for name in limits(type(params))]
    return [item for items in lists if items is not MISSING for item in items] or [params]


@cache
def _resource_paths() -> frozenset[str]:
    """The paths of single resources: those that can be changed or deleted."""
    return frozenset(operation.path for operation in OPERATIONS if operation.method in ("PATCH", "DELETE"))


def _digest(secret: bytes, name: str) -> str:
    return hmac.new(secret, f"target\0{name}".encode(), sha256).hexdigest()
