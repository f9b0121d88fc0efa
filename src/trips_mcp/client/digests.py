"""Keyed digests that identify an account, equal calls, and the resource that a write changes.

They are equal for equal things, and reveal nothing: an argument such as a door code has few possible values.
"""

import hmac
import json
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

from pydantic_core import MISSING

from trips_mcp.client.endpoint import Endpoint
from trips_mcp.contract import OPERATIONS
from trips_mcp.contract.batches import BatchReport, limits
from trips_mcp.contract.events import Event
from trips_mcp.contract.http_mapping import place
from trips_mcp.contract.models import Params, Resource, Result
from trips_mcp.contract.operation import Operation, P, R
from trips_mcp.contract.sync import SyncReport


def account_secret(endpoint: Endpoint) -> bytes:
    """Equal for clients of the same account only. It contains the API key, so nobody else can compute it."""
    return sha256(json.dumps([endpoint.base_url, endpoint.key, endpoint.account]).encode()).digest()


def history_account(secret: bytes) -> str:
    """The account's name in the history, which reveals nothing of the key."""
    return hmac.new(secret, b"history", sha256).hexdigest()


def step_digest(secret: bytes, step: str, plain: str) -> str:
    """The digest of a plan's step, from that of the same call by itself."""
    return hmac.new(secret, f"step\0{step}\0{plain}".encode(), sha256).hexdigest()


def digest(secret: bytes, operation: Operation[P, R], params: P) -> str:
    """Equal for equal arguments of one operation on one account.

    Keyed, as some arguments have so few possible values that all can be tried: a door code, a yes or no.
    """
    arguments = json.dumps(params.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hmac.new(secret, f"{operation.name}\0{arguments}".encode(), sha256).hexdigest()


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
